"""A submission as a table (CSV): a row for each hash, and for each frame of a video.

    item,kind,algorithm,variant,quality,interval,frame,timestamp,value
    1,image,pdq,original,100,,,,05ba93c4…
    2,video,vpdq,original,98,1.0,25,1.0,9f3e…

The one format besides the submission that loses nothing. A video without any frame has one row of
vPDQ, with the interval alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from hashkit.errors import DocumentInvalid
from hashkit.hashes.registry import ALGORITHMS
from hashkit.models import ORIGINAL, FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats import delimited
from hashkit.submission.formats.base import Format, Imported, Reader
from hashkit.submission.formats.delimited import Row
from hashkit.submission.formats.signals import Signal
from hashkit.variants.json_codec import all_from_json, hashes_to_json

COLUMNS = (
    *("item", "kind", "algorithm", "variant", "quality", "interval", "frame", "timestamp", "value"),
)
_HEADING = ",".join(COLUMNS)
_NOT_A_NUMBER = "This is not a number that can stand here."
_AS_TEXT = "If a spreadsheet changed it, open the first file again with that column as text."
_WHOLE_NUMBERS, _OTHER_NUMBERS = ("item", "quality", "frame"), ("interval", "timestamp")
_WHOLE = re.compile(r"[0-9]{1,16}")
_ITEM = re.compile(r"[1-9][0-9]{0,15}")
_NUMBER = re.compile(r"[0-9]{1,16}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?")


class Table(Format, Reader):
    """All hashes, edits' too, with everything that is known of them."""

    name = "csv"

    def refusal(self, signal: Signal) -> str | None:  # noqa: ARG002 (it holds every hash)
        """None: it holds every hash."""
        return None

    def refusals(self, signals: Sequence[Signal]) -> list[str | None]:
        """Refuses a second edit of a video by the same name: their rows could not be separated."""
        moving = [each for each in signals if each.algorithm == "vpdq"]
        first = {(each.item, each.variant): each for each in reversed(moving)}
        why = "There is an edit of the same name already."
        return [
            why if each.algorithm == "vpdq" and first[each.item, each.variant] is not each else None
            for each in signals
        ]

    def write(self, held: Sequence[Signal]) -> bytes:
        """The table, with its heading."""
        lines = [_HEADING, *(_line(row) for each in held for row in _rows(each))]
        return "".join(f"{line}\n" for line in lines).encode("ascii")

    def recognises(self, untrusted_text: str) -> bool:
        """Whether it begins with a heading that has the columns which always hold something."""
        return delimited.has_columns(untrusted_text, ("item", "kind", "algorithm", "value"))

    def read(self, untrusted_text: str) -> Imported:
        """Read such a table, whole, also as a spreadsheet saved it: a row that cannot be read ends
        it."""
        items: dict[str, _ItemRows] = {}
        for number, untrusted_row in delimited.rows(untrusted_text, COLUMNS):
            where = f"line {number}"
            row = _row(untrusted_row, where)
            items.setdefault(row["item"], _ItemRows(row["kind"])).add(row, where)
        return Imported(Submission.from_items(each.item(name) for name, each in items.items()))


def _rows(signal: Signal) -> Iterator[Row]:
    common = {
        "item": str(signal.item),
        "kind": signal.kind.value,
        "algorithm": signal.algorithm,
        "variant": signal.variant,
    }
    if isinstance(signal.found, Hash):
        quality = "" if signal.found.quality is None else str(signal.found.quality)
        yield {**common, "quality": quality, "value": signal.text}
        return
    yield from ({**common, **each} for each in _frame_rows(signal.found))


def _frame_rows(frames: FrameHashes) -> Iterator[Row]:
    fields = hashes_to_json((), frames)["vpdq"]
    interval = str(fields["interval"])
    if not fields["frames"]:
        yield {"interval": interval}
    for each in fields["frames"]:
        yield {"interval": interval, **{name: str(value) for name, value in each.items()}}


def _line(row: Row) -> str:
    cells = (row.get(name, "") for name in COLUMNS)
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in cells)


def _row(untrusted_row: Row, where: str) -> Row:
    row = dict(untrusted_row)
    for name in (*_WHOLE_NUMBERS, *_OTHER_NUMBERS):
        row[name] = delimited.number(row[name], whole=name in _WHOLE_NUMBERS)
    if row["algorithm"] != "tmk_pdqf":
        row["value"] = row["value"].lower()
    if not _ITEM.fullmatch(row["item"]):
        raise _wrong(where, "item", "Write a number from 1, the same for each hash of one file.")
    return row


