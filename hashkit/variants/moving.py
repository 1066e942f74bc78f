"""The hashes of likely edits of a video: turned over, and without the bars around the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from hashkit.hashes import vpdq
from hashkit.hashes.arrays import Float32, Pixels
from hashkit.models import BARS_REMOVED, FrameHash, FrameHashes
from hashkit.variants.computing import SmallCopy
from hashkit.variants.sets import moving_names_at

_LOOKED_AT = 16  # frames, before it is decided where the bars are
_DARK = 24.0  # of 255
_SPECKS = 0.01  # part of a line that may be brighter: what an encoder leaves
_WORTH_REMOVING = 0.03  # of a side: with less, the hash of the whole frame is near enough
_LEAST_LEFT = 0.25  # of a side
_SMALLEST = 16  # pixels a side

_TURNS: dict[str, Callable[[Pixels], Pixels]] = {
    "rotated-90": np.rot90,
    "rotated-180": lambda pixels: pixels[::-1, ::-1],
    "rotated-270": lambda pixels: np.rot90(pixels, 3),
    "flipped": lambda pixels: pixels[::-1],
    "mirrored": lambda pixels: pixels[:, ::-1],
    "transposed": lambda pixels: pixels.swapaxes(0, 1),
    "transverse": lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
}


class MovingVariants:
    """The variants of the sampled frames of a video, frame by frame."""

    def __init__(self, level: str) -> None:
        """``level`` is one of ``sets.LEVELS``."""
        names = moving_names_at(level)
        self._turned: dict[str, list[FrameHash]] = {name: [] for name in names if name in _TURNS}
        self._bars = _WithoutBars() if BARS_REMOVED in names else None

    def add(self, number: int, timestamp: float, pixels: Pixels, limited_range: bool) -> None:
        """Hash the variants of one frame. Arguments as for ``vpdq.compute``."""
        for name, hashes in self._turned.items():
            turned = _TURNS[name](pixels)
            hashes.append(vpdq.compute(number, timestamp, turned, limited_range))
        if self._bars is not None and min(pixels.shape[:2]) >= _SMALLEST:
            self._bars.add(
                number, timestamp, vpdq.full_range(SmallCopy.of(pixels).luma, limited_range)
            )

    def finish(self, interval: float | Literal["all", "keyframes"]) -> tuple[FrameHashes, ...]:
        """All of them, by name. Without bars only where there were some from beginning to end."""
        found = {**self._turned, **(self._bars.finish() if self._bars is not None else {})}
        return tuple(
            FrameHashes(interval, tuple(hashes), name) for name, hashes in found.items() if hashes
        )


class _Box:
    """What is within the bars, in pixels."""

    def __init__(self, shown: npt.NDArray[np.bool_]) -> None:
        """``shown`` says of each pixel whether it ever showed something."""
        (rows,) = np.nonzero(shown.mean(axis=1) > _SPECKS)
        (columns,) = np.nonzero(shown.mean(axis=0) > _SPECKS)
        self.is_empty = not len(rows) or not len(columns)
        if not self.is_empty:
            self.top, self.bottom = int(rows[0]), int(rows[-1]) + 1
            self.left, self.right = int(columns[0]), int(columns[-1]) + 1

    def within(self, other: _Box, slack: int) -> bool:
        """Does it lie in the other, but for so many pixels?"""
        return self.is_empty or (
            self.top >= other.top - slack
            and self.bottom <= other.bottom + slack
            and self.left >= other.left - slack
            and self.right <= other.right + slack
        )

    def is_worth_cutting(self, height: int, width: int) -> bool:
        """Are there bars, and is enough left without them?"""
        if self.is_empty:
            return False
        sides = (self.bottom - self.top) / height, (self.right - self.left) / width
        return min(sides) <= 1 - _WORTH_REMOVING and min(sides) >= _LEAST_LEFT


class _WithoutBars:
    """The hashes of frames without the dark bars that all of them have.

    Where the bars are shows only after some frames: the first are kept small until then. Frames
    that are wholly dark show nothing of it, and have a hash of quality 0.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, float, Float32 | None]] = []
        self._size: tuple[int, ...] = ()
        self._box: _Box | None = None
        self._given_up = False
        self._hashes: dict[str, list[FrameHash]] = {
            BARS_REMOVED: [],
            f"{BARS_REMOVED}+mirrored": [],
        }

    def add(self, number: int, timestamp: float, luma: Float32) -> None:
        self._size = self._size or luma.shape
        if luma.shape != self._size:
            self._given_up = True  # nobody knows where its bars would be
        if self._given_up:
            return
        is_dark = _Box(luma > _DARK).is_empty
        if self._box is not None:
            self._hash(self._box, number, timestamp, None if is_dark else luma)
            return
        # Of half the bytes: they tell dark from bright, and hashes to a bit or two.
        self._waiting.append((number, timestamp, None if is_dark else luma.astype(np.float16)))
        if sum(luma is not None for _, _, luma in self._waiting) == _LOOKED_AT:
            self._decide()

    def finish(self) -> dict[str, list[FrameHash]]:
        if self._waiting and not self._given_up:
            self._decide()
        return {} if self._given_up else self._hashes

    def _decide(self) -> None:
        """Find the bars that all frames have so far, and hash the frames."""
        frames, self._waiting = self._waiting, []
        height, width = self._size
        shown = np.zeros((height, width), bool)
        for _, _, luma in frames:
            if luma is not None:
                shown |= luma > _DARK
        box = _Box(shown)
        self._given_up = not box.is_worth_cutting(height, width)
        if not self._given_up:
            self._box = box
            for number, timestamp, luma in frames:
                whole = None if luma is None else luma.astype(np.float32)
                self._hash(box, number, timestamp, whole)

    def _hash(self, box: _Box, number: int, timestamp: float, luma: Float32 | None) -> None:
        if luma is None:
            for hashes in self._hashes.values():
                hashes.append(vpdq.dark(number, timestamp))
            return
        if not _Box(luma > _DARK).within(box, max(2, max(luma.shape) // 100)):
            self._given_up = True  # there is something where the bars were: they are none
            return
        inner = luma[box.top : box.bottom, box.left : box.right]
        for name, hashes in self._hashes.items():
            turned = inner[:, ::-1] if name.endswith("mirrored") else inner
            hashes.append(vpdq.of_luma(number, timestamp, turned))
