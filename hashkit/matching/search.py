"""Compares two files, and finds the copies of some files among many.

Originals are hashed with their likely edits; the files that are searched as they are, videos also
without bars. Isolated workers do the hashing, and nothing is kept.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from hashkit.batch.run import hash_files
from hashkit.hashes import pdq, tmk
from hashkit.hashes.registry import ALGORITHMS, Family, of_family, resolve
from hashkit.matching.comparing import Comparison, Hashed, Verdict, is_good
from hashkit.matching.comparing import compare as compare_hashes
from hashkit.matching.index import Index
from hashkit.media.limits import MAX_PIXELS
from hashkit.models import FailedFile, HashedFile, MediaKind, original_of
from hashkit.pipeline.options import OnProgress
from hashkit.pipeline.other_files import as_listed, kind_of_other
from hashkit.sandbox.process import TIME_LIMIT
from hashkit.variants.sets import UNFRAMED

SAMPLE = 0.25
"""Seconds between the frames that are compared. Copies that were cut, or have another frame rate,
are out of step with frames a second apart (docs/robustness-videos.md)."""

LOOKED_FOR = ("sha256", "pdq", "vpdq", "tmk_pdqf")
"""The hashes of an original that its copies are found by."""

Float64 = npt.NDArray[np.float64]
Source = str | os.PathLike[str] | Hashed


def compare(
    first: Source,
    second: Source,
    *,
    threshold: int = pdq.THRESHOLD,
    algorithms: str | Iterable[str] = "all",
    variants: str = "wide",
    sample: float = SAMPLE,
    max_pixels: int = MAX_PIXELS,
    time_limit: float = TIME_LIMIT,
) -> Comparison:
    """Compare two pictures or videos, ``first`` and ``second``: paths, which are hashed by isolated
    workers, or what was hashed before, an Item of a submission for example.

    PDQ hashes at most ``threshold`` bits (0 to 256) apart are taken for copies. The rest is as for
    ``hash_files``; if not given, ``algorithms`` are all, ``variants`` are wide, and ``sample`` is
    0.25 seconds.

    Raises the error of a file that cannot be opened, unless both are the same picture or video byte
    for byte;
    TypeError or ValueError for wrong arguments.
    """
    check_threshold(threshold)
    check_sources([first, second])
    outcomes = _outcomes(
        [first, second],
        algorithms=algorithms,
        variants=variants,
        sample=sample,
        max_pixels=max_pixels,
        time_limit=time_limit,
    )
    comparison = compare_hashes(*map(as_hashed, outcomes), threshold=threshold)
    if comparison.verdict is not Verdict.SAME_FILE:
        for outcome in outcomes:
            if isinstance(outcome, FailedFile):
                raise outcome.error
    return comparison


def check_threshold(threshold: int) -> None:
    """ValueError for a threshold that is not 0 to 256."""
    if not 0 <= threshold <= pdq.BITS:
        raise ValueError(f"a threshold is 0 to {pdq.BITS} bits")


def check_sources(sources: Iterable[object]) -> None:
    """TypeError for what is neither a path nor was hashed."""
    for each in sources:
        if not isinstance(each, str | os.PathLike) and not hasattr(each, "frame_variants"):
            raise TypeError(f"this is a path, or what was hashed, not {type(each).__name__}")


def as_hashed(outcome: Hashed | FailedFile) -> Hashed:
    """What is known of an outcome: of a file that failed, the hashes of its bytes."""
    if isinstance(outcome, FailedFile):
        return HashedFile(outcome.path, outcome.kind or MediaKind.IMAGE, outcome.hashes)
    return outcome


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that shows what an original shows.

    ``path`` is where it is, ``original`` the place of the original in the list of originals, from
    0, and ``comparison`` what was compared, the original first.
    """

    path: Path
    original: int
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Search:
    """The result of a search.

    The ``copies``, the closest first; the files that ``failed``; how many were ``searched``, those
    that failed among them, and how many ``skipped``, since they are neither picture nor video,
    by content or by name. ``others`` has how many of the skipped there are of each kind: ``text``,
    ``archive``, ``document``, ``sound``, ``empty``, ``other``.
    Of the originals in ``exact_only`` (their places) only exact copies can be found: they have too
    little detail, or could not be opened.
    """

    copies: tuple[Copy, ...]
    failed: tuple[FailedFile, ...]
    searched: int
    skipped: int
    exact_only: tuple[int, ...]
    others: Mapping[str, int] = field(default_factory=dict)


