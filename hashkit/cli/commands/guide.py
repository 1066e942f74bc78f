"""``hashkit guide``: what to do first, what to keep, and which services fit."""

from __future__ import annotations

from typing import Annotated

import typer

from hashkit.locale.language import LANGUAGES


def guide_command(
    age: Annotated[
        str | None, typer.Option(metavar="adult|under-18", help="How old you are now.")
    ] = None,
    age_in_picture: Annotated[
        str | None,
        typer.Option(
            metavar="adult|under-18",
            help="How old you were in the pictures: under-18 if in one or more, or if not sure.",
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTRY", help="Where you are: GB, US, AU, IN, a name of these, or other."
        ),
    ] = None,
    threatened: Annotated[
        bool | None,
        typer.Option("--threatened/--not-threatened", help="Whether somebody threatens you."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and ask nothing.")
    ] = False,
    language: Annotated[
        str, typer.Option(metavar="|".join(LANGUAGES), help="The language of the guide.")
    ] = "en",
) -> None:
    """Find out what to do, and which services help.

    It asks a few questions, and keeps none of the answers. Nothing is sent.
    """
    from hashkit.cli.actions.guide import GuideOptions, run  # noqa: PLC0415 (all services)

    run(GuideOptions(age, age_in_picture, country, threatened, as_json, language))
