"""Submissions to make case sheets of, with made-up hashes."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from hashkit.case_sheet.blocks import CaseSheet
from hashkit.case_sheet.choosing import About
from hashkit.case_sheet.contents import case_sheet
from hashkit.case_sheet.reading import Document, read_document
from hashkit.models import FrameHash, FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission, write_submission

DAY = date(2026, 3, 9)


def digits(number: int, seed: object) -> str:
    """This many hex digits, the same for the same seed."""
    return random.Random(str(seed)).randbytes(number).hex()[:number]


def picture(seed: int, quality: int | None = 100, edits: int = 0) -> Item:
    """A picture with this many edits; without a quality, one that could not be decoded."""
    hashes = [Hash("md5", digits(32, seed)), Hash("sha256", digits(64, seed))]
    if quality is not None:
        hashes.append(Hash("pdq", digits(64, seed), quality))
    names = ["mirrored", "rotated-90", "rotated-180"][:edits]
    hashes += [Hash("pdq", digits(64, name), quality, name) for name in names]
    return Item(MediaKind.IMAGE, tuple(hashes))


def video(seed: int, *qualities: int) -> Item:
    """A video with frames of these qualities."""
    frames = tuple(
        FrameHash(place, float(place), digits(64, (seed, place)), quality)
        for place, quality in enumerate(qualities)
    )
    return Item(MediaKind.VIDEO, (Hash("sha256", digits(64, seed)),), FrameHashes(1.0, frames))


@pytest.fixture
def document(tmp_path: Path) -> Callable[..., Document]:
    """Write a submission of these items, and read it for a sheet."""

    def made(*items: Item) -> Document:
        path = tmp_path / "untold-name.json"
        write_submission(Submission.from_items(items), path, replace=True)
        return read_document(path)

    return made


@pytest.fixture
def sheet(document) -> Callable[..., CaseSheet]:
    """The sheet of these items."""

    def made(*items: Item, language: str = "en", **about: object) -> CaseSheet:
        return case_sheet(document(*items), About(**about), language, DAY)

    return made


def squeezed(text: str) -> str:
    """Without spaces, line ends and ligatures, which differ between layouts."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def every_text(sheet: CaseSheet) -> list[str]:
    """All texts of the sheet, whatever the layout."""
    found = [sheet.title, sheet.confidential]
    found += [text for block in sheet.opening for text in _texts(block)]
    waiting = list(sheet.sections)
    while waiting:
        section = waiting.pop(0)
        found.append(section.heading)
        found += [text for block in section.blocks for text in _texts(block)]
        waiting += section.sections
    return [text for text in found if text]


def _texts(block: object) -> list[str]:
    """Every string in a block, at any depth."""
    if isinstance(block, str):
        return [block]
    if isinstance(block, tuple):
        return [text for each in block for text in _texts(each)]
    names = getattr(block, "__slots__", ())
    return [text for name in names if name != "form" for text in _texts(getattr(block, name))]
