"""Numbers of things, and numbers of items, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

_MAX_RANGES = 20
_OTHER_KINDS = {
    "text": "text",
    "archive": "archives",
    "document": "documents",
    "sound": "sound",
    "empty": "empty",
    "other": "other",
}  # with the word for several
UNPACK = "Archives were not looked into: if there are pictures in them, unpack them first."
"""For a run that skipped archives."""


def count_in_words(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``; ``many`` where that is not ``one`` with an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def others_in_words(kinds: Mapping[str, int]) -> str:
    """``6 other files skipped: 3 text, 2 archives, 1 other``, of how many there are of each kind;
    empty where there are none."""
    total = sum(kinds.values())
    if not total:
        return ""
    known = [each for each in _OTHER_KINDS if kinds.get(each)]
    parts = [count_in_words(kinds[each], each, _OTHER_KINDS[each]) for each in known]
    return f"{count_in_words(total, 'other file')} skipped: {', '.join(parts)}"


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