@dataclass(slots=True)
class _ItemRows:
    """The rows of one item, as the fields that a submission has."""

    kind: str
    hashes: dict[str, Any] = field(default_factory=dict)
    variants: list[dict[str, Any]] = field(default_factory=list)
    edits: set[tuple[str, str, str]] = field(default_factory=set)  # what was seen of still ones
    moving: dict[str, dict[str, Any]] = field(default_factory=dict)
    without_frames: set[str] = field(default_factory=set)
    rows: set[tuple[str, ...]] = field(default_factory=set)
    numbers: set[tuple[str, int]] = field(default_factory=set)  # variants and their frames

    def add(self, row: Row, where: str) -> None:
        """Take one row, but nothing of one that was there before. DocumentInvalid where it does not
        fit to the others."""
        cells = tuple(row[name] for name in COLUMNS)
        if cells in self.rows:
            return
        self.rows.add(cells)
        if row["kind"] not in set(MediaKind):
            raise _wrong(where, "kind", "Write image or video.")
        if row["kind"] != self.kind:
            raise _wrong(where, "kind", "It is another than above for the same item.")
        if row["algorithm"] not in ALGORITHMS:
            raise _wrong(where, "algorithm", f"Write one of {', '.join(ALGORITHMS)}.")
        if row["algorithm"] == "vpdq":
            self._add_frame(row, where)
            return
        _check_empty(row, ("interval", "frame", "timestamp"), where)
        edit = row["algorithm"], row["variant"], row["value"]
        if row["variant"] != ORIGINAL and edit in self.edits:
            raise DocumentInvalid(f"In {where}, there is a hash that this item has already.")
        self.edits.add(edit)
        self._add(row["algorithm"], row["variant"], _value(row, where), where)

    def _add(self, algorithm: str, variant: str, value: Any, where: str) -> None:
        if variant == ORIGINAL:
            if algorithm in self.hashes:
                raise DocumentInvalid(f"In {where}, there is a hash that this item has already.")
            self.hashes[algorithm] = value
        else:
            self.variants.append({"name": variant, algorithm: value})

    def _add_frame(self, row: Row, where: str) -> None:
        interval = row["interval"]
        if interval not in ("all", "keyframes"):
            _number(row, "interval", _NUMBER, where)
        known = self.moving.get(row["variant"])
        if known is None:
            known = {"interval": _interval(interval), "frames": []}
            self.moving[row["variant"]] = known
            self._add("vpdq", row["variant"], known, where)
            if not row["value"]:
                _check_empty(row, ("quality", "frame", "timestamp"), where)
                self.without_frames.add(row["variant"])
                return
        elif row["variant"] in self.without_frames:
            raise DocumentInvalid(f"In {where}, there is a frame of what has none.")
        elif known["interval"] != _interval(interval):
            raise _wrong(where, "interval", "It is another than above for the same video.")
        _check_value(row, "pdq", where)
        frame = int(_number(row, "frame", _WHOLE, where))
        if (row["variant"], frame) in self.numbers:
            raise _wrong(where, "frame", "This frame stands above with something else. Delete one.")
        self.numbers.add((row["variant"], frame))
        known["frames"].append(
            {
                "frame": frame,
                "timestamp": float(_number(row, "timestamp", _NUMBER, where)),
                "value": row["value"],
                "quality": int(_number(row, "quality", _WHOLE, where)),
            }
        )

    def item(self, name: str) -> Item:
        """The item of these rows, of frames in any order. DocumentInvalid where they are not those
        of a submission."""
        for each in self.moving.values():
            each["frames"].sort(key=itemgetter("frame"))
        where = f"item {name}"
        if not self.hashes:
            raise DocumentInvalid(f"In {where}, there is a variant without its original.")
        return Item(MediaKind(self.kind), *all_from_json(self.hashes, self.variants, where))


def _value(row: Row, where: str) -> Any:
    _check_value(row, row["algorithm"], where)
    if ALGORITHMS[row["algorithm"]].has_quality:
        return {"value": row["value"], "quality": int(_number(row, "quality", _WHOLE, where))}
    _check_empty(row, ("quality",), where)
    if row["algorithm"] == "tmk_pdqf":
        return {"encoding": "base64", "value": row["value"]}
    return row["value"]


def _check_value(row: Row, algorithm: str, where: str) -> None:
    if not ALGORITHMS[algorithm].pattern.fullmatch(row["value"]):
        raise _wrong(where, "value", f"This is not a {algorithm} hash. {_AS_TEXT}")


def _interval(text: str) -> Any:
    if text in ("all", "keyframes"):
        return text
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _number(row: Row, name: str, form: re.Pattern[str], where: str) -> str:
    """The cell of this column. DocumentInvalid where it has not the ``form`` of such a number."""
    if not form.fullmatch(row[name]):
        raise _wrong(where, name, _NOT_A_NUMBER)
    return row[name]


def _check_empty(row: Row, names: Sequence[str], where: str) -> None:
    for name in names:
        if row[name]:
            raise _wrong(where, name, "This does not belong here. Leave the cell empty.")


def _wrong(where: str, column: str, what: str) -> DocumentInvalid:
    """``what`` says what to change. The cell is not shown: it may hold a name."""
    return DocumentInvalid(f"In {where}, column {column}: {what}")
