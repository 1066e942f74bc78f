"""``hashkit export`` and ``hashkit import``: submissions in the formats of services and tools."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hashkit.cli.output.terminal import ExitCode, fail, fail_on_submission, say, shown_name
from hashkit.cli.targets import check_target, same_file
from hashkit.submission.formats.registry import FORMATS, READERS

if TYPE_CHECKING:
    from hashkit.submission.document import Submission
    from hashkit.submission.formats.base import Imported


def export_command(
    submission: Annotated[
        Path,
        typer.Argument(metavar="SUBMISSION", help="A file made with hash --out.", readable=False),
    ],
    format_name: Annotated[
        str, typer.Option("--format", metavar="|".join(FORMATS), help="The format to write it in.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Write to this file, instead of the screen.", readable=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file at --out if there is one.")
    ] = False,
    item: Annotated[
        int | None,
        typer.Option(min=1, help="Only this item, by its number in 'hashkit inspect'."),
    ] = None,
) -> None:
    """Write a submission in the format of a service or a tool, for those who work with one.

    What the format cannot hold is left out, and listed.
    """
    from hashkit.cli.output.formats import exported_in_words, held_in_words
    from hashkit.sandbox.lockdown import lock_network
    from hashkit.submission.formats.converting import export_submission

    _check_name(format_name, FORMATS)
    _check_target(out, force, submission)
    lock_network()
    items = _read(submission)
    if item is not None and item > len(items.items):
        raise typer.BadParameter(f"there are {len(items.items)} items in it", param_hint="--item")
    exported = export_submission(items, format_name, item)
    for line in exported_in_words(exported):
        say(line)
    if not exported.held:
        what = "This format can hold nothing of" if exported.left_out else "There are no hashes in"
        told = f"{what} this submission. Nothing was written."
        fail(told, submission, ExitCode.SOME_FAILED)
    if exported.draft:
        say(f"This is a draft. {exported.draft}")
    _write(exported.content, out, force)
    held = held_in_words(exported.held)
    say(f"{_written(out)}It holds {held}, and no picture, file name or date.")
    raise typer.Exit(ExitCode.SOME_FAILED if exported.missing_items else ExitCode.DONE)


def import_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A submission, a table (csv), vPDQ text, or a list of the threatexchange command.",
            readable=False,
        ),
    ],
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="|".join(READERS), help="Its format, if hashkit cannot tell."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the submission to this file, instead of the screen.", readable=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file at --out if there is one.")
    ] = False,
) -> None:
    """Make a submission of hashes that another tool wrote. Nothing but hashes is taken over."""
    from hashkit.cli.output.formats import count_in_words
    from hashkit.sandbox.lockdown import lock_network

    if format_name is not None:
        _check_name(format_name, READERS)
    _check_target(out, force, file)
    lock_network()
    found = _import(file, format_name)
    for note in found.notes:
        say(note)
    if not found.submission.items:
        fail("There are no hashes in this file. Nothing was written.", file, ExitCode.SOME_FAILED)
    _write(found.submission.to_json().encode(), out, force)
    number = count_in_words(len(found.submission.items), "picture or video", "pictures and videos")
    say(f"{_written(out)}It holds the hashes of {number}.")


def _check_name(name: str, known: Collection[str]) -> None:
    if name not in known:
        raise typer.BadParameter(f"give one of {', '.join(known)}", param_hint="--format")


def _check_target(out: Path | None, force: bool, source: Path) -> None:
    if out is None:
        return
    if same_file(out, source):
        told = "This is the file to be read. It was left as it is. Choose another name."
        fail(told, out, ExitCode.WRONG_USE)
    check_target(out, force, [source])


def _read(path: Path) -> Submission:
    from hashkit.errors import HashkitError
    from hashkit.submission.document import read_submission

    try:
        return read_submission(path)
    except HashkitError as error:
        fail_on_submission(error, path)


def _import(path: Path, format_name: str | None) -> Imported:
    from hashkit.errors import HashkitError
    from hashkit.pipeline.files import open_untrusted
    from hashkit.submission.document import bytes_of
    from hashkit.submission.formats.converting import import_submission

    try:
        with open_untrusted(path) as source:
            untrusted = bytes_of(source)
        return import_submission(untrusted, format_name)
    except HashkitError as error:
        fail_on_submission(error, path)


def _write(content: bytes, out: Path | None, force: bool) -> None:
    from hashkit.errors import HashkitError
    from hashkit.submission.writing import write_whole

    if out is None:
        print(content.decode("ascii"), end="", file=sys.stdout)
        return
    try:
        write_whole(out, content, replace=force)
    except HashkitError as error:
        fail(error, out, ExitCode.SOME_FAILED)


def _written(out: Path | None) -> str:
    return "" if out is None else f"Written: {shown_name(out)}. "
