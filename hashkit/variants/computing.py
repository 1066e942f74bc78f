"""The PDQ hashes of many edits of one picture, all from one small copy of it.

PDQ looks at a picture through a blur and at 64 by 64 places. An edit only moves where on the
picture these places are. So no edit is drawn: for each, the pixels that count at the 64 places
along either axis are looked up in a copy of at most ``SIDE`` pixels a side,

    luma64 = rows @ luma @ columns.T + what lies around

which costs about a millisecond. Only small rotations are drawn, from a smaller copy.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import cos, radians, sin, sqrt
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from hashkit.hashes import pdq
from hashkit.hashes.arrays import Float32, Pixels
from hashkit.hashes.pdq_filter import LUMA, kept_positions, window_size
from hashkit.models import Hash
from hashkit.variants.readings import APART
from hashkit.variants.recipes import Layout, layout_of
from hashkit.variants.sets import MAX_HASHES, names_at

SIDE = 1024
"""Pixels, of the longer side; of long pictures more, so that the shorter has ``SHORTER``. With half
of that, one hash in a hundred is four bits from the whole picture's; with this, at most two."""
SHORTER = 512
_MAX_PIXELS = 4 << 20
_DRAWN = 512  # pixels a side, for what is rotated
_WHOLE = (0.0, 1.0, 0.0, 1.0)
_TURNS = {  # flip top and bottom, mirror left and right; swap the axes last
    "original": (False, False, False),
    "rotated-90": (False, True, True),
    "rotated-180": (True, True, False),
    "rotated-270": (True, False, True),
    "flipped": (True, False, False),
    "mirrored": (False, True, False),
    "transposed": (False, False, True),
    "transverse": (True, True, True),
}


