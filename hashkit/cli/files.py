"""Reading and writing the files that commands are given; ends the command where that fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from hashkit.cli.output.terminal import ExitCode, fail, fail_on, fail_on_submission, shown_name
from hashkit.errors import (
    FileEmpty,
    FileMissing,
    HashkitError,
    NotMedia,
    OutputExists,
    OutputUnwritable,
)
from hashkit.media import formats
from hashkit.pipeline.files import open_untrusted
from hashkit.submission.document import Submission, is_submission, read_submission
from hashkit.submission.writing import write_whole

TO_BE_READ = "This is the file to be read. It was left as it is. Choose another name."
NOT_OVER_WHAT_IS_READ = (
    "This file is to be read. It was left as it is. Choose another name for --out."
)
_MAY_BE_MEDIA = "This may be a picture or a video. It was left as it is. Choose another name."


def read_or_fail(path: Path) -> Submission:
    """The submission in a file. Ends the command where there is none."""
    try:
        return read_submission(path)
    except HashkitError as error:
        fail_on_submission(error, path)


def submission_in(path: Path) -> Submission | None:
    """The submission in a file that is one; None for a picture or video."""
    try:
        return read_submission(path) if is_submission(path) else None
    except HashkitError as error:
        fail_on(error, path)


def write_or_fail(out: Path, content: bytes, force: bool) -> None:
    """Write a file whole. Ends the command where that fails."""
    try:
        write_whole(out, content, replace=force)
    except HashkitError as error:
        fail(error, out, ExitCode.SOME_FAILED)


def write_or_print(content: bytes, out: Path | None, force: bool) -> None:
    """Write a file whole, or print it where none is named."""
    if out is None:
        print(content.decode("ascii"), end="", file=sys.stdout)
    else:
        write_or_fail(out, content, force)


def written(out: Path | None) -> str:
    """The beginning of the line that says what was written."""
    return "" if out is None else f"Written: {shown_name(out)}. "


def check_target(out: Path, force: bool, inputs: Iterable[Path]) -> None:
    """Refuse before the work what would fail after it, and never write over a picture or over one
    of the files that the command reads."""
    if not os.path.isdir(out.parent) or not os.access(out.parent, os.W_OK):
        fail(OutputUnwritable(), out, ExitCode.WRONG_USE)
    if not os.path.lexists(out):
        return
    if os.path.isdir(out):
        fail("There is a folder with this name. Choose another.", out, ExitCode.WRONG_USE)
    if not force:
        fail(OutputExists(), out, ExitCode.WRONG_USE)
    if any(same_file(out, each) for each in inputs) or not _may_be_replaced(out):
        fail(_MAY_BE_MEDIA, out, ExitCode.WRONG_USE)


def check_other_target(out: Path, force: bool, given: Iterable[Path], why: str) -> None:
    """Likewise, and refuse with ``why`` if it is one of the files ``given`` to be read."""
    if any(same_file(out, each) for each in given):
        fail(why, out, ExitCode.WRONG_USE)
    check_target(out, force, ())


def same_file(one: Path, other: Path) -> bool:
    """Whether these are two names of one existing file."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _may_be_replaced(path: Path) -> bool:
    """Only a readable file that is neither picture nor video, or a broken link."""
    try:
        with open_untrusted(path) as existing:
            formats.identify(existing.head)
    except (NotMedia, FileEmpty, FileMissing):
        return True
    except HashkitError:
        return False
    return False
