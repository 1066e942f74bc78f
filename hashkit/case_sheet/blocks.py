"""What a case sheet is made of: sections, and in them a few plain kinds of blocks.

All texts in them are translated already. Nothing here knows how it will be laid out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar


class Form(StrEnum):
    """How a value is to be read: as words, as something to copy exactly, or as an address."""

    WORDS = "words"
    CODE = "code"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. One that ``leads_on`` stays on the page of the block after it."""

    kind: ClassVar[str] = "text"
    text: str
    leads_on: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph that must not be overlooked."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list, with a few words on what it lists."""

    kind: ClassVar[str] = "points"
    label: str | None
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A value and what it is."""

    label: str
    value: str
    form: Form = Form.WORDS


@dataclass(frozen=True, slots=True)
class Facts:
    """Values, one below the other."""

    kind: ClassVar[str] = "facts"
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; the first cell of a row names it. ``shares`` says how the width is
    shared among the columns. Of a table ``to_fill`` in by hand, the empty cells are tall."""

    kind: ClassVar[str] = "table"
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[int, ...]
    to_fill: bool = False


@dataclass(frozen=True, slots=True)
class Blank:
    """Room to write by hand: ``lines`` ruled lines."""

    kind: ClassVar[str] = "blank"
    label: str
    lines: int


@dataclass(frozen=True, slots=True)
class ToSign:
    """A ruled line for each of these."""

    kind: ClassVar[str] = "to_sign"
    labels: tuple[str, ...]


Block = Text | Note | Points | Facts | Table | Blank | ToSign


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what stands under it, and sections of its own. ``id`` is stable."""

    id: str
    heading: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """All that the sheet says, in order. ``confidential`` and ``title`` stand on every page."""

    language: str
    made_on: date
    title: str
    confidential: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
