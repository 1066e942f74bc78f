"""Pixels that are stored as they are, where zeros may be black or transparent.

Many kilobytes of zeros are taken for lost where black would not begin: black bars begin with a row,
and a black background shows beside what is in front of it. What a card or a disk loses begins and
ends with one of its blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from hashkit.media.completeness.finding import Finding
from hashkit.media.completeness.zeros import has_run, runs, tail_start

MIN_ZEROS = 8192
_BLOCK = 512
"""The smallest block of a disk or card; larger ones are multiples of it."""
_MARGIN = 32
_NEAR = 4
"""The last values before what is lost may be zeros as well."""


@dataclass(frozen=True, slots=True)
class Rows:
    """How pixels lie in a file: rows of ``stride`` bytes from ``begin`` to ``end``, of which
    ``used`` hold pixels of ``bits`` each."""

    begin: int
    end: int
    stride: int
    used: int
    bits: int

    def starts_near(self, place: int) -> bool:
        """Whether a row begins here, but for the rest of a pixel or bytes that fill up."""
        within = (place - self.begin) % self.stride
        return within == 0 or within > self.used - max(1, self.bits // 8)

    def has_margin(self, data: bytes, place: int) -> bool:
        """Whether there are zeros in the row before as well: then black goes on, or, where pixels
        have an alpha channel, transparent ones do."""
        length = max(1, min(_MARGIN, self.used // 16))
        return has_run(data, max(self.begin, place - self.stride), place, length)


def check_rows(data: bytes, rows: Rows) -> Finding:
    """What the zeros among these pixels look like."""
    if rows.stride < 1:
        return Finding.NOTHING
    start = tail_start(data, rows.begin, rows.end)
    if rows.end - start >= MIN_ZEROS and start > rows.begin:
        if _begins_block(start):
            return Finding.UNSURE
        meant = rows.starts_near(start) or rows.has_margin(data, start)
        return Finding.NOTHING if meant else Finding.UNSURE
    lost = any(
        _begins_block(since) and to % _BLOCK == 0
        for since, to in runs(data, rows.begin, start, MIN_ZEROS // 2)
    )
    return Finding.UNSURE if lost else Finding.NOTHING


def _begins_block(place: int) -> bool:
    return -place % _BLOCK <= _NEAR
