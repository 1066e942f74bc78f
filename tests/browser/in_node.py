"""Calls functions of the engine in one process of Node for many jobs."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

NODE = shutil.which("node")
_SCRIPT = Path(__file__).with_suffix(".js")


def as_bytes(data: bytes) -> dict[str, str]:
    """An argument that arrives as a Uint8Array."""
    return {"$bytes": base64.b64encode(data).decode()}


def as_file(data: bytes) -> dict[str, str]:
    """An argument that arrives as a FileBytes."""
    return {"$file": base64.b64encode(data).decode()}


def call(module: str, function: str, arguments: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The value of each call, or the fields of the error that it raised, in ``{"error": …}``."""
    jobs = [{"module": module, "function": function, "arguments": [*each]} for each in arguments]
    answers = json.loads(_node([str(_SCRIPT)], json.dumps(jobs)))
    assert len(answers) == len(jobs)
    return [each if "error" in each else each.get("value") for each in answers]


def run_module(script: str, folder: Path) -> str:
    """What a module that stands in this folder prints."""
    return _node(["--input-type=module", "-e", script], "", folder)


def _node(arguments: list[str], given: str, folder: Path | None = None) -> str:
    if NODE is None:
        pytest.skip("needs Node 20 or later (node)")
    done = subprocess.run(
        [NODE, *arguments],
        input=given,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
