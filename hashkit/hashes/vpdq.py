"""vPDQ: the PDQ hashes of sampled frames of a video.

Definition: vpdq/ in github.com/facebook/ThreatExchange. Of a YUV frame the luma plane is hashed as
it is: PDQ's bits do not change with gain and offset, and for the quality the limited range is
stretched on the 64x64 that it is measured on. So a frame costs about a millisecond. The reference
goes by way of RGB and differs by a bit or two where colours clip or round.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hashkit.hashes import pdq
from hashkit.hashes.arrays import Float32, Pixels
from hashkit.hashes.pdq_filter import luma64
from hashkit.hashes.vpdq_text import from_text, to_signal, to_text
from hashkit.models import FrameHash

__all__ = [
    "DISTANCE_THRESHOLD",
    "MATCH_PERCENT",
    "QUALITY_THRESHOLD",
    "Comparison",
    "compare",
    "compute",
    "dark",
    "from_text",
    "full_range",
    "of_luma",
    "prune",
    "to_signal",
    "to_text",
]

DISTANCE_THRESHOLD = pdq.THRESHOLD
QUALITY_THRESHOLD = pdq.QUALITY_THRESHOLD
MATCH_PERCENT = 80.0
"""Videos match, in common use, from this share of the frames of the one that is asked about."""

_BLOCK = 2048  # frames


def compute(frame: int, timestamp: float, pixels: Pixels, limited_range: bool) -> FrameHash:
    """The hash of one frame.

    ``frame`` is its number, from 0, and ``timestamp`` its time in seconds. ``pixels`` is uint8 of
    shape (height, width, 3), red green blue, or (height, width), luma; ``limited_range`` where 16
    is black and 235 is white. A frame with a side of less than 5 pixels has the hash zero.
    """
    if min(pixels.shape[:2]) < pdq.MIN_SIDE:
        return dark(frame, timestamp)
    value, quality = pdq.of_luma64(full_range(luma64(pixels), limited_range))
    return FrameHash(frame, timestamp, value, quality)


def dark(frame: int, timestamp: float) -> FrameHash:
    """The hash of a frame that shows nothing: zero, of quality 0. Arguments as for ``compute``."""
    return FrameHash(frame, timestamp, "0" * (pdq.BITS // 4), 0)


def of_luma(frame: int, timestamp: float, luma: Float32) -> FrameHash:
    """As ``compute``, of ``luma`` from 0 to 255: float32 of shape (height, width). ``frame`` and
    ``timestamp`` are as for ``compute``."""
    value, quality = pdq.of_luma64(luma64(luma))
    return FrameHash(frame, timestamp, value, quality)


def full_range(luma: Float32, limited_range: bool) -> Float32:
    """Luma from 0 to 255, of ``luma`` from 16 to 235 if it has a ``limited_range``: float32 of any
    shape, which stays."""
    if not limited_range:
        return luma
    stretched: Float32 = np.clip((luma - np.float32(16)) * np.float32(255 / 219), 0, 255)
    return stretched


class Comparison(NamedTuple):
    """What share of the unique frames of each side, in percent (0.0 to 100.0), has a match on the
    other: of the ``first`` and of the ``second``."""

    first: float
    second: float


def compare(
    first: Iterable[FrameHash],
    second: Iterable[FrameHash],
    *,
    distance: int = DISTANCE_THRESHOLD,
    quality: int = QUALITY_THRESHOLD,
) -> Comparison:
    """Compare two videos, ``first`` and ``second``, as bags of frames.

    Frames of a lower ``quality`` (0 to 100) are left out, and so are repeated hashes; a frame
    matches where the other side has one at most ``distance`` bits (0 to 256) away. 0.0 where a side
    has no frame left.
    """
    a, b = (
        sorted({each.value for each in side if each.quality >= quality}) for side in (first, second)
    )
    if not a or not b:
        return Comparison(0.0, 0.0)
    found, other_found = np.zeros(len(a), bool), np.zeros(len(b), bool)
    for begin in range(0, len(a), _BLOCK):  # of hours of frames, not all distances at a time
        for start in range(0, len(b), _BLOCK):
            rows, columns = slice(begin, begin + _BLOCK), slice(start, start + _BLOCK)
            near = pdq.distances(a[rows], b[columns]) <= distance
            found[rows] |= near.any(1)
            other_found[columns] |= near.any(0)
    return Comparison(100.0 * float(found.mean()), 100.0 * float(other_found.mean()))


def prune(frames: Iterable[FrameHash], distance: int = 10) -> tuple[FrameHash, ...]:
    """Leave out those of the ``frames`` that are at most ``distance`` bits (0 to 256) from the one
    kept before: still scenes once."""
    kept: list[FrameHash] = []
    for each in frames:
        if not kept or pdq.distance(kept[-1].value, each.value) > distance:
            kept.append(each)
    return tuple(kept)
