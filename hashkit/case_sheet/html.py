"""The case sheet as one HTML file that loads nothing and runs no script."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from hashkit.case_sheet.blocks import CaseSheet
from hashkit.case_sheet.paper import Paper
from hashkit.locale.language import direction_of


def html_of(sheet: CaseSheet, paper: Paper | None = None) -> bytes:
    """The HTML file. Without ``paper`` it prints on any size."""
    page = (
        _environment()
        .get_template("sheet.html")
        .render(
            sheet=sheet,
            direction=direction_of(sheet.language),
            paper=None if paper is None else paper.value,
        )
    )
    return page.encode()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hashkit.case_sheet"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
