"""Delimited text (CSV) as spreadsheets and data tools save it again: read into rows of named cells.

They separate by comma, semicolon or tab, write a line ``sep=;`` first, quote cells, move columns,
add a column of row numbers, leave blank rows, write 100 as ``100.0`` or ``100,0``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import StringIO

from hashkit.errors import DocumentInvalid

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
_DELIMITERS = ",;\t"
# Names that spreadsheets and pandas give to a column of row numbers.
_ROW_NUMBERS = re.compile(r"|index|unnamed: [0-9]+", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"([0-9]+),([0-9]+([eE][+-]?[0-9]+)?)")
_ZERO_DECIMALS = re.compile(r"([0-9]{1,16})\.0{1,20}")

Row = dict[str, str]


def numbered_lines(untrusted_text: str) -> tuple[str, list[tuple[int, str]]]:
    """The delimiter of a text, and its lines that are not blank, with their numbers from 1."""
    lines = StringIO(untrusted_text.removeprefix("\ufeff"), newline=None)
    numbered = [(number, line.rstrip("\n")) for number, line in enumerate(lines, 1)]
    delimiter = None
    if numbered and (found := _SEPARATOR_LINE.fullmatch(numbered[0][1])):
        delimiter = found[1]
        del numbered[0]
    blank = _DELIMITERS + ' "' + (delimiter or "")
    kept = [(number, line) for number, line in numbered if line.strip(blank)]
    return delimiter or _delimiter_of(kept[0][1] if kept else ""), kept


def _delimiter_of(line: str) -> str:
    """The delimiter that a line has most of. A comma where there is none."""
    return max(_DELIMITERS, key=line.count)


def cells(untrusted_line: str, delimiter: str, most: int) -> list[str] | None:
    """The cells of a line without spaces around and quotes, or None where quotes do not match or
    there are more than ``most`` and the others are not empty.

    The csv module would need a limit that holds for the whole process to be raised: a TMK hash is
    longer than it allows. A cell of ours holds no quote and no line end.
    """
    end = re.escape(delimiter)
    # No two parts beside each other may match the same spaces: untrusted lines have many.
    pattern = re.compile(rf'(?: *"([^"]*)" *|([^"{end}]*))(?:({end})|$)')
    found: list[str] = []
    position, more = 0, True
    while more and len(found) < most:
        match = pattern.match(untrusted_line, position)
        if match is None:
            return None
        found.append((match[1] if match[1] is not None else match[2]).strip())
        position, more = match.end(), bool(match[3])
    rest = untrusted_line[position:]
    return None if rest.strip(delimiter + " ") else found


def rows(untrusted_text: str, columns: Sequence[str]) -> Iterator[tuple[int, Row]]:
    """The rows of a table, with the numbers of their lines: what is in each of these ``columns``,
    empty where there is nothing. The columns may be in any order.

    DocumentInvalid, naming the line, for a heading that lacks one, or has one that is none of them,
    and for a line with more cells than the heading.
    """
    delimiter, lines = numbered_lines(untrusted_text)
    if not lines:
        raise DocumentInvalid(f"In line 1, there is not the heading {','.join(columns)}.")
    number, heading = lines[0]
    names = _names(cells(heading, delimiter, 4 * len(columns)) or [], columns, number)
    for number, line in lines[1:]:
        found = cells(line, delimiter, len(names))
        if found is None:
            raise DocumentInvalid(
                f"In line {number}, there are not {len(names)} columns, or a quotation mark is "
                "missing. Delete what was added."
            )
        yield (
            number,
            {name: cell for name, cell in zip(names, found, strict=False) if name}
            | {name: "" for name in names[len(found) :] if name},
        )


def has_columns(untrusted_text: str, columns: Sequence[str]) -> bool:
    """Whether the heading has these columns, among others."""
    delimiter, lines = numbered_lines(untrusted_text[:5000])
    found = cells(lines[0][1], delimiter, 100) if lines else None
    return set(columns) <= {name.lower() for name in found or ()}


def _names(heading: Sequence[str], columns: Sequence[str], line: int) -> list[str]:
    """The column of each cell; empty for a column of row numbers."""
    names = []
    for position, cell in enumerate(heading, 1):
        name = cell.lower()
        if name in columns and name not in names:
            names.append(name)
        elif _ROW_NUMBERS.fullmatch(name):
            names.append("")
        else:
            raise DocumentInvalid(
                f"In line {line}, column {position} is none of {', '.join(columns)}, or there "
                "twice. Delete that column."
            )
    if missing := [name for name in columns if name not in names]:
        raise DocumentInvalid(
            f"In line {line}, there is not the heading {','.join(columns)}: "
            f"{', '.join(missing)} is missing."
        )
    return names


def number(cell: str, *, whole: bool = False) -> str:
    """A number with a decimal point and a small exponent sign. Where ``whole``, without decimals
    that are zero, which pandas adds to a column that has empty cells."""
    if comma := _DECIMAL_COMMA.fullmatch(cell):
        cell = f"{comma[1]}.{comma[2]}"
    zero_decimals = _ZERO_DECIMALS.fullmatch(cell) if whole else None
    return zero_decimals[1] if zero_decimals else cell.lower()
