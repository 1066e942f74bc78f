"""BMP pictures whose pixels are made up by masks, and those with the short header of OS/2.

Pillow knows eleven sets of masks and five lengths of header; browsers take any.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from hashkit.errors import MediaTruncated
from hashkit.hashes.arrays import Pixels
from hashkit.media.formats import RARE_BMP, unsupported
from hashkit.media.limits import check_pixels

_SHORT, _LONG, _OS2 = 16, 40, 64
_MASKS = {3, 6}
_OS2_CODINGS = {3, 4}
_WITH_ALPHA_MASK = 56
_BAND = 256  # rows converted together, so that wide numbers take little memory


def with_long_header(data: bytes) -> bytes:
    """The file with a header of 40 bytes where it has one of 16, which is the beginning of it."""
    if _number(data, 14) != _SHORT:
        return data
    added = _LONG - _SHORT
    begin = data[:10] + struct.pack("<II", _number(data, 10) + added, _LONG)
    return begin + data[18:30] + bytes(added) + data[30:]


def has_masks(data: bytes) -> bool:
    """Whether the file says which bits of a pixel are which colour."""
    length, bits, coding = _number(data, 14), data[28], _number(data, 30)
    if length == _OS2 and coding in _OS2_CODINGS:  # numbers that mean something else there
        raise unsupported(RARE_BMP)
    return length >= _LONG and coding in _MASKS and bits in (16, 32)


def decode_masks(untrusted_data: bytes, max_pixels: int) -> Pixels:
    """The pixels of a file that ``has_masks``, on white where there is transparency."""
    offset, length, width = (_number(untrusted_data, at) for at in (10, 14, 18))
    height = int.from_bytes(untrusted_data[22:26], "little", signed=True)
    check_pixels(width, abs(height), max_pixels)
    bits, coding = untrusted_data[28], _number(untrusted_data, 30)
    count = 4 if length >= _WITH_ALPHA_MASK or coding == max(_MASKS) else 3
    masks = [_number(untrusted_data, 54 + 4 * index) % (1 << bits) for index in range(count)]
    row = (width * bits + 31) // 32 * 4
    present = min(abs(height), max(0, len(untrusted_data) - offset) // row)
    if not present:
        raise MediaTruncated
    stored = np.frombuffer(untrusted_data, np.uint8, present * row, offset).reshape(present, row)
    pixels = np.zeros((abs(height), width, 3), np.uint8)
    values = stored.view(f"<u{bits // 8}")[:, :width]
    # Alpha that is 0 everywhere was never meant, and browsers ignore it.
    used = int(np.bitwise_or.reduce(values, axis=None))
    alpha = masks[3] if count > 3 and used & masks[3] else 0
    for start in range(0, present, _BAND):
        band = values[start : start + _BAND]
        pixels[start : start + len(band)] = _on_white(band, masks[:3], alpha)
    return pixels if height < 0 else pixels[::-1]


def _on_white(values: npt.NDArray[np.unsignedinteger], masks: list[int], alpha: int) -> Pixels:
    colours = np.dstack([_scaled(values, mask) for mask in masks])
    if alpha:
        part = _scaled(values, alpha)[..., None] / 255
        colours = colours * part + 255 * (1 - part)
    return colours.round().astype(np.uint8)


def _scaled(values: npt.NDArray[np.unsignedinteger], mask: int) -> npt.NDArray[np.float64]:
    """The bits of ``mask`` as 0 to 255."""
    if not mask:
        return np.zeros(values.shape)
    shift = (mask & -mask).bit_length() - 1
    return ((values & mask) >> shift).astype(np.float64) * (255 / (mask >> shift))


def _number(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 4], "little")
