"""Writes the case sheet of a submission, as HTML or PDF."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import typer

from hashkit.case_sheet.blocks import CaseSheet
from hashkit.case_sheet.choosing import About
from hashkit.case_sheet.contents import case_sheet
from hashkit.case_sheet.paper import Paper, usual_paper
from hashkit.case_sheet.reading import read_document
from hashkit.cli.actions.answers import parse_age, parse_country
from hashkit.cli.files import check_other_target, write_or_fail, written
from hashkit.cli.options import check_choice, check_language
from hashkit.cli.output.terminal import fail_on_submission, say
from hashkit.errors import HashkitError
from hashkit.sandbox import lockdown

_HTML, _PDF = (".html", ".htm"), ".pdf"
_IS_SUBMISSION = "This is the submission. It was left as it is. Choose another name."


def run(
    submission: Path,
    *,
    out: Path,
    force: bool,
    paper: str | None,
    language: str,
    age: str | None,
    age_in_picture: str | None,
    country: str | None,
) -> None:
    """Check the options, and write the sheet."""
    check_language(language)
    about = About(
        age=parse_age(age, "--age"),
        age_in_picture=parse_age(age_in_picture, "--age-in-picture"),
        country=parse_country(country),
    )
    sheet_paper = _paper(paper)
    _check_names(submission, out, force)
    lockdown.lock_network()
    try:
        document = read_document(submission)
    except HashkitError as error:
        fail_on_submission(error, submission)
    sheet = case_sheet(document, about, language, date.today())
    write_or_fail(out, _laid_out(sheet, out, sheet_paper, country), force)
    typer.echo(f"{written(out)}There are no pictures and no file names in it.")
    if not document.submission.items:
        say("There is nothing in this submission.")


def _paper(text: str | None) -> Paper | None:
    if text is None:
        return None
    return Paper(check_choice(text.strip().lower(), [*Paper], "--paper"))


def _check_names(submission: Path, out: Path, force: bool) -> None:
    if out.suffix.lower() not in (*_HTML, _PDF):
        raise typer.BadParameter(
            "give a name that ends in .html or .pdf: these are the two kinds of case sheets",
            param_hint="--out",
        )
    check_other_target(out, force, [submission], _IS_SUBMISSION)


def _laid_out(sheet: CaseSheet, out: Path, paper: Paper | None, country: str | None) -> bytes:
    if out.suffix.lower() in _HTML:
        from hashkit.case_sheet.html import html_of  # noqa: PLC0415 (Jinja)

        return html_of(sheet, paper)
    from hashkit.case_sheet.pdf import pdf_of  # noqa: PLC0415 (ReportLab)

    return pdf_of(sheet, paper or usual_paper(country))
