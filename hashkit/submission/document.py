"""The submission: all that may leave the machine, as one JSON document.

    {"format": "hashkit-submission", "version": 1, "items": [{"kind": "image", "hashes": {…}}, …]}

There is no field for a path, a name, a size, a date or anything else that says whose pictures they
are, and reading refuses a document that has one. The items stand in the order of their hashes, so
that their order says nothing either.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from hashkit.errors import DocumentInvalid
from hashkit.files import open_untrusted
from hashkit.hashes.registry import ALGORITHMS
from hashkit.records import (
    ORIGINAL,
    FailedFile,
    FrameHash,
    FrameHashes,
    Hash,
    HashedFile,
    MediaKind,
)
from hashkit.submission.writing import write_whole

FORMAT = "hashkit-submission"
VERSION = 1
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """The hashes of one picture or video."""

    kind: MediaKind
    hashes: tuple[Hash, ...]
    frames: FrameHashes | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What may leave the machine. Make one with ``of``, which puts the items in order."""

    items: tuple[Item, ...]

    @classmethod
    def of(cls, outcomes: Iterable[HashedFile | FailedFile]) -> Submission:
        """The submission of what was hashed: everything that has a hash, each once, in order."""
        return cls.from_items(
            Item(outcome.kind, outcome.hashes, _frames(outcome))
            for outcome in outcomes
            if outcome.kind is not None and (outcome.hashes or _frames(outcome))
        )

    @classmethod
    def from_items(cls, items: Iterable[Item]) -> Submission:
        """A submission of these items, each once, in the order of their SHA-256. ValueError for an
        item without any hash of the original."""
        by_text = {_sort_key(item): item for item in items}
        return cls(tuple(by_text[key] for key in sorted(by_text)))

    def to_json(self) -> str:
        """The document as text, ready to be read by eye."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "items": [
                {"kind": item.kind.value, "hashes": hashes_to_json(item.hashes, item.frames)}
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


def hashes_to_json(hashes: Iterable[Hash], frames: FrameHashes | None = None) -> dict[str, Any]:
    """Hashes of one original by name, in the registry's order: the value, or an object with the
    value and what belongs to it."""
    found = {each.algorithm: _to_json(each) for each in hashes if each.variant == ORIGINAL}
    if frames is not None:
        found["vpdq"] = {
            "interval": frames.interval,
            "frames": [
                {
                    "frame": each.frame,
                    "timestamp": round(each.timestamp, 3),
                    "value": each.value,
                    "quality": each.quality,
                }
                for each in frames.hashes
            ],
        }
    return {name: found[name] for name in ALGORITHMS if name in found}


def _to_json(found: Hash) -> str | dict[str, Any]:
    if isinstance(found.value, bytes):
        return {"encoding": "base64", "value": found.text}
    if found.quality is not None:
        return {"value": found.value, "quality": found.quality}
    return found.value


def _frames(outcome: HashedFile | FailedFile) -> FrameHashes | None:
    return outcome.frames if isinstance(outcome, HashedFile) else None


def write_submission(
    submission: Submission, path: str | os.PathLike[str], *, replace: bool = False
) -> None:
    """Write a submission, whole or not at all. Errors as ``writing.write_whole``."""
    write_whole(Path(path), submission.to_json().encode(), replace=replace)


def read_submission(path: str | os.PathLike[str]) -> Submission:
    """Read a submission from a file. DocumentInvalid, or an error of the FileError branch."""
    with open_untrusted(path) as source:
        if source.size > MAX_BYTES:
            raise DocumentInvalid("This is too big for a hashkit submission.")
        untrusted = source.read()
    return Submission.from_json(untrusted)


def submission_schema() -> str:
    """The JSON Schema (2020-12) of the document, as text."""
    return resources.files(__package__).joinpath("submission.schema.json").read_text("utf-8")


def _sort_key(item: Item) -> tuple[str, str]:
    hashes = hashes_to_json(item.hashes, item.frames)
    if not hashes:
        raise ValueError("an item of a submission needs a hash of the original")
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
    named = dict(fields["hashes"])
    frames = _vpdq(named.pop("vpdq"), f"{where}, vpdq") if "vpdq" in named else None
    hashes = tuple(_hash(name, value, where) for name, value in named.items())
    return Item(MediaKind(fields["kind"]), hashes, frames)


def _hash(name: str, untrusted: Any, where: str) -> Hash:
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        raise DocumentInvalid(f"In {where}, there is a hash of an unknown kind.")
    quality = None
    if name == "tmk_pdqf":
        return _tmk(untrusted, f"{where}, {name}")
    if algorithm.has_quality:
        fields = _fields(untrusted, f"{where}, {name}", {"value", "quality"})
        untrusted, quality = fields["value"], _quality(fields["quality"], f"{where}, {name}")
    return Hash(name, _value(name, untrusted, where), quality)


def _value(name: str, untrusted: Any, where: str) -> str:
    if not isinstance(untrusted, str) or not ALGORITHMS[name].pattern.fullmatch(untrusted):
        raise DocumentInvalid(f"In {where}, the value of {name} is not a {name} hash.")
    return untrusted


def _quality(untrusted: Any, where: str) -> int:
    if type(untrusted) is not int or not 0 <= untrusted <= 100:
        raise DocumentInvalid(f"In {where}, the quality is not 0 to 100.")
    return untrusted


def _tmk(untrusted: Any, where: str) -> Hash:
    fields = _fields(untrusted, where, {"encoding", "value"})
    value = _value("tmk_pdqf", fields["value"], where)
    if fields["encoding"] != "base64":
        raise DocumentInvalid(f"In {where}, the encoding is not base64.")
    try:
        return Hash("tmk_pdqf", b64decode(value, validate=True))
    except ValueError as error:
        raise DocumentInvalid(f"In {where}, the value is not base64.") from error


def _vpdq(untrusted: Any, where: str) -> FrameHashes:
    fields = _fields(untrusted, where, {"interval", "frames"})
    interval = fields["interval"]
    if interval not in ("all", "keyframes") and not _is_number(interval):
        raise DocumentInvalid(f"In {where}, the interval is not a number of seconds.")
    if not isinstance(fields["frames"], list):
        raise DocumentInvalid(f"In {where}, the frames are not a list.")
    return FrameHashes(interval, tuple(_frame(each, where) for each in fields["frames"]))


def _frame(untrusted: Any, where: str) -> FrameHash:
    fields = _fields(untrusted, where, {"frame", "timestamp", "value", "quality"})
    if type(fields["frame"]) is not int or fields["frame"] < 0:
        raise DocumentInvalid(f"In {where}, a frame has no number.")
    if not _is_number(fields["timestamp"]):
        raise DocumentInvalid(f"In {where}, a timestamp is not a number of seconds.")
    return FrameHash(
        fields["frame"],
        float(fields["timestamp"]),
        _value("pdq", fields["value"], where),
        _quality(fields["quality"], where),
    )


def _is_number(untrusted: Any) -> bool:
    return type(untrusted) in (int, float) and 0 <= untrusted < float("inf")


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
