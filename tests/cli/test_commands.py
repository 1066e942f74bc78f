"""The table of commands has the help of the commands, and imports none of them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from hashkit.cli.commands import COMMANDS, load


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name):
    module, listed = COMMANDS[name]
    function = getattr(import_module(f"hashkit.cli.commands.{module}"), f"{name}_command")
    first = inspect.getdoc(function).split("\n\n")[0]
    assert " ".join(first.split()) == listed
    assert load(name).callback.__wrapped__ is function


def test_the_list_imports_no_command():
    code = "import sys; from hashkit.cli import app\ntry:\n    app(['--help'])\nfinally:\n    "
    code += "print(*(each for each in sys.modules if each.startswith('hashkit.cli.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {*done.stdout.splitlines()[-1].split()} == {
        "hashkit.cli.commands",
        "hashkit.cli.dashes",
        "hashkit.cli.output",
        "hashkit.cli.output.terminal",
    }
