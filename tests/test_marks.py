"""What the marker ``test_all`` and the option ``--no-skips`` do, in a small suite of their own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib import metadata

import pytest

LACKING = """
from importlib import metadata
version = metadata.version
def lacks(name):
    if name == "pytest-xdist":  # of the extra, and not needed to run without workers
        raise metadata.PackageNotFoundError(name)
    return version(name)
metadata.version = lacks
"""
WHOLE = """
import a_package_that_is_not_there
import pytest

pytestmark = pytest.mark.test_all

def test_never_imported(): pass
"""
SOME = """
import pytest

def test_core(): pass

@pytest.mark.test_all
def test_more(): raise AssertionError("ran")
"""
OTHER_SKIP = """
import pytest

@pytest.mark.skip(reason="no such system")
def test_elsewhere(): pass
"""


@pytest.fixture
def suite(root, tmp_path):
    """Run these modules of tests with our conftest: the exit code, and what is printed."""
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / "lacking.py").write_text(LACKING)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = test_all\n")

    def run(modules, *options):
        for number, content in enumerate(modules):
            (tmp_path / f"test_{number}.py").write_text(content)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_ADDOPTS": ""},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_without_the_extra_it_is_skipped_and_named(suite):
    code, printed = suite([WHOLE, SOME], "-p", "lacking", "-p", "no:xdist", "--no-skips")
    assert code == 0, printed
    assert "1 passed, 2 skipped" in printed
    assert printed.count("pip install -c constraints.txt '.[test-all]'") >= 1


@pytest.mark.test_all
def test_with_the_extra_it_runs(suite):
    code, printed = suite([SOME], "--no-skips")
    assert code == 1, printed
    assert "1 failed, 1 passed" in printed
    code, printed = suite([WHOLE], "--no-skips")
    assert code == 2, printed  # it is imported, and the package is missing


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n", "2")])
def test_another_skip_is_a_fault_in_ci_only(suite, workers):
    code, printed = suite([OTHER_SKIP], *workers)
    assert code == 0, printed
    code, printed = suite([OTHER_SKIP], *workers, "--no-skips")
    assert code == 1, printed
    assert "--no-skips: Skipped: no such system" in printed


@pytest.fixture
def constraints(root, monkeypatch, tmp_path):
    """tools/constraints.py, with a file of its own."""
    spec = importlib.util.spec_from_file_location("c_tool", root / "tools" / "constraints.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(tool, "CONSTRAINTS", tmp_path / "constraints.txt")

    def faults(pinned, installed):
        (tmp_path / "constraints.txt").write_text(pinned)

        class Distribution:
            def __init__(self, name, version):
                self.metadata, self.version = {"Name": name}, version

        found = [Distribution(*each.split()) for each in installed]
        monkeypatch.setattr(metadata, "distributions", lambda: iter(found))
        return tool.not_pinned()

    return faults


@pytest.mark.parametrize(
    ("pinned", "installed", "fault"),
    [
        ("# a note\na-b==1.0\n", ["A.b 1.0", "pip 9", "takedown-hashkit 3"], None),
        ("a==1.0\n", ["a 1.1"], "a 1.1 is installed, pinned: ==1.0"),
        ("a==1.0\n", ["b 1.0"], "b 1.0 is installed, pinned: no line"),
        ("a==1 ; python_version < '3'\na==2 ; python_version >= '3'\n", ["a 2"], None),
        (
            "a==1 ; python_version < '3'\na==2 ; python_version >= '3'\n",
            ["a 1"],
            "a 1 is installed",
        ),
        ("a==1\na==2\n", ["a 2"], "pinned: ==1, ==2"),
    ],
)
def test_what_is_installed_and_not_pinned(constraints, pinned, installed, fault):
    found = constraints(pinned, installed)
    assert (fault is None) == (found == [])
    assert fault is None or fault in found[0]
