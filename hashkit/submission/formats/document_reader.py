"""Reads a submission as one of the formats."""

from __future__ import annotations

from hashkit.submission.document import FORMAT, Submission
from hashkit.submission.formats.base import Imported, Reader


class SubmissionReader(Reader):
    """A hashkit submission: what is in it comes out as it is."""

    name = "submission"

    def recognises(self, untrusted_text: str) -> bool:
        """Whether its beginning says so."""
        begin = untrusted_text.lstrip()[:1000]
        return begin[:1] == "{" and f'"{FORMAT}"' in begin

    def read(self, untrusted_text: str) -> Imported:
        """Read a submission."""
        return Imported(Submission.from_json(untrusted_text))
