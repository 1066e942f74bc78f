"""The 64x64 luma of a picture that PDQ is computed from, computed fast.

The reference blurs the whole picture (a box filter along rows and columns, twice) and then samples
64 rows and 64 columns of it. Blur and sampling are linear and separable, so only the sampled rows
and columns need to be computed:

    luma64 = A_h @ luma @ A_w.T

where a row of A is the box filter applied twice at one kept position: about n/64 non-zero weights
for n pixels. Each pixel is touched about once, instead of dozens of times.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hashkit.hashes.arrays import Float32, Pixels

SIDE = 64
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue, as ITU-R BT.601 and the reference have them."""


def window_size(length: int) -> int:
    """How many pixels the box filter averages along a line of ``length`` pixels."""
    return (length + 2 * SIDE - 1) // (2 * SIDE)


def kept_positions(length: int) -> list[int]:
    """The 64 positions that are kept of a line of ``length`` pixels: centres, not corners."""
    return [int((i + 0.5) * length / SIDE) for i in range(SIDE)]


class _Taps(NamedTuple):
    """The weights of one kept position, beginning at pixel ``start``."""

    start: int
    weights: Float32

    def of(self, lines: Pixels | Float32) -> Pixels | Float32:
        return lines[self.start : self.start + len(self.weights)]


def _window(position: int, length: int) -> tuple[int, int]:
    """First pixel of the filter's window at ``position``, and the one after its last."""
    size = window_size(length)
    half = (size + 2) // 2
    return max(0, position - (size - half)), min(length, position + half)


@lru_cache(maxsize=64)  # a folder of photos has a handful of sizes; about 20 kB each
def _taps(length: int, reverse: bool) -> tuple[_Taps, ...]:
    """The weights of the 64 kept positions; ``reverse`` where the line is stored backwards."""
    if length == SIDE:  # the reference does not blur what already has the right size
        rows = [np.eye(1, SIDE, k)[0] for k in range(SIDE)]
    else:
        rows = [_twice_filtered(position, length) for position in kept_positions(length)]
    taps = []
    for row in rows:
        stored = row[::-1] if reverse else row
        used = np.flatnonzero(stored)
        start, end = int(used[0]), int(used[-1]) + 1
        taps.append(_Taps(start, stored[start:end].astype(np.float32)))
    return tuple(taps)


def _twice_filtered(position: int, length: int) -> npt.NDArray[np.float64]:
    """The weight of every pixel of the line in the twice filtered value at ``position``."""
    weights = np.zeros(length)
    first, end = _window(position, length)
    for centre in range(first, end):
        inner_first, inner_end = _window(centre, length)
        weights[inner_first:inner_end] += 1.0 / (inner_end - inner_first)
    return weights / (end - first)


def luma64(pixels: Pixels | Float32) -> Float32:
    """Reduce a picture to the 64x64 luma that PDQ is defined on.

    ``pixels`` is uint8 (or float32 up to 255) of shape (height, width, 3), red green blue, or
    (height, width), luma, at least 1x1. It may be a flipped or transposed view: the work is done on
    the memory as it lies. Returns float32 of shape (64, 64), 0 to 255, within a few thousandths of
    the reference's (whose running sums gather rounding errors; ``pdq_reference`` repeats them where
    they matter).
    """
    height, width = pixels.shape[:2]
    # Three luma-weighted channels reduce to one only after the rows: fewer bytes become floats.
    flip_rows, flip_columns = pixels.strides[0] < 0, pixels.strides[1] < 0
    stored = pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
    transposed = stored.strides[0] < stored.strides[1]
    if transposed:
        stored = stored.swapaxes(0, 1)
        row_taps, column_taps = _taps(width, flip_columns), _taps(height, flip_rows)
    else:
        row_taps, column_taps = _taps(height, flip_rows), _taps(width, flip_columns)
    columns = _to_luma(_reduce_rows(stored, row_taps), stored.shape)
    reduced = np.stack([taps.weights @ taps.of(columns) for taps in column_taps])
    return reduced if transposed else reduced.T


def _reduce_rows(stored: Pixels | Float32, taps: tuple[_Taps, ...]) -> Float32:
    """(64, everything in a row): each kept row from the few stored rows that it depends on."""
    lines = stored.reshape(stored.shape[0], -1)
    reduced = np.empty((SIDE, lines.shape[1]), np.float32)
    for row, tap in zip(reduced, taps, strict=True):
        # A band at a time: the floats of one band fit the cache, those of a picture do not.
        np.dot(tap.weights, tap.of(lines).astype(np.float32), out=row)
    return reduced


def _to_luma(rows: Float32, shape: tuple[int, ...]) -> Float32:
    """(width, 64) luma from reduced rows of colour or luma, columns made contiguous."""
    if len(shape) == 2:
        return np.ascontiguousarray(rows.T)
    channels = rows.reshape(SIDE, shape[1], 3) @ np.asarray(LUMA, np.float32)
    return np.ascontiguousarray(channels.T)
