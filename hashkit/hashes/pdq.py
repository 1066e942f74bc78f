"""PDQ: 256 bits that change little when a picture is re-encoded, resized or filtered.

Definition: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" and pdq/cpp,
both in github.com/facebook/ThreatExchange. The canonical hash is of the picture at full resolution
in display orientation; the ``pdqhash`` package computes that, and so do ``threatexchange`` and the
servers built on it. This module equals ``pdqhash`` bit for bit (docs/decisions/0002-pdq-exact.md).

    pixels -> 64x64 luma -> 16x16 DCT -> 256 bits, each set where a coefficient is above the median
                         -> quality: the sum of the gradients

The luma comes from ``pdq_filter``, which is fast and rounds differently from the reference. Where
rounding decides a bit or the quality, ``pdq_reference`` computes it again as the reference does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from hashkit.hashes import pdq_filter, pdq_reference
from hashkit.hashes.arrays import Float32, Pixels
from hashkit.hashes.registry import ALGORITHMS, MIN_QUALITY, PDQ_THRESHOLD
from hashkit.models import ORIENTATIONS, ORIGINAL, Hash

BITS = ALGORITHMS["pdq"].bits
THRESHOLD = PDQ_THRESHOLD
"""Two PDQ hashes at most this far apart are taken for copies of one picture."""
QUALITY_THRESHOLD = MIN_QUALITY
"""Services discard hashes of lower quality."""
MIN_SIDE = 5
"""Pictures with a shorter side have the hash zero and the quality 0."""

LUMA_TOLERANCE = 0.002
"""How far, in grey levels, the luma of ``pdq_filter`` may be from the reference's (largest seen on
pictures without exact repetition: 0.0011)."""
DCT_TOLERANCE = 0.004
"""How far DCT coefficients of that luma may be from the reference's (largest seen: 0.0033)."""


def compute(pixels: Pixels) -> Hash:
    """The PDQ hash of a picture.

    ``pixels`` is uint8 of shape (height, width, 3), red green blue, or (height, width), luma; any
    view will do. The value is 64 lowercase hex digits, the quality 0 to 100. TypeError or
    ValueError for arrays of another kind.
    """
    return _hash(pixels, (ORIGINAL,))[0]


def compute_orientations(pixels: Pixels) -> tuple[Hash, ...]:
    """The hashes of a picture turned all eight ways, named by ``variant``, original first.

    They come from the one DCT by transposing it and changing signs, as in the reference. The hash
    of a picture that is turned first can differ by some bits, up to 18 where it is small: the
    reference's filter leans to one side where its window is even. ``pixels``, values, qualities and
    errors are as for ``compute``.
    """
    return _hash(pixels, ORIENTATIONS)


def of_luma64(luma: Float32) -> tuple[str, int]:
    """Value and quality of a picture that is reduced already, float32 of shape (64, 64), 0 to 255.

    For frames of videos: their luma is not the reference's to the last bit, so its rounding is not
    repeated.
    """
    coefficients: Float32 = (pdq_reference.DCT @ luma @ pdq_reference.DCT.T).astype(np.float32)
    return _bits(coefficients), _quality(luma)


