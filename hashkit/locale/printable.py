"""Text that is safe to print, whoever wrote it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection


def printable(untrusted: str, harmless: Collection[str] = " ") -> str:
    """The text with escapes for control characters, invisible ones, those that turn the writing
    direction, and halves of characters; ``harmless`` ones stay."""
    return "".join(
        char
        if char in harmless or unicodedata.category(char)[0] not in "CZ"
        else char.encode("unicode_escape").decode("ascii")
        for char in untrusted.encode("utf-8", "backslashreplace").decode()
    )