def find(
    originals: Iterable[Source],
    among: Iterable[str | os.PathLike[str]],
    *,
    threshold: int = pdq.THRESHOLD,
    variants: str = "wide",
    sample: float = SAMPLE,
    max_pixels: int = MAX_PIXELS,
    workers: int | None = None,
    time_limit: float = TIME_LIMIT,
    on_progress: OnProgress | None = None,
) -> Search:
    """Find all copies of the ``originals`` among some files, edited ones too.

    Originals are paths, or what was hashed before. They are found where a hash, of them or of one
    of their edits (``variants``), is at most ``threshold`` bits (0 to 256) away; videos, by what
    they share. The originals themselves are no copies, under whatever name or link. ``among`` may
    be long, or a generator; for folders there is ``files_in``. Of what is searched, only copies and
    failures are kept. ``on_progress`` is called with the number of its files that are done. The
    rest is as for ``hash_files``.

    Raises the error of an original that cannot be read at all; TypeError or ValueError for wrong
    arguments.
    """
    if isinstance(originals, str | bytes | os.PathLike):
        raise TypeError("originals is a list of paths, or of what was hashed")
    given = list(originals)
    check_threshold(threshold)
    check_sources(given)
    if isinstance(among, str | bytes | os.PathLike):
        raise TypeError("among is an iterable of paths; for a folder there is files_in")
    if not given:
        return Search((), (), 0, 0, ())

    how = {"sample": sample, "max_pixels": max_pixels, "workers": workers, "time_limit": time_limit}
    wanted = Wanted(_hash_originals(given, variants, how), threshold)
    themselves = {_identity(each) for each in given} - {None}
    rest = (path for path in among if _identity(path) not in themselves)
    return _search(wanted, rest, {**how, "on_progress": on_progress})


def _hash_originals(given: list[Source], variants: str, how: dict[str, Any]) -> list[Hashed]:
    outcomes = _outcomes(given, algorithms=LOOKED_FOR, variants=variants, **how)
    for outcome in outcomes:
        if isinstance(outcome, FailedFile) and not outcome.hashes:
            raise outcome.error
    return [as_hashed(outcome) for outcome in outcomes]


def _outcomes(given: list[Source], **how: Any) -> list[Hashed | FailedFile]:
    """What was hashed, with the outcome of each path in its place. Paths are hashed all at once, so
    that their workers end before anything else begins."""
    paths = [each for each in given if isinstance(each, str | os.PathLike)]
    outcomes = iter([*hash_files(paths, **how)])
    return [next(outcomes) if isinstance(each, str | os.PathLike) else each for each in given]


def _search(wanted: Wanted, among: Iterable[str | os.PathLike[str]], how: dict[str, Any]) -> Search:
    copies: list[Copy] = []
    failed: list[FailedFile] = []
    others: Counter[str] = Counter()
    searched = 0
    outcomes = hash_files(
        among, algorithms=wanted.algorithms, variants=UNFRAMED, ordered=False, **how
    )
    with closing(outcomes):
        for given in outcomes:
            outcome = as_listed(given)
            if outcome is None:
                others[kind_of_other(cast(Path, given.path))] += 1
                continue
            searched += 1
            if isinstance(outcome, FailedFile):
                failed.append(outcome)
            found = wanted.best(as_hashed(outcome))
            if found is not None and outcome.path is not None:
                copies.append(Copy(outcome.path, *found))
    copies.sort(key=lambda each: (each.comparison.rank, str(each.path)))
    return Search(tuple(copies), tuple(failed), searched, others.total(), wanted.exact_only, others)


