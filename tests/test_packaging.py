"""The package: its name, its pinned versions, and a reproducible build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
PINS = [Requirement(line) for line in CONSTRAINTS if line and not line.startswith("#")]

PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
SYSTEMS = {
    "linux": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"},
    "macos": {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin"},
    "windows": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows"},
}


def names(extra):
    return {canonicalize_name(Requirement(each).name) for each in EXTRAS[extra]}


# Versions


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_one_version_of_each_package_is_pinned(python, system):
    full = {"python_version": python, "python_full_version": f"{python}.9"}
    environment = {**default_environment(), **SYSTEMS[system], **full}
    pinned = {}
    for pin in PINS:
        if pin.marker is None or pin.marker.evaluate(environment):
            assert canonicalize_name(pin.name) not in pinned, pin.name
            pinned[canonicalize_name(pin.name)] = pin
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(each for ones in EXTRAS.values() for each in ones),
    ]
    for requirement in map(Requirement, wanted):
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        (exact,) = pinned[canonicalize_name(requirement.name)].specifier
        assert exact.operator == "=="
        assert requirement.specifier.contains(Version(exact.version)), requirement


def test_pins_are_exact_and_say_nothing_of_where_from():
    for pin in PINS:
        assert re.fullmatch(r"==[\w.!+]+", str(pin.specifier)), pin
        assert pin.url is None
    assert not re.search("://|--", "\n".join(CONSTRAINTS))


def test_what_builds_it_is_pinned_too():
    """Constraints do not apply to build requirements."""
    needed = [Requirement(each) for each in PROJECT["build-system"]["requires"]]
    assert "hatchling" in {each.name for each in needed}
    assert all(re.fullmatch(r"==[\w.]+", str(each.specifier)) for each in needed)


def test_extras_hold_each_other():
    assert names("test") < names("test-all")
    for extra in ("send", "keyring", "seal", "dask", "faiss", "docs"):
        assert names(extra) <= names("test-all"), extra
    for heavy in ("pdqhash", "playwright", "distributed", "faiss-cpu", "threatexchange"):
        assert heavy not in names("test")
    assert "pytest" not in {Requirement(each).name for each in PROJECT["project"]["dependencies"]}


def test_the_table_of_wheels_is_that_of_the_script(root):
    script = (root / "tools" / "check_wheels.py").read_text("utf-8")
    page = (root / "docs" / "platforms.md").read_text("utf-8")
    assert re.findall(r'"(3\.\d+)"', script) == PYTHONS
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.partition("<!-- wheels -->\n")[2].partition("<!--")[0].splitlines()
    ]
    assert rows[0] == ["", *PYTHONS]
    assert [row[0] for row in rows[2:]] == re.findall(r'^    "([^"]+)": "', script, re.MULTILINE)
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}"


# Name


def files_of(root):
    listed = []
    if shutil.which("git"):
        command = ["git", "ls-files", "-z"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        listed = [root / name for name in done.stdout.split("\0") if name]
    found = listed or [  # it came as an archive: without what was put beside it since
        path
        for path in root.rglob("*.*")
        if not re.search(r"(^|/)(\.|__pycache__)", path.relative_to(root).as_posix())
    ]
    return [path for path in found if path.is_file()]


def test_no_hint_installs_a_strangers_program(root):
    """``hashkit`` in the public index is another project: such a hint would install that."""
    assert PROJECT["project"]["name"] == "takedown-hashkit"
    searched = 0
    for path in files_of(root):
        if root / "docs" / "decisions" in path.parents:
            continue
        content = path.read_bytes()
        searched += 1
        assert b"hashkit" + b"[" not in content, path
        if root / "tests" not in path.parents:
            before = re.findall(rb"(.{0,20})pip install ['\"]?hashkit\b", content)
            assert all(b"not run" in each for each in before), path
    assert searched > 300


def test_hints_name_a_package_of_an_extra(root):
    """Each is the name of the missing package, which fits every kind of install."""
    optional = names("send") | names("keyring") | names("seal") | names("dask") | names("faiss")
    hinted = set()
    for path in (root / "hashkit").rglob("*.py"):
        hinted |= set(re.findall(r"pip install ([\w-]+)", path.read_text("utf-8")))
    assert hinted == optional


# What is built


def build(folder, year, umask):
    """Build a wheel and a source archive from a copy of the checkout."""
    for path in files_of(ROOT):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        moment = time.mktime((year, 1, 2, 3, 4, 5, 0, 0, -1))
        os.utime(copy, (moment, moment))
    command = [sys.executable, "-m", "hatchling", "build"]
    options = {"umask": umask} if os.name == "posix" else {}
    environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
        **options,
    )
    return {path.name: path for path in (folder / "dist").iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Built twice: in two folders, at two times, with two umasks."""
    first = build(tmp_path_factory.mktemp("a") / "checkout", 2001, 0o022)
    second = build(tmp_path_factory.mktemp("another") / "deep" / "er", 2024, 0o077)
    return first, second


@pytest.mark.test_all
def test_built_twice_it_is_the_same(built):
    first, second = built
    assert first.keys() == second.keys()
    assert {path.suffix for path in first.values()} == {".whl", ".gz"}
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes(), name


@pytest.mark.test_all
def test_the_wheel_holds_what_runs_and_nothing_else(built, root):
    (path,) = (path for name, path in built[0].items() if name.endswith(".whl"))
    assert path.name.startswith("takedown_hashkit-")
    with zipfile.ZipFile(path) as wheel:
        inside = set(wheel.namelist())
        (licence,) = (name for name in inside if name.endswith("/licenses/LICENSE"))
        assert wheel.read(licence) == (root / "LICENSE").read_bytes()
        (entry,) = (name for name in inside if name.endswith("entry_points.txt"))
        assert b"hashkit = hashkit.cli:main" in wheel.read(entry)
    package = {name for name in inside if name.startswith("hashkit/")}
    tracked = {path.relative_to(root).as_posix() for path in files_of(root)}
    assert package == {name for name in tracked if name.startswith("hashkit/")}
    assert all(".dist-info/" in name for name in inside - package)
    for ending in (".mo", ".po", ".html", ".css", ".js", ".toml", ".schema.json", ".xsd"):
        assert any(name.endswith(ending) for name in package), ending
    assert "hashkit/py.typed" in package


@pytest.mark.test_all
def test_the_source_archive_can_be_tested(built):
    (path,) = (path for name, path in built[0].items() if name.endswith(".tar.gz"))
    with tarfile.open(path) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("constraints.txt", "pyproject.toml", "tests/conftest.py", "LICENSE", "README.md"):
        assert name in inside
