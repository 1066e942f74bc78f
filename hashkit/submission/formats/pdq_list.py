"""The list that the reference's ``pdq-photo-hasher`` prints: ``hash,quality,name``, a line each."""

from __future__ import annotations

import re

from hashkit.errors import DocumentInvalid
from hashkit.hashes.registry import ALGORITHMS
from hashkit.models import Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats import delimited
from hashkit.submission.formats.base import Imported, Reader

NAMES_NOTE = "The names of files in it were not taken over."
KIND_NOTE = "It does not say what the hashes are of: pictures were taken."
_QUALITY = re.compile(r"[0-9]{1,2}|100")
_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?")
_HEADING = "hash"


class PDQList(Reader):
    """A PDQ hash on each line, with its quality. What follows, a name, is not looked at."""

    name = "pdq"

    def recognises(self, untrusted_text: str) -> bool:
        """Whether the first line is a hash and a quality, or the heading of such a list."""
        delimiter, lines = delimited.numbered_lines(untrusted_text[:5000])
        first = _cells(lines[0][1], delimiter) if lines else []
        if first[:2] == [_HEADING, "quality"]:
            return True
        # With a time instead of a name it is a frame of vPDQ.
        frame = len(first) == 3 and _SECONDS.fullmatch(delimited.number(first[2].strip(' "')))
        return len(first) > 1 and _is_hash(first[0]) and not frame

    def read(self, untrusted_text: str) -> Imported:
        """Each line becomes an item of its own."""
        delimiter, lines = delimited.numbered_lines(untrusted_text)
        rows = [(number, _cells(line, delimiter)) for number, line in lines]
        if rows and rows[0][1][:1] == [_HEADING]:
            del rows[0]
        items = [_item(row, f"line {number}") for number, row in rows]
        named = any(len(row) > 2 for _, row in rows)
        return Imported(
            Submission.from_items(items), (KIND_NOTE, NAMES_NOTE) if named else (KIND_NOTE,)
        )


def _cells(untrusted_line: str, delimiter: str) -> list[str]:
    """Value, quality, and the rest: a name may hold anything."""
    parts = untrusted_line.split(delimiter, 2)
    return [part.strip(' "').lower() for part in parts[:2]] + parts[2:]


def _is_hash(cell: str) -> bool:
    return ALGORITHMS["pdq"].pattern.fullmatch(cell) is not None


def _item(row: list[str], where: str) -> Item:
    if not _is_hash(row[0]):
        raise DocumentInvalid(f"In {where}, column 1: this is not a pdq hash. Delete the line.")
    quality = delimited.number(row[1] if len(row) > 1 else "", whole=True)
    if not _QUALITY.fullmatch(quality):
        raise DocumentInvalid(f"In {where}, column 2: write the quality, 0 to 100.")
    return Item(MediaKind.IMAGE, (Hash("pdq", row[0], int(quality)),))
