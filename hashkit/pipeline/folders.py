"""The files in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hashkit.media.names import is_placeholder, kind_from


def files_in(folder: str | os.PathLike[str], *, deep: bool = True) -> Iterator[Path]:
    """Every file in a folder and, if ``deep``, in the folders in it, sorted, without hidden ones.

    Of the hidden ones, those are yielded that stand for a picture or video in a cloud, such as
    ``.IMG_0001.HEIC.icloud``: they cannot be hashed, and ``as_listed`` gives the reason. Links to
    folders are not followed, so that a loop of links cannot trap the search. Pipes and devices are
    left out. An unreadable folder is yielded as is, so that hashing it gives the error.
    """
    unreadable: list[Path] = []
    for directory, folders, names in os.walk(
        folder, onerror=lambda error: unreadable.append(Path(error.filename))
    ):
        folders[:] = sorted(name for name in folders if deep and not name.startswith("."))
        for name in sorted(names):
            path = Path(directory, name)
            if _is_wanted(name) and _is_file_or_link(path):
                yield path
    yield from unreadable


def hidden_in(folder: str | os.PathLike[str]) -> int:
    """How many hidden files in a folder, and in the folders in it that are not hidden, are named
    like pictures or videos and left out by ``files_in``. What macOS keeps beside files on cards
    (``._IMG_1.HEIC``) is no picture."""
    count = 0
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += sum(
            not _is_wanted(name) and not name.startswith("._") and kind_from(name) is not None
            for name in names
        )
    return count


def _is_wanted(name: str) -> bool:
    return not name.startswith(".") or is_placeholder(name)


def _is_file_or_link(path: Path) -> bool:
    try:
        return path.is_file() or path.is_symlink()
    except OSError:  # in an unreadable folder: hashing it gives the error
        return True
