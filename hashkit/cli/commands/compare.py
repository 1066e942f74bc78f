"""``hashkit compare``: how far apart two files are, and whether a submission covers a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hashkit.cli.output.terminal import (
    STAYED,
    ExitCode,
    console,
    fail,
    fail_on,
    say,
    shown_name,
    told,
)

if TYPE_CHECKING:
    from hashkit.matching.comparing import Comparison, Hashed
    from hashkit.submission.document import Submission


def compare_command(
    first: Annotated[
        Path,
        typer.Argument(metavar="A", help="A picture, a video or a submission.", readable=False),
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one.", readable=False)],
    threshold: Annotated[
        int, typer.Option(min=0, max=256, help="PDQ hashes at most so many bits apart match.")
    ] = 31,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether two files show the same, by all hashes.

    Edited copies are recognised by the hashes of likely edits. With a submission, this says whether
    a file is covered by what was submitted; a picture and a video, where it is in it.
    """
    from hashkit.errors import HashkitError
    from hashkit.sandbox.lockdown import lock_network

    lock_network()
    submissions = [_submission(path) for path in (first, second)]
    one, other = submissions
    try:
        if one is not None and other is not None:
            _compare_submissions(one, other, threshold, as_json)
            return
        submission, path = (other, first) if one is None else (one, second)
        if submission is None:
            raise typer.Exit(_compare_files(first, second, threshold, as_json))
        number, comparison, hashed, code = _compare_covered(submission, path, threshold)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    if as_json:
        _print_json(first, second, comparison, item=None if number is None else number + 1)
    elif number is None or comparison is None:
        print("There is nothing in this submission.")
    else:
        _tell_covered(submission, path, number, comparison, hashed)
    raise typer.Exit(code)


def _submission(path: Path) -> Submission | None:
    """The submission in a file that is one. A picture or video is none."""
    from hashkit.errors import HashkitError
    from hashkit.submission.document import is_submission, read_submission

    try:
        return read_submission(path) if is_submission(path) else None
    except HashkitError as error:
        fail_on(error, path)


def _hashed(paths: list[Path], variants: str) -> tuple[list[Hashed], ExitCode]:
    """What comes of files. Of those that cannot be opened, that is said, and what is left are the
    hashes of their bytes."""
    from hashkit.batch.run import hash_files
    from hashkit.matching.search import SAMPLE, as_hashed
    from hashkit.models import FailedFile

    hashed, code = [], ExitCode.DONE
    outcomes = hash_files(paths, algorithms="all", variants=variants, sample=SAMPLE)
    for path, outcome in zip(paths, outcomes, strict=True):
        if isinstance(outcome, FailedFile):
            if not outcome.hashes:
                fail_on(outcome.error, path)
            code = ExitCode.SOME_FAILED
            say(f"{shown_name(path)}: {told(outcome.error)}")
        hashed.append(as_hashed(outcome))
    return hashed, code


def _compare_files(first: Path, second: Path, threshold: int, as_json: bool) -> ExitCode:
    from hashkit.matching.comparing import compare

    (one, other), code = _hashed([first, second], "wide")
    comparison = compare(one, other, threshold=threshold)
    if as_json:
        _print_json(first, second, comparison)
        return code
    _print_verdict(comparison, [one, other])
    print(f"first: {shown_name(first)}\nsecond: {shown_name(second)}\n")
    _print_findings(comparison)
    print(f"\n{STAYED}")
    return code


def _compare_covered(
    submission: Submission, path: Path, threshold: int
) -> tuple[int | None, Comparison | None, Hashed, ExitCode]:
    """Which item of the submission is closest to the file, as a service would see it."""
    from hashkit.matching.comparing import closest

    (hashed,), code = _hashed([path], "none")
    found = closest(submission.items, hashed, threshold=threshold) or (None, None)
    return *found, hashed, code


def _tell_covered(
    submission: Submission, path: Path, number: int, comparison: Comparison, hashed: Hashed
) -> None:
    from hashkit.matching.comparing import Verdict

    name = shown_name(path)
    if comparison.verdict.is_copy:
        print(f"Covered: item {number + 1} of the submission matches {name}.")
    elif comparison.verdict is Verdict.CANNOT_TELL:
        print(f"hashkit cannot tell whether the submission covers {name}.")
    else:
        print(f"Not covered: nothing in the submission matches {name}.")
    _print_verdict(comparison, [submission.items[number], hashed])
    print(f"first: item {number + 1} of the submission, the closest\nsecond: {name}\n")
    _print_findings(comparison)
    print(f"\n{STAYED}")


def _compare_submissions(
    first: Submission, second: Submission, threshold: int, as_json: bool
) -> None:
    """Which items of the second have their like in the first?"""
    from hashkit.cli.output.comparisons import copy_in_words
    from hashkit.matching.search import Wanted

    wanted, in_second = Wanted(first.items, threshold), Wanted(second.items)
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(second.items):
        found = wanted.best(item)
        missing = "cannot_tell" if number in in_second.exact_only else "not_the_same"
        rows.append(
            {
                "item": number + 1,
                "verdict": missing if found is None else found[1].verdict.value,
                "item_of_first": None if found is None else found[0] + 1,
            }
        )
        if as_json:
            continue
        if found is not None:
            words = copy_in_words(found[1])
            print(f"item {number + 1} matches item {found[0] + 1} of the first: {words}.")
        elif missing == "cannot_tell":
            print(f"item {number + 1}: hashkit cannot tell. It has too little detail.")
        else:
            print(f"item {number + 1}: nothing in the first matches.")
    if as_json:
        print(json.dumps({"items": rows}))
        return
    covered = sum(row["item_of_first"] is not None for row in rows)
    print(f"{covered} of {len(rows)} items of the second are covered by the first.")


def _print_json(
    first: Path, second: Path, comparison: Comparison | None, **more: int | None
) -> None:
    from hashkit.cli.output.comparisons import comparison_to_json
    from hashkit.cli.output.outcomes import path_in_json

    empty: dict[str, Any] = {"verdict": "not_the_same", "on": None, "findings": []}
    print(
        json.dumps(
            {
                "first": path_in_json(first),
                "second": path_in_json(second),
                **more,
                **(empty if comparison is None else comparison_to_json(comparison)),
            }
        )
    )


def _print_verdict(comparison: Comparison, sides: list[Hashed]) -> None:
    from hashkit.cli.output.comparisons import verdict_in_words
    from hashkit.models import MediaKind

    moves = any(side.kind is MediaKind.VIDEO for side in sides)
    print(verdict_in_words(comparison, MediaKind.VIDEO if moves else MediaKind.IMAGE) + "\n")


def _print_findings(comparison: Comparison) -> None:
    from rich.table import Table

    from hashkit.cli.output.comparisons import finding_in_words

    screen = console(sys.stdout)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Hash", "How far apart", "Match"):
        table.add_column(heading, overflow="fold")
    for finding in comparison.findings:
        table.add_row(*finding_in_words(finding))
    screen.print(table)
