"""What the tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

# Machines are noisy: no test fails for being slow. Examples are drawn anew on every run.
settings.register_profile(
    "hashkit", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("hashkit")

ROOT = Path(__file__).parent.parent

Run = Callable[..., subprocess.CompletedProcess[str]]


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
    """Run ``hashkit`` as a process of its own, in an empty folder."""

    def hashkit(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hashkit", *map(str, arguments)]
        options = {"cwd": tmp_path, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=120, check=False, **options
        )

    return hashkit


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
    # What a hostile page would use to give this machine a name of its own (DNS rebinding).
    "--host-resolver-rules=MAP rebound.test 127.0.0.1",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A real browser, without a window. In CI there has to be one."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("There is no Chromium here, and CI has to have one.")
        pytest.skip("needs Chromium (chromium, chromium-browser or google-chrome)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield started
        started.close()
