"""Many files: no bad one stops the rest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from hashkit.hashes.registry import DEFAULT, resolve
from hashkit.hashing import hash_or_fail
from hashkit.media.limits import MAX_PIXELS
from hashkit.records import FailedFile, HashedFile


def hash_files(
    paths: Iterable[str | os.PathLike[str]],
    *,
    algorithms: str | Iterable[str] = DEFAULT,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[HashedFile | FailedFile]:
    """Hash many files, in their order, one outcome for each, as they are finished.

    Arguments as for ``hash_file``. What goes wrong with a file is its outcome, a FailedFile; only
    a wrong argument raises (UnknownAlgorithm).
    """
    names = resolve(algorithms)
    return (hash_or_fail(path, names, max_pixels) for path in paths)


def files_in(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Every file in a folder and in the folders in it, sorted, without hidden ones.

    Links to folders are not followed, so a link that leads back cannot trap the search. Pipes and
    devices are left out. A folder that may not be listed is given itself, so that hashing it says
    so.
    """
    unreadable: list[Path] = []
    for directory, folders, names in os.walk(
        folder, onerror=lambda error: unreadable.append(Path(error.filename))
    ):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(directory, name)
            if not name.startswith(".") and (path.is_file() or path.is_symlink()):
                yield path
    yield from unreadable
