"""The languages that hashkit speaks to people: one catalogue, through gettext.

A text is written in English where it is said and marked there (``marked`` in Python, ``_`` in
templates); ``texts_in(language)`` translates it when it is shown. The catalogues are in
``locale/``, made by ``tools/catalogue.py``, which also says what is missing.
"""

from __future__ import annotations

import gettext
import re
from importlib import resources

LANGUAGES = {"en": "English", "es": "Español", "fr": "Français"}
"""Each language by its code, under its own name."""

UNREVIEWED = frozenset({"es", "fr"})
"""Translations that no native speaker has read yet; whoever sees one is told so."""

PLURALS = {
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
}
"""How each translation counts: which form goes with which number, as gettext writes it. They are
ours, because those of libraries change: for a newer one, a million has a form of its own."""

PSEUDO = "qps"
"""A language made up for tests: English, marked and set from right to left."""

_RIGHT_TO_LEFT = frozenset({PSEUDO})
_NOT_WORDS = re.compile(r"(%\(\w+\)[a-z]|\{[^{}]*\}|<[^<>]*>|&\w+;)")  # placeholders and HTML
_SOFTENED = str.maketrans("aeiouAEIOU", "àéîöûÀÉÎÖÛ")

Texts = gettext.NullTranslations
"""Has ``gettext(text)`` and ``ngettext(one, many, number)``."""


def marked(text: str) -> str:
    """The text as it is, marked for the catalogue: it is translated where it is shown."""
    return text


def texts_in(language: str) -> Texts:
    """The texts of this language. ValueError for one that hashkit does not speak."""
    if language == PSEUDO:
        return _Pseudo()
    if language not in LANGUAGES:
        raise ValueError(f"no such language: {language}")
    if language == "en":
        return Texts()
    catalogue = resources.files("hashkit") / "locale" / language / "LC_MESSAGES" / "hashkit.mo"
    with catalogue.open("rb") as stream:
        return gettext.GNUTranslations(stream)


def direction_of(language: str) -> str:
    """``rtl`` or ``ltr``: from which side this language is read."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def best_of(accepted: str) -> str:
    """The language that serves somebody best whose browser sends ``accepted`` (the header
    Accept-Language, RFC 9110): English where none of theirs is spoken here."""
    wishes = []
    for place, part in enumerate(accepted.split(",")[:50]):
        name, _, parameter = part.partition(";")
        try:
            weight = float(parameter.strip().lower().removeprefix("q=") or 1)
        except ValueError:
            continue
        if 0 < weight <= 1:
            wishes.append((-weight, place, name.strip().lower().split("-")[0]))
    return next((name for _, _, name in sorted(wishes) if name in LANGUAGES), "en")


class _Pseudo(gettext.NullTranslations):
    """Shows at a glance what was not marked: all that has no brackets round it."""

    def gettext(self, message: str) -> str:
        parts = _NOT_WORDS.split(message)
        soft = "".join(
            part if place % 2 else part.translate(_SOFTENED) for place, part in enumerate(parts)
        )
        return f"⟦{soft}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)
