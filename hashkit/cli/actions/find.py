"""Finds the copies of some originals among many files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import typer

from hashkit.batch.run import hash_files
from hashkit.cli.files import submission_in
from hashkit.cli.output.comparisons import copy_in_words, finding_in_words, finding_to_json
from hashkit.cli.output.counts import UNPACK, others_in_words
from hashkit.cli.output.outcomes import path_in_json
from hashkit.cli.output.progress import progress
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
from hashkit.matching.comparing import Hashed
from hashkit.matching.search import LOOKED_FOR, SAMPLE, Copy, Search, as_hashed, find
from hashkit.models import FailedFile
from hashkit.pipeline.folders import files_in
from hashkit.sandbox import lockdown


@dataclass(frozen=True, slots=True)
class FindOptions:
    """The options of the command."""

    recursive: bool
    threshold: int
    as_json: bool
    workers: int | None
    quiet: bool


def run(originals: list[Path], places: list[Path], how: FindOptions) -> None:
    """Find, print what was found, and say what could not be opened."""
    lockdown.lock_network()
    search, names = _search(originals, list(_among(places, how.recursive)), how)
    if how.as_json:
        for copy in search.copies:
            print(_json_line(copy, names[copy.original]))
    elif search.copies:
        _print_table(search, names)
    failed = _say_what_failed(search, names)
    if not how.quiet:
        below = not how.recursive and any(map(_has_folders, places))
        closing = "\n".join([*_summary(search, below), STAYED])
        if how.as_json:
            say(closing)
        else:
            print(closing)
    raise typer.Exit(ExitCode.SOME_FAILED if failed else ExitCode.DONE)


class _Name(NamedTuple):
    """How an original is named: its path, its item number in a submission, and the error where it
    could not be opened."""

    path: Path
    item: int | None = None
    error: HashkitError | None = None

    @property
    def shown(self) -> str:
        item = "" if self.item is None else f", item {self.item}"
        return f"{shown_name(self.path)}{item}"


def _search(
    originals: list[Path], among: list[Path], how: FindOptions
) -> tuple[Search, list[_Name]]:
    try:
        sources, names = _sources(originals, how.workers)
        with progress(len(among), wanted=not how.quiet) as show:
            search = find(
                sources,
                among,
                threshold=how.threshold,
                workers=how.workers,
                on_progress=show,
            )
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    except KeyboardInterrupt:
        say("Stopped. Nothing was changed.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    return search, names


def _sources(originals: list[Path], workers: int | None) -> tuple[list[Hashed], list[_Name]]:
    """The hashes to look for, of files and of items of submissions, and their names."""
    files: list[Path] = []
    sources: list[Hashed] = []
    names: list[_Name] = []
    for path in originals:
        submission = submission_in(path)
        if submission is None:
            files.append(path)
            continue
        sources += submission.items
        names += [_Name(path, number) for number in range(1, len(submission.items) + 1)]
    hashed = hash_files(
        files, algorithms=LOOKED_FOR, variants="wide", sample=SAMPLE, workers=workers
    )
    for path, outcome in zip(files, hashed, strict=True):
        cause = outcome.error if isinstance(outcome, FailedFile) else None
        if cause is not None and not outcome.hashes:
            fail_on(cause, path)
        sources.append(as_hashed(outcome))
        names.append(_Name(path, None, cause))
    if not sources:
        fail("There is nothing in this submission.", originals[0], ExitCode.SOME_FAILED)
    return sources, names


def _among(places: list[Path], recursive: bool) -> Iterator[Path]:
    """The files to look at, each once, even if it has several names."""
    seen: set[Path] = set()
    for place in places:
        for path in files_in(place, deep=recursive) if os.path.isdir(place) else (place,):
            same = Path(os.path.realpath(path))
            if same not in seen:
                seen.add(same)
                yield path


def _has_folders(place: Path) -> bool:
    if not os.path.isdir(place):
        return False
    try:
        with os.scandir(place) as entries:
            return any(
                entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
                for entry in entries
            )
    except OSError:
        return False


def _say_what_failed(search: Search, names: list[_Name]) -> bool:
    """Print to stderr what could not be opened, and which originals find exact copies only."""
    for each in search.failed:
        say(f"{shown_name(each.path or '')}: {with_advice(each.error)}")
    for number in search.exact_only:
        name = names[number]
        why = "This has too little detail." if name.error is None else with_advice(name.error)
        say(f"{name.shown}: {why} Only exact copies of it can be found.")
    return bool(search.failed) or any(name.error for name in names)


def _json_line(copy: Copy, original: _Name) -> str:
    on = copy.comparison.on
    return json.dumps(
        {
            "path": path_in_json(copy.path),
            "original": path_in_json(original.path),
            "item": original.item,
            "verdict": copy.comparison.verdict.value,
            "on": None if on is None else finding_to_json(on),
        }
    )


def _print_table(search: Search, names: list[_Name]) -> None:
    several = len(names) > 1
    table = table_of("File", "What it is", "How far apart", *(["Of"] if several else []))
    for copy in search.copies:
        on = copy.comparison.on
        away = "" if on is None else finding_in_words(on, "the original", "this")[1]
        of = [names[copy.original].shown] if several else []
        short = away.partition(" (")[0]
        table.add_row(shown_name(copy.path), copy_in_words(copy.comparison), short, *of)
    console(sys.stdout).print(table)


def _summary(search: Search, below: bool) -> Iterator[str]:
    """How many copies were found in how many files, and what was left out."""
    copies, failed, skipped = len(search.copies), len(search.failed), others_in_words(search.others)
    files = "file" if search.searched == 1 else "files"
    found = "1 copy" if copies == 1 else f"{copies or 'No'} copies"
    unopened = f", {failed} of them could not be opened" if failed else ""
    left = f", {skipped}" if skipped else ""
    yield f"{found} found in {search.searched:,} {files}{unopened}{left}."
    if search.others.get("archive"):
        yield UNPACK
    if below:
        yield "The folders in it were not looked into. To do so, add -r."
    if not copies:
        yield (
            "A copy that was changed a lot, or in a way that hashkit does not try, is not found. "
            "The originals themselves and hidden files are left out."
        )
