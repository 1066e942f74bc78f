"""``hashkit import``: a submission of hashes that another tool wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.files import TO_BE_READ, check_other_target, write_or_print, written
from hashkit.cli.options import Force, check_choice
from hashkit.cli.output.counts import count_in_words
from hashkit.cli.output.terminal import ExitCode, fail, fail_on_submission, say
from hashkit.errors import HashkitError
from hashkit.pipeline.files import open_untrusted
from hashkit.sandbox import lockdown
from hashkit.submission.document import bytes_of
from hashkit.submission.formats.base import Imported
from hashkit.submission.formats.converting import import_submission
from hashkit.submission.formats.registry import READERS


def import_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A submission, a table (csv), vPDQ text, a list of PDQ hashes, or one of the "
            "threatexchange command.",
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
    force: Force = False,
) -> None:
    """Make a submission of hashes that another tool wrote. Nothing but hashes is taken over."""
    if format_name is not None:
        check_choice(format_name, READERS, "--format")
    if out is not None:
        check_other_target(out, force, [file], TO_BE_READ)
    lockdown.lock_network()
    found = _import(file, format_name)
    for note in found.notes:
        say(note)
    if not found.submission.items:
        fail("There are no hashes in this file. Nothing was written.", file, ExitCode.SOME_FAILED)
    write_or_print(found.submission.to_json().encode(), out, force)
    number = count_in_words(len(found.submission.items), "picture or video", "pictures and videos")
    say(f"{written(out)}It holds the hashes of {number}.")


def _import(path: Path, format_name: str | None) -> Imported:
    try:
        with open_untrusted(path) as source:
            untrusted = bytes_of(source)
        return import_submission(untrusted, format_name)
    except HashkitError as error:
        fail_on_submission(error, path)
