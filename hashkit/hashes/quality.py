"""What the quality of a PDQ hash means, in a word: the same word wherever a person reads it."""

from __future__ import annotations

from hashkit.locale.language import marked

USED_FROM = 50
"""Services discard a PDQ hash of a lower quality."""

GOOD_FROM = 80

GOOD = marked("good")
FAIR = marked("fair")
TOO_PLAIN = marked("too plain")


def quality_in_words(quality: int) -> str:
    """What a service will make of a hash of this quality, 0 to 100 (a marked text)."""
    if quality < USED_FROM:
        return TOO_PLAIN
    return GOOD if quality >= GOOD_FROM else FAIR
