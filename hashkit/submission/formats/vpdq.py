"""vPDQ as text: the frames of one video, as the C++ tools write them, in the forms of
``hashes.vpdq_text`` when read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from hashkit.errors import DocumentInvalid
from hashkit.hashes.vpdq_text import from_text, to_text
from hashkit.models import FrameHash, FrameHashes, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats import delimited
from hashkit.submission.formats.base import INTERVAL, MOVING, Format, Imported, Reader
from hashkit.submission.formats.signals import Signal

INTERVAL_NOTE = (
    "The file does not say how often frames were sampled: this was worked out from their times."
)
NUMBERS_NOTE = "The file does not say the numbers of frames: they are counted from 0."
_NUMBERED = re.compile(r'\s*+(\[\s*+"\s*+)?[^",\n]*,[^",\n]*,[^",\n]*,')
_BEGINNINGS = re.compile(
    r'\s*(\[\s*"\s*)?([0-9]{1,16},([0-9]{1,3},)?)?[0-9a-fA-F]{64},|\s*\[\s*\]\s*$'
)


class VPDQ(Format, Reader):
    """The frames of the first video of the submission. To write another one, export it alone."""

    name = "vpdq"
    details = (INTERVAL, MOVING)

    def refusal(self, signal: Signal) -> str | None:
        """Frames, and those of the original."""
        if signal.algorithm != "vpdq":
            return "vPDQ text holds the frames of a video, and nothing else."
        if signal.is_edit:
            return "vPDQ text holds one video, and no edits of it."
        if signal.is_reading:
            return "vPDQ text holds one video as people see it, and no other reading of it."
        return None if signal.frames.hashes else "There are no frames in it."

    def refusals(self, signals: Sequence[Signal]) -> list[str | None]:
        """One video only: the text does not say where another begins."""
        reasons = super().refusals(signals)
        fitting = [place for place, why in enumerate(reasons) if why is None]
        for place in fitting[1:]:
            reasons[place] = "vPDQ text holds one video: choose another one by its number (--item)."
        return reasons

    def write(self, held: Sequence[Signal]) -> bytes:
        """A line for each frame: ``frame,quality,hex,timestamp``."""
        return "".join(to_text(each.frames.hashes) for each in held).encode("ascii")

    def recognises(self, untrusted_text: str) -> bool:
        """Whether the first line looks like a frame."""
        return _BEGINNINGS.match(_with_commas(untrusted_text[:1000])) is not None

    def read(self, untrusted_text: str) -> Imported:
        """The frames are those of one video."""
        untrusted_text = _with_commas(untrusted_text)
        try:
            frames = from_text(untrusted_text)
        except ValueError as error:
            raise DocumentInvalid(f"This cannot be read as vPDQ: {error}.") from error
        if not frames:
            return Imported(Submission(()))
        item = Item(MediaKind.VIDEO, (), FrameHashes(interval_of(frames), frames))
        unnumbered = () if _NUMBERED.match(untrusted_text) else (NUMBERS_NOTE,)
        return Imported(Submission.from_items([item]), (INTERVAL_NOTE, *unnumbered))


def _with_commas(untrusted_text: str) -> str:
    """The text as it was before a spreadsheet saved it: it separates by semicolons or tabs, quotes
    cells, and has rows of empty cells."""
    if untrusted_text.lstrip()[:1] == "[":
        return untrusted_text
    delimiter, lines = delimited.numbered_lines(untrusted_text)
    if delimiter == ",":
        return untrusted_text
    rows = [delimited.cells(line, delimiter, 4) or [line] for _, line in lines]
    return "".join(",".join(map(delimited.number, row)) + "\n" for row in rows)


def interval_of(frames: Sequence[FrameHash]) -> float:
    """The seconds between samples, as their times tell: the median, and 0 where there are none."""
    times = sorted(each.timestamp for each in frames)
    steps = [later - earlier for earlier, later in pairwise(times)]
    return round(median(steps), 3) if steps else 0.0
