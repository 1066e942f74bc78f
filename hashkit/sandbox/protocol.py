"""The protocol between a worker and its parent process: one JSON object per line.

JSON rather than pickle: unpickling runs code, and a worker may be compromised by a file that it
opened. Only hashes, codes and known sentences are accepted.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hashkit import notices
from hashkit.errors import DocumentInvalid, FileError, HashkitError, MediaError
from hashkit.media.formats import (
    NOT_OPENED,
    truncated_video,
    unsupported,
    unsupported_video,
)
from hashkit.models import (
    MOVING_READINGS,
    ORIGINAL,
    READINGS,
    STILL_READINGS,
    FailedFile,
    FrameHashes,
    HashedFile,
    MediaKind,
    Notice,
)
from hashkit.pipeline.options import Options
from hashkit.sandbox.frames import to_parts
from hashkit.variants.json_codec import (
    all_from_json,
    fields_of,
    hashes_from_json,
    hashes_to_json,
    variants_to_json,
)
from hashkit.variants.sets import MAX_HASHES, has_readings, moving_names_at, names_at

MAX_LINE = 512 << 10
"""Bytes of a line, at most. The longest holds a TMK+PDQF hash, of 351 kB; parsed, a hostile line
takes up to 25 times its length."""

_MAX_NOTICES = 20
# Texts of errors that differ from their default: with numbers, or the name of a format.
_NOT_OPENED = {str(unsupported(name)) for name in NOT_OPENED}
_OF_VIDEOS = {str(each): each.advice for each in (unsupported_video(), truncated_video())}
_KNOWN_SENTENCES = re.compile(
    r"The picture has [\d,]{1,30} pixels\. The limit is [\d,]{1,30}\."
    r"|The file is damaged, and the video could not be read\.",
    re.ASCII,
)
_NOTICES = {notice.code: notice for notice in notices.ALL}
_RATE = r"\d{1,9}(\.\d{1,3})?"
_SPAN = r"from [\d:.]{5,20} to [\d:.]{5,20}( of [\d:.]{5,20})?"


def outcome_to_json(outcome: HashedFile | FailedFile) -> dict[str, Any]:
    """An outcome as JSON, without its path."""
    frames = outcome.frames if isinstance(outcome, HashedFile) else None
    moving = outcome.frame_variants if isinstance(outcome, HashedFile) else ()
    error = outcome.error if isinstance(outcome, FailedFile) else None
    return {
        "kind": outcome.kind and outcome.kind.value,
        "hashes": hashes_to_json(outcome.hashes, frames, decimals=None),
        "variants": variants_to_json(outcome.hashes, moving, decimals=None),
        "notices": [[notice.code, notice.text] for notice in outcome.notices],
        "error": error and [error.code, str(error)],
    }


def outcome_from_json(untrusted: Any, path: Path | None) -> HashedFile | FailedFile:
    """Parse what ``outcome_to_json`` makes. DocumentInvalid for anything else."""
    names = {"kind", "hashes", "variants", "notices", "error"}
    fields = fields_of(untrusted, "the answer", names)
    kind = _kind(fields["kind"])
    hashes, frames, moving = all_from_json(fields["hashes"], fields["variants"], "the answer")
    if not isinstance(fields["notices"], list) or len(fields["notices"]) > _MAX_NOTICES:
        raise DocumentInvalid
    found_notices = tuple(_notice(*_two_texts(each)) for each in fields["notices"])
    if fields["error"] is not None:
        if fields["variants"]:
            raise DocumentInvalid
        return FailedFile(path, _error(*_two_texts(fields["error"])), kind, hashes, found_notices)
    if kind is None:
        raise DocumentInvalid
    return HashedFile(path, kind, hashes, found_notices, frames, moving)


@dataclass(frozen=True, slots=True)
class WorkerResult:
    """The outcome of a file, and the SHA-256 of its bytes (None if unreadable)."""

    outcome: HashedFile | FailedFile
    sha256: str | None

    def to_line(self) -> bytes:
        """One line of JSON, without the path."""
        return to_line({"outcome": outcome_to_json(self.outcome), "sha256": self.sha256})

    def to_lines(self) -> Iterator[bytes]:
        """What a worker sends: its frames in parts, then the rest."""
        rest = self
        if isinstance(self.outcome, HashedFile) and self.outcome.frames is not None:
            for each in (self.outcome.frames, *self.outcome.frame_variants):
                yield from map(to_line, to_parts(each))
            rest = replace(self, outcome=replace(self.outcome, frames=None, frame_variants=()))
        yield rest.to_line()

    @classmethod
    def from_json(cls, untrusted: Any, path: Path | None) -> WorkerResult:
        """Parse what ``to_line`` makes, or an Answer of what ``to_lines`` makes. DocumentInvalid
        for anything else."""
        frames: tuple[FrameHashes, ...] = ()
        if isinstance(untrusted, Answer):
            frames, untrusted = untrusted.frames, untrusted.untrusted_rest
        fields = fields_of(untrusted, "the answer", {"outcome", "sha256"})
        outcome = outcome_from_json(fields["outcome"], path)
        if frames:
            if isinstance(outcome, FailedFile) or outcome.frames is not None:
                raise DocumentInvalid
            outcome = replace(outcome, frames=frames[0], frame_variants=frames[1:])
        return cls(outcome, checked_sha256(fields["sha256"]))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose ``frames`` came before it, and are checked; the rest is not."""

    frames: tuple[FrameHashes, ...]
    untrusted_rest: dict[str, Any]


