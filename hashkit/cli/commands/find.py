"""``hashkit find``: every copy of some originals on this device, edited ones too."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
    from hashkit.errors import HashkitError
    from hashkit.matching.comparing import Hashed
    from hashkit.matching.search import Copy, Search


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
    from hashkit.cli.output.progress import progress
    from hashkit.errors import HashkitError
    from hashkit.matching.search import find
    from hashkit.sandbox.lockdown import lock_network

    lock_network()
    among = list(_among(places, recursive))
    try:
        sources, names = _sources(originals, workers)
        with progress(len(among), wanted=not quiet) as show:
            search = find(sources, among, threshold=threshold, workers=workers, on_progress=show)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    except KeyboardInterrupt:
        say("Stopped. Nothing was changed.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        for copy in search.copies:
            print(_json_line(copy, names[copy.original]))
    elif search.copies:
        _print_table(search, names)
    failed = _say_what_failed(search, names)
    if not quiet:
        below = not recursive and any(map(_has_folders, places))
        told_at_end = "\n".join([*_summary(search, below), STAYED])
        if as_json:
            say(told_at_end)
        else:
            print(told_at_end)
    raise typer.Exit(ExitCode.SOME_FAILED if failed else ExitCode.DONE)


class _Name(NamedTuple):
    """What an original is called: its path, in a submission its number, and why it could not be
    opened if it could not."""

    path: Path
    item: int | None = None
    error: HashkitError | None = None

    @property
    def shown(self) -> str:
        item = "" if self.item is None else f", item {self.item}"
        return f"{shown_name(self.path)}{item}"


def _sources(originals: list[Path], workers: int | None) -> tuple[list[Hashed], list[_Name]]:
    """What is looked for: files, or what submissions hold; and what to call it."""
    from hashkit.batch.run import hash_files
    from hashkit.errors import HashkitError
    from hashkit.matching.search import LOOKED_FOR, SAMPLE, as_hashed
    from hashkit.models import FailedFile
    from hashkit.submission.document import is_submission, read_submission

    files: list[Path] = []
    sources: list[Hashed] = []
    names: list[_Name] = []
    for path in originals:
        try:
            if not is_submission(path):
                files.append(path)
                continue
            items = read_submission(path).items
        except HashkitError as error:
            fail_on(error, path)
        sources += items
        names += [_Name(path, number) for number in range(1, len(items) + 1)]
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
    """The files to look at, each once, whatever it is called."""
    from hashkit.pipeline.folders import files_in

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
    """On stderr: what could not be opened, and which originals find less."""
    for each in search.failed:
        say(f"{shown_name(each.path or '')}: {told(each.error)}")
    for number in search.exact_only:
        name = names[number]
        why = "This has too little detail." if name.error is None else told(name.error)
        say(f"{name.shown}: {why} Only exact copies of it can be found.")
    return bool(search.failed) or any(name.error for name in names)


def _json_line(copy: Copy, original: _Name) -> str:
    from hashkit.cli.output.comparisons import finding_to_json
    from hashkit.cli.output.outcomes import path_in_json

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
    from rich.table import Table

    from hashkit.cli.output.comparisons import copy_in_words, finding_in_words

    table = Table(box=None, pad_edge=False, header_style="bold")
    several = len(names) > 1
    for heading in ("File", "What it is", "How far apart", *(["Of"] if several else [])):
        table.add_column(heading, overflow="fold")
    for copy in search.copies:
        on = copy.comparison.on
        away = "" if on is None else finding_in_words(on, "the original", "this")[1]
        of = [names[copy.original].shown] if several else []
        short = away.partition(" (")[0]
        table.add_row(shown_name(copy.path), copy_in_words(copy.comparison), short, *of)
    console(sys.stdout).print(table)


def _summary(search: Search, below: bool) -> Iterator[str]:
    """What was found, among what; and what was not looked at."""
    copies, failed, skipped = len(search.copies), len(search.failed), search.skipped
    files = "file" if search.searched == 1 else "files"
    found = "1 copy" if copies == 1 else f"{copies or 'No'} copies"
    parts = [f"{found} found in {search.searched:,} {files}"]
    if failed:
        parts.append(f"{failed} of them could not be opened")
    if skipped:
        parts.append(f"{skipped} other {'file' if skipped == 1 else 'files'} skipped")
    yield f"{', '.join(parts)}."
    if below:
        yield "The folders in it were not looked into. To do so, add -r."
    if not copies:
        yield (
            "A copy that was changed a lot, or in a way that hashkit does not try, is not found. "
            "The originals themselves and hidden files are left out."
        )
