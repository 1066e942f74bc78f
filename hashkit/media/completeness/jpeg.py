"""JPEG: segments that say their length, and scans of Huffman codes, which do not (ITU-T T.81).

Decoders repair what is missing, and say so only on standard error, if at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from PIL import ImageFile

from hashkit.media.completeness.finding import Finding, missing_if
from hashkit.media.completeness.zeros import has_run

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7\x01]")
_TABLES, _SCAN, _END = 0xC4, 0xDA, 0xD9
_FRAMES = range(0xC0, 0xC3)  # baseline, extended and progressive, of Huffman codes
_RANDOM = 63
"""Zeros in a row, at most, in the detail of a picture."""

_MAX_STEPS = 2048
"""From white to black in blocks, each a step darker than the one before."""

_SIXTEEN_ZEROS = 0xF0
_UNKNOWN = (2, 1)  # as in the tables of the standard, which streams of JPEGs leave out


def check(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """Whether the first picture has no end, or its scans hold zeros that cannot be codes."""
    return missing_if(not is_whole(data, 0, len(data)))


def is_whole(data: bytes, start: int, end: int, *, ended: bool = True) -> bool:
    """Whether the JPEG at ``start`` is whole. ``ended``: it has to have an end marker."""
    frame, place = _Frame(), start + 2
    while found := _MARKER.search(data, place, end):
        marker, place = data[found.start() + 1], found.end()
        if marker == _END:
            return True
        length = int.from_bytes(data[place : place + 2], "big")
        segment = data[place + 2 : place + length]
        place += length
        if marker in _FRAMES:
            frame.read(segment)
        elif marker == _TABLES:
            frame.read_tables(segment)
        elif marker == _SCAN:
            next_marker = _MARKER.search(data, place, end)
            scan_end = next_marker.start() if next_marker else end
            if has_run(data, place, scan_end, frame.max_zeros(segment) + 1):
                return False
            place = scan_end
    return not ended


@dataclass
class _Frame:
    """What a scan needs: how many blocks there are, and what zeros mean as codes."""

    width: int = 0
    height: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    tables: dict[int, tuple[int, int]] = field(default_factory=dict)

    def read(self, segment: bytes) -> None:
        """Take size and components from the frame header (B.2.2)."""
        self.height, self.width = (int.from_bytes(segment[at : at + 2], "big") for at in (1, 3))
        parts = (segment[at : at + 3] for at in range(6, len(segment) - 2, 3))
        self.sampling = {part[0]: (part[1] >> 4 or 1, part[1] & 15 or 1) for part in parts}

    def read_tables(self, segment: bytes) -> None:
        """Take the first code of each Huffman table, which is all zeros: its length and symbol."""
        while len(segment) > 17:
            counts = segment[1:17]
            shortest = next((n for n, count in enumerate(counts, 1) if count), 0)
            self.tables[segment[0]] = (shortest, segment[17])
            segment = segment[17 + sum(counts) :]

    def max_zeros(self, scan: bytes) -> int:
        """How many zero bytes in a row there can be at most in the scan with this header.

        Zeros can be a plain area, if the first code of each table stands for "as the block before"
        and "nothing more in this block"; or a slope. But of no more blocks than the picture has.
        """
        count = scan[0] if scan else 0
        first, last, steps = (*scan[1 + 2 * count : 4 + 2 * count], 0, 0, 0)[:3]
        if steps >> 4:  # progressive: a further bit of what was coded before
            return max(_RANDOM, self.width * self.height // 8)
        bits, across, down, is_slope = 0, 1, 1, False
        for name, uses in zip(
            scan[1 : 1 + 2 * count : 2], scan[2 : 2 + 2 * count : 2], strict=False
        ):
            h, v = self.sampling.get(name, (1, 1)) if count > 1 else (1, 1)
            across, down = max(across, h), max(down, v)
            if last > 0:
                length, symbol = self.tables.get(0x10 | uses & 15, _UNKNOWN)
                if symbol & 0x0F or symbol == _SIXTEEN_ZEROS:
                    return _RANDOM
                bits += (length + (symbol > 0)) * h * v
            if first == 0:
                length, symbol = self.tables.get(uses >> 4, _UNKNOWN)
                is_slope |= symbol > 0
                bits += (length + symbol) * h * v
        units = -(-self.width // (8 * across)) * -(-self.height // (8 * down))
        return max(_RANDOM, min(units, _MAX_STEPS if is_slope else units) * bits // 8)
