"""TIFF: strips or tiles, of which the directory says where they are, how long and how coded."""

from __future__ import annotations

import zlib
from typing import Any

from PIL import ImageFile

from hashkit.media.completeness import jpeg
from hashkit.media.completeness.finding import Finding, missing_if
from hashkit.media.completeness.uncompressed import Rows, check_rows
from hashkit.media.completeness.zeros import MAX_IN_CODED, has_run

_WIDTH, _BITS, _CODING, _SAMPLES, _PLANES = 256, 258, 259, 277, 284
_STRIPS, _STRIP_LENGTHS, _TILE_WIDTH, _TILES, _TILE_LENGTHS = 273, 279, 322, 324, 325
_RAW, _OLD_FAX, _FAX, _FAX4, _LZW, _JPEG, _DEFLATE, _PACKBITS, _OLD_DEFLATE = (
    *(1, 2, 3, 4, 5, 7, 8, 32773, 32946),
)
_LIMITS = {_LZW: MAX_IN_CODED, _PACKBITS: 256, _OLD_FAX: 1024, _FAX: 1024, _FAX4: 1024}
"""From how many zeros in a row on they cannot be codes. Fax codes are filled up with zeros."""
_SUSPECT = 64


def check(data: bytes, header: ImageFile.ImageFile) -> Finding:
    """Whether a strip or tile ends behind the file, or holds zeros that cannot be its pixels."""
    tags: Any = getattr(header, "tag_v2", {})
    tiled = _TILES in tags
    starts = tags.get(_TILES if tiled else _STRIPS, ())
    lengths = tags.get(_TILE_LENGTHS if tiled else _STRIP_LENGTHS, ())
    parts = sorted(zip(starts, lengths, strict=False))
    if any(start + length > len(data) for start, length in parts):
        return Finding.MISSING
    coding = tags.get(_CODING, _RAW)
    if coding == _RAW:
        return _check_raw(data, tags, parts, tiled)
    return missing_if(any(_is_lost(data, coding, start, length) for start, length in parts))


def _is_lost(data: bytes, coding: int, start: int, length: int) -> bool:
    """Whether zeros stand in a compressed strip that cannot be codes."""
    end = start + length
    if coding == _JPEG:
        return not jpeg.is_whole(data, start, end)
    if coding in (_DEFLATE, _OLD_DEFLATE):
        # Plain areas may be zeros: only the checksum at the end can tell.
        return has_run(data, start, end, _SUSPECT) and not _inflates(data[start:end])
    return coding in _LIMITS and has_run(data, start, end, _LIMITS[coding])


def _inflates(strip: bytes) -> bool:
    """Whether a zlib stream is whole, without holding what comes out of it."""
    stream = zlib.decompressobj()
    try:
        while strip and not stream.eof:
            stream.decompress(strip, 1 << 20)
            strip = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof


def _check_raw(data: bytes, tags: Any, parts: list[tuple[int, int]], tiled: bool) -> Finding:
    """Strips mostly follow one another. Then they are looked at as one."""
    if not parts:
        return Finding.NOTHING
    begin, end = parts[0][0], sum(parts[-1])
    if end - begin != sum(length for _, length in parts):
        return Finding.NOTHING  # something else between them: what is zero there says nothing
    bits = tags.get(_BITS, (1,))
    samples = 1 if tags.get(_PLANES) == 2 else tags.get(_SAMPLES, 1)
    pixel = bits[0] * samples
    row = (tags.get(_TILE_WIDTH if tiled else _WIDTH, 0) * pixel + 7) // 8
    return check_rows(data, Rows(begin, end, row, row, pixel))
