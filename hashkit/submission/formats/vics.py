"""Project VIC's VICS 2.0: media by their MD5 and SHA-1, for law enforcement tools.

Its other fields name files, sizes and dates, and are left out. Entries are numbered in the order of
the submission, which says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from hashkit.submission.formats.base import Detail, Format, by_file, json_bytes
from hashkit.submission.formats.signals import Signal

_CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media"
_FIELDS = {"md5": "MD5", "sha1": "SHA1"}
_NO_CATEGORY = 0


class VICS(Format):
    """One entry for each file that has an MD5. The category is 0: nobody sorted anything here."""

    name = "vics"
    draft = "A field for PDQ is not published."
    details = (Detail("which entries are of pictures and which of videos", bool),)

    def refusal(self, signal: Signal) -> str | None:
        """MD5 and SHA-1 have fields."""
        if signal.algorithm in _FIELDS:
            return None
        if signal.algorithm == "pdq":
            return "VICS has no published field for PDQ."
        return "Of the hashes that hashkit makes, VICS takes MD5 and SHA-1."

    def refusals(self, signals: Sequence[Signal]) -> list[str | None]:
        """Without an MD5 there is no entry."""
        with_md5 = {each.item for each in signals if each.algorithm == "md5"}
        return [
            self.refusal(each) or (None if each.item in with_md5 else "VICS needs an MD5 as well.")
            for each in signals
        ]

    def write(self, held: Sequence[Signal]) -> bytes:
        """The document."""
        value = [
            {"MediaID": number, **hashes, "Category": _NO_CATEGORY}
            for number, hashes in enumerate(by_file(held, _FIELDS), 1)
        ]
        return json_bytes({"@odata.context": _CONTEXT, "value": value})
