"""The list that the reference's ``pdq-photo-hasher`` prints: ``hash,quality,name``, a line each."""

from __future__ import annotations

import csv
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
_DIGITS = re.compile(r"[0-9a-f]{32,}")
_HASH, _QUALITY_COLUMN = "hash", "quality"


class PDQList(Reader):
    """A PDQ hash on each line, with its quality. What else there is, a name, is not looked at."""

    name = "pdq"

    def recognises(self, untrusted_text: str) -> bool:
        """Whether the first line is a hash alone or with a quality, or the heading of such a
        list."""
        delimiter, lines = delimited.numbered_lines(untrusted_text[:5000])
        first = _cells(lines[0][1], delimiter) if lines else []
        if not first or _columns(lines[0][1], delimiter) is not None:
            return bool(first)
        # With a time instead of a name it is a frame of vPDQ.
        frame = len(first) == 3 and _SECONDS.fullmatch(delimited.number(first[2].strip(' "')))
        return _is_hash(first[0]) and not frame

    def read(self, untrusted_text: str) -> Imported:
        """Each line becomes an item of its own."""
        delimiter, lines = delimited.numbered_lines(untrusted_text)
        columns = _columns(lines[0][1], delimiter) if lines else None
        if columns is None:
            _check_first(lines, delimiter)
            rows = [(number, _cells(line, delimiter)) for number, line in lines]
        else:
            rows = [(number, _named(line, delimiter, columns)) for number, line in lines[1:]]
        items = [_item(row, f"line {number}", columns or (0, 1)) for number, row in rows]
        named = any(len(row) > 2 for _, row in rows)
        return Imported(
            Submission.from_items(items), (KIND_NOTE, NAMES_NOTE) if named else (KIND_NOTE,)
        )


def _columns(untrusted_heading: str, delimiter: str) -> tuple[int, int] | None:
    """Where a heading has the hash and the quality, in whatever order and beside whatever else;
    None where this is no heading."""
    names = [each.strip().lower() for each in _parsed(untrusted_heading, delimiter)]
    if names.count(_HASH) != 1 or names.count(_QUALITY_COLUMN) > 1:
        return None
    if _QUALITY_COLUMN not in names:
        return (0, 1) if names[0] == _HASH else None
    return names.index(_HASH), names.index(_QUALITY_COLUMN)


def _named(untrusted_line: str, delimiter: str, columns: tuple[int, int]) -> list[str]:
    """Value, quality, and the rest, of a line below a heading."""
    if columns == (0, 1):
        return _cells(untrusted_line, delimiter)
    cells = _parsed(untrusted_line, delimiter)
    wanted = [cells[each].strip().lower() if each < len(cells) else "" for each in columns]
    return [*wanted, *(cell for place, cell in enumerate(cells) if place not in columns)]


def _parsed(untrusted_line: str, delimiter: str) -> list[str]:
    """The cells of a line, in which a name in quotes may hold anything; none where it cannot be
    read."""
    try:
        return next(csv.reader([untrusted_line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _cells(untrusted_line: str, delimiter: str) -> list[str]:
    """Value, quality, and the rest: a name may hold anything."""
    parts = untrusted_line.split(delimiter, 2)
    return [part.strip(' "').lower() for part in parts[:2]] + parts[2:]


def _check_first(lines: list[tuple[int, str]], delimiter: str) -> None:
    """DocumentInvalid for a heading that names other columns: nothing in it looks like a hash."""
    if lines and not any(map(_DIGITS.fullmatch, _cells(lines[0][1], delimiter))):
        raise DocumentInvalid(
            f"In line {lines[0][0]}, there is neither a pdq hash nor a heading that names the "
            "columns hash and quality. If it is a heading, give the columns these names."
        )


def _is_hash(cell: str) -> bool:
    return ALGORITHMS["pdq"].pattern.fullmatch(cell) is not None


def _item(row: list[str], where: str, columns: tuple[int, int]) -> Item:
    """The item of a row of value and quality, which stand in these ``columns`` of the file."""
    value, quality = (column + 1 for column in columns)
    if not _is_hash(row[0]):
        raise DocumentInvalid(
            f"In {where}, column {value}: this is not a pdq hash. Delete the line."
        )
    number = delimited.number(row[1] if len(row) > 1 else "", whole=True)
    if not _QUALITY.fullmatch(number):
        raise DocumentInvalid(f"In {where}, column {quality}: write the quality, 0 to 100.")
    return Item(MediaKind.IMAGE, (Hash("pdq", row[0], int(number)),))
