"""``hashkit report``: the case sheet of a submission, for support workers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hashkit.cli.arguments import check_language, parse_age, parse_country
from hashkit.cli.output.terminal import ExitCode, fail, fail_on_submission, say, shown_name
from hashkit.cli.targets import check_target, same_file
from hashkit.locale.language import LANGUAGES

if TYPE_CHECKING:
    from hashkit.case_sheet.blocks import CaseSheet
    from hashkit.case_sheet.paper import Paper
    from hashkit.case_sheet.reading import Document

_HTML, _PDF = (".html", ".htm"), ".pdf"


def report_command(
    submission: Annotated[
        Path,
        typer.Argument(metavar="SUBMISSION", help="A file made with hash --out.", readable=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Write the case sheet to this file, whose name ends in .html or .pdf.",
            readable=False,
        ),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file at --out if there is one.")
    ] = False,
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
    from hashkit.case_sheet.choosing import About
    from hashkit.case_sheet.contents import case_sheet
    from hashkit.errors import HashkitError
    from hashkit.sandbox.lockdown import lock_network
    from hashkit.submission.writing import write_whole

    check_language(language)
    about = About(
        age=parse_age(age, "--age"),
        age_in_picture=parse_age(age_in_picture, "--age-in-picture"),
        country=parse_country(country),
    )
    size = _paper(paper)
    _check_names(out, submission, force)
    lock_network()
    document = _read(submission)
    sheet = case_sheet(document, about, language, date.today())
    content = _laid_out(sheet, out, size, country)
    try:
        write_whole(out, content, replace=force)
    except HashkitError as error:
        fail(error, out, ExitCode.SOME_FAILED)
    typer.echo(f"Written: {shown_name(out)}. There are no pictures and no file names in it.")
    if not document.submission.items:
        say("There is nothing in this submission.")


def _paper(text: str | None) -> Paper | None:
    from hashkit.case_sheet.paper import Paper

    if text is None:
        return None
    try:
        return Paper(text.strip().lower())
    except ValueError:
        raise typer.BadParameter(f"give one of {', '.join(Paper)}", param_hint="--paper") from None


def _check_names(out: Path, submission: Path, force: bool) -> None:
    if out.suffix.lower() not in (*_HTML, _PDF):
        raise typer.BadParameter(
            "give a name that ends in .html or .pdf: these are the two kinds of case sheets",
            param_hint="--out",
        )
    if same_file(out, submission):
        told = "This is the submission. It was left as it is. Choose another name."
        fail(told, out, ExitCode.WRONG_USE)
    check_target(out, force, ())


def _read(submission: Path) -> Document:
    from hashkit.case_sheet.reading import read_document
    from hashkit.errors import HashkitError

    try:
        return read_document(submission)
    except HashkitError as error:
        fail_on_submission(error, submission)


def _laid_out(sheet: CaseSheet, out: Path, paper: Paper | None, country: str | None) -> bytes:
    if out.suffix.lower() in _HTML:
        from hashkit.case_sheet.html import html_of

        return html_of(sheet, paper)
    from hashkit.case_sheet.paper import usual_paper
    from hashkit.case_sheet.pdf import pdf_of

    return pdf_of(sheet, paper or usual_paper(country))
