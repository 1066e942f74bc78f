"""Numbers of things, and numbers of items, in words."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

_MAX_RANGES = 20


def count_in_words(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``; ``many`` where that is not ``one`` with an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def items_in_words(numbers: Iterable[int]) -> str:
    """``item 3``, ``items 1 to 4, 7``."""
    distinct = sorted(set(numbers))
    ranges: list[str] = []
    for _, members in groupby(enumerate(distinct), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in members]
        ranges += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    if len(ranges) > _MAX_RANGES:
        ranges[_MAX_RANGES:] = [f"and {len(ranges) - _MAX_RANGES:,} more"]
    return f"{'item' if len(distinct) == 1 else 'items'} {', '.join(ranges)}"
