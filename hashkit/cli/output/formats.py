"""What an exported submission holds and leaves out, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hashkit.cli.output.counts import count_in_words, items_in_words
from hashkit.submission.formats.base import Exported, LeftOut
from hashkit.submission.formats.signals import Signal


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
