"""The blocks of a case sheet: sections, and in them paragraphs, lists and tables.

All texts are already translated. Nothing here depends on the layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar


class Form(StrEnum):
    """How a value is shown: as words, as code to copy exactly, or as a link."""

    WORDS = "words"
    CODE = "code"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. With ``leads_on`` it stays on the same page as the next block."""

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
    """A list with an optional label."""

    kind: ClassVar[str] = "points"
    label: str | None
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value."""

    label: str
    value: str
    form: Form = Form.WORDS


@dataclass(frozen=True, slots=True)
class Facts:
    """Labelled values, one below the other."""

    kind: ClassVar[str] = "facts"
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; the first cell of a row names it. ``shares`` are the relative widths of
    the columns. A table ``to_fill`` in by hand has tall empty cells."""

    kind: ClassVar[str] = "table"
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[int, ...]
    to_fill: bool = False


@dataclass(frozen=True, slots=True)
class Blank:
    """Space to write by hand: ``lines`` ruled lines."""

    kind: ClassVar[str] = "blank"
    label: str
    lines: int


@dataclass(frozen=True, slots=True)
class ToSign:
    """A ruled line for each label."""

    kind: ClassVar[str] = "to_sign"
    labels: tuple[str, ...]


Block = Text | Note | Points | Facts | Table | Blank | ToSign


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, its blocks and its subsections. ``id`` is stable."""

    id: str
    heading: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """The whole sheet, in order. ``confidential`` and ``title`` are on every page."""

    language: str
    made_on: date
    title: str
    confidential: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