def check_asked_for(outcome: HashedFile | FailedFile, options: Options) -> None:
    """DocumentInvalid for a result with hashes or variants that were not requested, or with any of
    them twice, or with more hashes of a picture than the level has."""
    frames = (outcome.frames, *outcome.frame_variants) if isinstance(outcome, HashedFile) else ()
    named = [("vpdq", each.variant) for each in frames if each is not None]
    named += [(each.algorithm, each.variant) for each in outcome.hashes]
    found = {*named}
    most = MAX_HASHES.get(options.variants, len(named))
    counted = sum(name == "pdq" and variant not in READINGS for name, variant in named)
    if len(found) < len(named) or counted > most:
        raise DocumentInvalid
    still, moving = names_at(options.variants), moving_names_at(options.variants)
    if has_readings(options.variants):
        still, moving = (*STILL_READINGS, *still), (*MOVING_READINGS, *moving)
    variants = {*(("pdq", name) for name in still), *(("vpdq", name) for name in moving)}
    if found - variants - {(name, ORIGINAL) for name in options.algorithms}:
        raise DocumentInvalid


def checked_sha256(untrusted: Any) -> str | None:
    """A SHA-256 or None. DocumentInvalid for anything else."""
    if untrusted is None:
        return None
    (found,), _ = hashes_from_json({"sha256": untrusted}, "the answer")
    return found.text


def path_to_text(path: str | os.PathLike[str]) -> str:
    """A path of any bytes as text for JSON."""
    return os.fsencode(path).decode("latin-1")


def path_from_text(text: str) -> Path:
    """The path of a text made by ``path_to_text``."""
    return Path(os.fsdecode(text.encode("latin-1")))


def to_line(message: dict[str, Any]) -> bytes:
    """A message as one line of JSON."""
    return json.dumps(message).encode() + b"\n"


def from_line(untrusted: bytes) -> Any:
    """Parse one line of JSON. DocumentInvalid if it is not JSON."""
    try:
        return json.loads(untrusted)
    except (ValueError, RecursionError) as error:
        raise DocumentInvalid from error


def _kind(untrusted: Any) -> MediaKind | None:
    try:
        return None if untrusted is None else MediaKind(untrusted)
    except ValueError as error:
        raise DocumentInvalid from error


def _two_texts(untrusted: Any) -> tuple[str, str]:
    match untrusted:
        case [str(code), str(text)]:
            return code, text
    raise DocumentInvalid


def _notice(untrusted_code: str, untrusted_text: str) -> Notice:
    """A known notice, with its own text or with times or a rate filled in."""
    known = _NOTICES.get(untrusted_code)
    if known is None:
        raise DocumentInvalid
    pattern = re.escape(known.text).replace(re.escape("{span}"), _SPAN)
    pattern = pattern.replace(re.escape("{rate}"), _RATE)
    if not re.fullmatch(pattern, untrusted_text, re.ASCII):
        raise DocumentInvalid
    return Notice(known.code, known.label, untrusted_text)


def _error(untrusted_code: str, untrusted_text: str) -> HashkitError:
    """A known error, with its own text or one of ``_KNOWN_SENTENCES``."""
    known = _ERRORS.get(untrusted_code)
    if known is None:
        raise DocumentInvalid
    sentences = (known.text, *_NOT_OPENED, *_OF_VIDEOS)
    if untrusted_text not in sentences and not _KNOWN_SENTENCES.fullmatch(untrusted_text):
        raise DocumentInvalid
    return known(untrusted_text, advice=_OF_VIDEOS.get(untrusted_text))


def _branch(base: type[HashkitError]) -> Iterator[type[HashkitError]]:
    for each in base.__subclasses__():
        yield each
        yield from _branch(each)


_ERRORS = {each.code: each for base in (FileError, MediaError) for each in _branch(base)}
