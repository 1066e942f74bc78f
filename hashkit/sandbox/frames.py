"""The frames of a video on their way from a worker to its parent process: in parts, a line each.

A long video has many frames, and a worker that a file took over can invent any number. So each part
is checked and stored before the next is read, and no more are taken than an honest worker could
have found in this file, with these options.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hashkit.errors import DocumentInvalid
from hashkit.media.limits import MAX_SECONDS
from hashkit.models import MOVING_READINGS, ORIGINAL, FrameHash, FrameHashes
from hashkit.pipeline.options import Options
from hashkit.variants.json_codec import hashes_from_json, hashes_to_json
from hashkit.variants.sets import has_readings, moving_names_at

MIN_FRAME_BYTES = 4
"""Bytes of a file for each of its frames, at least. Where nothing moves in a video, encoders make
11 (QuickTime Animation), 19 (VP9), 21 (MPEG-4, H.264) or more, with what the container needs."""

MAX_FRAMES = 25 * MAX_SECONDS
"""Frames of one file, with those of its variants: a day of video. Each takes 240 bytes."""

_SPARE = 16  # frames of a file of a few bytes
_PART = 500  # frames in a line
_ROUNDED = 2  # a rate of nearly two frames an interval is sampled as if it were one


def max_frames(options: Options, size: int) -> int:
    """How many frames of one variant an honest worker can find in a file of ``size`` bytes."""
    if "vpdq" not in options.algorithms:
        return 0
    most = min(MAX_FRAMES, size // MIN_FRAME_BYTES + _SPARE)
    if isinstance(options.sample, str):
        return most
    return int(min(most, _ROUNDED * (MAX_SECONDS / options.sample + 1)))


def to_parts(frames: FrameHashes) -> Iterator[dict[str, Any]]:
    """The messages that a worker sends for these frames."""
    for start in range(0, len(frames.hashes) or 1, _PART):
        part = replace(frames, hashes=frames.hashes[start : start + _PART])
        yield {
            "frames": hashes_to_json((), part, decimals=None)["vpdq"],
            "variant": frames.variant,
        }


class FrameReader:
    """Gathers the frames of one answer."""

    def __init__(self, options: Options, size: int) -> None:
        """``size`` is that of the file, in bytes."""
        self._interval = options.sample
        self._max, self._left = max_frames(options, size), MAX_FRAMES
        readings = MOVING_READINGS if has_readings(options.variants) else ()
        self._names = (ORIGINAL, *readings, *moving_names_at(options.variants))
        self._found: dict[str, list[FrameHash]] = {}

    def add(self, untrusted: dict[str, Any]) -> None:
        """Take a message of ``to_parts``. DocumentInvalid for anything else, and for frames that
        were not asked for, are not in order, or are too many."""
        match untrusted:
            case {"frames": part, "variant": str(variant), **rest} if not rest:
                _, frames = hashes_from_json({"vpdq": part}, "the answer")
            case _:
                raise DocumentInvalid
        if frames is None or frames.interval != self._interval or not self._max:
            raise DocumentInvalid
        gathered = self._of(variant)
        self._left -= len(frames.hashes)
        if self._left < 0 or len(gathered) + len(frames.hashes) > self._max:
            raise DocumentInvalid
        if gathered and frames.hashes and frames.hashes[0].frame <= gathered[-1].frame:
            raise DocumentInvalid
        gathered += frames.hashes

    def _of(self, variant: str) -> list[FrameHash]:
        """The list of the variant that is being sent: one after the other, the original first."""
        if variant in self._found:
            if variant != next(reversed(self._found)):
                raise DocumentInvalid
        elif variant not in self._names or (variant != ORIGINAL and not self._found):
            raise DocumentInvalid
        return self._found.setdefault(variant, [])

    def finish(self) -> tuple[FrameHashes, ...]:
        """All frames that were sent, those of the original first; nothing where none were."""
        return tuple(
            FrameHashes(self._interval, tuple(hashes), variant)
            for variant, hashes in self._found.items()
        )
