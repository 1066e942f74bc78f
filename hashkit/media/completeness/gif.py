"""GIF: blocks, of sub-blocks that say their length, up to a trailer (GIF89a, 12 to 27)."""

from __future__ import annotations

from PIL import ImageFile

from hashkit.media.completeness.finding import Finding, missing_if

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_MAX_STRAY = 16
"""Zeros between blocks that some writers leave, and all viewers skip."""


def check(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """Whether a block ends behind the file, or something else is where one should begin."""
    place = 13 + _table_length(data, 10)
    while place < len(data) and data[place] != _TRAILER:
        if data[place] == _IMAGE:
            place = _end_of_sub_blocks(data, place + 11 + _table_length(data, place + 9))
        elif data[place] == _EXTENSION:
            place = _end_of_sub_blocks(data, place + 2)
        else:
            stray = data[place : place + _MAX_STRAY]
            place += len(stray) - len(stray.lstrip(b"\0"))
            if data[place : place + 1] not in (b"\x2c", b"\x21", b"\x3b"):
                return Finding.MISSING
    return missing_if(place > len(data))  # some writers leave the trailer out


def _table_length(data: bytes, flags_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_sub_blocks(data: bytes, place: int) -> int:
    """Behind the empty sub-block; behind the end of the file where there is none."""
    while place < len(data) and data[place]:
        place += data[place] + 1
    return place + 1
