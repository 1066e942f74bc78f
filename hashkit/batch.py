"""Many files: no bad one stops the rest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from hashkit.hashes.registry import DEFAULT, resolve
from hashkit.hashing import Options, hash_or_fail
from hashkit.media.limits import MAX_PIXELS
from hashkit.media.sampling import DEFAULT_SAMPLE, Sample, check_sample
from hashkit.records import FailedFile, HashedFile
from hashkit.video_hashing import OnProgress


def hash_files(
    paths: Iterable[str | os.PathLike[str]],
    *,
    algorithms: str | Iterable[str] = DEFAULT,
    sample: Sample = DEFAULT_SAMPLE,
    max_pixels: int = MAX_PIXELS,
    on_progress: OnProgress | None = None,
) -> Iterator[HashedFile | FailedFile]:
    """Hash many files, in their order, one outcome for each, as they are finished.

    Arguments as for ``hash_file``; ``on_progress`` begins anew with each file. What goes wrong with
    a file is its outcome, a FailedFile; only a wrong argument raises (UnknownAlgorithm, ValueError,
    TypeError).
    """
    if isinstance(paths, str | bytes | os.PathLike):
        raise TypeError("paths is an iterable of paths; for one path there is hash_file")
    options = Options(resolve(algorithms), check_sample(sample), max_pixels)
    return (hash_or_fail(path, options, on_progress) for path in paths)


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
            if not name.startswith(".") and _is_file_or_link(path):
                yield path
    yield from unreadable


def _is_file_or_link(path: Path) -> bool:
    try:
        return path.is_file() or path.is_symlink()
    except OSError:  # a folder that may be listed but not entered: hashing the file says so
        return True
