"""Languages for user-facing texts, through gettext.

A text is written in English and marked in the code (``marked`` in Python, ``_`` in templates);
``texts_in(language)`` translates it when it is shown. The catalogues are in ``locale/``;
``tools/catalogue.py`` makes and checks them.
"""

from __future__ import annotations

import gettext
import re
from importlib import resources

LANGUAGES = {"en": "English", "es": "Español", "fr": "Français"}
"""Language codes, each with the language's own name."""

UNREVIEWED = frozenset({"es", "fr"})
"""Translations that no native speaker has reviewed; the user is shown a note."""

PLURALS = {
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
}
"""The gettext plural rule of each translation. Kept here because libraries change theirs: newer
ones give a million a form of its own."""

PSEUDO = "qps"
"""A test language: marked English, set from right to left."""

_RIGHT_TO_LEFT = frozenset({PSEUDO})
_NOT_WORDS = re.compile(r"(%\(\w+\)[a-z]|\{[^{}]*\}|<[^<>]*>|&\w+;)")  # placeholders and HTML
_SOFTENED = str.maketrans("aeiouAEIOU", "àéîöûÀÉÎÖÛ")

Texts = gettext.NullTranslations
"""Has ``gettext(text)`` and ``ngettext(one, many, number)``."""


def marked(text: str) -> str:
    """Return the text unchanged, marked for translation when it is shown."""
    return text


def texts_in(language: str) -> Texts:
    """The texts of a language. ValueError for an unsupported one."""
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
    """``rtl`` or ``ltr``: the direction of the script."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def best_of(accepted: str) -> str:
    """The best supported language for an Accept-Language header (RFC 9110): English if none of its
    languages is supported."""
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
    """Puts brackets round each marked text, so that unmarked ones stand out."""

    def gettext(self, message: str) -> str:
        parts = _NOT_WORDS.split(message)
        soft = "".join(
            part if place % 2 else part.translate(_SOFTENED) for place, part in enumerate(parts)
        )
        return f"⟦{soft}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)
