"""What became of the hashes of a submission in some format, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashkit.submission.formats.base import Exported, LeftOut
    from hashkit.submission.formats.signals import Signal


_MAX_RANGES = 20


def exported_in_words(exported: Exported) -> Iterator[str]:
    """What was left out and why, what is not said, and of which items there is nothing."""
    if exported.left_out:
        yield "Left out, since this format cannot hold it:"
        yield from (f"- {line}" for line in left_out_in_words(exported.left_out))
    if exported.not_said:
        yield f"This format does not say: {'; '.join(exported.not_said)}."
    if exported.missing_items and exported.held:
        yield f"There is nothing of {items_in_words(exported.missing_items)} in it."


def left_out_in_words(left_out: Iterable[LeftOut]) -> Iterator[str]:
    """A line for each kind of hash and reason: how many, of which items, and why."""
    alike: dict[tuple[str, bool, str], list[int]] = {}
    for each in left_out:
        key = each.signal.algorithm, each.signal.is_edit, each.why
        alike.setdefault(key, []).append(each.signal.item)
    for (algorithm, of_edits, why), items in alike.items():
        what = count_in_words(len(items), f"{algorithm} hash", f"{algorithm} hashes")
        of = "" if not of_edits else " of an edit" if len(items) == 1 else " of edits"
        yield f"{what}{of} ({items_in_words(items)}): {why}"


def held_in_words(held: Sequence[Signal]) -> str:
    """``3 hashes``; ``3 hashes (2 different ones)`` where formats may say a hash once."""
    different = len({(each.algorithm, _value(each)) for each in held})
    count = count_in_words(len(held), "hash", "hashes")
    ones = count_in_words(different, "different one", "different ones")
    return count if different == len(held) else f"{count} ({ones})"


def _value(signal: Signal) -> object:
    return signal.frames.hashes if signal.algorithm == "vpdq" else signal.text


def count_in_words(number: int, one: str, many: str) -> str:
    """``1 hash``, ``2 hashes``."""
    return f"{number} {one if number == 1 else many}"


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
