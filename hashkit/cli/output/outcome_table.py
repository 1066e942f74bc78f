"""The table of the files that were hashed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from hashkit.cli.output.counts import count_in_words
from hashkit.cli.output.outcomes import Outcome, frames_of, has_hashes
from hashkit.cli.output.tables import console, table_of
from hashkit.cli.output.terminal import shown_name
from hashkit.hashes.registry import MIN_QUALITY
from hashkit.matching.groups import same_pictures
from hashkit.models import (
    ORIGINAL,
    READINGS,
    FrameHashes,
    Hash,
    HashedFile,
    original_of,
)
from hashkit.notices import quality_in_words

_FRAMES_SHOWN = 30
_NAMES_SHOWN = 8
_MEANINGS_SHOWN = 8


def print_table(outcomes: Sequence[Outcome]) -> None:
    """Print the files that gave hashes, one a row; what the notes mean; all hashes of one file."""
    shown = [outcome for outcome in outcomes if outcome.notices or has_hashes(outcome)]
    if not shown:
        return
    screen = console(sys.stdout)
    boxed = screen.is_terminal and "NO_COLOR" not in os.environ
    table = table_of("File", "Kind", "Hash", "Quality", "Notes", boxed=boxed)
    for outcome in shown:
        table.add_row(*_row(outcome))
    screen.print(table)
    for line in _legend(shown):
        screen.print(line)
    for group in same_pictures(shown):
        screen.print(_same(group))
    if len(shown) == 1:
        print()
        for line in _every_value(shown[0].hashes, frames_of(shown[0])):
            print(line)  # not with Rich, which would wrap a long value


def _row(outcome: Outcome) -> tuple[str, ...]:
    pdq = original_of(outcome.hashes, "pdq")
    frames = frames_of(outcome)
    if pdq is not None:
        shown, quality = f"{pdq.text[:12]}…", _quality(pdq.quality or 0)
    elif frames is not None and frames.hashes:
        shown = count_in_words(len(frames.hashes), "frame")
        quality = _quality(max(each.quality for each in frames.hashes))
    else:
        shown = quality = "-"
    return (
        shown_name(outcome.path or ""),
        outcome.kind.value if outcome.kind else "",
        shown,
        quality,
        ", ".join([*dict.fromkeys(each.label for each in outcome.notices), *_variants(outcome)]),
    )


def _variants(outcome: Outcome) -> list[str]:
    """How many other readings and edits were hashed, beside the original."""
    names = [found.variant for found in outcome.hashes if found.variant != ORIGINAL]
    if isinstance(outcome, HashedFile):
        names += [found.variant for found in outcome.frame_variants]
    readings = sum(name in READINGS for name in names)
    counts = {"reading": readings, "edit": len(names) - readings}
    return [f"+ {count_in_words(count, what)}" for what, count in counts.items() if count]


def _same(group: Sequence[HashedFile]) -> str:
    """The line for files that show the same picture."""
    return f"These {len(group)} are the same picture: {_names_of(group)}"


def _names_of(outcomes: Sequence[Outcome]) -> str:
    names = [shown_name(each.path or "") for each in outcomes]
    if len(names) > _NAMES_SHOWN:
        names[_NAMES_SHOWN - 1 :] = [f"and {len(names) - _NAMES_SHOWN + 1} more"]
    return ", ".join(names)


def _legend(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What the labels in the table mean. A label that means something else of each file, such as
    up to where a video could be read, has a line for each, with the names of the files."""
    meanings: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in outcomes:
        for notice in outcome.notices:
            meanings.setdefault(notice.label, {}).setdefault(notice.text, []).append(outcome)
    for label, texts in meanings.items():
        is_of_all = len(texts) == 1 or len(outcomes) == 1
        for text, files in list(texts.items())[:_MEANINGS_SHOWN]:
            yield f"{label}: {text}" if is_of_all else f"{label} ({_names_of(files)}): {text}"
        if (more := len(texts) - _MEANINGS_SHOWN) > 0:
            yield f"{label}: and {more:,} more: --json shows all"


def _quality(quality: int) -> str:
    """PDQ's quality for people: what a service will make of it."""
    return f"{quality_in_words(quality, MIN_QUALITY)} ({quality})"


def _every_value(hashes: Iterable[Hash], frames: FrameHashes | None) -> list[str]:
    """A line for every hash; only the beginning of a TMK signature."""
    lines = [f"{found.algorithm:<15} {_shortened(found)}{_edit(found.variant)}" for found in hashes]
    if frames is not None:
        lines += [
            f"{'vpdq':<15} {each.value} at {each.timestamp:.3f} s, quality {each.quality}"
            for each in frames.hashes[:_FRAMES_SHOWN]
        ]
        if (more := len(frames.hashes) - _FRAMES_SHOWN) > 0:
            lines.append(f"{'':<15} and {more:,} more frames: --json shows all")
    return lines


def _edit(variant: str) -> str:
    return "" if variant == ORIGINAL else f" ({variant})"


def _shortened(found: Hash) -> str:
    if isinstance(found.value, str):
        return found.value
    return f"{found.text[:48]}… ({len(found.value):,} bytes)"
