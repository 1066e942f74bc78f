"""The PDQ hashes of a video's frames: of those that are sampled, as people see them; as other tools
read the same file; and of edits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hashkit.hashes import vpdq
from hashkit.hashes.arrays import Pixels
from hashkit.media.limits import MAX_SECONDS
from hashkit.media.sampling import Sampler
from hashkit.models import AS_STORED, BY_FRAME_COUNT, FrameHash, FrameHashes
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


Sampled = tuple[FrameHashes, tuple[FrameHashes, ...]]


class FrameHasher:
    """Hashes the frames of a video that are sampled, one after the other."""

    def __init__(
        self, options: Options, sampler: Sampler[MovingFrame], step: int | None = None
    ) -> None:
        """``sampler`` says which frames people see at the times to be sampled. ``step``: every how
        many frames other tools take one, None where they take the same."""
        self._options, self._sampler = options, sampler
        self._variants = MovingVariants(options.variants)
        self._upright = _Hashes(lambda frame: frame.pixels)
        wanted = has_readings(options.variants)
        self._as_stored = _Hashes(lambda frame: frame.as_stored) if wanted else None
        self._step = step if wanted else None

    def add(self, frame: MovingFrame) -> None:
        """The next frame. It has to last until the next but one."""
        for each in self._sampler.take(frame):
            self._sample(each)
        if self._step is not None and frame.number % self._step == 0:
            self._upright.count(frame)
            if self._as_stored is not None:
                self._as_stored.count(frame)

    def finish(self) -> Sampled:
        """The hashes of all frames that were sampled, and those of the readings and edits."""
        for each in self._sampler.finish():
            self._sample(each)
        interval = self._options.sample
        original = FrameHashes(interval, tuple(self._upright.sampled))
        found = {}
        if self._as_stored is not None:
            found = {
                AS_STORED: self._as_stored.sampled,
                BY_FRAME_COUNT: self._within_limit(self._upright.counted),
                f"{BY_FRAME_COUNT}+{AS_STORED}": self._within_limit(self._as_stored.counted),
            }
        others = [FrameHashes(interval, tuple(each), name) for name, each in found.items()]
        kept = readings.apart(others, original)
        return original, (*kept, *self._variants.finish(interval))

    def _sample(self, frame: MovingFrame) -> None:
        self._upright.sample(frame)
        if self._as_stored is not None:
            self._as_stored.sample(frame)
        self._variants.add(frame.number, frame.timestamp, frame.pixels, frame.limited_range)

    def _within_limit(self, counted: list[FrameHash]) -> list[FrameHash]:
        """Nothing of a file that says a rate far below its own, and would give any number."""
        interval = self._options.sample
        most = 0.0 if isinstance(interval, str) else 2 * (MAX_SECONDS / interval + 1)
        return counted if len(counted) <= most else []


class _Hashes:
    """The hashes of frames in one reading of their pixels. A frame that is both sampled and counted
    is hashed once."""

    def __init__(self, pixels_of: Callable[[MovingFrame], Pixels | None]) -> None:
        self.sampled: list[FrameHash] = []
        self.counted: list[FrameHash] = []
        self._pixels_of = pixels_of

    def sample(self, frame: MovingFrame) -> None:
        """Hash a frame that people see at one of the times to be sampled."""
        self.sampled += self._hashed(frame)

    def count(self, frame: MovingFrame) -> None:
        """Hash a frame that is taken by its number."""
        self.counted += self._hashed(frame)

    def _hashed(self, frame: MovingFrame) -> list[FrameHash]:
        for known in (self.counted, self.sampled):
            if known and known[-1].frame == frame.number:
                return [known[-1]]
        pixels = self._pixels_of(frame)
        if pixels is None:
            return []
        return [vpdq.compute(frame.number, frame.timestamp, pixels, frame.limited_range)]
