"""The submission itself, among the formats that can be read."""

from __future__ import annotations

from hashkit.submission.document import Submission
from hashkit.submission.formats.base import Imported, Reader


class SubmissionReader(Reader):
    """A hashkit submission: what is in it comes out as it is."""

    name = "submission"

    def recognises(self, untrusted_text: str) -> bool:
        """None of the others is a JSON object."""
        return untrusted_text.lstrip()[:1] == "{"

    def read(self, untrusted_text: str) -> Imported:
        """Read a submission."""
        return Imported(Submission.from_json(untrusted_text))
