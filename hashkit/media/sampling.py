"""Which frames of a video are hashed."""

from __future__ import annotations

from typing import Generic, Literal, Protocol, TypeVar

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

_SAME_TIME = 1e-6  # seconds


class Timed(Protocol):
    """A frame, by its number and its time and duration in seconds."""

    number: int
    timestamp: float
    duration: float


AnyFrame = TypeVar("AnyFrame", bound=Timed)


class Sampler(Generic[AnyFrame]):
    """Decides which frames are hashed: give it each in turn.

    At a constant rate: frame i where ``i % frame_step(...) == 0``, as the vPDQ reference does. At a
    variable rate that would follow the frames instead of the time. There it takes, for each time to
    be sampled, the frame that players show then: the last at or before it, which is known when the
    next one comes.
    """

    def __init__(self, interval: float, constant_rate: float | None) -> None:
        """``interval`` in seconds, 0 for every frame. ``constant_rate`` in frames a second, None
        where it varies."""
        self._interval = interval
        self._rate = constant_rate
        self._step = frame_step(interval, constant_rate or 0)
        self._first: float | None = None
        self._due = 0.0
        self._waiting: AnyFrame | None = None

    @property
    def counts(self) -> bool:
        """Whether it goes by the numbers of frames, and not by their times."""
        return self._rate is not None

    def take(self, frame: AnyFrame) -> tuple[AnyFrame, ...]:
        """The next frame. Those that are to be hashed, as far as is known now, in order."""
        if self._first is None:
            self._first = frame.timestamp
        if self._rate is not None and self._drifts(frame, self._first, self._rate):
            self._rate = None
            if self._waiting is not None:  # what was due before it was left to the counting
                self._due = max(self._due, self._next_after(self._waiting.timestamp - _SAME_TIME))
        if not self._interval or (self._rate is not None and frame.number % self._step == 0):
            return self._taken(frame)
        if self._rate is not None:
            self._waiting = frame
            return ()
        if frame.number == 0:
            return self._taken(frame)
        shown = self._shown_until(frame.timestamp)
        self._waiting = frame
        return shown

    def finish(self) -> tuple[AnyFrame, ...]:
        """What is to be hashed of the last frame, when there are no more."""
        last = self._waiting
        if last is None or self._rate is not None:
            return ()
        return self._shown_until(last.timestamp + max(last.duration, 2 * _SAME_TIME))

    def _drifts(self, frame: AnyFrame, first: float, rate: float) -> bool:
        return abs(frame.timestamp - first - frame.number / rate) > _DRIFT / rate

    def _taken(self, frame: AnyFrame) -> tuple[AnyFrame, ...]:
        self._waiting = None
        self._due = self._next_after(frame.timestamp)
        return (frame,)

    def _shown_until(self, end: float) -> tuple[AnyFrame, ...]:
        """The frame that waits, if one of the times to be sampled passes while it is shown."""
        if end - self._due <= _SAME_TIME:
            return ()
        shown, self._waiting = self._waiting, None
        self._due = self._next_after(end - 2 * _SAME_TIME)
        return () if shown is None else (shown,)

    def _next_after(self, timestamp: float) -> float:
        """The first time to be sampled that is later than this."""
        return (timestamp // self._interval + 1) * self._interval if self._interval else 0.0


def frame_step(interval: float, rate: float) -> int:
    """Every how many frames the vPDQ reference takes one: it counts them, whatever their times.
    ``interval`` in seconds, ``rate`` in frames a second."""
    return max(1, int(interval * rate))
