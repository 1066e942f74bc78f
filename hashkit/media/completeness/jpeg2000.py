"""JPEG 2000: a codestream of tile-parts that say their length (ITU-T T.800, annex A)."""

from __future__ import annotations

from PIL import ImageFile

from hashkit.media.completeness.finding import Finding, missing_if
from hashkit.media.completeness.zeros import has_run

_START, _TILE_PART, _END = b"\xff\x4f\xff\x51", b"\xff\x90", b"\xff\xd9"
_MAX_ZEROS = 255
"""A plain area may be zeros: a bit, and so a byte, for each packet without anything in it."""


def check(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """Whether a tile-part ends behind the file, there is no end, or pixels are zeros."""
    place = data.find(_START)
    while place >= 0 and data[place : place + 2] not in (_TILE_PART, _END):
        if data[place : place + 1] != b"\xff":
            return Finding.MISSING
        # The first marker stands alone, the others say how long they are.
        alone = data[place : place + 2] == _START[:2]
        place += 2 if alone else 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    while place >= 0 and data[place : place + 2] == _TILE_PART:
        length = int.from_bytes(data[place + 6 : place + 10], "big")
        if not length:  # to the end
            end = data.rfind(_END)
            return missing_if(end < place or has_run(data, place, end, _MAX_ZEROS + 1))
        if length < 14 or place + length > len(data):
            return Finding.MISSING
        if has_run(data, place, place + length, _MAX_ZEROS + 1):
            return Finding.MISSING
        place += length
    return missing_if(data[max(place, 0) : max(place, 0) + 2] != _END)
