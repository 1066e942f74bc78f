"""Where a command may write: refused before the work, and never over a picture or a video."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hashkit.cli.output.terminal import ExitCode, fail

_MAY_BE_MEDIA = "This may be a picture or a video. It was left as it is. Choose another name."


def check_target(out: Path, force: bool, inputs: Iterable[Path]) -> None:
    """Refuse before the work what would fail after it, and never write over a picture or over one
    of the files that the command reads."""
    from hashkit.errors import OutputExists, OutputUnwritable

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


def same_file(one: Path, other: Path) -> bool:
    """Are these two names of one file that is there?"""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _may_be_replaced(path: Path) -> bool:
    """Only what can be read and is surely neither picture nor video, or is a link to nowhere."""
    from hashkit.errors import FileEmpty, FileMissing, HashkitError, NotMedia
    from hashkit.media import formats
    from hashkit.pipeline.files import open_untrusted

    try:
        with open_untrusted(path) as existing:
            formats.identify(existing.head)
    except (NotMedia, FileEmpty, FileMissing):
        return True
    except HashkitError:
        return False
    return False