def distance(a: str, b: str) -> int:
    """In how many of the 256 bits two PDQ values ``a`` and ``b`` (64 hex digits each) differ: 0 to
    256. ValueError for what is no hex number; the length is not looked at."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def distances(first: Sequence[str], second: Sequence[str]) -> npt.NDArray[np.uint16]:
    """The distance of each PDQ value of the ``first`` to each of the ``second``: uint16 of shape
    (len(first), len(second)). ValueError for a value that is not 64 hex digits."""
    one, other = _as_bits(first), _as_bits(second)
    # |a - b| in bits = ones(a) + ones(b) - 2 a.b, as one matrix product: exact for such small sums.
    apart = one.sum(1)[:, None] + other.sum(1) - 2 * (one @ other.T)
    found: npt.NDArray[np.uint16] = apart.astype(np.uint16)
    return found


def _as_bits(values: Sequence[str]) -> Float32:
    """float32 of shape (n, 256), fast to multiply."""
    if any(len(value) != BITS // 4 for value in values):
        raise ValueError("a PDQ hash is 64 hex digits")
    packed = np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, BITS // 8)
    return np.unpackbits(packed, axis=1).astype(np.float32)


def _hash(pixels: Pixels, orientations: Iterable[str]) -> tuple[Hash, ...]:
    _check(pixels)
    if min(pixels.shape[:2]) < MIN_SIDE:
        return tuple(Hash("pdq", "0" * (BITS // 4), 0, name) for name in orientations)
    luma = pdq_filter.luma64(pixels)
    coefficients: Float32 = (pdq_reference.DCT @ luma @ pdq_reference.DCT.T).astype(np.float32)
    turned = {name: _TURNS[name](coefficients) for name in orientations}
    if _rounding_decides(luma, turned.values()):
        luma = pdq_reference.luma64(pixels)
        coefficients = pdq_reference.dct16(luma)
        turned = {name: _TURNS[name](coefficients) for name in orientations}
    quality = _quality(luma)
    return tuple(Hash("pdq", _bits(turned[name]), quality, name) for name in turned)


def _check(pixels: npt.NDArray[np.generic]) -> None:
    if pixels.dtype != np.uint8:
        raise TypeError(f"pixels are uint8, not {pixels.dtype}")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(f"pixels have the shape (height, width[, 3]), not {pixels.shape}")


def _bits(coefficients: Float32) -> str:
    """The hash as hex: bit k is set where coefficient k, in row-major order, is above the median,
    which is the 128th smallest. The first hex digit holds bits 255 to 252."""
    values = coefficients.ravel()
    median = np.partition(values, BITS // 2 - 1)[BITS // 2 - 1]
    return np.packbits((values > median)[::-1]).tobytes().hex()


def _gradients(luma: Float32) -> Float32:
    """Differences between vertical and horizontal neighbours, in percent of the range."""
    steps = (luma[:-1] - luma[1:]).ravel(), (luma[:, :-1] - luma[:, 1:]).ravel()
    return np.concatenate(steps) * np.float32(100) / np.float32(255)


def _score(gradients: Float32) -> int:
    return min(int(np.abs(np.trunc(gradients)).sum()) // 90, 100)


def _quality(luma: Float32) -> int:
    """The reference's measure of how much there is to see, 0 to 100."""
    return _score(_gradients(luma))


def _rounding_decides(luma: Float32, turned: Iterable[Float32]) -> bool:
    """Whether the reference, within the tolerances, may have another quality or another bit."""
    size, slack = np.abs(_gradients(luma)), np.float32(2 * LUMA_TOLERANCE * 100 / 255)
    if _score(size + slack) != _score(np.maximum(size - slack, 0)):
        return True
    middle = (BITS // 2 - 1, BITS // 2)
    for coefficients in turned:
        median, above = np.partition(coefficients.ravel(), middle)[list(middle)]
        if above - median < 2 * DCT_TOLERANCE:
            return True
    return False


_ODD = np.where(np.arange(16) % 2 == 1, np.float32(1), np.float32(-1))  # sign of coefficient n + 1

# The DCT of the turned picture. Mirroring a line changes the sign of its odd frequencies.
_TURNS: dict[str, Callable[[Float32], Float32]] = {
    ORIGINAL: lambda dct: dct,
    "rotated-90": lambda dct: (dct * _ODD).T,
    "rotated-180": lambda dct: dct * _ODD * _ODD[:, None],
    "rotated-270": lambda dct: (dct * _ODD[:, None]).T,
    "flipped": lambda dct: dct * _ODD[:, None],
    "mirrored": lambda dct: dct * _ODD,
    "transposed": lambda dct: dct.T,
    "transverse": lambda dct: (dct * _ODD * _ODD[:, None]).T,
}
