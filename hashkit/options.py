"""What is asked of a file: the same for one file and for many, here and in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hashkit.hashes.registry import DEFAULT, resolve
from hashkit.media.limits import MAX_PIXELS
from hashkit.media.sampling import DEFAULT_SAMPLE, Sample, check_sample

OnProgress = Callable[[float], None]
"""Called with how much is done."""


@dataclass(frozen=True, slots=True)
class Options:
    """Checked: algorithm names in the registry's order, sample, limit in pixels."""

    algorithms: tuple[str, ...] = DEFAULT
    sample: Sample = DEFAULT_SAMPLE
    max_pixels: int = MAX_PIXELS

    @classmethod
    def checked(cls, algorithms: str | Iterable[str], sample: object, max_pixels: int) -> Options:
        """Of what a caller gave. UnknownAlgorithm, or ValueError for another sample."""
        return cls(resolve(algorithms), check_sample(sample), max_pixels)
