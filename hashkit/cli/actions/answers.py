"""Read an age and a country that were answered on the command line."""

from __future__ import annotations

import typer

from hashkit.cli.options import check_choice
from hashkit.guide.guidance import Age, country_of


def parse_age(text: str | None, option: str) -> Age | None:
    """The age group. BadParameter for what is none."""
    return None if text is None else Age(check_choice(text.strip().lower(), [*Age], option))


def parse_country(text: str | None) -> str | None:
    """The key of ``COUNTRIES``. BadParameter for what is no country."""
    try:
        return None if text is None else country_of(text)
    except ValueError:
        raise typer.BadParameter(
            "give a code of two letters such as GB, a name such as 'United Kingdom', or other",
            param_hint="--country",
        ) from None
