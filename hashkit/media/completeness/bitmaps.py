"""BMP, and icons, which hold bitmaps or PNGs."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import ImageFile

from hashkit.media.completeness import png
from hashkit.media.completeness.finding import Finding, missing_if
from hashkit.media.completeness.uncompressed import Rows, check_rows
from hashkit.media.completeness.zeros import has_run

_PNG = b"\x89PNG\r\n\x1a\n"
_OLD_HEADER = 12
_RUN_LENGTHS = (1, 2)
_MAX_IN_RUN_LENGTHS = 1024
"""An end of line is two zeros, so empty lines may follow each other."""


def check_bmp(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """Whether pixels end behind the file, or are zeros where they should not be."""
    offset = _number(data, 10)
    return _check_bitmap(data, 14, offset, halved=False)


def check_icon(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """The largest icon, which is the one that is taken; and whether others are there at all."""
    entries = list(_entries(data))
    for at, length in entries:
        if at + length > len(data) or not _number(data, at):
            return Finding.MISSING
    largest = max(entries, key=lambda each: _icon_pixels(data, each[0]), default=None)
    if largest is None:
        return Finding.NOTHING
    at, _ = largest
    if data.startswith(_PNG, at):
        return missing_if(not png.is_whole(data, at))
    bits, colours = int.from_bytes(data[at + 14 : at + 16], "little"), _number(data, at + 32)
    palette = (colours or 1 << bits) * 4 if bits <= 8 else 0
    return _check_bitmap(data, at, at + _number(data, at) + palette, halved=True)


def _number(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 4], "little")


def _entries(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each icon is, and how long."""
    for entry in range(int.from_bytes(data[4:6], "little")):
        yield _number(data, 18 + 16 * entry), _number(data, 14 + 16 * entry)


def _icon_pixels(data: bytes, at: int) -> int:
    if data.startswith(_PNG, at):
        width, height = (int.from_bytes(data[i : i + 4], "big") for i in (at + 16, at + 20))
        return width * height
    return _number(data, at + 4) * _number(data, at + 8) // 2


def _check_bitmap(data: bytes, header: int, pixels: int, *, halved: bool) -> Finding:
    """``halved``: of an icon, with a mask above it that may be zeros."""
    if _number(data, header) == _OLD_HEADER:
        width, height, bits, coding = (
            *(int.from_bytes(data[header + at : header + at + 2], "little") for at in (4, 6, 10)),
            0,
        )
    else:
        width, height = _number(data, header + 4), _number(data, header + 8)
        bits = int.from_bytes(data[header + 14 : header + 16], "little")
        coding = _number(data, header + 16)
    if coding in _RUN_LENGTHS:
        end = pixels + _number(data, header + 20)
        return missing_if(has_run(data, pixels, end, _MAX_IN_RUN_LENGTHS + 1))
    height = min(height, (1 << 32) - height)  # negative: the rows are stored from the top down
    row = (width * bits + 31) // 32 * 4
    end = pixels + row * (height // 2 if halved else height)
    if end > len(data):
        return Finding.MISSING
    return check_rows(data, Rows(pixels, end, row, (width * bits + 7) // 8, bits))
