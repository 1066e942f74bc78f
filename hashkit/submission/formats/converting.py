"""Writing a submission in an export format, and reading one."""

from __future__ import annotations

import codecs

from hashkit.errors import DocumentInvalid
from hashkit.submission.document import MAX_BYTES, Submission
from hashkit.submission.formats.base import Exported, Imported, Reader
from hashkit.submission.formats.registry import FORMATS, READERS
from hashkit.submission.formats.signals import signals_of


def export_submission(submission: Submission, name: str, item: int | None = None) -> Exported:
    """Write a submission in the format of this ``name``: its content, and exactly what it could not
    hold.

    The names, what is known of each format, and from where: docs/formats.md. ``item`` is the number
    of the one item to write, from 1, or None for all. ValueError where there is no such format or
    item.
    """
    if name not in FORMATS:
        raise ValueError(f"no such format: {name!r}; known: {', '.join(FORMATS)}")
    if item is not None and not 1 <= item <= len(submission.items):
        raise ValueError(f"there is no item {item}, only {len(submission.items)}")
    signals = [each for each in signals_of(submission) if item in (None, each.item)]
    return FORMATS[name]().export(signals)


def import_submission(untrusted: str | bytes, name: str | None = None) -> Imported:
    """Read a document, ``untrusted`` (its text, or that in UTF-8 or UTF-16), in the format of this
    ``name`` (one of those that docs/formats.md says are read, or submission), or in the one that it
    looks like.

    DocumentInvalid, naming the place, where it holds anything else than such hashes; ValueError
    where there is no such format.
    """
    if name is not None and name not in READERS:
        raise ValueError(f"no such format: {name!r}; known: {', '.join(READERS)}")
    if len(untrusted) > MAX_BYTES:
        raise DocumentInvalid("This is too big for a list of hashes.")
    text = untrusted if isinstance(untrusted, str) else _decoded(untrusted)
    reader = READERS[name]() if name is not None else _recognised(text)
    return reader.read(text)


def _decoded(untrusted: bytes) -> str:
    """The text in UTF-8, or in UTF-16 as spreadsheets save it, with or without a mark in front."""
    beginning = untrusted[:2]
    encoding = "utf-8-sig"
    if beginning in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    elif len(beginning) == 2 and 0 in beginning:  # the first character of every list is in ASCII
        encoding = "utf-16-le" if beginning[1] == 0 else "utf-16-be"
    try:
        return untrusted.decode(encoding)
    except ValueError as error:
        what = "This is not a text in UTF-8, so it is no list of hashes. If it is one: save it "
        raise DocumentInvalid(what + "again as UTF-8.") from error


def _recognised(untrusted_text: str) -> Reader:
    for reader in (each() for each in READERS.values()):
        if reader.recognises(untrusted_text):
            return reader
    raise DocumentInvalid(
        f"hashkit does not know this kind of list. It reads {', '.join(READERS)}: if it is one of "
        "these, say which, with --format."
    )
