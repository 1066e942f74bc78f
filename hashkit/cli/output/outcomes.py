"""How outcomes are shown: a table for people, JSON Lines for programs, a last line in words."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hashkit.cli.output.terminal import console, shown_name
from hashkit.hashes.registry import MIN_QUALITY
from hashkit.matching.groups import same_pictures
from hashkit.models import ORIGINAL, FailedFile, FrameHashes, Hash, HashedFile, Notice, original_of
from hashkit.notices import quality_in_words
from hashkit.submission.document import Submission
from hashkit.variants.json_codec import hashes_to_json, variants_to_json

_FRAMES_SHOWN = 30
_NAMES_SHOWN = 8

Outcome = HashedFile | FailedFile


def json_line(outcome: Outcome) -> str:
    """One object on one line. A file that could only be hashed in part has an error as well."""
    fields: dict[str, Any] = {"path": path_in_json(outcome.path or "")}
    if outcome.kind is not None:
        fields["kind"] = outcome.kind.value
    if isinstance(outcome, HashedFile) or outcome.hashes:
        fields["hashes"] = hashes_to_json(outcome.hashes, frames_of(outcome))
        moving = outcome.frame_variants if isinstance(outcome, HashedFile) else ()
        if variants := variants_to_json(outcome.hashes, moving):
            fields["variants"] = variants
        fields["notices"] = [
            {"code": notice.code, "text": notice.text} for notice in outcome.notices
        ]
    if isinstance(outcome, FailedFile):
        fields["error"] = {"code": outcome.error.code, "text": str(outcome.error)}
    return json.dumps(fields)


def path_in_json(path: str | os.PathLike[str]) -> str:
    """A path as text; bytes that are no UTF-8 are shown as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def print_table(outcomes: Sequence[Outcome]) -> None:
    """The files that gave hashes, one a row; what the notes mean; and for one file, all hashes."""
    from rich import box
    from rich.table import Table

    shown = [outcome for outcome in outcomes if outcome.notices or has_hashes(outcome)]
    if not shown:
        return
    screen = console(sys.stdout)
    boxed = screen.is_terminal and "NO_COLOR" not in os.environ
    table = Table(box=box.ROUNDED if boxed else None, pad_edge=boxed, header_style="bold")
    for heading in ("File", "Kind", "Hash", "Quality", "Notes"):
        table.add_column(heading, overflow="fold")
    for outcome in shown:
        table.add_row(*_row(outcome))
    screen.print(table)
    for notice in _distinct(shown):
        screen.print(f"{notice.label}: {notice.text}")
    for group in same_pictures(shown):
        screen.print(_same(group))
    if len(shown) == 1:
        print()
        for line in every_value(shown[0].hashes, frames_of(shown[0])):
            print(line)  # not through rich: a long value must come out in one piece, to be copied


def tally(outcome: Outcome) -> str:
    """As what an outcome is counted in the summary."""
    if isinstance(outcome, FailedFile):
        return "exact" if has_hashes(outcome) else "unopened"
    return "hashed" if has_hashes(outcome) else "without"


def summary(counts: Counter[str]) -> str:
    """What was done, in words, of how many outcomes there were of each kind."""
    parts = [f"{_count(counts['hashed'], 'file')} hashed"]
    if counts["exact"]:
        parts.append(f"{counts['exact']} only for exact copies")
    if counts["unopened"]:
        parts.append(f"{counts['unopened']} could not be opened")
    if counts["without"]:
        parts.append(f"{counts['without']} without a hash of this kind")
    if counts["skipped"]:
        parts.append(f"{_count(counts['skipped'], 'other file')} skipped")
    if counts["before"]:
        parts.append(f"{counts['before']} done before")
    return ", ".join(parts) + "."


def what_was_written(out: Path, submission: Submission) -> str:
    """Where the submission is, and what it holds."""
    if not submission.items:
        return "Nothing was written, since there are no hashes to write."
    return (
        f"Written: {shown_name(out)}, with the hashes of {_count(len(submission.items), 'file')}. "
        "It holds no names and no dates."
    )


def in_words(quality: int) -> str:
    """PDQ's quality for people: what a service will make of it."""
    return f"{quality_in_words(quality, MIN_QUALITY)} ({quality})"


def has_hashes(outcome: Outcome) -> bool:
    """Did anything come of this file?"""
    return bool(outcome.hashes or frames_of(outcome))


def frames_of(outcome: Outcome) -> FrameHashes | None:
    """The vPDQ hash of an outcome, if it has one."""
    return outcome.frames if isinstance(outcome, HashedFile) else None


def _row(outcome: Outcome) -> tuple[str, ...]:
    pdq = original_of(outcome.hashes, "pdq")
    frames = frames_of(outcome)
    if pdq is not None:
        shown, quality = f"{pdq.text[:12]}…", in_words(pdq.quality or 0)
    elif frames is not None and frames.hashes:
        shown = _count(len(frames.hashes), "frame")
        quality = in_words(max(each.quality for each in frames.hashes))
    else:
        shown = quality = "-"
    return (
        shown_name(outcome.path or ""),
        outcome.kind.value if outcome.kind else "",
        shown,
        quality,
        ", ".join([*(notice.label for notice in outcome.notices), *_edits(outcome)]),
    )


def _edits(outcome: Outcome) -> list[str]:
    """How many edits were hashed, beside the original."""
    still = sum(found.variant != ORIGINAL for found in outcome.hashes)
    moving = len(outcome.frame_variants) if isinstance(outcome, HashedFile) else 0
    return [f"+ {_count(still + moving, 'edit')}"] if still or moving else []


def _same(group: Sequence[HashedFile]) -> str:
    """Says that some files show one picture."""
    names = [shown_name(each.path or "") for each in group]
    if len(names) > _NAMES_SHOWN:
        names[_NAMES_SHOWN - 1 :] = [f"and {len(names) - _NAMES_SHOWN + 1} more"]
    return f"These {len(group)} are the same picture: {', '.join(names)}"


def _distinct(outcomes: Iterable[Outcome]) -> list[Notice]:
    return list({notice.code: notice for each in outcomes for notice in each.notices}.values())


def every_value(hashes: Iterable[Hash], frames: FrameHashes | None) -> list[str]:
    """Every hash on a line of its own; of a TMK signature, the beginning."""
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


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
