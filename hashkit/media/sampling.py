"""Which frames of a video are hashed."""

from __future__ import annotations

from typing import Literal

Sample = float | Literal["all", "keyframes"]
"""Seconds between samples, or every frame, or the frames that can be decoded on their own."""

DEFAULT_SAMPLE: Sample = 1.0

KEYFRAME_GAP = 1.0
"""Seconds: where keyframes are further apart than this, the gap between them is filled."""


def check_sample(sample: object) -> Sample:
    """The sample as given, if it is one. ValueError else."""
    if sample == "all":
        return "all"
    if sample == "keyframes":
        return "keyframes"
    if isinstance(sample, int | float) and not isinstance(sample, bool) and 0 < sample < 1e6:
        return float(sample)
    raise ValueError(f"a sample is a number of seconds, 'all' or 'keyframes', not {sample!r}")


_DRIFT = 1.5
"""Frames: with timestamps further off than this, a video has no constant rate, whatever its header
says."""


class Sampler:
    """Decides for each frame in turn whether it is hashed.

    At a constant rate: frame i where ``i % max(1, int(interval * rate)) == 0``, as the vPDQ
    reference does. At a variable rate that would follow the frames instead of the time, so there
    the first frame in each interval is taken.
    """

    def __init__(self, interval: float, constant_rate: float | None) -> None:
        """``interval`` in seconds, 0 for every frame. ``constant_rate`` in frames a second, None
        where it varies."""
        self._interval = interval
        self._rate = constant_rate
        self._step = max(1, int(interval * (constant_rate or 0)))
        self._first: float | None = None
        self._next = float("-inf")

    def wants(self, number: int, timestamp: float) -> bool:
        """Is this frame hashed? Ask for each frame once, in order."""
        if self._first is None:
            self._first = timestamp
        if self._rate is not None:
            drift = timestamp - self._first - number / self._rate
            if abs(drift) > _DRIFT / self._rate:
                self._rate = None
        wanted = timestamp >= self._next if self._rate is None else number % self._step == 0
        if wanted and self._interval:
            self._next = (timestamp // self._interval + 1) * self._interval
        return wanted
