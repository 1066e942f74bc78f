"""Files against files: compare two, and find the copies of some among many.

Originals are hashed with their likely edits; what is searched is hashed as it is, as a service
would. All of it by isolated workers, and nothing is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hashkit.batch import hash_files
from hashkit.hashes import pdq
from hashkit.hashes.registry import ALGORITHMS, Family, of_family, resolve
from hashkit.matching.comparing import Comparison, Hashed, Verdict
from hashkit.matching.comparing import compare as compare_hashes
from hashkit.matching.index import Index
from hashkit.options import OnProgress
from hashkit.records import FailedFile, HashedFile, MediaKind
from hashkit.variants.sets import UNFRAMED

SAMPLE = 0.25
"""Seconds between the frames that are compared. Copies that were cut, or have another frame rate,
are out of step with frames a second apart (docs/robustness-videos.md)."""

LOOKED_FOR = ("sha256", "pdq", "vpdq", "tmk_pdqf")
"""The hashes of an original that its copies are found by."""

Source = str | os.PathLike[str] | Hashed


def compare(
    first: Source,
    second: Source,
    *,
    algorithms: str | Iterable[str] = "all",
    variants: str = "wide",
    sample: float = SAMPLE,
    distance: int = pdq.THRESHOLD,
    **options: Any,
) -> Comparison:
    """Compare two pictures or videos: paths, which are hashed by isolated workers, or what was
    hashed before, an Item of a submission for example.

    ``algorithms``, ``variants`` and ``sample`` are as for ``hash_file``; PDQ hashes at most
    ``distance`` bits (0 to 256) apart are taken for copies. Further ``options`` go to
    ``hash_files``.

    Raises the error of a file that cannot be opened, unless it is byte for byte the other; and what
    ``hash_files`` raises for wrong arguments.
    """
    check_distance(distance)
    paths = [each for each in (first, second) if isinstance(each, str | os.PathLike)]
    hashed = hash_files(paths, algorithms=algorithms, variants=variants, sample=sample, **options)
    outcomes = iter([*hashed])
    one, other = (
        next(outcomes) if isinstance(each, str | os.PathLike) else each for each in (first, second)
    )
    comparison = compare_hashes(as_hashed(one), as_hashed(other), distance=distance)
    if comparison.verdict is not Verdict.SAME_FILE:
        for outcome in (one, other):
            if isinstance(outcome, FailedFile):
                raise outcome.error
    return comparison


def check_distance(distance: int) -> int:
    """The distance. ValueError where it is not 0 to 256."""
    if not 0 <= distance <= pdq.BITS:
        raise ValueError(f"a distance is 0 to {pdq.BITS} bits")
    return distance


def as_hashed(outcome: Hashed | FailedFile) -> Hashed:
    """What is known of an outcome: of a file that failed, the hashes of its bytes."""
    if isinstance(outcome, FailedFile):
        return HashedFile(outcome.path, outcome.kind or MediaKind.IMAGE, outcome.hashes)
    return outcome


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that shows what an original shows: where it is, of which original (its place in the
    list of originals), and what was compared, the original first."""

    path: Path
    original: int
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Search:
    """What came of a search: the ``copies``, the closest first; the files that ``failed``; how many
    were ``searched``; and the originals (their places) that are too ``plain`` to find anything but
    exact copies of."""

    copies: tuple[Copy, ...]
    failed: tuple[FailedFile, ...]
    searched: int
    plain: tuple[int, ...]


