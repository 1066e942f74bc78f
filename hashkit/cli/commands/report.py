"""``hashkit report``: the case sheet of a submission, for support workers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.options import Force, SubmissionFile
from hashkit.locale.language import LANGUAGES


def report_command(
    submission: SubmissionFile,
    out: Annotated[
        Path,
        typer.Option(
            help="Write the case sheet to this file, whose name ends in .html or .pdf.",
            readable=False,
        ),
    ],
    force: Force = False,
    paper: Annotated[
        str | None,
        typer.Option(
            metavar="a4|letter",
            help="The size of the paper. [default: a4, and letter for the US and Canada]",
        ),
    ] = None,
    language: Annotated[
        str, typer.Option(metavar="|".join(LANGUAGES), help="The language of the sheet.")
    ] = "en",
    age_in_picture: Annotated[
        str | None,
        typer.Option(
            metavar="adult|under-18",
            help="How old the person was in the pictures. Without it, the sheet names the services "
            "for both.",
        ),
    ] = None,
    age: Annotated[
        str | None, typer.Option(metavar="adult|under-18", help="How old the person is now.")
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTRY", help="Where the person is. Without it, all countries are named."
        ),
    ] = None,
) -> None:
    """Make a case sheet of a submission: what was hashed, its checksums, and the services that fit.

    There are no pictures and no file names in it.
    """
    from hashkit.cli.actions.report import run  # noqa: PLC0415 (the case sheet)

    run(
        submission,
        out=out,
        force=force,
        paper=paper,
        language=language,
        age=age,
        age_in_picture=age_in_picture,
        country=country,
    )
