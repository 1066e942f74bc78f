"""Fixtures and options shared by all tests."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from packaging.requirements import Requirement
from PIL import Image

# Machines are noisy: no test fails for being slow. Examples are random in every run.
settings.register_profile(
    "hashkit", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("hashkit")

# Python on Windows prints in the letters of the region into a pipe, and the tests read UTF-8.
if os.name == "nt":
    os.environ["PYTHONIOENCODING"] = "utf-8"

ROOT = Path(__file__).parent.parent

Run = Callable[..., subprocess.CompletedProcess[str]]

# Tests marked test_all are slow or need more than the core: they run if the extra is installed.

NEEDS_TEST_ALL = "needs the extra test-all: pip install -c constraints.txt '.[test-all]'"
_WHOLE_MODULE = re.compile(r"^pytestmark = pytest\.mark\.test_all$", re.MULTILINE)


def _has_test_all() -> bool:
    for line in metadata.requires("takedown-hashkit") or ():
        requirement = Requirement(line)
        if requirement.marker and requirement.marker.evaluate({"extra": "test-all"}):
            try:
                metadata.version(requirement.name)
            except metadata.PackageNotFoundError:
                return False
    return True


HAS_TEST_ALL = _has_test_all()


class _SkippedModule(pytest.Module):
    """A module that is not imported, since its imports may not be installed."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip(NEEDS_TEST_ALL, allow_module_level=True)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> _SkippedModule | None:
    """Skip a module that is marked as a whole, if the extra is not installed."""
    if HAS_TEST_ALL or not _WHOLE_MODULE.search(module_path.read_text("utf-8")):
        return None
    skipped: _SkippedModule = _SkippedModule.from_parent(parent, path=module_path)
    return skipped


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the marked tests of other modules."""
    if not HAS_TEST_ALL:
        for item in items:
            if item.get_closest_marker("test_all"):
                item.add_marker(pytest.mark.skip(reason=NEEDS_TEST_ALL))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="fail when a test is skipped, but for the lack of the extra test-all",
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With --no-skips, as in CI, a test that cannot run fails the run."""
    if not terminalreporter.config.getoption("no_skips"):
        return
    reasons = {str(each.longrepr[2]) for each in terminalreporter.stats.get("skipped", ())}
    unknown = sorted(each for each in reasons if NEEDS_TEST_ALL not in each)
    for reason in unknown:
        terminalreporter.write_line(f"--no-skips: {reason}", red=True)
    if unknown:
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that are called in the process of the tests do not lock it: that would hold for all
    later tests. Those of the locks start processes of their own."""
    for name in ("lock_network", "lock_outgoing", "lock_to_send", "lock_memory"):
        monkeypatch.setattr(f"hashkit.sandbox.lockdown.{name}", lambda: ())


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample pictures."""
    return ROOT / "samples_synthetic"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``hashkit`` in a process of its own, in an empty folder."""

    def hashkit(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hashkit", *map(str, arguments)]
        # Nothing to read, from a pipe: what DEVNULL stands for on Windows calls itself a terminal.
        options = {"cwd": tmp_path, "input": "", **options}
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=120, check=False, **options
        )

    return hashkit


@pytest.fixture(scope="session")
def commands() -> dict[str, set[str]]:
    """Every command and its options, from the parser: the layout of help pages is Typer's."""
    from hashkit.cli.commands import COMMANDS, load

    return {
        name: {
            each
            for parameter in load(name).params
            if parameter.param_type_name == "option"
            for each in parameter.opts
            if each.startswith("--")
        }
        for name in COMMANDS
    }


@pytest.fixture(scope="session")
def unwrapped() -> Callable[[str], str]:
    """The text of a help page or an error, without Typer's line breaks and frames."""
    return lambda text: " ".join(re.sub(r"\x1b\[[\d;]*m|[\u2500-\u257f]", " ", text).split())


@pytest.fixture(scope="session")
def scene() -> Callable[[int, int, int], Image.Image]:
    """Draw a scene, as for the samples: number, width, height."""
    sys.path.insert(0, str(ROOT / "samples_synthetic"))
    from generate import scene

    return scene


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # For tests of DNS rebinding: another name for this machine.
    "--host-resolver-rules=MAP rebound.test 127.0.0.1",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A real browser without a window."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (chromium, chromium-browser or google-chrome)")
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    from one_playwright import playwright

    started = playwright().chromium.launch(executable_path=CHROMIUM, args=_QUIET)
    yield started
    started.close()


@pytest.fixture(scope="session")
def found_by_axe() -> Callable[[object], list[tuple[str, str, str]]]:
    """The violations that axe-core finds, by the rules listed beside this file. A newer axe has
    more rules and does not fail these tests by them, until they are added to the list; rules that
    it dropped are left out."""
    import axe_playwright_python

    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    rules = (ROOT / "tests" / "axe_rules.txt").read_text("utf-8").split()

    def found(page: object) -> list[tuple[str, str, str]]:
        page.evaluate(f"{axe}; 0")
        known = [each["ruleId"] for each in page.evaluate("axe.getRules()")]
        asked = [each for each in rules if each in known]
        assert len(asked) > len(rules) / 2
        run = {"runOnly": {"type": "rule", "values": asked}, "resultTypes": ["violations"]}
        violations = page.evaluate("(run) => axe.run(document, run)", run)["violations"]
        return [
            (each["id"], node["html"], node["failureSummary"])
            for each in violations
            for node in each["nodes"]
        ]

    return found


@pytest.fixture
def attack(ordinary: Callable[[], None]) -> Callable[..., set[str]]:
    """Tries to reach into a process, as another one of the same user that cannot trace all of them,
    as root can. Takes the arguments of ``attacks.py``; returns what worked."""

    def run_attacks(*arguments: object) -> set[str]:
        command = [sys.executable, ROOT / "tests" / "attacks.py", *map(str, arguments)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=ordinary,
        )
        assert done.returncode == 0, done.stderr
        return {*json.loads(done.stdout)}

    return run_attacks


@pytest.fixture
def ordinary() -> Callable[[], None]:
    """For ``preexec_fn``: the program is as that of an ordinary user, who cannot trace all others.
    Both sides need it: nobody may trace those who can do more."""
    if sys.platform != "linux":
        return lambda: None
    prctl, drop, tracing = ctypes.CDLL(None).prctl, 24, 19  # PR_CAPBSET_DROP, CAP_SYS_PTRACE
    return lambda: prctl(drop, tracing, 0, 0, 0)
