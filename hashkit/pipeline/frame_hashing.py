"""The PDQ hashes of a video's frames: of those that are sampled, as people see them; as other tools
read the same file; and of edits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hashkit.hashes import vpdq
from hashkit.hashes.arrays import Pixels
from hashkit.media.limits import MAX_SECONDS
from hashkit.media.sampling import Sampler, frame_step
from hashkit.models import AS_STORED, BY_FRAME_COUNT, BY_TIME, ORIGINAL, FrameHash, FrameHashes
from hashkit.pipeline.options import Options
from hashkit.variants import readings
from hashkit.variants.moving import MovingVariants
from hashkit.variants.sets import has_readings


class MovingFrame(Protocol):
    """A frame of a video or of an animated picture, as the algorithms need it."""

    number: int
    timestamp: float
    duration: float

    @property
    def limited_range(self) -> bool:
        """Whether 16 is black and 235 white in ``pixels``."""

    @property
    def pixels(self) -> Pixels:
        """Upright luma or colour."""

    @property
    def as_stored(self) -> Pixels | None:
        """The same, not turned; None where there is nothing to turn."""

    def small(self) -> Pixels:
        """Scaled to 64x64, in colour."""


_SLIP = 0.01  # frames, from one that is counted to the next

Sampled = tuple[FrameHashes, tuple[FrameHashes, ...]]


class FrameHasher:
    """Hashes the frames of a video that are sampled, one after the other."""

    def __init__(
        self, options: Options, sampler: Sampler[MovingFrame], rate: float | None = None
    ) -> None:
        """``sampler`` says which frames are those of the original. ``rate`` in frames a second is
        that by which other tools count, None where they take the same frames."""
        self._options, self._sampler = options, sampler
        self._variants = MovingVariants(options.variants)
        self._upright = _Hashes(lambda frame: frame.pixels)
        self._as_stored = _Hashes(lambda frame: frame.as_stored)
        self._wanted, interval = has_readings(options.variants), options.sample
        self._step: int | None = None
        self._by_time: Sampler[MovingFrame] | None = None
        if self._wanted and rate is not None and not isinstance(interval, str):
            self._step = frame_step(interval, rate)
            # 29 frames are not quite a second of 29.97 frames: counting falls behind the time.
            if sampler.counts and interval * rate - self._step > _SLIP:
                self._by_time = Sampler(interval, None)

    def add(self, frame: MovingFrame) -> None:
        """The next frame. It has to last until the next but one."""
        if self._by_time is not None:
            for each in self._by_time.take(frame):
                self._upright.hash(each, BY_TIME)
        for each in self._sampler.take(frame):
            self._sample(each)
        if self._step is not None and frame.number % self._step == 0:
            self._upright.hash(frame, BY_FRAME_COUNT)
            self._as_stored.hash(frame, BY_FRAME_COUNT)

    def finish(self) -> Sampled:
        """The hashes of all frames that were sampled, and those of the readings and edits."""
        if self._by_time is not None:
            for each in self._by_time.finish():
                self._upright.hash(each, BY_TIME)
        for each in self._sampler.finish():
            self._sample(each)
        interval = self._options.sample
        found = {
            AS_STORED: self._as_stored.named[ORIGINAL],
            BY_FRAME_COUNT: self._within_limit(self._upright.named[BY_FRAME_COUNT]),
            f"{BY_FRAME_COUNT}+{AS_STORED}": self._within_limit(
                self._as_stored.named[BY_FRAME_COUNT]
            ),
            BY_TIME: self._upright.named[BY_TIME],
        }
        original = FrameHashes(interval, tuple(self._upright.named[ORIGINAL]))
        others = [FrameHashes(interval, tuple(each), name) for name, each in found.items()]
        kept = readings.apart(others, original) if self._wanted else ()
        return original, (*kept, *self._variants.finish(interval))

    def _sample(self, frame: MovingFrame) -> None:
        self._upright.hash(frame, ORIGINAL)
        if self._wanted:
            self._as_stored.hash(frame, ORIGINAL)
        self._variants.add(frame.number, frame.timestamp, frame.pixels, frame.limited_range)

    def _within_limit(self, counted: list[FrameHash]) -> list[FrameHash]:
        """Nothing of a file that says a rate far below its own, and would give any number."""
        interval = self._options.sample
        most = 0.0 if isinstance(interval, str) else 2 * (MAX_SECONDS / interval + 1)
        return counted if len(counted) <= most else []


class _Hashes:
    """The hashes of frames in one reading of their pixels, by the name of the rule that takes them.
    A frame that several rules take is hashed once."""

    def __init__(self, pixels_of: Callable[[MovingFrame], Pixels | None]) -> None:
        self.named: dict[str, list[FrameHash]] = {
            name: [] for name in (ORIGINAL, BY_FRAME_COUNT, BY_TIME)
        }
        self._pixels_of = pixels_of

    def hash(self, frame: MovingFrame, name: str) -> None:
        """Hash a frame, by this rule: the latest frame of any rule, or a later one."""
        for known in self.named.values():
            if known and known[-1].frame == frame.number:
                self.named[name].append(known[-1])
                return
        pixels = self._pixels_of(frame)
        if pixels is not None:
            shown = frame.number, frame.timestamp, pixels, frame.limited_range
            self.named[name].append(vpdq.compute(*shown))
