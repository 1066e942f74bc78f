"""What somebody answered on the command line: an age, a country, a language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from hashkit.locale.language import LANGUAGES, PSEUDO

if TYPE_CHECKING:
    from hashkit.guide.guidance import Age


def parse_age(text: str | None, option: str) -> Age | None:
    """The age group. BadParameter for what is none."""
    from hashkit.guide.guidance import Age

    if text is None:
        return None
    try:
        return Age(text.strip().lower())
    except ValueError:
        raise typer.BadParameter(f"give one of {', '.join(Age)}", param_hint=option) from None


def parse_country(text: str | None) -> str | None:
    """The key of ``COUNTRIES``. BadParameter for what is no country."""
    from hashkit.guide.guidance import country_of

    try:
        return None if text is None else country_of(text)
    except ValueError:
        raise typer.BadParameter(
            "give a code of two letters such as GB, a name such as 'United Kingdom', or other",
            param_hint="--country",
        ) from None


def check_language(code: str) -> str:
    """The same code. BadParameter for a language that hashkit does not speak."""
    if code not in (*LANGUAGES, PSEUDO):
        raise typer.BadParameter(f"give one of {', '.join(LANGUAGES)}", param_hint="--language")
    return code
