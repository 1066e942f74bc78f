"""docs/architecture.md is true: its layers are the contract's, and what it names is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "architecture.md").read_text("utf-8")


def rows(page, head):
    """The cells of the table whose first line is this."""
    table = page.partition(f"{head}\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_layers_are_those_of_the_contract(root, page):
    contracts = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = (
        each["layers"] for each in contracts["contracts"] if each.get("containers") == ["hashkit"]
    )
    held = [set(layer.split(" | ")) for layer in layers]
    shown = [
        set(re.findall(r"`([a-z_]+)`", text)) for _, text in rows(page, "| layer | packages |")
    ]
    assert shown == held
    assert len(held) <= 8


def test_few_entries_at_the_top(root):
    entries = {path.name for path in (root / "hashkit").iterdir() if path.name != "__pycache__"}
    assert len(entries - {"__init__.py", "__main__.py", "py.typed"}) <= 18


def test_imports_are_not_deep(root):
    """Those inside functions count too."""
    done = subprocess.run(
        [sys.executable, root / "tools" / "import_depth.py", "--all", "12"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_every_step_is_there(root, page):
    steps = rows(page, "| step | module | function |")
    assert len(steps) > 10
    for step, modules, functions in steps:
        names = set()
        for module in re.findall(r"`([\w/]+\.py)`", modules):
            tree = ast.parse((root / "hashkit" / module).read_text("utf-8"))
            names |= {each.name for each in ast.walk(tree) if hasattr(each, "name")}
        for name in re.findall(r"`([\w.]+)`", functions):
            assert set(name.split(".")) <= names, f"{step}: {name}"


def test_what_is_named_exists(root, page):
    named = set(re.findall(r"`((?:\w+/)+\w+\.py|tests/[\w/.]+|docs/[\w/.]+)`", page))
    assert len(named) > 15
    for name in named:
        if Path(name).stem in ("NAME", "X", "test_NAME"):  # one of several, or one to be written
            assert (root / "hashkit" / name).parent.is_dir() or (root / name).parent.is_dir(), name
            continue
        assert (root / "hashkit" / name).exists() or (root / name).exists(), name
    assert "](docs/architecture.md)" in (root / "README.md").read_text("utf-8")
    assert "](docs/architecture.md)" in (root / "CONTRIBUTING.md").read_text("utf-8")


def test_every_module_says_what_it_holds(root):
    for path in (root / "hashkit").rglob("*.py"):
        said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        first = said.splitlines()[0] if said else ""
        assert first, path
        assert len(first) <= 100, path
