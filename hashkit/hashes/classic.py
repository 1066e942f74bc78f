"""The imagehash family: average, perceptual, difference, wavelet, colour and crop-resistant hash.

The values are the ``imagehash`` library's own, with its default parameters. As for PDQ,
transparency is laid on white and 16 bits are scaled to 8 before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import imagehash
import numpy as np
from PIL import Image

from hashkit.hashes.arrays import Pixels
from hashkit.models import Hash

_FUNCTIONS: Mapping[str, Callable[[Image.Image], Any]] = {
    "colorhash": imagehash.colorhash,
    "ahash": imagehash.average_hash,
    "phash": imagehash.phash,
    "dhash": imagehash.dhash,
    "whash": imagehash.whash,
    "crop_resistant": imagehash.crop_resistant_hash,
}


def compute(pixels: Pixels, algorithms: Iterable[str] = ("phash",)) -> tuple[Hash, ...]:
    """Hash a picture with each of ``algorithms``, in that order.

    ``pixels`` is uint8 of shape (height, width, 3), red green blue, or (height, width), luma, in
    display orientation. Names: ahash, phash, dhash, whash, colorhash, crop_resistant. Values are
    the library's hex (11 digits for colorhash, several numbers of 16 joined by commas for
    crop_resistant, 16 digits else). KeyError for an unknown name.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    # All but colorhash begin with this very conversion: once is enough.
    grey = picture.convert("L")
    return tuple(
        Hash(name, str(_FUNCTIONS[name](picture if name == "colorhash" else grey)))
        for name in algorithms
    )
