"""PNG: every chunk has a length and a checksum (PNG, third edition, 5.3)."""

from __future__ import annotations

import zlib

from PIL import ImageFile

from hashkit.media.completeness.finding import Finding, missing_if

_OF_THE_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"fcTL", b"fdAT"}


def check(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """Whether a chunk with pixels is damaged, or the last chunk is not there."""
    return missing_if(not is_whole(data, 0))


def is_whole(data: bytes, start: int) -> bool:
    """Whether the PNG that begins at ``start`` has intact pixels and an end. What is wrong with
    chunks of text or times does not matter."""
    view, place = memoryview(data), start + 8
    while place + 12 <= len(data):
        length, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if name == b"IEND":
            return True
        end = place + 8 + length
        checksum = int.from_bytes(data[end : end + 4], "big")
        if name in _OF_THE_PICTURE and checksum != zlib.crc32(view[place + 4 : end]):
            return False
        place = end + 4
    return False
