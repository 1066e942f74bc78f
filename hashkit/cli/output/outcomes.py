"""Outcomes of files as JSON, and how many there were of each kind, in words."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hashkit.cli.output.counts import count_in_words, others_in_words
from hashkit.cli.output.terminal import shown_name
from hashkit.models import FailedFile, FrameHashes, HashedFile
from hashkit.submission.document import Submission
from hashkit.variants.json_codec import hashes_to_json, variants_to_json

Outcome = HashedFile | FailedFile


def json_line(outcome: Outcome) -> str:
    """One object on one line. A file that could only be hashed in part has an error as well."""
    fields: dict[str, Any] = {"path": path_in_json(outcome.path or "")}
    if outcome.kind is not None:
        fields["kind"] = outcome.kind.value
    if isinstance(outcome, HashedFile) or outcome.hashes:
        fields["hashes"] = hashes_to_json(outcome.hashes, frames_of(outcome))
        moving = outcome.frame_variants if isinstance(outcome, HashedFile) else ()
        if variants := variants_to_json(outcome.hashes, moving):
            fields["variants"] = variants
        fields["notices"] = [
            {"code": notice.code, "text": notice.text} for notice in outcome.notices
        ]
    if isinstance(outcome, FailedFile):
        fields["error"] = {"code": outcome.error.code, "text": str(outcome.error)}
    return json.dumps(fields)


def path_in_json(path: str | os.PathLike[str]) -> str:
    """A path as text; bytes that are not UTF-8 are shown as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def tally(outcome: Outcome) -> str:
    """The key under which an outcome is counted."""
    if isinstance(outcome, FailedFile):
        return "exact" if has_hashes(outcome) else "unopened"
    return "hashed" if has_hashes(outcome) else "without"


def summary(counts: Counter[str], others: Mapping[str, int]) -> str:
    """The counts in words, and those of the ``others`` that were skipped, by their kind."""
    parts = {
        "hashed": f"{count_in_words(counts['hashed'], 'file')} hashed",
        "exact": f"{counts['exact']} only for exact copies",
        "unopened": f"{counts['unopened']} could not be opened",
        "without": f"{counts['without']} without a hash of this kind",
        "before": f"{counts['before']} done before",
    }
    said = [words for key, words in parts.items() if counts[key] or key == "hashed"]
    if skipped := others_in_words(others):  # last, as it is a list of its own
        said.append(skipped)
    return f"{', '.join(said)}."


def what_was_written(out: Path, submission: Submission) -> str:
    """Where the submission is, and what it holds."""
    if not submission.items:
        return "Nothing was written, since there are no hashes to write."
    files = count_in_words(len(submission.items), "file")
    return (
        f"Written: {shown_name(out)}, with the hashes of {files}. It holds no names and no dates."
    )


def has_hashes(outcome: Outcome) -> bool:
    """Whether the file gave any hashes."""
    return bool(outcome.hashes or frames_of(outcome))


def frames_of(outcome: Outcome) -> FrameHashes | None:
    """The vPDQ hash of an outcome, if it has one."""
    return outcome.frames if isinstance(outcome, HashedFile) else None
