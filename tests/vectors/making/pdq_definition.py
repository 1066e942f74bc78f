"""PDQ by its definition in float64, step by step: tells intermediate values, and which bits
rounding decides. The expected hashes are the reference's, not these."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .pictures import Pixels

Float64 = npt.NDArray[np.float64]

ERRORS = {"ordinary": (0.002, 0.01), "hard": (0.01, 0.05)}
"""Tolerances of a luma value, in grey levels, and of a coefficient, with a margin: the reference's
own rounding errors reach 0.0011 and 0.0033 on ordinary pictures, 0.010 and 0.026 on periodic ones
(docs/decisions/0002-pdq-exact.md)."""

_DCT = np.sqrt(2 / 64) * np.cos(
    np.pi / 128 * np.arange(1, 17)[:, None] * (2 * np.arange(64)[None, :] + 1)
)


def luma64(pixels: Pixels) -> Float64:
    """The 64x64 luma."""
    weights = np.array([0.299, 0.587, 0.114])
    luma = pixels @ weights if pixels.ndim == 3 else pixels.astype(np.float64)
    height, width = luma.shape
    if (height, width) == (64, 64):
        return luma
    return _filter(height) @ luma @ _filter(width).T


def _filter(length: int) -> Float64:
    """64 rows: the box filter applied twice, at the sampled positions."""
    window = (length + 127) // 128
    ahead = (window + 2) // 2
    box = np.zeros((length, length))
    for centre in range(length):
        inside = slice(max(0, centre + ahead - window), min(length, centre + ahead))
        box[centre, inside] = 1.0
    box /= box.sum(axis=1, keepdims=True)
    return box[[int((i + 0.5) * length / 64) for i in range(64)]] @ box


def dct16(luma: Float64) -> Float64:
    """The 16x16 coefficients."""
    return _DCT @ luma @ _DCT.T


def median(coefficients: Float64) -> float:
    return float(np.sort(coefficients.ravel())[127])


def ties(coefficients: Float64, error: float) -> str:
    """The bits that rounding decides, as a hash: those of coefficients next to the median, if the
    next greater one is as close. Otherwise rounding can move the median but no bit."""
    values = coefficients.ravel()
    near = np.abs(values - median(values)) <= error
    if not near[values > median(values)].any():
        near[:] = False
    return hex_of(near)


def hex_of(bits: npt.NDArray[np.bool_]) -> str:
    """Bit k is coefficient k in row-major order; the first digit holds bits 255 to 252."""
    return np.packbits(bits[::-1]).tobytes().hex()


def quality_range(luma: Float64, error: float) -> tuple[int, int]:
    """The lowest and the highest quality that rounding can give."""
    steps = np.concatenate([np.diff(luma, axis=0).ravel(), np.diff(luma, axis=1).ravel()])
    size, slack = np.abs(steps) * 100 / 255, 2 * error * 100 / 255
    low, high = (np.floor(np.maximum(size + each, 0)).sum() for each in (-slack, slack))
    return min(int(low / 90), 100), min(int(high / 90), 100)
