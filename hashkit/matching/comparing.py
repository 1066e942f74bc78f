"""Compares the hashes of two files: a finding for each algorithm, and a verdict.

Where one side has hashes of edits too (``variants``), each is compared with the original of the
other side: so a cropped copy is found by whoever hashed that crop in advance. A picture and a video
are compared frame by frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, cast

from hashkit.hashes import pdq, tmk, vpdq
from hashkit.hashes.registry import (
    ALGORITHMS,
    COPIED_PERCENT,
    PERHAPS_CROPPED_BITS,
    Algorithm,
    Distance,
)
from hashkit.matching.groups import SAME_PICTURE
from hashkit.models import ORIGINAL, FrameHash, FrameHashes, Hash, MediaKind, original_of

_MAX_SCORE = 1.5  # scores are at most 1; a made-up signature can have any
_MAX_FRAMES = 50_000  # of a side: three and a half hours at four a second
_STRONGEST_FIRST = ("sha512", "sha256", "sha1", "md5")


class Verdict(StrEnum):
    """What two things are to each other, the closest first: ``same_file``, ``same_picture``,
    ``edited_copy``, ``in_the_video`` (a picture, or a part of a video), ``perhaps_cropped`` (a
    person has to look), ``cannot_tell``, ``not_the_same``."""

    SAME_FILE = "same_file"
    SAME_PICTURE = "same_picture"
    EDITED_COPY = "edited_copy"
    IN_THE_VIDEO = "in_the_video"
    PERHAPS_CROPPED = "perhaps_cropped"
    CANNOT_TELL = "cannot_tell"
    NOT_THE_SAME = "not_the_same"

    @property
    def is_copy(self) -> bool:
        """Whether one shows the other."""
        return self not in (Verdict.PERHAPS_CROPPED, Verdict.CANNOT_TELL, Verdict.NOT_THE_SAME)


class Hashed(Protocol):
    """The hashes of one file: a ``HashedFile``, or an ``Item`` of a submission."""

    @property
    def kind(self) -> MediaKind: ...
    @property
    def hashes(self) -> tuple[Hash, ...]: ...
    @property
    def frames(self) -> FrameHashes | None: ...
    @property
    def frame_variants(self) -> tuple[FrameHashes, ...]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one algorithm.

    ``match`` is None where it cannot say, or where no threshold is in common use. ``distance`` is
    in bits, a match up to ``threshold``. ``scores`` are, of vPDQ, the percentages of the first's
    and of the second's frames that the other has; of TMK, level 1 and level 2; a match from
    ``threshold`` on, in at least one of them for vPDQ and in both for TMK.

    ``variant`` is the edit that was compared, of the ``first`` or the ``second`` as ``variant_of``
    says; ``timestamp`` is where in the video a picture was found, in seconds.
    """

    algorithm: str
    match: bool | None
    threshold: float | None = None
    distance: int | None = None
    scores: tuple[float, float] | None = None
    variant: str = ORIGINAL
    variant_of: str | None = None
    timestamp: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ``verdict``, the finding that it rests ``on`` (None where nothing speaks for a copy), and
    all findings."""

    verdict: Verdict
    on: Finding | None
    findings: tuple[Finding, ...]

    @property
    def rank(self) -> tuple[int, float]:
        """Sorts comparisons, the closest first."""
        order = list(Verdict).index(self.verdict)
        if self.on is None:  # no copy: by what is least far apart
            away = [each.distance for each in self.findings if each.algorithm == "pdq"]
            return order, float(min((each for each in away if each is not None), default=pdq.BITS))
        if self.on.distance is not None:
            return order, float(self.on.distance)
        return order, -max(self.on.scores or (0.0, 0.0))


def compare(first: Hashed, second: Hashed, *, threshold: int = pdq.THRESHOLD) -> Comparison:
    """Compare by all hashes that both have. PDQ hashes at most ``threshold`` bits (0 to 256) apart
    are taken for copies. Symmetric, but for the order of what is said of either side."""
    exact = [*_exact(first, second)]
    still = [*_pdq(first, second, threshold)]
    moving = [*_vpdq(first, second, threshold), *_tmk(first, second)]
    within = [*_in_video(first, second, threshold)]
    # Of what moves, the first picture alone says little. But it may be all that a still picture was
    # cut from, by an edit that frames have not.
    move = (first.frames is not None, second.frames is not None)
    edits = [each for each in still if each.variant != ORIGINAL]
    deciding = moving if all(move) else still
    if any(move) and not all(move):
        deciding = within if any(each.match for each in within) else [*within, *edits]
    others = [*_by_bits(first, second)]
    verdict, on = _judge(exact, deciding)
    if verdict is Verdict.NOT_THE_SAME and not any(move):
        verdict, on = _perhaps_cropped(others) or (verdict, on)
    return Comparison(verdict, on, (*exact, *still, *moving, *others, *within))


def closest(
    among: Sequence[Hashed], second: Hashed, *, threshold: int = pdq.THRESHOLD
) -> tuple[int, Comparison] | None:
    """Which of these is closest to the second, and how they compare. None where there are none."""
    compared = [(n, compare(each, second, threshold=threshold)) for n, each in enumerate(among)]
    return min(compared, key=lambda each: each[1].rank, default=None)


def _judge(exact: list[Finding], deciding: list[Finding]) -> tuple[Verdict, Finding | None]:
    by_name = {each.algorithm: each for each in exact}
    strongest = next((by_name[name] for name in _STRONGEST_FIRST if name in by_name), None)
    if strongest is not None and strongest.match:
        return Verdict.SAME_FILE, strongest
    nearest_first = sorted(deciding, key=lambda each: each.distance or 0)
    on = next((each for each in nearest_first if each.match), None)
    if on is not None:
        if on.timestamp is not None:
            return Verdict.IN_THE_VIDEO, on
        same = next((each for each in nearest_first if each.match and _is_same(each)), None)
        return (Verdict.EDITED_COPY, on) if same is None else (Verdict.SAME_PICTURE, same)
    if any(each.match is not None for each in deciding):
        return Verdict.NOT_THE_SAME, None
    return Verdict.CANNOT_TELL, None  # too plain, or no hashes in common but of exact copies


def _perhaps_cropped(findings: list[Finding]) -> tuple[Verdict, Finding] | None:
    """Of two pictures that no PDQ hash finds alike, one may show a part of the other."""
    for each in findings:
        if each.algorithm == "crop_resistant" and (each.distance or 0) <= PERHAPS_CROPPED_BITS:
            return Verdict.PERHAPS_CROPPED, each
    return None


def _is_same(finding: Finding) -> bool:
    """Whether it is the original, at most re-encoded or resized."""
    if finding.variant != ORIGINAL:
        return False
    if finding.distance is not None:
        return finding.distance <= SAME_PICTURE
    return finding.algorithm == "vpdq" and min(finding.scores or (0, 0)) >= vpdq.MATCH_PERCENT


def _pairs(
    first: Hashed, second: Hashed, *distances: Distance
) -> Iterator[tuple[Algorithm, Hash, Hash]]:
    """The hashes that both have, of the algorithms that are compared in this way."""
    for name, algorithm in ALGORITHMS.items():
        if algorithm.distance in distances:
            one, other = original_of(first.hashes, name), original_of(second.hashes, name)
            if one is not None and other is not None:
                yield algorithm, one, other


def _exact(first: Hashed, second: Hashed) -> Iterator[Finding]:
    for algorithm, one, other in _pairs(first, second, Distance.EQUALITY):
        yield Finding(algorithm.name, one.value == other.value)


def _pdq(first: Hashed, second: Hashed, threshold: int) -> Iterator[Finding]:
    """The originals, and the nearest pair of an edit and an original."""
    one, other = original_of(first.hashes, "pdq"), original_of(second.hashes, "pdq")
    if one is None or other is None:
        return
    away = pdq.distance(one.text, other.text)
    match = away <= threshold if is_good(one) and is_good(other) else None
    yield Finding("pdq", match, threshold, away)
    nearest = min(
        (
            (pdq.distance(edit.text, original.text), whose, edit.variant)
            for whose, side, original in (("first", first, other), ("second", second, one))
            for edit in side.hashes
            if edit.algorithm == "pdq" and edit.variant != ORIGINAL
            if is_good(original) and is_good(edit)
        ),
        default=None,
    )
    if nearest is not None:
        away, whose, variant = nearest
        yield Finding("pdq", away <= threshold, threshold, away, None, variant, whose)


def is_good(found: Hash | FrameHash) -> bool:
    """Whether it has enough quality for a comparison to mean anything."""
    return (found.quality or 0) >= pdq.QUALITY_THRESHOLD


def _vpdq(first: Hashed, second: Hashed, threshold: int) -> Iterator[Finding]:
    """The originals, and the pair of an edit and an original that share most."""
    if first.frames is None or second.frames is None:
        return
    yield _shared(first.frames, second.frames, threshold)
    edits = [
        *(_shared(edit, second.frames, threshold, "first") for edit in first.frame_variants),
        *(_shared(first.frames, edit, threshold, "second") for edit in second.frame_variants),
    ]
    if edits:
        yield max(edits, key=lambda each: (each.match is not None, max(each.scores or (0.0, 0.0))))


def _shared(
    first: FrameHashes, second: FrameHashes, threshold: int, variant_of: str | None = None
) -> Finding:
    scores = vpdq.compare(_thinned(first), _thinned(second), distance=threshold)
    tellable = all(any(map(is_good, side.hashes)) for side in (first, second))
    match = max(scores) >= COPIED_PERCENT if tellable else None
    edit = second if variant_of == "second" else first
    return Finding(
        "vpdq", match, COPIED_PERCENT, None, (scores.first, scores.second), edit.variant, variant_of
    )


def _thinned(frames: FrameHashes) -> tuple[FrameHash, ...]:
    """The frames, or of very many every so many-th: all are compared with all."""
    return frames.hashes[:: 1 + len(frames.hashes) // _MAX_FRAMES]


def _tmk(first: Hashed, second: Hashed) -> Iterator[Finding]:
    one, other = original_of(first.hashes, "tmk_pdqf"), original_of(second.hashes, "tmk_pdqf")
    if one is None or other is None:
        return
    try:
        signatures = [tmk.Signature.from_bytes(cast(bytes, each.value)) for each in (one, other)]
    except ValueError:  # a submission that somebody else wrote may hold anything of that size
        yield Finding("tmk_pdqf", None, tmk.THRESHOLD)
        return
    score = tmk.score(*signatures)
    match = score.match if all(map(tmk.shows_something, signatures)) else None
    if max(map(abs, score)) > _MAX_SCORE:
        match, score = None, tmk.Score(0.0, 0.0)
    yield Finding("tmk_pdqf", match, tmk.THRESHOLD, None, (score.level1, score.level2))


def _by_bits(first: Hashed, second: Hashed) -> Iterator[Finding]:
    """All other hashes that are compared bit by bit. The only verdict that rests on these is that a
    person has to look."""
    for algorithm, one, other in _pairs(first, second, Distance.BITS, Distance.NEAREST_BITS):
        if algorithm.name == "pdq":
            continue
        away = min(
            pdq.distance(part, other_part)
            for part in one.text.split(",")
            for other_part in other.text.split(",")
        )
        limit = algorithm.threshold
        yield Finding(algorithm.name, None if limit is None else away <= limit, limit, away)


def _in_video(first: Hashed, second: Hashed, threshold: int) -> Iterator[Finding]:
    """A picture among the frames of a video: the nearest, with its time."""
    for whose, picture, other_whose, video in (
        ("first", first, "second", second),
        ("second", second, "first", first),
    ):
        if picture.frames is None and video.frames is not None:
            yield from _among_frames(picture, whose, video, other_whose, threshold)


def _among_frames(
    picture: Hashed, whose: str, video: Hashed, other_whose: str, threshold: int
) -> Iterator[Finding]:
    original = original_of(picture.hashes, "pdq")
    if original is None or video.frames is None:
        return
    if not is_good(original) or not any(map(is_good, video.frames.hashes)):
        yield Finding("pdq", None, threshold)
        return
    edits = [each for each in picture.hashes if each.algorithm == "pdq"]  # the original first
    nearest = [_nearest(edits, video.frames.hashes, whose)]
    nearest += [
        _nearest([original], edit.hashes, other_whose, edit.variant)
        for edit in video.frame_variants
    ]
    away, variant, variant_of, timestamp = min(each for each in nearest if each is not None)
    yield Finding("pdq", away <= threshold, threshold, away, None, variant, variant_of, timestamp)


def _nearest(
    pictures: list[Hash], frames: tuple[FrameHash, ...], variant_of: str, variant: str = ORIGINAL
) -> tuple[int, str, str | None, float] | None:
    """The smallest distance, which edit has it, whose edit that is, and at which time."""
    good = [each for each in frames if is_good(each)]
    if not good:
        return None
    away = pdq.distances([each.text for each in pictures], [each.value for each in good])
    which, when = divmod(int(away.argmin()), len(good))
    edit = variant if variant != ORIGINAL else pictures[which].variant
    whose = None if edit == ORIGINAL else variant_of
    return int(away[which, when]), edit, whose, good[when].timestamp
