"""The case sheet as a PDF, laid out by reportlab in the standard PDF fonts.

It is built twice, the first time to count the pages for "1 / 3".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    HRFlowable,
    KeepTogether,
    ListFlowable,
    ListItem,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
)
from reportlab.platypus import Table as Grid

from hashkit.case_sheet.blocks import (
    Blank,
    Block,
    CaseSheet,
    Fact,
    Facts,
    Form,
    Note,
    Points,
    Section,
    Table,
    Text,
    ToSign,
)
from hashkit.case_sheet.paper import Paper

Flowables = Iterator[Any]  # reportlab has no types

_SIZES = {Paper.A4: A4, Paper.LETTER: LETTER}
_MARGIN = 17 * mm
_FOOT = 11 * mm

_INK, _SOFT = HexColor("#1d2b33"), HexColor("#51626b")
_ACCENT, _RULE = HexColor("#17606b"), HexColor("#c3cfd2")
_NOTE, _NOTE_EDGE = HexColor("#fbf4e4"), HexColor("#9a6b12")

_CELL = ("Helvetica", 8.5, 10.5)  # font, size, leading
_PADDING = 3.5
_TO_FILL = 9 * mm
_SPACE_FOR_HEADING = 25 * mm  # with the first block below it
_SPACE_FOR_GROUP = 80 * mm  # heading and first service
_MAX_TABLE_ROWS = 2_000  # reportlab copies the rest of a table at every page
_LABEL_SHARE = 0.24  # of the width

# Spaces and hyphens that the fonts lack, and their substitutes.
_SUBSTITUTES = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0", "\u2011": "-"})


def pdf_of(sheet: CaseSheet, paper: Paper) -> bytes:
    """The PDF. It holds no author, no computer name and no time of day."""
    pages = _build(sheet, paper, total=None)[1]
    return _build(sheet, paper, total=pages)[0]


def _build(sheet: CaseSheet, paper: Paper, total: int | None) -> tuple[bytes, int]:
    """The PDF and its number of pages."""
    written = BytesIO()
    document = BaseDocTemplate(
        written,
        pagesize=_SIZES[paper],
        title=_printable(sheet.title),
        author="",
        subject="",
        creator="",
        lang=sheet.language,
        invariant=1,  # no clock time, and the same file for the same sheet
        displayDocTitle=True,
    )
    width, height = _SIZES[paper]
    width, height = width - 2 * _MARGIN, height - 2 * _MARGIN
    frame = Frame(_MARGIN, _MARGIN, width, height, 0, 0, 0, 0)
    on_page = partial(_page, sheet=sheet, total=total)
    document.addPageTemplates([PageTemplate("sheet", [frame], onPage=on_page)])
    document.build(list(_story(sheet, width)))
    return written.getvalue(), document.page


def _page(canvas: Any, document: Any, *, sheet: CaseSheet, total: int | None) -> None:
    """Draw the footer of a page."""
    canvas.setDateFormatter(lambda *_: f"D:{sheet.made_on:%Y%m%d}")
    width, _ = document.pagesize
    canvas.saveState()
    canvas.setStrokeColor(_RULE)
    canvas.line(_MARGIN, _FOOT + 12, width - _MARGIN, _FOOT + 12)
    canvas.setFillColor(_SOFT)
    canvas.setFont("Helvetica", 8.5)
    canvas.drawString(_MARGIN, _FOOT, _printable(sheet.title))
    canvas.drawCentredString(width / 2, _FOOT, _printable(sheet.confidential))
    canvas.drawRightString(width - _MARGIN, _FOOT, f"{document.page} / {total}")
    canvas.restoreState()


def _story(sheet: CaseSheet, width: float) -> Flowables:
    yield _paragraph(sheet.confidential, _style("tag", 9.5, bold=True, colour=_ACCENT))
    yield _paragraph(sheet.title, _style("title", 21, bold=True, after=7))
    for block in sheet.opening:
        yield from _block(block, width)
    yield HRFlowable(width="100%", thickness=1.5, color=_ACCENT, spaceBefore=4, spaceAfter=2)
    for section in sheet.sections:
        yield from _section(section, width, 1)


def _section(section: Section, width: float, level: int) -> Flowables:
    heading = _paragraph(section.heading, _heading(level))
    blocks = [each for block in section.blocks for each in _block(block, width)]
    yield CondPageBreak(_SPACE_FOR_GROUP if section.sections else _SPACE_FOR_HEADING)
    if level == 1 and not any(isinstance(block, ToSign) for block in section.blocks):
        yield heading
        yield from blocks
    else:  # keep a service or a form on one page
        yield KeepTogether([heading, *blocks])
    for inner in section.sections:
        yield from _section(inner, width, level + 1)


def _block(block: Block, width: float) -> Flowables:
    match block:
        case Text():
            yield _paragraph(block.text, _style("text", with_next=block.leads_on))
        case Note():
            yield from _note(block, width)
        case Points():
            yield from _points(block)
        case Facts():
            yield from _facts(block, width)
        case Table():
            yield from _table(block, width)
        case Blank():
            yield KeepTogether(list(_blank(block)))
        case ToSign():
            yield from _to_sign(block, width)


def _note(note: Note, width: float) -> Flowables:
    paragraph = _paragraph(note.text, _style("note", bold=True, after=0))
    box = [
        ("BACKGROUND", (0, 0), (-1, -1), _NOTE),
        ("LINEBEFORE", (0, 0), (0, -1), 4, _NOTE_EDGE),
        ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
    ]
    yield Grid([[paragraph]], colWidths=[width], style=box, spaceBefore=2, spaceAfter=7)


def _points(points: Points) -> Flowables:
    if points.label:
        yield _paragraph(points.label, _style("label", bold=True, after=1, with_next=True))
    style = _style("point", after=1.5)
    yield ListFlowable(
        [ListItem(_paragraph(point, style)) for point in points.points],
        bulletType="bullet",
        start="\u2022",
        leftIndent=11,
        bulletFontSize=9,
        bulletColor=_ACCENT,
        spaceAfter=6,
    )


def _facts(facts: Facts, width: float) -> Flowables:
    label = _style("fact", colour=_SOFT, after=0)
    rows = [[_paragraph(fact.label, label), _value(fact)] for fact in facts.facts]
    tight = [
        ("NOSPLIT", (0, 0), (-1, -1)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
    shares = [width * _LABEL_SHARE, width * (1 - _LABEL_SHARE)]
    yield Grid(rows, colWidths=shares, style=tight, spaceAfter=6)


def _value(fact: Fact) -> Any:
    if fact.form is Form.CODE:
        return _paragraph(fact.value, _style("code", 9, font="Courier", after=0))
    if fact.form is Form.LINK:
        shown = f'<link href={quoteattr(fact.value)} color="#17606b">{escape(fact.value)}</link>'
        return Paragraph(shown, _style("value", after=0))
    return _paragraph(fact.value, _style("value", after=0))


def _table(table: Table, width: float) -> Flowables:
    yield _paragraph(table.caption, _style("caption", bold=True, after=3, with_next=True))
    widths = [width * share / sum(table.shares) for share in table.shares]
    style, min_height = _lines(table), _TO_FILL if table.to_fill else 0
    for start in range(0, len(table.rows), _MAX_TABLE_ROWS):
        some = (table.headings, *table.rows[start : start + _MAX_TABLE_ROWS])
        rows = [_fitted(row, widths) for row in some]
        heights = [_height(rows[0]), *(max(_height(row), min_height) for row in rows[1:])]
        yield LongTable(rows, colWidths=widths, rowHeights=heights, repeatRows=1, style=style)
    yield Spacer(1, 10)


def _lines(table: Table) -> list[tuple[Any, ...]]:
    font, size, leading = _CELL
    lines: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), font, size, leading),
        ("FONT", (0, 0), (-1, 0), f"{font}-Bold", size, leading),
        ("TEXTCOLOR", (0, 0), (-1, -1), _INK),
        ("VALIGN", (0, 0), (-1, -1), "BOTTOM" if table.to_fill else "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), _PADDING),
        ("BOTTOMPADDING", (0, 0), (-1, -1), _PADDING),
        ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
        ("LINEBELOW", (0, 0), (-1, 0), 1.2, _ACCENT),
        ("LINEBELOW", (0, 1), (-1, -1), 0.5, _RULE),
    ]
    if table.to_fill:
        lines.append(("LINEBEFORE", (1, 1), (-1, -1), 0.5, _RULE))
    return lines


def _fitted(row: tuple[str, ...], widths: list[float]) -> list[str]:
    """The cells, broken into lines that fit. For long tables much faster than paragraphs."""
    return [_broken(_printable(cell), width) for cell, width in zip(row, widths, strict=True)]


@cache
def _broken(text: str, width: float) -> str:
    font, size, _ = _CELL
    return "\n".join(simpleSplit(text, f"{font}-Bold", size, width - 3 * _PADDING))


def _height(row: list[str]) -> float:
    return max(cell.count("\n") + 1 for cell in row) * _CELL[2] + 2 * _PADDING


def _blank(blank: Blank) -> Flowables:
    yield _paragraph(blank.label, _style("label", bold=True, after=1, with_next=True))
    for _ in range(blank.lines):
        yield Spacer(1, 8 * mm)
        yield HRFlowable(width="100%", thickness=0.7, color=_SOFT, spaceBefore=0, spaceAfter=0)


def _to_sign(block: ToSign, width: float) -> Flowables:
    label = _style("to-sign", bold=True, after=0)
    rows = [[_paragraph(each, label), ""] for each in block.labels]
    lines = [
        ("NOSPLIT", (0, 0), (-1, -1)),
        ("LINEBELOW", (1, 0), (1, -1), 0.7, _SOFT),
        ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
    ]
    shares = [width * _LABEL_SHARE, width * (1 - _LABEL_SHARE)]
    yield Grid(rows, colWidths=shares, rowHeights=10 * mm, style=lines)


def _paragraph(text: str, style: Any) -> Any:
    return Paragraph(escape(_printable(text)), style)


def _printable(text: str) -> str:
    return text.translate(_SUBSTITUTES)


def _heading(level: int) -> Any:
    size, before = {1: (14, 13), 2: (11.5, 9), 3: (10.5, 6)}[level]
    colour = _ACCENT if level == 1 else _INK
    return _style(
        f"heading-{level}", size, bold=True, colour=colour, before=before, after=4, with_next=True
    )


def _style(
    name: str,
    size: float = 9.5,
    *,
    font: str = "Helvetica",
    bold: bool = False,
    colour: Any = _INK,
    before: float = 0,
    after: float = 5,
    with_next: bool = False,
) -> Any:
    return ParagraphStyle(
        name,
        fontName=f"{font}-Bold" if bold else font,
        fontSize=size,
        leading=size * 1.38,
        textColor=colour,
        alignment=TA_LEFT,
        spaceBefore=before,
        spaceAfter=after,
        keepWithNext=with_next,
        splitLongWords=True,
    )
