"""The hashes of other readings of the same file: no edits, but what tools see in it that do not
show it as people see it.

The matching tools of services drop transparency, do not turn what is to be turned, take the numbers
of a palette for grey, and count the frames of videos whose rate varies. Only those readings are
kept that no hash before them finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hashkit.hashes import pdq
from hashkit.hashes.arrays import Pixels
from hashkit.models import FrameHash, FrameHashes, Hash

APART = 16
"""Bits: of two hashes that are nearer to each other, one finds nearly all that the other does."""

_BLOCK = 1024  # frames


def hash_readings(readings: Iterable[tuple[str, Pixels]], original: Hash) -> tuple[Hash, ...]:
    """The PDQ hashes of the ``readings`` of a picture, each a name of ``models.STILL_READINGS`` and
    pixels as for ``pdq.compute``, which gave the hash of the ``original``. Left out is what a
    service would not take, and what is within 16 bits of one before."""
    kept: list[Hash] = []
    for name, pixels in readings:
        found = pdq.compute(pixels)
        if (found.quality or 0) >= pdq.QUALITY_THRESHOLD and all(
            pdq.distance(found.text, each.text) > APART for each in (original, *kept)
        ):
            kept.append(Hash("pdq", found.value, found.quality, name))
    return tuple(kept)


def apart(readings: Iterable[FrameHashes], original: FrameHashes) -> tuple[FrameHashes, ...]:
    """The vPDQ hashes of the ``readings`` of a video that are not found by that of the ``original``
    or by one before: with a frame, of a quality that services take, that is more than 16 bits from
    all of theirs."""
    kept: list[FrameHashes] = []
    for each in readings:
        if all(_shows_more(each.hashes, other.hashes) for other in (original, *kept)):
            kept.append(each)
    return tuple(kept)


def _shows_more(reading: Sequence[FrameHash], other: Sequence[FrameHash]) -> bool:
    known = _good(other)
    new = sorted(_good(reading) - known)
    if not new or not known:
        return bool(new)
    others = sorted(known)
    for start in range(0, len(new), _BLOCK):
        some = new[start : start + _BLOCK]
        nearest = [pdq.BITS] * len(some)
        for begin in range(0, len(others), _BLOCK):
            away = pdq.distances(some, others[begin : begin + _BLOCK]).min(1)
            nearest = [min(pair) for pair in zip(nearest, away.tolist(), strict=True)]
        if max(nearest) > APART:
            return True
    return False


def _good(frames: Sequence[FrameHash]) -> set[str]:
    return {each.value for each in frames if each.quality >= pdq.QUALITY_THRESHOLD}
