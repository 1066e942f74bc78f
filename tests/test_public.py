"""The public API is declared once, complete, and light to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hashkit

HEAVY = {"numpy", "cv2", "PIL", "pillow_heif", "scipy", "imagehash", "pywt"}
NETWORK_PACKAGES = {
    *("socket", "ssl", "http", "urllib", "ftplib", "smtplib", "imaplib", "poplib", "telnetlib"),
    *("xmlrpc", "socketserver", "webbrowser", "asyncio", "httpx", "requests", "urllib3", "aiohttp"),
    "uvicorn",
}
NETWORK = {"socket", "ssl", "http.client", "urllib.request", "asyncio", "ftplib"}


def loaded_after(code):
    code += "\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_every_public_name_is_there():
    for name in hashkit.__all__:
        assert getattr(hashkit, name) is not None
    assert set(hashkit.__all__) == set(hashkit._MODULE_OF)
    assert set(hashkit.__all__) <= set(dir(hashkit))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = hashkit.no_such_name


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(hashkit.__file__).read_text("utf-8"))
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for line in node.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert seen == set(hashkit.__all__)


def test_public_functions_say_what_they_do():
    for name in hashkit.__all__:
        value = getattr(hashkit, name)
        if callable(value):
            assert len(value.__doc__.split()) > 5, name


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["hash", "--help"]])
def test_version_and_help_load_nothing_heavy(arguments):
    code = f"""
import contextlib, io, sys
from hashkit.cli import app
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    app({arguments!r})
"""
    assert not loaded_after(code) & HEAVY


def test_import_is_light():
    assert not loaded_after("import hashkit") & (HEAVY | NETWORK | {"typer", "rich"})


def test_reading_a_submission_loads_no_decoder():
    assert not loaded_after("import hashkit; hashkit.read_submission") & HEAVY


MAY = {
    "batch/dask_client.py": {"socket"},  # for --dask, in a process of its own
    "sandbox/escape_tests.py": {"socket"},  # its attempts to connect must fail
    "web/opening.py": {"webbrowser"},  # opens the local page in the browser
    "web/serving.py": {"socket", "asyncio", "uvicorn"},  # listens, and denies itself all else
    "web/connections.py": {"asyncio", "uvicorn"},
    "submission/sending/client.py": {"httpx", "ssl"},  # the only one that connects
    "submission/sending/exchange.py": {"socket"},  # ends an answer that never ends
    "web/app.py": {"asyncio"},
    "web/transfers.py": {"asyncio"},
}


def test_only_what_answers_or_sends_imports_a_network_module():
    for path in Path(hashkit.__file__).parent.rglob("*.py"):
        may = next((names for name, names in MAY.items() if path.as_posix().endswith(name)), set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            roots = {name.split(".")[0] for name in names}
            assert not NETWORK_PACKAGES & roots - may, path


def test_nothing_public_changes_unnoticed(root):
    """If a change is intended: ``python tools/public_surface.py > tests/public_surface.txt``, and a
    line in the changelog (docs/stability.md)."""
    done = subprocess.run(
        [sys.executable, root / "tools" / "public_surface.py"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    known = (root / "tests" / "public_surface.txt").read_text("utf-8")
    assert done.stdout.splitlines() == known.splitlines()
