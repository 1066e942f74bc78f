"""The submission: all that may leave the machine, as one JSON document.

    {"format": "hashkit-submission", "version": 1, "items": [{"kind": "image", "hashes": {…}}, …]}

There is no field for a path, a name, a size, a date or anything else that says whose pictures they
are, and reading refuses a document that has one. The items stand in the order of their hashes, so
that their order says nothing either.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from hashkit.errors import DocumentInvalid, FileMissing, FileUnreadable, IsAFolder
from hashkit.hashes.registry import ALGORITHMS
from hashkit.records import ORIGINAL, FailedFile, Hash, HashedFile, MediaKind
from hashkit.submission.writing import write_whole

FORMAT = "hashkit-submission"
VERSION = 1
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """The hashes of one picture or video."""

    kind: MediaKind
    hashes: tuple[Hash, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """What may leave the machine. Make one with ``of``, which puts the items in order."""

    items: tuple[Item, ...]

    @classmethod
    def of(cls, outcomes: Iterable[HashedFile | FailedFile]) -> Submission:
        """The submission of what was hashed: everything that has a hash, each once, in order."""
        return cls.from_items(
            Item(outcome.kind, outcome.hashes)
            for outcome in outcomes
            if outcome.kind is not None and outcome.hashes
        )

    @classmethod
    def from_items(cls, items: Iterable[Item]) -> Submission:
        """A submission of these items, each once, in the order of their SHA-256."""
        by_text = {_sort_key(item): item for item in items}
        return cls(tuple(by_text[key] for key in sorted(by_text)))

    def to_json(self) -> str:
        """The document as text, ready to be read by eye."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "items": [
                {"kind": item.kind.value, "hashes": hashes_to_json(item.hashes)}
                for item in self.items
            ],
        }
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, untrusted_text: str | bytes) -> Submission:
        """Read a document. DocumentInvalid, naming the place, for anything that does not belong."""
        try:
            document = json.loads(
                untrusted_text, object_pairs_hook=_each_name_once, parse_constant=_no_constant
            )
        except (ValueError, RecursionError) as error:
            raise DocumentInvalid from error
        return cls.from_items(_items(document))


def hashes_to_json(hashes: Iterable[Hash]) -> dict[str, Any]:
    """Hashes of one original by name: the value, or value and quality where there is one."""
    return {
        found.algorithm: found.value
        if found.quality is None
        else {"value": found.value, "quality": found.quality}
        for found in hashes
        if found.variant == ORIGINAL
    }


def write_submission(
    submission: Submission, path: str | os.PathLike[str], *, replace: bool = False
) -> None:
    """Write a submission, whole or not at all. Errors as ``writing.write_whole``."""
    write_whole(Path(path), submission.to_json().encode(), replace=replace)


def read_submission(path: str | os.PathLike[str]) -> Submission:
    """Read a submission from a file. DocumentInvalid, or an error of the FileError branch."""
    try:
        with Path(path).open("rb") as stream:
            untrusted = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise FileMissing from error
    except IsADirectoryError as error:
        raise IsAFolder from error
    except OSError as error:
        raise FileUnreadable from error
    if len(untrusted) > MAX_BYTES:
        raise DocumentInvalid("This is too big for a hashkit submission.")
    return Submission.from_json(untrusted)


def submission_schema() -> str:
    """The JSON Schema (2020-12) of the document, as text."""
    return resources.files(__package__).joinpath("submission.schema.json").read_text("utf-8")


def _sort_key(item: Item) -> tuple[str, str]:
    hashes = hashes_to_json(item.hashes)
    return hashes.get("sha256", ""), json.dumps([item.kind.value, hashes], sort_keys=True)


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # the second would hide the first from whoever looks
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _items(document: Any) -> list[Item]:
    fields = _fields(document, "the document", {"format", "version", "items"})
    if fields["format"] != FORMAT:
        raise DocumentInvalid
    if fields["version"] != VERSION or isinstance(fields["version"], bool):
        raise DocumentInvalid("This submission was made by another version of hashkit.")
    if not isinstance(fields["items"], list):
        raise DocumentInvalid("The items of this submission are not a list.")
    return [_item(each, f"item {number}") for number, each in enumerate(fields["items"], 1)]


def _item(untrusted: Any, where: str) -> Item:
    fields = _fields(untrusted, where, {"kind", "hashes"})
    if fields["kind"] not in [kind.value for kind in MediaKind]:
        raise DocumentInvalid(f"In {where}, the kind is neither image nor video.")
    if not isinstance(fields["hashes"], dict) or not fields["hashes"]:
        raise DocumentInvalid(f"In {where}, there are no hashes.")
    hashes = tuple(_hash(name, value, where) for name, value in fields["hashes"].items())
    return Item(MediaKind(fields["kind"]), hashes)


def _hash(name: str, untrusted: Any, where: str) -> Hash:
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        raise DocumentInvalid(f"In {where}, there is a hash of an unknown kind.")
    quality = None
    if algorithm.has_quality:
        fields = _fields(untrusted, f"{where}, {name}", {"value", "quality"})
        untrusted, quality = fields["value"], fields["quality"]
        if type(quality) is not int or not 0 <= quality <= 100:
            raise DocumentInvalid(f"In {where}, {name}, the quality is not 0 to 100.")
    if not isinstance(untrusted, str) or not algorithm.pattern.fullmatch(untrusted):
        raise DocumentInvalid(f"In {where}, the value of {name} is not a {name} hash.")
    return Hash(name, untrusted, quality)


def _fields(untrusted: Any, where: str, names: set[str]) -> dict[str, Any]:
    """The fields of an object that has exactly these names."""
    if not isinstance(untrusted, dict):
        raise DocumentInvalid
    if missing := names - untrusted.keys():
        raise DocumentInvalid(f"In {where}, this is missing: {', '.join(sorted(missing))}.")
    if untrusted.keys() - names:
        raise DocumentInvalid(
            f"In {where}, there is something that does not belong in a submission. "
            "Do not send this file."
        )
    return untrusted
