"""Compares two files by all hashes, or a file with the items of a submission."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from hashkit.batch.run import hash_files
from hashkit.cli.files import submission_in
from hashkit.cli.output.comparisons import (
    comparison_to_json,
    copy_in_words,
    finding_in_words,
    verdict_in_words,
)
from hashkit.cli.output.outcomes import path_in_json
from hashkit.cli.output.tables import console, table_of
from hashkit.cli.output.terminal import (
    STAYED,
    ExitCode,
    fail,
    fail_on,
    say,
    shown_name,
    with_advice,
)
from hashkit.errors import HashkitError
from hashkit.matching import comparing
from hashkit.matching.comparing import Comparison, Hashed, Verdict
from hashkit.matching.search import SAMPLE, Wanted, as_hashed
from hashkit.models import FailedFile, MediaKind
from hashkit.sandbox import lockdown
from hashkit.submission.document import Submission


def run(first: Path, second: Path, threshold: int, as_json: bool) -> None:
    """Compare the two and print the result."""
    lockdown.lock_network()
    one, other = submission_in(first), submission_in(second)
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
        _print_covered(submission, path, number, comparison, hashed)
    raise typer.Exit(code)


def _hashed(paths: list[Path], variants: str) -> tuple[list[Hashed], ExitCode]:
    """Hash files. Those that cannot be opened are named on stderr; what is left of them are the
    hashes of their bytes."""
    hashed, code = [], ExitCode.DONE
    outcomes = hash_files(paths, algorithms="all", variants=variants, sample=SAMPLE)
    for path, outcome in zip(paths, outcomes, strict=True):
        if isinstance(outcome, FailedFile):
            if not outcome.hashes:
                fail_on(outcome.error, path)
            code = ExitCode.SOME_FAILED
            say(f"{shown_name(path)}: {with_advice(outcome.error)}")
        hashed.append(as_hashed(outcome))
    return hashed, code


def _compare_files(first: Path, second: Path, threshold: int, as_json: bool) -> ExitCode:
    (one, other), code = _hashed([first, second], "wide")
    comparison = comparing.compare(one, other, threshold=threshold)
    if as_json:
        _print_json(first, second, comparison)
        return code
    _print_comparison(comparison, [one, other], shown_name(first), shown_name(second))
    return code


def _compare_covered(
    submission: Submission, path: Path, threshold: int
) -> tuple[int | None, Comparison | None, Hashed, ExitCode]:
    """Which item of the submission is closest to the file, as a service would see it."""
    (hashed,), code = _hashed([path], "none")
    found = comparing.closest(submission.items, hashed, threshold=threshold) or (None, None)
    return *found, hashed, code


def _print_covered(
    submission: Submission, path: Path, number: int, comparison: Comparison, hashed: Hashed
) -> None:
    name = shown_name(path)
    if comparison.verdict.is_copy:
        print(f"Covered: item {number + 1} of the submission matches {name}.")
    elif comparison.verdict is Verdict.CANNOT_TELL:
        print(f"hashkit cannot tell whether the submission covers {name}.")
    else:
        print(f"Not covered: nothing in the submission matches {name}.")
    covering = f"item {number + 1} of the submission, the closest"
    _print_comparison(comparison, [submission.items[number], hashed], covering, name)


def _compare_submissions(
    first: Submission, second: Submission, threshold: int, as_json: bool
) -> None:
    """Print which items of the second match one of the first."""
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


def _print_comparison(comparison: Comparison, sides: list[Hashed], first: str, second: str) -> None:
    """Print the verdict, what the two sides are, and all findings."""
    moves = any(side.kind is MediaKind.VIDEO for side in sides)
    print(verdict_in_words(comparison, MediaKind.VIDEO if moves else MediaKind.IMAGE))
    print(f"\nfirst: {first}\nsecond: {second}\n")
    table = table_of("Hash", "How far apart", "Match")
    for finding in comparison.findings:
        table.add_row(*finding_in_words(finding))
    console(sys.stdout).print(table)
    print(f"\n{STAYED}")
