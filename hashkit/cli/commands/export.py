"""``hashkit export``: a submission in the format of a service or a tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.files import (
    TO_BE_READ,
    check_other_target,
    read_or_fail,
    write_or_print,
    written,
)
from hashkit.cli.options import Force, SubmissionFile, check_choice
from hashkit.cli.output.formats import exported_in_words, held_in_words
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.sandbox import lockdown
from hashkit.submission.formats.converting import export_submission
from hashkit.submission.formats.registry import FORMATS


def export_command(
    submission: SubmissionFile,
    format_name: Annotated[
        str, typer.Option("--format", metavar="|".join(FORMATS), help="The format to write it in.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Write to this file, instead of the screen.", readable=False),
    ] = None,
    force: Force = False,
    item: Annotated[
        int | None,
        typer.Option(min=1, help="Only this item, by its number in 'hashkit inspect'."),
    ] = None,
) -> None:
    """Write a submission in the format of a service or a tool, for those who work with one.

    What the format cannot hold is left out, and listed.
    """
    check_choice(format_name, FORMATS, "--format")
    if out is not None:
        check_other_target(out, force, [submission], TO_BE_READ)
    lockdown.lock_network()
    items = read_or_fail(submission)
    if item is not None and item > len(items.items):
        raise typer.BadParameter(f"there are {len(items.items)} items in it", param_hint="--item")
    exported = export_submission(items, format_name, item)
    for line in exported_in_words(exported):
        say(line)
    if not exported.held:
        what = "This format can hold nothing of" if exported.left_out else "There are no hashes in"
        why = f"{what} this submission. Nothing was written."
        fail(why, submission, ExitCode.SOME_FAILED)
    if exported.draft:
        say(f"This is a draft. {exported.draft}")
    write_or_print(exported.content, out, force)
    held = held_in_words(exported.held)
    say(f"{written(out)}It holds {held}, and no picture, file name or date.")
    raise typer.Exit(ExitCode.SOME_FAILED if exported.missing_items else ExitCode.DONE)
