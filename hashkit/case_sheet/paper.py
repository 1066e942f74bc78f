"""The two sizes of paper that offices print on."""

from __future__ import annotations

from enum import StrEnum


class Paper(StrEnum):
    """A size of paper, by its name in CSS."""

    A4 = "a4"
    LETTER = "letter"


_LETTER_COUNTRIES = {"US", "USA", "CA"}


def usual_paper(country: str | None) -> Paper:
    """What is used in the country of this code; A4 for one that is not known."""
    return Paper.LETTER if (country or "").upper() in _LETTER_COUNTRIES else Paper.A4