def _identity(source: object) -> tuple[int, int] | None:
    """Device and inode, the same for all names of a file. None where there is no file."""
    if isinstance(source, HashedFile):
        source = source.path
    if not isinstance(source, str | os.PathLike):
        return None
    try:
        status = os.stat(source)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


class Wanted:
    """The originals of a search, indexed so that each file is compared with few of them."""

    def __init__(self, originals: Sequence[Hashed], threshold: int = pdq.THRESHOLD) -> None:
        """PDQ hashes at most ``threshold`` bits apart are taken for copies."""
        self._originals, self._threshold = originals, threshold
        self._exact: dict[tuple[str, str], int] = {}
        self._stills, self._frames = Index(), Index()
        means: dict[int, Float64] = {}
        for number, each in enumerate(originals):
            self._stills.extend((value, str(number)) for value in _stills(each))
            self._frames.extend((value, str(number)) for value in _frames(each))
            for found in each.hashes:
                if found.algorithm in of_family(ALGORITHMS, Family.CRYPTOGRAPHIC):
                    self._exact.setdefault((found.algorithm, found.text), number)
            if (mean := _tmk_mean(each)) is not None:
                means[number] = mean
        self._moving = [*means]
        self._means = np.array([*means.values()]).reshape(-1, tmk.DIMENSION)
        self.exact_only = tuple(
            number
            for number, each in enumerate(originals)
            if number not in means and not _stills(each) and not _frames(each)
        )

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms that the searched files have to be hashed with."""
        exact = {algorithm for algorithm, _ in self._exact} or {"sha256"}
        moving = {"tmk_pdqf"} if self._moving else set()
        return resolve(exact | moving | {"pdq", "vpdq"})

    def best(self, candidate: Hashed) -> tuple[int, Comparison] | None:
        """The original that this is the closest copy of, if it is one: its place, and how the two
        compare, the original first."""
        compared = [
            (number, compare_hashes(self._originals[number], candidate, threshold=self._threshold))
            for number in sorted(self._near(candidate))
        ]
        copies = [each for each in compared if each[1].verdict.is_copy]
        return min(copies, key=lambda each: each[1].rank, default=None)

    def _near(self, candidate: Hashed) -> set[int]:
        """The originals that it may be a copy of: a superset of what a comparison finds."""
        near = {
            self._exact[found.algorithm, found.text]
            for found in candidate.hashes
            if (found.algorithm, found.text) in self._exact
        }
        values = sorted(_stills(candidate) | _frames(candidate))
        for index in (self._stills, self._frames):
            for matches in index.search_many(values, self._threshold):
                near.update(int(match.key) for match in matches)
        mean = _tmk_mean(candidate) if self._moving else None
        if mean is not None:
            alike = self._means @ mean >= tmk.THRESHOLD - 0.01
            near.update(number for number, each in zip(self._moving, alike, strict=True) if each)
        return near


def _stills(hashed: Hashed) -> set[str]:
    """PDQ values that are worth comparing: of a picture and its edits."""
    return {each.text for each in hashed.hashes if each.algorithm == "pdq" and is_good(each)}


def _frames(hashed: Hashed) -> set[str]:
    """The same of frames and their edits."""
    return {
        each.value
        for frames in (hashed.frames, *hashed.frame_variants)
        for each in (frames.hashes if frames is not None else ())
        if is_good(each)
    }


def _tmk_mean(hashed: Hashed) -> Float64 | None:
    """The mean of a TMK signature, of length 1: the product of two is level 1. None where there is
    no signature, or nothing to see in it."""
    found = original_of(hashed.hashes, "tmk_pdqf")
    try:
        signature = found and tmk.Signature.from_bytes(cast(bytes, found.value))
    except ValueError:  # a submission that somebody else wrote may hold anything of that size
        return None
    if not signature or not tmk.shows_something(signature):
        return None
    mean = signature.mean.astype(np.float64)
    return mean / np.linalg.norm(mean)