class SmallCopy:
    """The luma of a picture, small, and only in memory.

    ``luma`` is float32 of shape (height, width), 0 to 255; ``size`` the width and height in pixels
    of the picture that it is of.
    """

    def __init__(self, luma: Float32, size: tuple[int, int]) -> None:
        self.luma, self.size = luma, size

    @classmethod
    def of(cls, pixels: Pixels) -> SmallCopy:
        """Of ``pixels`` as for ``pdq.compute``; each pixel is the mean of those that it covers."""
        flip_rows, flip_columns = pixels.strides[0] < 0, pixels.strides[1] < 0
        stored = pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
        transposed = stored.strides[0] < stored.strides[1]
        if transposed:
            stored = stored.swapaxes(0, 1)
        small = _shrunk(stored).astype(np.float32)
        luma = small if small.ndim == 2 else small @ np.asarray(LUMA, np.float32)
        if transposed:
            luma = luma.T
        upright = luma[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
        return cls(np.ascontiguousarray(upright), (pixels.shape[1], pixels.shape[0]))

    @cached_property
    def to_draw(self) -> Float32:
        """The same, small enough along each axis to be drawn on a canvas of 512 by 512."""
        size = tuple(min(side, _DRAWN) for side in self.luma.shape[::-1])
        return np.asarray(cv2.resize(self.luma, size, interpolation=cv2.INTER_AREA))


def _shrunk(pixels: Pixels) -> npt.NDArray[np.generic]:
    height, width = pixels.shape[:2]
    part = max(SIDE / max(height, width), SHORTER / min(height, width))
    part = min(1.0, part, sqrt(_MAX_PIXELS / (height * width)))
    size = max(1, round(width * part)), max(1, round(height * part))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def hash_variants(
    pixels: Pixels, level: str, original: Hash, readings: tuple[Hash, ...] = ()
) -> tuple[Hash, ...]:
    """The PDQ hashes of likely edits of a picture, the most useful first.

    ``pixels`` as for ``pdq.compute``, which gave the hash of the ``original``; ``level`` is one of
    ``sets.LEVELS``; ``readings`` are the hashes of other readings of the file, which are there
    already. What a service would not take, or what finds next to nothing beside the hashes before
    it, is left out, and the next edit takes its place. Of a picture of low quality there are none:
    they would show little but their own frames. ValueError for another level.
    """
    names = names_at(level)
    if not names or (original.quality or 0) < pdq.QUALITY_THRESHOLD:
        return ()
    copy, most = SmallCopy.of(pixels), MAX_HASHES.get(level, len(names) + 1) - 1
    apart = APART if level in MAX_HASHES else 0
    kept: list[Hash] = []
    before = (original, *(readings if apart else ()))
    values = [int(each.text, 16) for each in before]
    for name in names:
        if len(kept) == most:
            break
        found = compute(copy, name)
        value = int(found.text, 16)
        if (found.quality or 0) >= pdq.QUALITY_THRESHOLD and all(
            (value ^ other).bit_count() > apart for other in values
        ):
            kept.append(found)
            values.append(value)
    return tuple(kept)


def compute(copy: SmallCopy, name: str) -> Hash:
    """The hash of an edit of a picture, by a name that ``recipes`` explains. ValueError for no
    name of an edit."""
    layout = layout_of(name, copy.size[0] / copy.size[1])
    value, quality = pdq.of_luma64(_seen(copy, layout))
    return Hash("pdq", value, quality, name)


def _seen(copy: SmallCopy, layout: Layout) -> Float32:
    """The 64x64 luma of the canvas, turned as it will be."""
    width = max(1, round(copy.size[0] / (layout.right - layout.left)))  # of the canvas, in pixels
    height = max(1, round(copy.size[1] / (layout.bottom - layout.top)))
    flip, mirror, swap = _TURNS[layout.turn]
    if layout.angle:
        shown, vertical, horizontal = _drawn(copy, layout), _WHOLE, _WHOLE
    else:
        shown = copy.luma
        left, top, right, bottom = layout.window
        vertical = layout.top, layout.bottom, top, bottom
        horizontal = layout.left, layout.right, left, right
    rows = _places(shown.shape[0], height, vertical, flip)
    columns = _places(shown.shape[1], width, horizontal, mirror)
    seen = columns.of(rows.of(shown).T).T
    if not layout.angle and layout.fill not in (None, "black"):
        covered = np.outer(rows.weights.sum(1), columns.weights.sum(1))
        seen += (1 - covered) * np.float32(_level(layout.fill, copy))
    return seen.T if swap else seen


class _Places(NamedTuple):
    """The pixels of a line that count at each of 64 places: so many from ``starts`` on, int of
    shape (64,), with ``weights``, float32 of shape (64, so many). Their sum is 1, or less where a
    part of the place is beside the line."""

    starts: npt.NDArray[np.intp]
    weights: Float32

    def of(self, lines: Float32) -> Float32:
        """What is seen at the places: (64, …) of lines (length, …)."""
        many = self.weights.shape[1]
        seen = np.empty((len(self.starts), lines.shape[1]), np.float32)
        for place, start, weights in zip(seen, self.starts.tolist(), self.weights, strict=True):
            np.dot(weights, lines[start : start + many], out=place)
        return seen


@lru_cache(maxsize=256)
def _places(
    length: int, canvas: int, line: tuple[float, float, float, float], backwards: bool
) -> _Places:
    """How much each pixel of a line counts at each of the 64 places.

    A ``line`` of ``length`` pixels lies from its first to its second number on a canvas from 0 to
    1, and is seen from its third to its fourth. The places are those, and as wide, as PDQ has them
    on a canvas of so many pixels, if it is looked at ``backwards`` or not.
    """
    start, end, first, last = line
    if backwards:
        start, end, first, last = 1 - end, 1 - start, 1 - last, 1 - first
    window = window_size(canvas)
    middles = np.array(kept_positions(canvas)) + (window % 2 == 0)  # even ones lean to the end
    # The pixels that count at each place: ``many`` of them, the first of which is ``nearest``.
    pixel = (end - start) * canvas / length  # in pixels of the canvas
    many = min(length, int(2 * window / pixel) + 3)
    nearest = np.floor((middles - window - start * canvas) / pixel).astype(int) - 1
    starts = np.clip(nearest, 0, length - many)
    pixels = starts[:, None] + np.arange(many + 1)
    edges = np.clip(pixels * pixel + start * canvas, first * canvas, last * canvas)
    # Where the window goes beyond the canvas, what is left of it counts for the whole.
    inside = _summed(canvas - middles, window) - _summed(0 - middles, window)
    weights = np.diff(_summed(edges - middles[:, None], window), axis=1) / inside[:, None]
    if backwards:
        starts, weights = (length - many - starts), weights[:, ::-1]
    return _Places(starts, weights.astype(np.float32))


def _summed(offset: npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    """The sum of PDQ's weights before ``offset`` pixels from where the middle one begins.

    A mean of means over the ``window``: weights that rise and fall in equal steps, and their sum is
    a straight line within a pixel.
    """
    offset = np.clip(offset, -window, window)
    whole = np.floor(offset)
    before, after = _triangular(whole, window), _triangular(whole + 1, window)
    return before + (offset - whole) * (after - before)


def _triangular(offset: npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    rising, falling = np.clip(offset + window - 1, 0, window), np.clip(window - offset, 0, window)
    low, high = rising * (rising + 1), falling * (falling + 1)
    return np.where(offset <= 0, low, 2 * window**2 - high) / (2 * window**2)


def _level(fill: str | None, copy: SmallCopy) -> float:
    return float(copy.luma.mean()) if fill == "grey" else 255.0 * (fill == "white")


def _drawn(copy: SmallCopy, layout: Layout) -> Float32:
    """The canvas of a layout with an angle, drawn."""
    luma, (width, height) = copy.to_draw, copy.size
    # From a pixel of the canvas to one of the picture: undo the layout, then turn back in pixels
    # that are square.
    places = (np.arange(_DRAWN, dtype=np.float32) + 0.5) / _DRAWN
    across, down = np.meshgrid(
        ((places - layout.left) / (layout.right - layout.left) - 0.5) * width,
        ((places - layout.top) / (layout.bottom - layout.top) - 0.5) * height,
    )
    angle = radians(layout.angle)
    scale_x, scale_y = luma.shape[1] / width, luma.shape[0] / height
    fill = _level(layout.fill, copy)
    drawn = cv2.remap(
        luma,
        (cos(angle) * across - sin(angle) * down) * scale_x + (luma.shape[1] - 1) / 2,
        (sin(angle) * across + cos(angle) * down) * scale_y + (luma.shape[0] - 1) / 2,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )
    left, top, right, bottom = (round(each * _DRAWN) for each in layout.window)
    canvas = np.full((_DRAWN, _DRAWN), fill, np.float32)
    canvas[top:bottom, left:right] = drawn[top:bottom, left:right]
    return canvas
