"""Reads a submission and the checksums of its file for a case sheet."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hashkit.pipeline.files import open_untrusted
from hashkit.submission.document import Submission, bytes_of


@dataclass(frozen=True, slots=True)
class Document:
    """A submission, the checksums of its file, and when the file was last saved in local time (None
    if invalid). Without the file's name."""

    submission: Submission
    sha256: str
    md5: str
    saved: datetime | None


def read_document(path: Path) -> Document:
    """Read a submission and compute its checksums from the same bytes. DocumentInvalid, or an error
    of the FileError branch, as ``read_submission``."""
    with open_untrusted(path) as source:
        saved = os.fstat(source.stream.fileno()).st_mtime
        untrusted = bytes_of(source)
    return Document(
        submission=Submission.from_json(untrusted),
        sha256=hashlib.sha256(untrusted).hexdigest(),
        md5=hashlib.md5(untrusted).hexdigest(),
        saved=_time(saved),
    )


def _time(stamp: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp)
    except (ValueError, OverflowError, OSError):  # outside the supported years
        return None
