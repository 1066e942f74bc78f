"""Refuses options that are also names of files: ``hashkit hash *`` passes names, not options.

A shell replaces ``*`` by the names in the folder, and whoever made a file chose its name. A file
named ``--out=x`` would be taken for the option.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from hashkit.cli.output.terminal import ExitCode, fail, shown_name

END_OF_OPTIONS = "--"


def check_dashes(arguments: Iterable[str]) -> None:
    """End the command, with exit code 2, if an argument that would be taken for an option, or for
    the value of one, is also a file or folder. What follows ``--`` is no option."""
    given = [*arguments]
    for number, argument in enumerate(given):
        if argument == END_OF_OPTIONS:
            # A file of this name would be skipped in silence, unless the person wrote one "--" too.
            if END_OF_OPTIONS not in given[number + 1 :]:
                _check(argument)
            return
        if argument.startswith("-"):
            _check(argument)


def _check(argument: str) -> None:
    if os.path.lexists(argument):
        name = shown_name(argument)
        why = (
            f"{name} is also the name of a file here: write ./{name} for the file, or put -- "
            "before the files; for the option, run hashkit in another folder."
        )
        fail(why, None, ExitCode.WRONG_USE)
