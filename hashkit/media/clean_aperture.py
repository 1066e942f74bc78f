"""The clean aperture of AVIF and HEIC: the part of the coded picture that is shown
(ISO/IEC 14496-12, 12.1.4; ISO/IEC 23008-12, 6.5.9).

libheif applies it and says nothing. Of AVIF, Pillow gives every coded pixel, and does not tell what
is to be cut off: so it is read here, from the primary item alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

_MAX_ENTRIES = 65_536

Box = tuple[bytes, int, int]
Crop = tuple[slice, slice]
"""Rows and columns."""


def crop_of(data: bytes, width: int, height: int) -> Crop | None:
    """What is shown of the primary item's ``width`` x ``height`` pixels, before it is turned.

    None where there is no clean aperture, or one that browsers ignore: it does not lie within the
    picture, or not on whole pixels, of colour where that is coarser.
    """
    try:
        properties = _of_primary_item(data)
    except (IndexError, ValueError):  # tables that make no sense
        return None
    content = properties.get(b"clap", b"")
    if len(content) < 32:
        return None
    numbers = [int.from_bytes(content[at : at + 4], "big", signed=True) for at in range(0, 32, 4)]
    if min(numbers[1::2]) <= 0:
        return None
    columns, rows, across, down = (
        Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)
    )
    step_across, step_down = _steps(properties.get(b"av1C", b""))
    shown_columns = _shown(width, columns, across, step_across)
    shown_rows = _shown(height, rows, down, step_down)
    return (shown_rows, shown_columns) if shown_rows and shown_columns else None


def _steps(configuration: bytes) -> tuple[int, int]:
    """How many pixels share a colour, across and down (AV1 in ISOBMFF, 2.3.3)."""
    flags = configuration[2] if len(configuration) > 2 else 0
    if flags & 0x10:  # no colour at all
        return 1, 1
    return 2 if flags & 0x08 else 1, 2 if flags & 0x04 else 1


def _shown(whole: int, part: Fraction, offset: Fraction, step: int) -> slice | None:
    """``offset``: of the part's centre from the centre of the whole."""
    start = (whole - part) / 2 + offset
    if start % step or part.denominator > 1 or part < 1:
        return None
    end = start + part
    return slice(int(start), int(end)) if start >= 0 and end <= whole else None


def _of_primary_item(data: bytes) -> dict[bytes, bytes]:
    """Its properties, by name. What it has no ``av1C`` of is put together of tiles: theirs."""
    meta = _content(list(_boxes(data, 0, len(data))), b"meta")
    boxes = list(_boxes(data, meta[0] + 4, meta[1]))
    at, _ = _content(boxes, b"pitm")
    primary = _number(data, at + 4, 4 if data[at] else 2)
    tables = list(_boxes(data, *_content(boxes, b"iprp")))
    kinds = list(_boxes(data, *_content(tables, b"ipco")))
    found = {name: data[first:last] for name, first, last in kinds if name == b"av1C"}
    for owner, index in _associations(data, *_content(tables, b"ipma")):
        if owner == primary and 0 < index <= len(kinds):
            name, first, last = kinds[index - 1]
            found[name] = data[first:last]
    return found


def _associations(data: bytes, place: int, end: int) -> Iterator[tuple[int, int]]:
    """Each item with the number of each of its properties, from 1 (23008-12, 9.3.1)."""
    item_width, index_width = 4 if data[place] else 2, 2 if data[place + 3] & 1 else 1
    count, place = _number(data, place + 4, 4), place + 8
    for _ in range(min(count, _MAX_ENTRIES)):
        item, place = _number(data, place, item_width), place + item_width
        if place >= end:
            return
        properties, place = data[place], place + 1
        for _ in range(properties):
            essential = 1 << 8 * index_width - 1
            yield item, _number(data, place, index_width) & ~essential
            place += index_width


def _boxes(data: bytes, place: int, end: int) -> Iterator[Box]:
    """The name of each box, and where its content begins and ends."""
    for _ in range(_MAX_ENTRIES):
        if place + 8 > end:
            return
        length, name, start = _number(data, place, 4), data[place + 4 : place + 8], place + 8
        if length == 1:
            length, start = _number(data, place + 8, 8), place + 16
        if length == 0:
            length = end - place
        if length < start - place or place + length > end:
            return
        yield name, start, place + length
        place += length


def _content(boxes: list[Box], name: bytes) -> tuple[int, int]:
    """Of the first box of this name. ValueError where there is none."""
    for each, begin, end in boxes:
        if each == name:
            return begin, end
    raise ValueError


def _number(data: bytes, place: int, width: int) -> int:
    return int.from_bytes(data[place : place + width], "big")
