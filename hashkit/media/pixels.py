"""Converts loaded pictures of any mode to 8-bit RGB or luma, on white.

By Pillow's rules, except for 16 bits, long integers and floats, which Pillow would clip.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from hashkit.hashes.arrays import Pixels

_WHITE_IS_ZERO_TAG, _WHITE_IS_ZERO = 0x0106, 0
_BAND = 256  # rows converted together, so that wide numbers take little memory


def to_8_bit(picture: Image.Image) -> Pixels:
    """The pixels of a loaded picture: uint8 of shape (height, width, 3) or, grey, (height, width).
    Transparency is laid on white."""
    return with_transparency(picture)[0]


def with_transparency(picture: Image.Image) -> tuple[Pixels, Image.Image | None]:
    """The pixels as of ``to_8_bit``; and the picture in mode RGBA, if any of it is transparent."""
    if picture.mode.startswith("I"):
        return _integers(picture), None
    if picture.mode == "F":
        return _scale_floats(np.asarray(picture)), None
    if picture.has_transparency_data:
        return _on_white(picture.convert("RGBA"))
    if picture.mode in ("L", "RGB"):
        return as_pixels(np.asarray(picture)), None
    return as_pixels(np.asarray(picture.convert("L" if picture.mode == "1" else "RGB"))), None


def as_pixels(array: npt.NDArray[np.generic]) -> Pixels:
    """The array as uint8, itself where it is."""
    return array.astype(np.uint8, copy=False)


def _on_white(picture: Image.Image) -> tuple[Pixels, Image.Image | None]:
    if picture.getchannel("A").getextrema() == (255, 255):
        return as_pixels(np.asarray(picture.convert("RGB"))), None
    shown = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return as_pixels(np.asarray(shown.convert("RGB"))), picture


def _integers(picture: Image.Image) -> Pixels:
    values = np.asarray(picture)
    pixels = _scale_integers(values)
    if getattr(picture, "tag_v2", {}).get(_WHITE_IS_ZERO_TAG) == _WHITE_IS_ZERO:
        pixels = ~pixels  # a TIFF that stores its negative; of 16 bits, Pillow leaves it that way
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):  # one value, of PNG
        pixels = np.where(values == transparent, np.uint8(255), pixels)
    return pixels


def _scale_integers(values: npt.NDArray[np.integer]) -> Pixels:
    """16 bits by their high byte, as Pillow scales 16-bit colour; 32 bits by what they use."""
    if values.dtype.itemsize == 2:
        return as_pixels(values >> 8)
    if int(values.min()) < 0:  # Pillow holds unsigned numbers in signed ones
        values = values.view(np.uint32)
    highest = int(values.max())
    used = next(bits for bits in (8, 16, 31, 32) if highest < 1 << bits)
    return as_pixels(values >> (used - 8))


def _scale_floats(values: npt.NDArray[np.floating]) -> Pixels:
    """Floats have no set range: 0 to 1, 0 to 255 or 0 to 65535, whichever holds the largest."""
    highest = max(float(band.max()) for _, band in _finite(values))
    white = next((top for top in (1.0, 255.0, 65535.0) if highest <= top), highest)
    pixels = np.empty(values.shape, np.uint8)
    for rows, band in _finite(values):
        pixels[rows] = np.clip(band * (255.0 / white), 0, 255).round()
    return pixels


def _finite(values: npt.NDArray[np.floating]) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    for start in range(0, len(values), _BAND):
        rows = slice(start, start + _BAND)
        band = values[rows].astype(np.float64)
        yield rows, np.nan_to_num(band, nan=0.0, posinf=0.0, neginf=0.0)
