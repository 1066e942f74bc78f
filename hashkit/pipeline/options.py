"""The options of hashing: the same for one file and many, in this process and in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hashkit.hashes.registry import DEFAULT, resolve
from hashkit.media.limits import MAX_PIXELS
from hashkit.media.sampling import DEFAULT_SAMPLE, Sample, check_sample
from hashkit.variants.sets import DEFAULT_LEVEL, check_level

OnProgress = Callable[[float], None]
"""Called with the part that is done, 0.0 to 1.0."""


@dataclass(frozen=True, slots=True)
class Options:
    """Checked: algorithm names in the registry's order, sample, limit in pixels, variants."""

    algorithms: tuple[str, ...] = DEFAULT
    sample: Sample = DEFAULT_SAMPLE
    max_pixels: int = MAX_PIXELS
    variants: str = DEFAULT_LEVEL

    @classmethod
    def checked(
        cls,
        algorithms: str | Iterable[str],
        sample: object,
        max_pixels: int,
        variants: str = DEFAULT_LEVEL,
    ) -> Options:
        """Of what a caller gave. UnknownAlgorithm, ValueError for another sample or level of
        variants or a limit under 1, TypeError for a limit that is no whole number."""
        if type(max_pixels) is not int:
            raise TypeError("max_pixels is a whole number")
        if max_pixels < 1:
            raise ValueError("max_pixels is at least 1")
        return cls(resolve(algorithms), check_sample(sample), max_pixels, check_level(variants))
