"""The two paper sizes for printing."""

from __future__ import annotations

from enum import StrEnum


class Paper(StrEnum):
    """A paper size by its CSS name."""

    A4 = "a4"
    LETTER = "letter"


_LETTER_COUNTRIES = {"us", "usa", "united states", "ca"}


def usual_paper(country: str | None) -> Paper:
    """The usual size in a country, by its code or name; A4 if it is unknown."""
    known = (country or "").strip().casefold() in _LETTER_COUNTRIES
    return Paper.LETTER if known else Paper.A4
