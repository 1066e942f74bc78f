"""Every format, by its name."""

from __future__ import annotations

from hashkit.errors import DocumentInvalid
from hashkit.submission.document import MAX_BYTES, Submission
from hashkit.submission.formats.base import Exported, Format, Imported, Reader
from hashkit.submission.formats.document_reader import SubmissionReader
from hashkit.submission.formats.hma import HMA
from hashkit.submission.formats.ncmec import NCMEC
from hashkit.submission.formats.stopncii import StopNCII
from hashkit.submission.formats.table import Table
from hashkit.submission.formats.threatexchange import ThreatExchange
from hashkit.submission.formats.threatexchange_cli import ThreatExchangeCLI
from hashkit.submission.formats.vics import VICS
from hashkit.submission.formats.vpdq import VPDQ

_TABLE, _VPDQ, _LIST = Table(), VPDQ(), ThreatExchangeCLI()

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (StopNCII(), NCMEC(), ThreatExchange(), _LIST, HMA(), VICS(), _VPDQ, _TABLE)
}
"""The formats that a submission can be written in."""

READERS: dict[str, Reader] = {
    each.name: each for each in (SubmissionReader(), _TABLE, _VPDQ, _LIST)
}
"""The formats that can be read."""


def export_submission(submission: Submission, name: str, item: int | None = None) -> Exported:
    """Write a submission in the format of this ``name``: its content, and exactly what it could not
    hold.

    Names: stopncii, ncmec, threatexchange, threatexchange-cli, hma, vics, vpdq, csv. ``item`` is
    the number of the one item that is meant, from 1, or None for all. ValueError where there is no
    such format or item. What is known of each format, and from where: docs/formats.md.
    """
    if name not in FORMATS:
        raise ValueError(f"no such format: {name!r}; known: {', '.join(FORMATS)}")
    if item is not None and not 1 <= item <= len(submission.items):
        raise ValueError(f"there is no item {item}, only {len(submission.items)}")
    return FORMATS[name].export(submission, item)


def import_submission(untrusted: str | bytes, name: str | None = None) -> Imported:
    """Read a document, ``untrusted`` (its text, or that in UTF-8), in the format of this ``name``
    (submission, csv, vpdq or threatexchange-cli), or in the one that it looks like.

    DocumentInvalid, naming the place, where it holds anything else than such hashes; ValueError
    where there is no such format.
    """
    if name is not None and name not in READERS:
        raise ValueError(f"no such format: {name!r}; known: {', '.join(READERS)}")
    if len(untrusted) > MAX_BYTES:
        raise DocumentInvalid("This is too big for a list of hashes.")
    try:
        text = untrusted if isinstance(untrusted, str) else untrusted.decode("utf-8-sig")
    except ValueError as error:
        told = "This is not a text in UTF-8, so it is no list of hashes."
        raise DocumentInvalid(told) from error
    reader = READERS[name] if name is not None else _recognised(text)
    return reader.read(text)


def _recognised(untrusted_text: str) -> Reader:
    for each in READERS.values():
        if each.recognises(untrusted_text):
            return each
    raise DocumentInvalid(
        f"hashkit does not know this kind of list. It reads {', '.join(READERS)}: if it is one of "
        "these, say which."
    )
