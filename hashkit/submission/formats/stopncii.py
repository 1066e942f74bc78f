"""StopNCII's REST interface, version 1: the body of ``POST /SubmitHashes``, for partners.

People who were harmed do not need this: https://stopncii.org makes the hashes in their browser.
The fields are those that StopNCII's public client sends. It sends the present time with each
record; here it is 0 in all of them, since a date would say when somebody asked for help.
"""

from __future__ import annotations

from collections.abc import Sequence

from hashkit.models import MediaKind
from hashkit.submission.formats.base import (
    EDITS,
    FILES,
    KIND,
    QUALITY,
    READINGS,
    TOO_PLAIN,
    Format,
    each_once,
    json_bytes,
)
from hashkit.submission.formats.signals import Signal

_NO_TIME = 0

SIGNAL_TYPES = {"pdq": "ImagePDQ", "md5": "VideoMD5"}
"""What it calls hashes of these algorithms."""


class StopNCII(Format):
    """Each PDQ, edits' too, and each MD5 of a video is a record of its own. No feedback is given:
    nobody reviewed anything here."""

    name = "stopncii"
    draft = (
        "Whether StopNCII takes a record without a time (here it is 0) and without feedback is not "
        "published. Neither is the form of TMK hashes."
    )
    details = (QUALITY, READINGS, EDITS, FILES, KIND)

    def refusal(self, signal: Signal) -> str | None:
        """PDQ, and MD5 of videos, are what it takes."""
        match signal.algorithm:
            case "pdq":
                return TOO_PLAIN if signal.too_plain else None
            case "md5" if signal.kind is MediaKind.VIDEO:
                return None
            case "tmk_pdqf":
                return "StopNCII takes it, in a form that is not published."
        return "StopNCII takes PDQ, and MD5 of videos."

    def write(self, held: Sequence[Signal]) -> bytes:
        """The body of the request."""
        records = each_once(
            {
                "lastModtimestamp": _NO_TIME,
                "signalType": SIGNAL_TYPES[each.algorithm],
                "hashValue": each.text,
                "CSPFeedbacks": [],
            }
            for each in held
        )
        return json_bytes({"count": len(records), "hashRecords": records})
