"""The two sizes of paper that offices print on."""

from __future__ import annotations

from enum import StrEnum


class Paper(StrEnum):
    """A size of paper, by its name in CSS."""

    A4 = "a4"
    LETTER = "letter"


_LETTER_COUNTRIES = {"us", "usa", "united states", "ca"}


def usual_paper(country: str | None) -> Paper:
    """What is used in a country, by its code or name; A4 for one that is not known."""
    known = (country or "").strip().casefold() in _LETTER_COUNTRIES
    return Paper.LETTER if known else Paper.A4
