"""CONTRIBUTING.md, the hooks, the templates and the workflows agree with each other.

These tests read them as text, so that they need no YAML; a hook checks each kind against its
schema.
"""

from __future__ import annotations

import re
import tomllib

import pytest

FORMS = ("1-bug.yml", "2-words.yml", "3-feature.yml")
HOOKS = re.compile(r"^ +- id: ([a-z-]+)$", re.MULTILINE)


@pytest.fixture
def read(root):
    """Read a file of the checkout."""

    def text(*names):
        return root.joinpath(*names).read_text("utf-8")

    return text


def sh(page):
    """The lines of the shell code blocks."""
    found = re.findall(r"^ *```sh\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in found for line in block.splitlines()]


@pytest.fixture
def templates(read):
    """Each text shown to people who open an issue or a pull request."""
    forms = {name: read(".github", "ISSUE_TEMPLATE", name) for name in FORMS}
    return {**forms, "change": read(".github", "PULL_REQUEST_TEMPLATE.md")}


def test_every_hook_is_explained(read):
    hooks = HOOKS.findall(read(".pre-commit-config.yaml"))
    table = re.findall(r"^\| (`[^|]*) \|", read("CONTRIBUTING.md"), re.MULTILINE)
    explained = {name for row in table for name in re.findall(r"`([a-z-]+)`", row)}
    assert len(hooks) == len(set(hooks)) > 10
    assert set(hooks) == explained


def test_hooks_fetch_nothing(read):
    config = read(".pre-commit-config.yaml")
    assert re.findall(r"repo: (.*)", config) == ["local"]
    assert set(re.findall(r"language: (.*)", config)) == {"system", "fail", "pygrep"}
    assert "://" not in config
    extra = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]["check"]
    programs = {re.split(r"[>=]", each)[0] for each in extra}
    entries = {each.split()[0] for each in re.findall(r"entry: ([a-z].*)", config)}
    assert entries - {"python"} == {"ruff", "mypy", "lint-imports", "check-jsonschema", "zizmor"}
    assert entries - {"python", "lint-imports"} < programs
    assert {"import-linter", "pre-commit"} < programs


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        ("Parse dates without a zone as UTC\n\nHTTP dates are UTC.\n", False),
        ("Parse dates without a zone as UTC", False),
        ("x" * 60 + "\n", False),
        ("x" * 61 + "\n", True),
        ("Parse dates.\n", True),
        ("Parse dates.", True),
        (
            "Parse dates\n\n"
            + "A long line of the reason, which may be as long as it wants to. " * 3,
            False,
        ),
        ("fixup! " + "x" * 60 + "\n", False),
    ],
)
def test_first_lines_of_commits(read, message, refused):
    entry = re.search(
        r"- id: commit-subject\n.*?entry: (.*?)\n", read(".pre-commit-config.yaml"), re.S
    )
    assert bool(re.search(entry[1], message, re.MULTILINE | re.DOTALL)) is refused


def test_generated_pictures_alone_are_kept(read, root):
    config = read(".pre-commit-config.yaml")
    hook = re.search(r"- id: pictures\n.*?files: (.*?)\n *exclude: (.*?)\n", config, re.S)
    for name in ("photo.jpg", "docs/HOLIDAY.HEIC", "tests/web/clip.mp4"):
        assert re.search(hook[1], name)
        assert not re.search(hook[2], name)
    assert not re.search(hook[1], "docs/variants.svg")
    for sample in root.glob("samples_synthetic/*.*"):
        assert re.search(hook[1], sample.name) or sample.suffix == ".py", sample
        assert re.search(hook[2], sample.relative_to(root).as_posix())


def test_what_is_named_is_there(read, root):
    page = read("CONTRIBUTING.md")
    names = set(
        re.findall(r"(?:\.ci|\.github|docs|hashkit|samples_synthetic|tests|tools)/[\w./-]*", page)
    )
    assert {".ci/run", "tools/catalogue.py", "tests/public_surface.txt"} < names
    assert [name for name in sorted(names) if not (root / name.rstrip(".")).exists()] == []
    assert re.search(r"\]\(CONTRIBUTING\.md\)", read("README.md"))


