"""``hashkit compare``: how far apart two files are, and whether a submission covers a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hashkit.cli.terminal import ExitCode, console, fail, fail_on, shown_name

if TYPE_CHECKING:
    from hashkit.matching.comparing import Comparison, Hashed
    from hashkit.submission.document import Submission

_STAYED = "The pictures and videos themselves did not leave this computer."


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
    from hashkit.isolation import lock_network

    lock_network()
    submissions = [_submission(path) for path in (first, second)]
    try:
        if submissions == [None, None]:
            _compare_files(first, second, threshold, as_json)
        else:
            _compare_covered(first, second, submissions, threshold, as_json)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)


def _submission(path: Path) -> Submission | None:
    """The submission in a file that is one. A picture or video is none."""
    from hashkit.errors import HashkitError
    from hashkit.submission.document import is_submission, read_submission

    try:
        return read_submission(path) if is_submission(path) else None
    except HashkitError as error:
        fail_on(error, path)


def _hashed(paths: list[Path], variants: str) -> list[Hashed]:
    """What comes of files, of those that cannot be opened the hashes of their bytes."""
    from hashkit.batch import hash_files
    from hashkit.finding import SAMPLE, as_hashed
    from hashkit.records import FailedFile

    hashed = []
    for path, outcome in zip(
        paths,
        hash_files(paths, algorithms="all", variants=variants, sample=SAMPLE),
        strict=True,
    ):
        if isinstance(outcome, FailedFile) and not outcome.hashes:
            fail_on(outcome.error, path)
        hashed.append(as_hashed(outcome))
    return hashed


def _compare_files(first: Path, second: Path, threshold: int, as_json: bool) -> None:
    from hashkit.matching.comparing import compare

    one, other = _hashed([first, second], "wide")
    comparison = compare(one, other, distance=threshold)
    if as_json:
        _print_json(first, second, comparison)
        return
    _print_verdict(comparison, [one, other])
    print(f"first: {shown_name(first)}\nsecond: {shown_name(second)}\n")
    _print_findings(comparison)
    print(f"\n{_STAYED}")


def _compare_covered(
    first: Path, second: Path, submissions: list[Submission | None], threshold: int, as_json: bool
) -> None:
    """Is the file covered by the submission; are the items of the second by the first?"""
    from hashkit.matching.comparing import closest

    submission, other = submissions if submissions[0] is not None else submissions[::-1]
    if submission is None:
        raise ValueError("one of the two is a submission")
    if other is not None:
        _compare_submissions(submission, other, threshold, as_json)
        return
    path = second if submissions[0] is not None else first
    (hashed,) = _hashed([path], "none")
    found = closest(submission.items, hashed, distance=threshold)
    if as_json:
        number, comparison = found or (None, None)
        _print_json(first, second, comparison, item=None if number is None else number + 1)
        return
    if found is None:
        print("There is nothing in this submission.")
        return
    number, comparison = found
    if comparison.verdict.is_copy:
        print(f"Covered: item {number + 1} of the submission matches {shown_name(path)}.")
    else:
        print(f"Not covered: nothing in the submission matches {shown_name(path)}.")
    _print_verdict(comparison, [submission.items[number], hashed])
    print(f"first: item {number + 1} of the submission\nsecond: {shown_name(path)}\n")
    _print_findings(comparison)
    print(f"\n{_STAYED}")


def _compare_submissions(
    first: Submission, second: Submission, threshold: int, as_json: bool
) -> None:
    """Which items of the second have their like in the first?"""
    from hashkit.cli.words import verdict_in_words
    from hashkit.matching.comparing import closest

    rows: list[dict[str, Any]] = []
    for number, item in enumerate(second.items, 1):
        found = closest(first.items, item, distance=threshold)
        covered = found is not None and found[1].verdict.is_copy
        rows.append(
            {
                "item": number,
                "verdict": found[1].verdict.value if found else "not_the_same",
                "item_of_first": found[0] + 1 if found and covered else None,
            }
        )
        if not as_json and found is not None and covered:
            words = verdict_in_words(found[1], item.kind)
            print(f"item {number}: item {found[0] + 1} of the first. {words}")
        elif not as_json:
            print(f"item {number}: nothing in the first matches.")
    if as_json:
        print(json.dumps({"items": rows}))
        return
    covered_items = sum(row["item_of_first"] is not None for row in rows)
    print(f"{covered_items} of {len(rows)} items of the second are covered by the first.")


def _print_json(
    first: Path, second: Path, comparison: Comparison | None, **more: int | None
) -> None:
    from hashkit.cli.report import path_in_json
    from hashkit.cli.words import comparison_to_json

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
    from hashkit.cli.words import verdict_in_words
    from hashkit.records import MediaKind

    moves = any(side.kind is MediaKind.VIDEO for side in sides)
    print(verdict_in_words(comparison, MediaKind.VIDEO if moves else MediaKind.IMAGE) + "\n")


def _print_findings(comparison: Comparison) -> None:
    from rich.table import Table

    from hashkit.cli.words import finding_in_words

    screen = console(sys.stdout)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Hash", "How far apart", "Match"):
        table.add_column(heading, overflow="fold")
    for finding in comparison.findings:
        table.add_row(*finding_in_words(finding))
    screen.print(table)
