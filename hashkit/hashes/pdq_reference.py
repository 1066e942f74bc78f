"""The 64x64 luma with the reference's own rounding, for pictures on which that decides.

The reference (pdq/cpp in facebook/ThreatExchange, BSD) blurs with running sums in float32, and each
sum carries the rounding errors of all sums before it: a few thousandths of a grey level. Where a
bit or the quality depends on less than that, only the same additions in the same order give the
reference's result. This module does them for thousands of lines at a time, with one addition and
one subtraction per pixel. It is about as slow as the reference, thirty times as slow as
``pdq_filter``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from hashkit.hashes.arrays import Float32, Pixels
from hashkit.hashes.pdq_filter import LUMA, SIDE, kept_positions, window_size

_BAND_PIXELS = 1 << 22  # filtered together: enough lines to hide Python's overhead


def luma64(pixels: Pixels) -> Float32:
    """The reference's 64x64 luma, bit for bit. Arguments and result as ``pdq_filter.luma64``.

    Needs 4 bytes of memory a pixel for the time of the call, and about 150 MB at most.
    """
    height, width = pixels.shape[:2]
    if (height, width) == (SIDE, SIDE):
        return _luma(pixels)
    filtered = np.empty((height, width), np.float32)
    for rows in _bands(height, width):
        filtered[rows] = _filter(_luma(pixels[rows]).T, range(width)).T
    for columns in _bands(width, height):
        filtered[:, columns] = _filter(filtered[:, columns], range(height))
    narrow = np.empty((height, SIDE), np.float32)
    for rows in _bands(height, width):
        narrow[rows] = _filter(filtered[rows].T, kept_positions(width)).T
    return _filter(narrow, kept_positions(height))


def dct16(luma: Float32) -> Float32:
    """The reference's 16x16 DCT of a 64x64 luma: products added one by one, in its order."""
    half = np.zeros((16, SIDE), np.float32)
    for k in range(SIDE):
        half += DCT[:, k, None] * luma[k]
    coefficients = np.zeros((16, 16), np.float32)
    for k in range(SIDE):
        coefficients += half[:, k, None] * DCT[:, k]
    return coefficients


def _dct_matrix() -> Float32:
    """Rows 1 to 16 of the 64-point DCT-II (no constant row), each rounded as the reference does."""
    scale = float(np.float32(math.sqrt(2.0 / SIDE)))
    step = math.pi / 2.0 / SIDE
    rows = [
        [scale * math.cos(step * (i + 1) * (2 * j + 1)) for j in range(SIDE)] for i in range(16)
    ]
    return np.array(rows, np.float32)


DCT = _dct_matrix()
"""float32 of shape (16, 64)."""


def _bands(length: int, pixels_each: int) -> Iterator[slice]:
    """Slices of a side of ``length``, where each step along it has ``pixels_each``."""
    band = max(256, _BAND_PIXELS // pixels_each)
    for start in range(0, length, band):
        yield slice(start, min(start + band, length))


def _luma(pixels: Pixels) -> Float32:
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    luma = pixels[:, :, 0] * LUMA[0]  # added in float64, rounded once
    luma += pixels[:, :, 1] * LUMA[1]
    luma += pixels[:, :, 2] * LUMA[2]
    return luma.astype(np.float32)


def _filter(lines: Float32, kept: list[int] | range) -> Float32:
    """Box filter along axis 0 of (length, n); the rows at ``kept`` positions, in that order."""
    lines = np.ascontiguousarray(lines)
    filtered = np.empty((len(kept), lines.shape[1]), np.float32)
    wanted = iter(enumerate(kept))
    row, next_kept = next(wanted)
    for position, (sums, count) in enumerate(_running_sums(lines, window_size(len(lines)))):
        while position == next_kept:  # short lines keep some positions more than once
            np.divide(sums, np.float32(count), out=filtered[row])
            row, next_kept = next(wanted, (-1, -1))
    return filtered


def _running_sums(lines: Float32, window: int) -> Iterator[tuple[Float32, int]]:
    """For each position along axis 0, the sum over its window and how many values are in it.

    The sum is one array, changed in place from one position to the next.
    """
    length = len(lines)
    ahead = (window + 2) // 2
    sums = np.zeros(lines.shape[1], np.float32)
    for position in range(1 - ahead, length):
        entering, leaving = position + ahead - 1, position + ahead - 1 - window
        if entering < length:
            sums += lines[entering]
        if leaving >= 0:
            sums -= lines[leaving]
        if position >= 0:
            yield sums, min(entering, length - 1) - max(leaving, -1)