def test_commands_name_extras_that_exist(read):
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    for page in ("CONTRIBUTING.md", "docs/releasing.md"):
        named = re.findall(r"'\.\[([a-z,-]+)\]'", read(page))
        assert named
        assert {each for group in named for each in group.split(",")} <= set(extras), page


def test_nobody_is_asked_for_a_picture(templates):
    for name, text in templates.items():
        lower = " ".join(text.split())
        assert re.search(r"[Nn]ever attach", lower), name
        for never in ("a picture or a video", "hash of a real intimate picture", "submission file"):
            assert never in lower, name
        assert "blurred idea of the picture" in lower, name
        assert "samples_synthetic/generate.py" in lower or name != "1-bug.yml"


def test_help_comes_first(templates, read):
    for name, text in [
        *templates.items(),
        ("config", read(".github", "ISSUE_TEMPLATE/config.yml")),
    ]:
        lower = " ".join(text.split())
        places = [lower.find(each) for each in ("not your fault", "local emergency number")]
        places += [lower.find(each) for each in ("takeitdown.ncmec.org", "stopncii.org")]
        assert min(places) > 0, name
        if name != "config":
            assert max(places) < re.search("[Nn]ever attach", lower).start(), name
    for name in FORMS:  # the first of the form, not below its questions
        text = templates[name]
        assert text.index("not your fault") < text.index("id:")
        assert text.index("type: markdown") < text.index("id:")


def test_faults_of_security_go_elsewhere(templates, read):
    assert "SECURITY.md" in templates["1-bug.yml"]
    assert "SECURITY.md" in templates["change"]
    assert "blank_issues_enabled: false" in read(".github", "ISSUE_TEMPLATE", "config.yml")
    assert "SECURITY.md" in read("CODE_OF_CONDUCT.md")


def test_workflows_run_what_is_written_elsewhere(read):
    checks = read(".github", "workflows", "checks.yml")
    assert "grep '^pip install' README.md" in checks
    assert "pip install -" not in checks
    assert "pip install ." not in checks
    assert re.search(r"run: \.ci/run$", checks, re.MULTILINE)
    oldest = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    assert f'python: ["{oldest.removeprefix(">=")}", "' in checks
    for system in ("ubuntu", "macos", "windows"):
        assert f"{system}-latest" in checks
    latest = read(".github", "workflows", "latest.yml")
    assert re.search(r"run: \.ci/latest$", latest, re.MULTILINE)
    assert "cron:" in latest


def test_workflows_may_do_nothing_but_read(root):
    for path in root.glob(".github/workflows/*"):
        text = path.read_text("utf-8")
        assert "permissions:\n  contents: read\n" in text
        assert text.count("permissions:") == 1
        assert "secrets." not in text
        for action in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
        assert text.count("uses: actions/checkout@") == text.count("persist-credentials: false")
        jobs = text[text.index("\njobs:") :]
        assert jobs.count("runs-on:") == jobs.count("timeout-minutes:") > 0


def test_a_release_is_checked_with_the_same_commands(read):
    security, releasing = read("SECURITY.md"), sh(read("docs", "releasing.md"))
    inner = [line[len("(cd dist && ") : -1] for line in releasing if line.startswith("(cd dist")]
    verify = next(line for line in inner if " -Y verify " in line)
    assert verify.replace("../allowed", "allowed") in security
    assert "sha256sum --check --ignore-missing SHA256SUMS" in inner
    assert "sha256sum --check --ignore-missing SHA256SUMS" in security
    assert any(line.startswith("pip-audit --strict ") for line in releasing)


def test_the_name_is_said_before_anybody_installs(read):
    section = read("SECURITY.md").partition("## Before you install")[2].partition("\n## ")[0]
    assert "**`takedown-hashkit`**" in section
    assert "Do not run `pip install hashkit`" in section
    everywhere = [read("CONTRIBUTING.md"), read("docs", "releasing.md")]
    assert not any(re.search(r"^ *pip install hashkit", text, re.MULTILINE) for text in everywhere)
