"""Copies of picture files without their metadata, for where a decoder stumbles over it.

A JFIF segment that is too short, a text chunk with a wrong checksum or one that the file ends in
stop Pillow, though every pixel is there; browsers and OpenCV show such pictures.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_SCAN, _COMMENT, _ADOBE = 0xDA, 0xFE, 0xEE
_APPLICATION = range(0xE0, 0xF0)
_ADOBE_LENGTH = 14
_EXIF = b"Exif\0\0"

_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND"}
_PNG_END = b"\0\0\0\0IEND\xae\x42\x60\x82"

_WEBP_PIXELS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}


def without_metadata(data: bytes, image_format: str) -> bytes | None:
    """The file with what its pixels and orientation need, and nothing else; None where that is all
    of it already, or the format is another than JPEG, PNG and WebP."""
    strip = {"jpeg": _jpeg, "png": _png, "webp": _webp}.get(image_format)
    clean = strip(data) if strip else data
    return None if clean == data else clean


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The marker of each segment before the first scan, and where it begins and ends. As libjpeg
    does, skips what is no marker."""
    place = 2
    while found := _MARKER.search(data, place):
        marker, place = found[1][0], found.end()
        if marker in _ALONE:
            continue
        begin = place - 2
        place += max(2, int.from_bytes(data[place : place + 2], "big"))
        yield marker, begin, place
        if marker == _SCAN:
            return


def _jpeg(data: bytes) -> bytes:
    kept = [data[:2]]
    for marker, begin, end in jpeg_segments(data):
        if marker == _SCAN:
            return b"".join((*kept, data[begin:]))
        exif = data.startswith(_EXIF, begin + 4)
        adobe = marker == _ADOBE and end - begin - 2 >= _ADOBE_LENGTH
        if exif or adobe or not (marker in _APPLICATION or marker == _COMMENT):
            kept.append(data[begin:end])
    return data  # there is no scan: nothing is won


def _png(data: bytes) -> bytes:
    kept, place = [data[:8]], 8
    while place + 8 <= len(data):
        length, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        end = place + 12 + length
        checksum = zlib.crc32(memoryview(data)[place + 4 : end - 4]).to_bytes(4, "big")
        exif = name == b"eXIf" and data[end - 4 : end] == checksum
        if exif or name in _PNG_PIXELS:
            kept.append(data[place:end])
        elif end > len(data):  # the file ends in metadata: its pixels are all before
            kept.append(_PNG_END)
        place = end
    return b"".join(kept)


def _webp(data: bytes) -> bytes:
    kept, place = [], 12
    while place + 8 <= len(data):
        end = place + 8 + (int.from_bytes(data[place + 4 : place + 8], "little") + 1 & ~1)
        name = data[place : place + 4]
        if name in _WEBP_PIXELS or (name == b"EXIF" and end <= len(data)):
            kept.append(data[place:end])
        place = end
    chunks = b"".join(kept)
    return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WEBP" + chunks
