"""Hasher-Matcher-Actioner, Meta's open server: the bodies of ``POST /c/bank/<bank>/signal``.

It refuses a body with a signal that it was not set up for. These are the two that it has when it
is installed: https://github.com/facebook/ThreatExchange/tree/main/hasher-matcher-actioner
"""

from __future__ import annotations

from collections.abc import Sequence

from hashkit.models import MediaKind
from hashkit.submission.formats.base import (
    EDITS,
    KIND,
    QUALITY,
    READINGS,
    TOO_PLAIN,
    Format,
    by_file,
    each_once,
    json_bytes,
)
from hashkit.submission.formats.signals import Signal

SIGNAL_TYPES = {"pdq": "pdq", "md5": "video_md5"}
"""What it calls hashes of these algorithms."""


class HMA(Format):
    """A list with one body for each file, and one more for the PDQ of each reading and
    edit."""

    name = "hma"
    details = (QUALITY, READINGS, EDITS, KIND)

    def refusal(self, signal: Signal) -> str | None:
        """PDQ, and MD5 of videos, are what it has at first."""
        match signal.algorithm:
            case "pdq":
                return TOO_PLAIN if signal.too_plain else None
            case "md5" if signal.kind is MediaKind.VIDEO:
                return None
        return "Hasher-Matcher-Actioner has PDQ, and MD5 of videos."

    def write(self, held: Sequence[Signal]) -> bytes:
        """The bodies, in a list."""
        return json_bytes(each_once(by_file(held, SIGNAL_TYPES)))