def find(
    originals: Iterable[Source],
    among: Iterable[str | os.PathLike[str]],
    *,
    threshold: int = pdq.THRESHOLD,
    variants: str = "wide",
    sample: float = SAMPLE,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> Search:
    """Find all copies of the ``originals`` among some paths, edited ones too.

    Originals are paths, or what was hashed before. They are found where a hash, of them or of one
    of their edits (``variants``), is at most ``threshold`` bits (0 to 256) away; videos, by what
    they share. The originals themselves are no copies. ``among`` may be long, or a generator: only
    what is found is kept. ``on_progress`` is called with the number of its files that are done.
    Further ``options`` go to ``hash_files``.

    Raises the error of an original that cannot be opened at all; and what ``hash_files`` raises for
    wrong arguments.
    """
    check_distance(threshold)
    given = list(originals)
    wanted = _Wanted(list(_hash_originals(given, variants, sample, options)), threshold)
    themselves = {_identity(each) for each in given} - {None}
    rest = (path for path in among if _identity(path) not in themselves)
    copies: list[Copy] = []
    failed: list[FailedFile] = []
    searched = 0
    for outcome in hash_files(
        rest,
        algorithms=wanted.algorithms,
        variants=UNFRAMED,
        sample=sample,
        ordered=False,
        on_progress=on_progress,
        **options,
    ):
        searched += 1
        if isinstance(outcome, FailedFile):
            failed.append(outcome)
        found = wanted.best(as_hashed(outcome))
        if found is not None and outcome.path is not None:
            copies.append(Copy(outcome.path, *found))
    copies.sort(key=lambda each: (each.comparison.rank, str(each.path)))
    return Search(tuple(copies), tuple(failed), searched, wanted.plain)


def _hash_originals(
    given: list[Source], variants: str, sample: float, options: dict[str, Any]
) -> Iterator[Hashed]:
    paths = [each for each in given if isinstance(each, str | os.PathLike)]
    outcomes = hash_files(paths, algorithms=LOOKED_FOR, variants=variants, sample=sample, **options)
    for each in given:
        outcome = next(outcomes) if isinstance(each, str | os.PathLike) else each
        if isinstance(outcome, FailedFile) and not outcome.hashes:
            raise outcome.error
        yield as_hashed(outcome)


def _identity(source: object) -> tuple[int, int] | None:
    """Which file it is, whatever it is called. None where there is none."""
    if isinstance(source, HashedFile):
        source = source.path
    if not isinstance(source, str | os.PathLike):
        return None
    try:
        status = os.stat(source)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


class _Wanted:
    """The originals that are looked for."""

    def __init__(self, originals: list[Hashed], threshold: int) -> None:
        self._originals, self._threshold = originals, threshold
        self._exact: dict[tuple[str, str], int] = {}
        self._stills, self._frames = Index(), Index()
        for number, each in enumerate(originals):
            self._stills.extend((value, str(number)) for value in _stills(each))
            self._frames.extend((value, str(number)) for value in _frames(each))
            for found in each.hashes:
                if found.algorithm in of_family(ALGORITHMS, Family.CRYPTOGRAPHIC):
                    self._exact.setdefault((found.algorithm, found.text), number)
        self._moving = {n for n, each in enumerate(originals) if each.frames is not None}
        self.plain = tuple(
            number
            for number, each in enumerate(originals)
            if number not in self._moving and not _stills(each)
        )

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What is needed of the files that are searched, and no more."""
        exact = {algorithm for algorithm, _ in self._exact} or {"sha256"}
        if sum(algorithm == "sha256" for algorithm, _ in self._exact) == len(self._originals):
            exact = {"sha256"}
        moving = {"tmk_pdqf"} if self._moving else set()
        return resolve(exact | moving | {"pdq", "vpdq"})

    def best(self, candidate: Hashed) -> tuple[int, Comparison] | None:
        """The original that this is the closest copy of, if it is one."""
        compared = [
            (number, compare_hashes(self._originals[number], candidate, distance=self._threshold))
            for number in sorted(self._near(candidate))
        ]
        copies = [each for each in compared if each[1].verdict.is_copy]
        return min(copies, key=lambda each: each[1].rank, default=None)

    def _near(self, candidate: Hashed) -> set[int]:
        """The originals that it may be a copy of."""
        near = {
            self._exact[found.algorithm, found.text]
            for found in candidate.hashes
            if (found.algorithm, found.text) in self._exact
        }
        stills = _stills(candidate)
        searches = [(self._stills, stills | _frames(candidate))]
        if candidate.frames is None:
            searches.append((self._frames, stills))
        else:
            near |= self._moving
        for index, values in searches:
            for matches in index.search_many(sorted(values), self._threshold):
                near.update(int(match.key) for match in matches)
        return near


def _stills(hashed: Hashed) -> set[str]:
    """PDQ values that are worth comparing: of a picture and its edits."""
    return {
        each.text
        for each in hashed.hashes
        if each.algorithm == "pdq" and (each.quality or 0) >= pdq.QUALITY_THRESHOLD
    }


def _frames(hashed: Hashed) -> set[str]:
    """The same of frames and their edits."""
    return {
        each.value
        for frames in (hashed.frames, *hashed.frame_variants)
        for each in (frames.hashes if frames is not None else ())
        if each.quality >= pdq.QUALITY_THRESHOLD
    }
