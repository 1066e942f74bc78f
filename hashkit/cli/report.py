"""How outcomes are shown: a table for people, JSON Lines for programs, a last line in words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hashkit.cli.terminal import console, shown_name
from hashkit.records import FailedFile, Hash, HashedFile, Notice
from hashkit.submission.document import Submission, hashes_to_json

Outcome = HashedFile | FailedFile


def json_line(outcome: Outcome) -> str:
    """One object on one line. A file that could only be hashed in part has an error as well."""
    path = os.fsencode(outcome.path or "").decode("utf-8", "backslashreplace")
    fields: dict[str, Any] = {"path": path}
    if outcome.kind is not None:
        fields["kind"] = outcome.kind.value
    if isinstance(outcome, HashedFile) or outcome.hashes:
        fields["hashes"] = hashes_to_json(outcome.hashes)
        fields["notices"] = [
            {"code": notice.code, "text": notice.text} for notice in outcome.notices
        ]
    if isinstance(outcome, FailedFile):
        fields["error"] = {"code": outcome.error.code, "text": str(outcome.error)}
    return json.dumps(fields)


def print_table(outcomes: Sequence[Outcome]) -> None:
    """The files that gave hashes, one a row; what the notes mean; and for one file, all hashes."""
    from rich import box
    from rich.table import Table

    shown = [outcome for outcome in outcomes if outcome.hashes]
    if not shown:
        return
    screen = console()
    boxed = screen.is_terminal and "NO_COLOR" not in os.environ
    table = Table(box=box.ROUNDED if boxed else None, pad_edge=boxed, header_style="bold")
    for heading in ("File", "Kind", "PDQ", "Quality", "Notes"):
        table.add_column(heading, overflow="fold")
    for outcome in shown:
        table.add_row(*_row(outcome))
    screen.print(table)
    for notice in _distinct(shown):
        screen.print(f"{notice.label}: {notice.text}")
    if len(shown) == 1:
        screen.print()
        for name, value in _every_value(shown[0].hashes):
            # Not through rich: a long value must come out in one piece, to be copied.
            print(f"{name:<15} {value}")


def summary(
    outcomes: Sequence[Outcome], skipped: int, out: Path | None, submission: Submission | None
) -> str:
    """What was done, in words."""
    failed = sum(isinstance(outcome, FailedFile) for outcome in outcomes)
    parts = [f"{_count(len(outcomes) - failed, 'file')} hashed"]
    if failed:
        parts.append(f"{failed} could not be opened")
    if skipped:
        parts.append(f"{_count(skipped, 'other file')} skipped")
    lines = [", ".join(parts) + "."]
    if out is not None and submission is not None:
        if submission.items:
            lines.append(
                f"Written: {shown_name(out)}, with the hashes of "
                f"{_count(len(submission.items), 'file')}. It holds no names and no dates."
            )
        else:
            lines.append("Nothing was written, since there are no hashes to write.")
    lines.append("The pictures themselves did not leave this computer.")
    return "\n".join(lines)


def in_words(quality: int) -> str:
    """PDQ's quality for people: what a service will make of it."""
    if quality < 50:
        return f"too plain ({quality})"
    return f"good ({quality})" if quality >= 80 else f"fair ({quality})"


def _row(outcome: Outcome) -> tuple[str, ...]:
    pdq = next((found for found in outcome.hashes if found.algorithm == "pdq"), None)
    return (
        shown_name(outcome.path or ""),
        outcome.kind.value if outcome.kind else "",
        f"{pdq.value[:12]}…" if pdq else "-",
        in_words(pdq.quality or 0) if pdq else "-",
        ", ".join(notice.label for notice in outcome.notices),
    )


def _distinct(outcomes: Iterable[Outcome]) -> list[Notice]:
    return list({notice.code: notice for each in outcomes for notice in each.notices}.values())


def _every_value(hashes: Iterable[Hash]) -> list[tuple[str, str]]:
    return [(found.algorithm, found.value) for found in hashes]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
