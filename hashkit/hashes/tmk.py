"""TMK+PDQF: one signature of a whole video, from 15 small frames a second.

Definition: "The TMK+PDQF Video-Hashing Algorithm And The PDQ Image-Hashing Algorithm"
(hashing/hashing.pdf) and tmk/cpp, both in github.com/facebook/ThreatExchange.

    frames -> 15 a second (FrameClock) -> 64x64 luma -> 16x16 DCT, 256 numbers
           -> their mean; and, for four periods, their cosine and sine sums over time (Signature)

The mean finds candidates (level 1). The sums compare two videos at every shift of one against the
other (level 2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hashkit.hashes.arrays import Float32, Pixels
from hashkit.hashes.pdq_filter import LUMA
from hashkit.hashes.pdq_reference import DCT
from hashkit.hashes.registry import TMK_THRESHOLD

FPS = 15
PERIODS = (2731, 4391, 9767, 14653)
_NOTHING = 1e-3
_PARTS = 1 << 16  # of a frame: how finely FFmpeg counts
THRESHOLD = TMK_THRESHOLD
"""Two videos match where both levels reach this."""

DIMENSION = 256
# fmt: off
COEFFICIENTS: Float32 = np.array(
    [
        0.0708041893112, 0.13937789309, 0.132897260304, 0.122765735552, 0.109878684888,
        0.09529606433, 0.0800986647852, 0.0652590650356, 0.0515478238322, 0.0394851531195,
        0.0293374252025, 0.0211492623679, 0.0147973073245, 0.0100512818746, 0.0066306408014,
        0.00424947117334, 0.0026467615764, 0.00160270959695, 0.000943882629639, 0.000540841638603,
        0.000301633183798, 0.000163800158855, 8.66454753015e-05, 4.46626303151e-05,
        2.24429442235e-05, 1.09982139799e-05, 5.25823487999e-06, 2.45358229988e-06,
        1.11781474895e-06, 4.97406489221e-07, 2.16265487234e-07, 9.19087006565e-08,
    ],
    np.float32,
)
# fmt: on
_J = np.arange(len(COEFFICIENTS))
_SHAPE = (len(PERIODS), len(COEFFICIENTS), DIMENSION)
_HEADER = struct.Struct("<12s5i")
_MAGIC = b"TMK1FVECPDQF"
SIZE = _HEADER.size + 4 * (len(PERIODS) + len(COEFFICIENTS) + DIMENSION + 2 * int(np.prod(_SHAPE)))
"""Bytes of a signature in a file: 263,344."""


@dataclass(frozen=True, eq=False)
class Signature:
    """The TMK+PDQF signature of a video.

    ``frames`` is the number of frames at 15 a second; ``mean`` is float32 of shape (256,);
    ``cosines`` and ``sines`` are float32 of shape (4 periods, 32 coefficients, 256).
    """

    frames: int
    mean: Float32
    cosines: Float32
    sines: Float32

    def to_bytes(self) -> bytes:
        """The content of a ``.tmk`` file, little-endian."""
        header = _HEADER.pack(_MAGIC, FPS, len(PERIODS), len(COEFFICIENTS), DIMENSION, self.frames)
        arrays = (COEFFICIENTS, self.mean, self.cosines, self.sines)
        return b"".join(
            [
                header,
                np.array(PERIODS, "<i4").tobytes(),
                *(array.astype("<f4").tobytes() for array in arrays),
            ]
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Signature:
        """Read the content of a ``.tmk`` file. ValueError where it is not one."""
        if len(untrusted) != SIZE:
            raise ValueError("this is not a TMK+PDQF signature: its size is wrong")
        magic, *numbers, frames = _HEADER.unpack_from(untrusted)
        body = np.frombuffer(untrusted, "<f4", offset=_HEADER.size + 4 * len(PERIODS))
        periods = np.frombuffer(untrusted, "<i4", len(PERIODS), _HEADER.size)
        known = [FPS, len(PERIODS), len(COEFFICIENTS), DIMENSION]
        if magic != _MAGIC or numbers != known or tuple(periods) != PERIODS or frames < 0:
            raise ValueError("this is not a TMK+PDQF signature: its header is another")
        numbers_of = (len(COEFFICIENTS), DIMENSION, int(np.prod(_SHAPE)), int(np.prod(_SHAPE)))
        coefficients, mean, cosines, sines = np.split(body, np.cumsum(numbers_of)[:-1])
        if not np.isfinite(body).all() or not np.allclose(coefficients, COEFFICIENTS):
            raise ValueError("this is not a TMK+PDQF signature: its numbers are not")
        return cls(frames, mean, cosines.reshape(_SHAPE), sines.reshape(_SHAPE))


def shows_something(signature: Signature) -> bool:
    """Whether the mean of all frames has any detail. A video of one dark colour has none, and
    nothing to compare."""
    return _norm(signature.mean.astype(np.float64)) > _NOTHING


class Score(NamedTuple):
    """How alike two videos are, -1.0 to 1.0 each: ``level1`` of their means, ``level2`` over time.
    ``match`` where both reach the threshold."""

    level1: float
    level2: float

    @property
    def match(self) -> bool:
        """Would the reference call this a copy?"""
        return self.level1 >= THRESHOLD and self.level2 >= THRESHOLD


def score(a: Signature, b: Signature) -> Score:
    """Compare two signatures, ``a`` and ``b``: the cosine of their means, and the best agreement at
    any shift."""
    one, other = (signature.mean.astype(np.float64) for signature in (a, b))
    level1 = float(one @ other) / max(_norm(one) * _norm(other), 1e-30)
    best = max(_best_shift(a, b, period) for period in range(len(PERIODS)))
    whole = float(COEFFICIENTS[0] + 2 * COEFFICIENTS[1:].sum())
    return Score(level1, best / whole)


def _best_shift(a: Signature, b: Signature, period: int) -> float:
    """The largest K(o) = sum over j of cos(2 pi j o / T) (CC + SS) + sin(2 pi j o / T) (SC - CS),
    over all shifts o: the real part of a Fourier sum, so one inverse FFT gives them all."""
    # As float64: what a file holds may be of any size, and must not overflow.
    products = {
        (one, two): np.einsum(
            "jd,jd->j", getattr(a, one)[period], getattr(b, two)[period], dtype=np.float64
        )
        for one in ("cosines", "sines")
        for two in ("cosines", "sines")
    }
    even = products["cosines", "cosines"] + products["sines", "sines"]
    odd = products["sines", "cosines"] - products["cosines", "sines"]
    even[0], odd[0] = products["cosines", "cosines"][0], 0
    length = PERIODS[period]
    spectrum = np.zeros(length, np.complex128)
    spectrum[: len(_J)] = even - 1j * odd
    return float((np.fft.ifft(spectrum) * length).real.max())


def _norm(vector: npt.NDArray[np.float64]) -> float:
    return float(np.linalg.norm(vector))


class Accumulator:
    """Builds a signature frame by frame. Memory does not grow with the number of frames."""

    _BLOCK = 512

    def __init__(self) -> None:
        self._frames = 0
        self._sum = np.zeros(DIMENSION)
        self._sums = np.zeros((2, len(PERIODS), len(COEFFICIENTS), DIMENSION))
        self._block: list[Float32] = []

    def add(self, features: Float32, times: int = 1) -> None:
        """Add the next of the 15 frames a second: ``features`` is float32 of shape (256,), as
        ``features_of`` gives it. It counts ``times`` times, for a picture that stands still."""
        if times >= self._BLOCK:
            self._flush()
            self._add_still(features.astype(np.float64), times)
            return
        for _ in range(times):
            self._block.append(features)
            if len(self._block) == self._BLOCK:
                self._flush()

    def _flush(self) -> None:
        if not self._block:
            return
        block = np.array(self._block, np.float64)
        times = np.arange(self._frames, self._frames + len(block))
        self._sum += block.sum(axis=0)
        unit = block / np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-30)
        for index, period in enumerate(PERIODS):
            angles = _angles(times, period)
            self._sums[0, index] += _product("jt,td->jd", np.cos(angles), unit)
            self._sums[1, index] += _product("jt,td->jd", np.sin(angles), unit)
        self._frames += len(block)
        self._block = []

    def _add_still(self, features: npt.NDArray[np.float64], times: int) -> None:
        """Add one picture many times: a file may claim that it is shown for a day. The waves repeat
        after a period, so it is enough to count how often each phase occurs."""
        self._sum = self._sum + features * times
        unit = features / max(_norm(features), 1e-30)
        for index, period in enumerate(PERIODS):
            places = np.arange(period)
            passed = (times - (places - self._frames) % period + period - 1) // period
            angles = _angles(places, period)
            self._sums[0, index] += _product("jt,t,d->jd", np.cos(angles), passed, unit)
            self._sums[1, index] += _product("jt,t,d->jd", np.sin(angles), passed, unit)
        self._frames += times

    def signature(self) -> Signature:
        """The signature of all frames so far. ValueError where there are none."""
        self._flush()
        if not self._frames:
            raise ValueError("a signature needs at least one frame")
        norms = np.maximum(np.linalg.norm(self._sums, axis=-1, keepdims=True), 1e-30)
        scaled = self._sums / norms * np.sqrt(COEFFICIENTS.astype(np.float64))[:, None]
        cosines, sines = scaled.astype(np.float32)
        return Signature(
            self._frames, (self._sum / self._frames).astype(np.float32), cosines, sines
        )


def _product(
    subscripts: str, *factors: npt.NDArray[np.float64] | npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """A product without BLAS, whose order of additions depends on the number of threads: a video
    would not have the same signature on all machines."""
    product: npt.NDArray[np.float64] = np.einsum(subscripts, *factors)
    return product


def _angles(times: npt.NDArray[np.int64], period: int) -> npt.NDArray[np.float64]:
    """Shape (32, times): the phase of each wave of this period at each time."""
    turns: npt.NDArray[np.float64] = np.outer(_J, times) % period / period
    return turns * (2 * np.pi)


def features_of(small: Pixels) -> Float32:
    """The 256 features of a frame: the DCT that PDQ uses, of a frame scaled to 64x64.

    ``small`` is uint8 of shape (64, 64, 3), red green blue. Returns float32 of shape (256,).
    """
    luma = small @ np.asarray(LUMA, np.float32)
    return (DCT @ luma @ DCT.T).ravel().astype(np.float32)


class FrameClock:
    """Turns frames at any rate into 15 a second, as the reference's ``ffmpeg -r 15`` does."""

    def __init__(self, rate: float) -> None:
        """``rate`` is the video's frame rate, in frames a second."""
        self._rate = rate
        self._nominal = min(FPS / rate, 1.0)
        self._written = 0
        self._repeats = [0, 0, 0]

    def ticks(self, timestamp: float, duration: float) -> tuple[int, int]:
        """How often the frame before, and how often this one, is to be added.

        ``timestamp`` and ``duration`` in seconds, the duration 0.0 where it is not known.
        """
        if duration > 4 / self._rate:  # containers misreport it
            duration = 0.0
        length = round(FPS * duration) or self._nominal
        # FFmpeg counts in 65536ths, and adds half of one, so that no time is on an exact border.
        parts = round(FPS * timestamp * _PARTS)
        ahead = (parts + 0.5 * ((parts > 0) - (parts < 0))) / _PARTS - self._written
        before, total = 0, 1
        if ahead + length < -1.1:
            total = 0
        elif ahead + length > 1.1:
            total = round(ahead + length)
            before = min(total, max(0, round(ahead - 0.6))) if ahead > 1.1 else 0
        self._written += total
        self._repeats = [*self._repeats[1:], before]
        return before, total - before

    def ticks_at_end(self) -> int:
        """How often the last frame is to be added once more when there are no more."""
        return sorted(self._repeats)[1]
