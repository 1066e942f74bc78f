"""HEIC and AVIF: boxes that say their length, and items that say where their bytes are
(ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12)."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import ImageFile

from hashkit.media.completeness.finding import Finding, missing_if
from hashkit.media.completeness.zeros import has_run
from hashkit.media.truncation import is_cut_short

_CODED = {b"hvc1", b"av01", b"avc1", b"hvt1"}
_MAX_ITEMS = 65_536

Extent = tuple[int, int]


def check(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """Whether a box ends behind the file, or coded pixels are zeros."""
    if is_cut_short(io.BytesIO(data), len(data), "heif"):
        return Finding.MISSING
    return missing_if(
        any(end > len(data) or has_run(data, begin, end) for begin, end in _pixels(data))
    )


def _pixels(data: bytes) -> Iterator[Extent]:
    """Where the bytes of coded pictures begin and end: those of items, and those of a sequence."""
    for name, begin, end in _boxes(data, 0, len(data)):
        if name == b"meta":
            boxes = {each: (first, last) for each, first, last in _boxes(data, begin + 4, end)}
            if b"iinf" in boxes and b"iloc" in boxes:
                coded = _coded_items(data, *boxes[b"iinf"])
                yield from _extents(data, boxes[b"iloc"][0], coded)
        elif name == b"mdat" and data[8:12] in (b"avis", b"msf1", b"hevc"):
            yield begin, end


def _boxes(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each box, and where its content begins and ends."""
    while place + 8 <= end:
        length, name, start = _number(data, place, 4), data[place + 4 : place + 8], place + 8
        if length == 1:
            length, start = _number(data, place + 8, 8), place + 16
        if length == 0 and name != bytes(4):
            length = end - place
        if length < start - place:
            return
        yield name, start, place + length
        place += length


def _number(data: bytes, place: int, width: int) -> int:
    return int.from_bytes(data[place : place + width], "big")


def _coded_items(data: bytes, begin: int, end: int) -> set[int]:
    """The items that are coded pictures. Others may hold anything: metadata is often padded."""
    found = set()
    place = begin + (6 if data[begin] == 0 else 8)
    for _, start, _ in _boxes(data, place, end):
        width = 4 if data[start : start + 1] == b"\x03" else 2
        if data[start + 6 + width : start + 10 + width] in _CODED:
            found.add(_number(data, start + 4, width))
    return found


def _extents(data: bytes, begin: int, items: set[int]) -> Iterator[Extent]:
    """Where these items' bytes are (8.11.3)."""
    version, sizes = data[begin], _number(data, begin + 4, 2)
    offset_width, length_width, base_width = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_width = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    count, place = _number(data, begin + 6, wide), begin + 6 + wide
    for _ in range(min(count, _MAX_ITEMS)):
        item, place = _number(data, place, wide), place + wide
        in_file = version == 0 or _number(data, place, 2) & 15 == 0
        place += (2 if version else 0) + 2
        base, place = _number(data, place, base_width), place + base_width
        extents, place = _number(data, place, 2), place + 2
        if (
            not index_width + offset_width + length_width
        ):  # they take no bytes, and are all the same
            extents = min(extents, 1)
        for _ in range(min(extents, _MAX_ITEMS)):
            place += index_width
            offset, place = _number(data, place, offset_width), place + offset_width
            length, place = _number(data, place, length_width), place + length_width
            if in_file and item in items:
                yield base + offset, base + offset + length
        if place > len(data):
            return
