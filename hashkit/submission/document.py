"""The submission: the hashes that may leave the machine, as one JSON document.

    {"format": "hashkit-submission", "version": 1, "items": [
        {"kind": "image", "hashes": {…}, "variants": [{"name": "mirrored", "pdq": {…}}, …]}, …]}

The version is 2 where a variant is another reading of the file, which readers of version 1 refuse,
and else 1.

There is no field for a path, a name, a size, a date or anything else that says whose pictures they
are. A document with any other field is refused. The items are sorted by their hashes, so that their
order says nothing either.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from hashkit.errors import DocumentInvalid
from hashkit.hashes.registry import ALGORITHMS, Algorithm
from hashkit.models import (
    ORIGINAL,
    READINGS,
    FailedFile,
    FrameHashes,
    Hash,
    HashedFile,
    MediaKind,
)
from hashkit.pipeline.files import UntrustedFile, open_untrusted
from hashkit.submission.writing import write_whole
from hashkit.variants.json_codec import (
    all_from_json,
    fields_of,
    hashes_to_json,
    variants_to_json,
)

FORMAT = "hashkit-submission"
VERSION, VERSION_WITH_READINGS = 1, 2
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """The hashes of one picture or video, and nothing that says which.

    ``kind``, ``hashes``, ``frames`` and ``frame_variants`` are as in ``HashedFile``.
    """

    kind: MediaKind
    hashes: tuple[Hash, ...]
    frames: FrameHashes | None = None
    frame_variants: tuple[FrameHashes, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """What may leave the machine. Make one with ``of``, which puts the ``items`` in order."""

    items: tuple[Item, ...]

    @classmethod
    def of(cls, outcomes: Iterable[HashedFile | FailedFile]) -> Submission:
        """The submission of what was hashed: of the ``outcomes``, everything that has a hash, each
        once, in the order of their hashes. It may be empty. TypeError for anything else, such as a
        path."""
        if isinstance(outcomes, str | bytes | os.PathLike | HashedFile | FailedFile):
            raise TypeError(_WANTED)
        return cls.from_items(
            item
            for item in map(_item_of, outcomes)
            if item is not None and (item.hashes or item.frames)
        )

    @classmethod
    def from_items(cls, items: Iterable[Item]) -> Submission:
        """A submission of these ``items``, each once, in the order of their SHA-256. ValueError for
        an item without any hash of the original, or with two of one algorithm."""
        by_text = {_sort_key(item): item for item in items}
        return cls(tuple(by_text[key] for key in sorted(by_text)))

    def to_json(self) -> str:
        """The document as text, ready to be read by eye."""
        document = {
            "format": FORMAT,
            "version": VERSION_WITH_READINGS if any(map(_has_readings, self.items)) else VERSION,
            "items": [_item_to_json(item) for item in self.items],
        }
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, untrusted_text: str | bytes) -> Submission:
        """Read a document: text, or UTF-8. DocumentInvalid, naming the place, for anything that
        does not belong."""
        try:
            if isinstance(untrusted_text, bytes):
                untrusted_text = untrusted_text.decode("utf-8-sig")
            document = json.loads(
                untrusted_text, object_pairs_hook=_each_name_once, parse_constant=_no_constant
            )
        except (ValueError, RecursionError, MemoryError) as error:
            raise DocumentInvalid from error
        return cls.from_items(_items(document))


_WANTED = "Submission.of takes a list of what hash_file and hash_files return"


def _item_of(outcome: HashedFile | FailedFile) -> Item | None:
    if not isinstance(outcome, HashedFile | FailedFile):
        raise TypeError(_WANTED)
    if outcome.kind is None:
        return None
    if isinstance(outcome, FailedFile):
        return Item(outcome.kind, outcome.hashes)
    return Item(outcome.kind, outcome.hashes, outcome.frames, outcome.frame_variants)


def _has_readings(item: Item) -> bool:
    variants = {each.variant for each in item.hashes}
    variants |= {each.variant for each in item.frame_variants}
    return not variants.isdisjoint(READINGS)


def _item_to_json(item: Item) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": item.kind.value}
    fields["hashes"] = hashes_to_json(item.hashes, item.frames)
    if variants := variants_to_json(item.hashes, item.frame_variants):
        fields["variants"] = variants
    return fields


def write_submission(
    submission: Submission, path: str | os.PathLike[str], *, replace: bool = False
) -> None:
    """Write a submission to ``path``, whole or not at all, readable by its owner only.

    OutputExists where there is a file and ``replace`` is false, OutputUnwritable where the system
    refuses; either way the old file is as it was.
    """
    write_whole(Path(path), submission.to_json().encode(), replace=replace)


def read_submission(path: str | os.PathLike[str]) -> Submission:
    """Read a submission from the file at ``path``. DocumentInvalid where it is none, or an error of
    the FileError branch where it cannot be read."""
    with open_untrusted(path) as source:
        untrusted = bytes_of(source)
    return Submission.from_json(untrusted)


def bytes_of(source: UntrustedFile) -> bytes:
    """The bytes of what may be a submission. DocumentInvalid where there are too many."""
    if source.size > MAX_BYTES:
        raise DocumentInvalid("This is too big for a hashkit submission.")
    return source.read()


def is_submission(path: str | os.PathLike[str]) -> bool:
    """Whether this file begins as a submission, and not as a picture or video. An error of the
    FileError branch where it cannot be read."""
    with open_untrusted(path) as source:
        head = source.head.lstrip()
        return head.startswith(b"{") and f'"{FORMAT}"'.encode() in head


def submission_schema() -> str:
    """The JSON Schema (2020-12) of the document, as text."""
    text = resources.files(__package__).joinpath("submission.schema.json").read_text("utf-8")
    schema = json.loads(text)
    described = schema["$defs"]["item"]["properties"]["hashes"]["properties"]
    new = {name: _schema_of(each) for name, each in ALGORITHMS.items() if name not in described}
    described |= new
    return json.dumps(schema, indent=2) + "\n" if new else text


def _schema_of(algorithm: Algorithm) -> dict[str, Any]:
    """Of an algorithm that the file does not describe, as ``json_codec`` writes its hashes."""
    value = {"type": "string", "pattern": f"^{algorithm.pattern.pattern}$"}
    if not algorithm.has_quality:
        return value
    fields = {"value": value, "quality": {"type": "integer", "minimum": 0, "maximum": 100}}
    return {
        "type": "object",
        "required": [*fields],
        "additionalProperties": False,
        "properties": fields,
    }


def _sort_key(item: Item) -> tuple[str, str]:
    fields = _item_to_json(item)
    if not fields["hashes"]:
        raise ValueError("an item of a submission needs a hash of the original")
    originals = [each.algorithm for each in item.hashes if each.variant == ORIGINAL]
    if len(set(originals)) < len(originals):
        raise ValueError("an item of a submission has one original hash of each algorithm")
    return fields["hashes"].get("sha256", ""), json.dumps(fields, sort_keys=True)


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # a reader could see either of the two
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _items(document: Any) -> list[Item]:
    fields = fields_of(document, "the document", {"format", "version", "items"})
    if fields["format"] != FORMAT:
        raise DocumentInvalid
    versions = (VERSION, VERSION_WITH_READINGS)
    if fields["version"] not in versions or isinstance(fields["version"], bool):
        raise DocumentInvalid("This submission was made by another version of hashkit.")
    if not isinstance(fields["items"], list):
        raise DocumentInvalid("The items of this submission are not a list.")
    items = [_item(each, f"item {number}") for number, each in enumerate(fields["items"], 1)]
    if fields["version"] == VERSION and any(map(_has_readings, items)):
        raise DocumentInvalid("Version 1 of a submission has no other readings of a file.")
    seen: set[Item] = set()
    for number, each in enumerate(items, 1):
        if each in seen:
            raise DocumentInvalid(f"Item {number} stands there twice.")
        seen.add(each)
    return items


def _item(untrusted: Any, where: str) -> Item:
    names = {"kind", "hashes"}
    has_variants = isinstance(untrusted, dict) and "variants" in untrusted
    fields = fields_of(untrusted, where, names | {"variants"} if has_variants else names)
    if fields["kind"] not in [kind.value for kind in MediaKind]:
        raise DocumentInvalid(f"In {where}, the kind is neither image nor video.")
    if not fields["hashes"]:
        raise DocumentInvalid(f"In {where}, there are no hashes.")
    if has_variants and not fields["variants"]:
        raise DocumentInvalid(f"In {where}, there are no variants.")
    hashes, frames, moving = all_from_json(fields["hashes"], fields.get("variants", []), where)
    return Item(MediaKind(fields["kind"]), hashes, frames, moving)
