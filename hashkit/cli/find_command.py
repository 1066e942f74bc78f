"""``hashkit find``: every copy of some originals on this device, edited ones too."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hashkit.cli.terminal import ExitCode, console, fail, fail_on, say, shown_name, told

if TYPE_CHECKING:
    from hashkit.finding import Copy, Search
    from hashkit.matching.comparing import Hashed

_STAYED = "The pictures and videos themselves did not leave this computer."


def find_command(
    originals: Annotated[
        list[Path],
        typer.Argument(
            metavar="ORIGINAL…", help="Pictures, videos, or a submission.", readable=False
        ),
    ],
    places: Annotated[
        list[Path],
        typer.Option(
            "--in", metavar="FOLDER", help="Where to look: folders, or files.", readable=False
        ),
    ],
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Look in the folders in these folders too.")
    ] = False,
    threshold: Annotated[
        int, typer.Option(min=0, max=256, help="PDQ hashes at most so many bits apart match.")
    ] = 31,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a copy instead of a table.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many files to open at a time. [default: one a core]"),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but what is found, and errors.")
    ] = False,
) -> None:
    """Find the copies of pictures and videos on this computer.

    Edited copies are found by the hashes of likely edits, closest first. Nothing is changed, moved
    or deleted.
    """
    from hashkit.cli.progress import progress
    from hashkit.errors import HashkitError
    from hashkit.finding import find
    from hashkit.isolation import lock_network

    lock_network()
    given = list(_sources(originals, workers))
    sources, names = [source for source, _ in given], [name for _, name in given]
    among = list(_among(places, recursive))
    try:
        with progress(len(among), wanted=not quiet) as show:
            search = find(sources, among, threshold=threshold, workers=workers, on_progress=show)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    except KeyboardInterrupt:
        say("Stopped. Nothing was changed.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    _tell(search, names, as_json, quiet)


def _sources(originals: list[Path], workers: int | None) -> Iterator[tuple[Hashed, str]]:
    """What is looked for: files, or what submissions hold; and what to call it."""
    from hashkit.batch import hash_files
    from hashkit.errors import HashkitError
    from hashkit.finding import LOOKED_FOR, SAMPLE, as_hashed
    from hashkit.records import FailedFile
    from hashkit.submission.document import is_submission, read_submission

    files = []
    for path in originals:
        try:
            if not is_submission(path):
                files.append(path)
                continue
            for number, item in enumerate(read_submission(path).items, 1):
                yield item, f"{shown_name(path)}, item {number}"
        except HashkitError as error:
            fail_on(error, path)
    hashed = hash_files(
        files, algorithms=LOOKED_FOR, variants="wide", sample=SAMPLE, workers=workers
    )
    for path, outcome in zip(files, hashed, strict=True):
        if isinstance(outcome, FailedFile) and not outcome.hashes:
            fail_on(outcome.error, path)
        yield as_hashed(outcome), shown_name(path)


def _among(places: list[Path], recursive: bool) -> Iterator[Path]:
    """The files to look at, each once."""
    from hashkit.folders import files_in

    seen: set[Path] = set()
    for place in places:
        for path in files_in(place, deep=recursive) if os.path.isdir(place) else (place,):
            if path not in seen:
                seen.add(path)
                yield path


def _tell(search: Search, names: list[str], as_json: bool, quiet: bool) -> None:
    """Print what was found, and what was not opened."""
    failed = [each for each in search.failed if each.error.code != "not_media"]
    for each in failed:
        say(f"{shown_name(each.path or '')}: {told(each.error)}")
    for number in search.plain:
        say(f"{names[number]}: this has too little detail. Only exact copies of it can be found.")
    if as_json:
        for copy in search.copies:
            print(_json_line(copy, names[copy.original]))
    elif search.copies:
        _print_table(search, names)
    if not quiet:
        skipped = len(search.failed) - len(failed)
        summary = _summary(search, skipped, len(failed))
        if as_json:
            say(summary)
        else:
            print(summary)
    raise typer.Exit(ExitCode.SOME_FAILED if failed else ExitCode.DONE)


def _json_line(copy: Copy, original: str) -> str:
    from hashkit.cli.report import path_in_json
    from hashkit.cli.words import finding_to_json

    on = copy.comparison.on
    return json.dumps(
        {
            "path": path_in_json(copy.path),
            "original": original,
            "verdict": copy.comparison.verdict.value,
            "on": None if on is None else finding_to_json(on),
        }
    )


def _print_table(search: Search, names: list[str]) -> None:
    from rich.table import Table

    from hashkit.cli.words import copy_in_words, finding_in_words

    table = Table(box=None, pad_edge=False, header_style="bold")
    several = len(names) > 1
    for heading in ("File", "What it is", "How far apart", *(["Of"] if several else [])):
        table.add_column(heading, overflow="fold")
    for copy in search.copies:
        on = copy.comparison.on
        away = "" if on is None else finding_in_words(on, "the original", "this")[1]
        of = [names[copy.original]] if several else []
        short = away.partition(" (")[0]
        table.add_row(shown_name(copy.path), copy_in_words(copy.comparison), short, *of)
    console(sys.stdout).print(table)


def _summary(search: Search, skipped: int, failed: int) -> str:
    copies, looked_at = len(search.copies), search.searched - skipped - failed
    files = "file" if looked_at == 1 else "files"
    found = "1 copy" if copies == 1 else f"{copies or 'No'} copies"
    parts = [f"{found} found in {looked_at:,} {files}"]
    if failed:
        parts.append(f"{failed} could not be opened")
    if skipped:
        parts.append(f"{skipped} other {'file' if skipped == 1 else 'files'} skipped")
    warning = (
        ""
        if search.copies
        else "A copy that was changed a lot, or in a way that hashkit does not try, is not found.\n"
    )
    return f"{', '.join(parts)}.\n{warning}{_STAYED}"
