"""Exit codes, names that are safe to print, lines on stderr, and how a command fails."""

from __future__ import annotations

import errno
import os
import sys
from enum import IntEnum
from pathlib import Path
from typing import NoReturn

import typer

from hashkit.errors import DocumentInvalid, HashkitError, IsAFolder
from hashkit.locale.printable import printable


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    DONE = 0
    SOME_FAILED = 1
    WRONG_USE = 2
    INTERRUPTED = 130


STAYED = "The pictures and videos themselves did not leave this computer."

# Invisible, but part of emoji, of Persian and Indic words, and of the names of screenshots.
_HARMLESS = {" ", "\u00a0", "\u202f", "\u200c", "\u200d"}


def shown_name(path: str | os.PathLike[str]) -> str:
    """A file name that is safe to print: control characters, characters that turn the writing
    direction and bytes that are not UTF-8 are shown as escapes."""
    try:
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a lone surrogate, which no file name has
        name = os.fspath(path)
    return printable(name, _HARMLESS)


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr)


def reader_left(error: OSError) -> bool:
    """Is nobody there any more who reads what we print?"""
    # Windows calls a pipe without a reader an invalid argument.
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)


def with_advice(error: HashkitError) -> str:
    """What happened, and what to do next."""
    return f"{error} {error.advice}".strip()


def fail_on(error: HashkitError, path: Path) -> NoReturn:
    """Say what is wrong with a file that the command cannot do without. (Its advice on folders is
    for commands that take them.)"""
    fail(error.text if isinstance(error, IsAFolder) else error, path, ExitCode.SOME_FAILED)


def fail_on_submission(error: HashkitError, path: Path) -> NoReturn:
    """Say what is wrong with a submission. (The advice is on how to make one: not for one that is
    there, with something wrong in it.)"""
    if isinstance(error, DocumentInvalid) and error.text != DocumentInvalid.text:
        fail(str(error), path, ExitCode.SOME_FAILED)
    fail_on(error, path)


def fail(what: HashkitError | str, path: Path | None, code: ExitCode) -> NoReturn:
    """Say what ends the command: an error with its advice, or a sentence."""
    name = f"{shown_name(path)}: " if path is not None else ""
    say(f"{name}{what if isinstance(what, str) else with_advice(what)}")
    raise typer.Exit(code)
