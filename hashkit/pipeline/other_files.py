"""The files of a folder that gave no picture: which of them are listed, and how others are counted.

Whoever hashes a folder trusts that nothing in it was passed over. A file that is named like a
picture or a video, or stands for one in a cloud, is listed with the reason. All others are counted
by their kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from hashkit.errors import FileEmpty, HashkitError, NotDownloaded, NotMedia
from hashkit.media import names
from hashkit.models import FailedFile, MediaKind, Outcome
from hashkit.pipeline.files import open_untrusted


def as_listed(outcome: Outcome) -> Outcome | None:
    """The outcome of a file that was found in a folder, as it is to be listed.

    None for a file that has nothing to do with pictures: its content is none, and its name neither.
    Where the name says picture or video, or that it is only in a cloud, the error says more than
    NotMedia or FileEmpty: for that, the first 4 kB are read once more. The rest is as it was.
    """
    return failure_as_listed(outcome) if isinstance(outcome, FailedFile) else outcome


def failure_as_listed(failed: FailedFile) -> FailedFile | None:
    """As ``as_listed``, of a file that failed."""
    if failed.path is None or not isinstance(failed.error, NotMedia | FileEmpty):
        return failed
    error = _reason(failed.path, failed.error)
    return None if error is None else replace(failed, error=error)


def _reason(path: Path, error: NotMedia | FileEmpty) -> HashkitError | None:
    """Why there is nothing of this file. None if nobody would expect a picture."""
    if names.is_placeholder(path.name):
        return NotDownloaded()
    kind = names.kind_from(path.name)
    if kind is None:
        return None
    may_be_text = names.may_be_text(path.name)
    if isinstance(error, FileEmpty):
        return None if may_be_text else FileEmpty(advice=_EMPTY_ADVICE)
    head = _head_of(path)
    if may_be_text and _is_text(head):
        return None
    return _from_content(head, kind) if error.text == NotMedia.text else error


def kind_of_other(path: Path) -> str:
    """What is counted of a file that is not listed: ``text``, ``archive``, ``document``, ``sound``,
    ``empty`` or ``other``, by the ending of its name or by its first bytes."""
    ending = names.ending_of(path.name)
    for kind, endings in _ENDINGS.items():
        if ending in endings:
            return kind
    try:
        with open_untrusted(path) as untrusted:
            found = _content(untrusted.head)
    except FileEmpty:
        return "empty"
    except HashkitError:
        return "other"
    return found.kind if found is not None else "other"


class _Content(NamedTuple):
    """Content that is no picture, with what to say where a name promised one.

    ``fits`` says whether the first bytes are such. ``text`` and ``advice`` have ``{}`` where
    ``picture`` or ``video`` is to be.
    """

    kind: str
    fits: Callable[[bytes], object]
    text: str
    advice: str = NotMedia.advice


def _is_text(head: bytes) -> bool:
    """Text of any encoding has no control characters but those that lay it out."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[2:].replace(b"\0", b"")
    return bool(head) and not re.search(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]", head)


_UNPACK = "Unpack it, and hash what is in it."
_EMPTY_ADVICE = (
    "If it is in a cloud, open it there and download it first. If it was copied, copy it again."
)
_ARCHIVES = rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x1f\x8b|BZh|\xfd7zXZ\0|\x28\xb5\x2f\xfd|.{257}ustar"
_SOUND = rb"ID3|fLaC|#!AMR|MThd|\xff[\xf1\xf9\xfb\xf3]|RIFF....WAVE|FORM....AIF|....ftypM4[AB] "
# fmt: off
_CONTENTS = (
    _Content("archive", re.compile(rb"PK(\x03\x04|\x05\x06|\x07\x08)").match,
             "This is a ZIP archive.", _UNPACK),
    _Content("archive", re.compile(_ARCHIVES, re.DOTALL).match,
             "This is an archive.", _UNPACK),
    _Content("document", re.compile(rb"%PDF-").match,
             "This is a PDF document.", "Save each {} in it as a file, and hash those."),
    _Content("sound", re.compile(_SOUND, re.DOTALL).match,
             "This is sound, without a {}."),
    _Content("text", re.compile(rb"\s*<(!doctype html|html)", re.IGNORECASE).match,
             "This is a web page, not a {}.", "Open it in a browser, and save the {} itself."),
    _Content("text", _is_text,
             "This is text, not a {}.", "If it was downloaded or exported, do that again."),
    _Content("other", re.compile(rb"\0{16,}\Z").match,
             "The file begins with nothing but zeros: perhaps it was never written completely.",
             "If it was copied or downloaded, copy it again."),
)
_UNKNOWN = _Content("other", bool,
                    "This is named like a {}, but hashkit does not know what it is.")

_ENDINGS = {
    "document": {"pdf", "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "ppt", "pptx", "odp",
                 "pages", "numbers", "epub", "mobi"},
    "archive": {"zip", "7z", "rar", "gz", "tgz", "bz2", "xz", "zst", "tar", "cab"},
    "sound": {"mp3", "m4a", "aac", "wav", "flac", "ogg", "oga", "opus", "wma", "amr", "aiff"},
}
# fmt: on


def _content(head: bytes) -> _Content | None:
    return next((each for each in _CONTENTS if each.fits(head)), None)


def _from_content(head: bytes, kind: MediaKind) -> NotMedia:
    """The error for a file that is named like a picture or a video and begins so."""
    found = _content(head) or _UNKNOWN
    noun = "video" if kind is MediaKind.VIDEO else "picture"
    return NotMedia(found.text.format(noun), advice=found.advice.format(noun))


def _head_of(path: Path) -> bytes:
    """The first bytes; none where the file cannot be read from here any more, or never could."""
    try:
        with open_untrusted(path) as untrusted:
            return untrusted.head
    except HashkitError:
        return b""
