"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from hashkit.errors import OutputExists, OutputUnwritable


def write_whole(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write ``content`` to ``path`` so that it is either there completely or not at all.

    It is written beside its target, under a name of its own and readable by its owner only, and
    then takes the target's name. OutputExists where there is a file and ``replace`` is false,
    OutputUnwritable where the system refuses; either way the old file is as it was and nothing is
    left behind.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=".hashkit-", suffix=".part", dir=path.parent)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise OutputUnwritable from error
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        _take_name(unfinished, path, replace)
    except FileExistsError as error:
        raise OutputExists from error
    except OSError as error:
        raise OutputUnwritable from error
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _take_name(unfinished: Path, path: Path, replace: bool) -> None:
    if replace:
        if path.exists() and not path.is_file():  # a device or a pipe is no file to be replaced
            raise FileExistsError
        unfinished.replace(path)
        return
    try:
        path.hardlink_to(unfinished)  # fails where there is a file by now, unlike a rename
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links, such as a USB stick
        if os.path.lexists(path):
            raise FileExistsError from None
        unfinished.rename(path)
