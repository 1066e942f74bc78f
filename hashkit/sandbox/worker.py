"""The worker process: restricts itself, then hashes one file after the other.

    standard input    one JSON object per line: first the start options, then requests
    standard output   one JSON object per line: first the restrictions, then answers

    {"hash": file, "seconds": s}     -> {"progress": 0.0 to 1.0}, from time to time
                                     -> {"frames": …, "variant": …}, as many as it takes
                                     -> {"outcome": …, "sha256": … or null}
    {"exact": file, "seconds": s}    -> the same, without decoding anything
    {"capabilities": {}, "seconds": s}   -> {"capabilities": …}: what the decoders can open
    {"escape_tests": {…}, "seconds": s}  -> {"escape_tests": …}: which attempts were refused

A file is {"path": …}, or {"size": bytes} for a remote file, which is read by ranges:

    {"read": [start, length]}        <- exactly these bytes

``hashkit.sandbox.process`` is the other side. All imports happen before the restrictions apply;
files are opened only after.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from hashkit import notices
from hashkit.hashes.registry import by_module, resolve
from hashkit.media import capabilities
from hashkit.media.decoder_messages import keep_file
from hashkit.media.images import lift_pillows_limit
from hashkit.models import FailedFile, HashedFile
from hashkit.pipeline.hashing import exact_or_fail, hash_or_fail
from hashkit.pipeline.options import Options
from hashkit.sandbox import lockdown, parent_death
from hashkit.sandbox.protocol import WorkerResult, path_from_text, to_line
from hashkit.sandbox.remote_file import RemoteFile

_PROGRESS_INTERVAL = 0.1  # seconds
_GRACE = 10.0  # seconds past the limit, after which this process ends itself


def main(start: dict[str, Any]) -> None:
    """Apply the restrictions and answer requests until the input ends."""
    parent_death.end_with_parent()
    answers = _redirect_output()
    options = Options(**{**start["options"], "algorithms": tuple(start["options"]["algorithms"])})
    _prepare(options, start["with_escape_tests"])
    restrictions = lockdown.lock_down(start["max_memory"])
    _send(answers, to_line({"restrictions": [asdict(each) for each in restrictions]}))
    for asked in sys.stdin.buffer:
        request = json.loads(asked)
        seconds = request.pop("seconds")
        _alarm(seconds + _GRACE)
        for line in _answer(request, options, _ParentChannel(answers, seconds)):
            _send(answers, line)
        _alarm(0)


def _redirect_output() -> BinaryIO:
    """The stream for answers. Standard output is redirected, so that what libraries print is not
    taken for an answer."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _prepare(options: Options, with_escape_tests: bool) -> None:
    """Import what the options need. Ctrl-C is left to the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lift_pillows_limit()
    keep_file()
    for module in by_module(options.algorithms):
        import_module(module)
    if with_escape_tests:
        from hashkit.sandbox import escape_tests  # noqa: F401, PLC0415 (only for the doctor)


def _alarm(seconds: float) -> None:
    """End this process after so many seconds, even in native code. The parent process does so too,
    unless it is gone."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _send(answers: BinaryIO, message: bytes) -> None:
    answers.write(message)
    answers.flush()


def _answer(request: dict[str, Any], options: Options, channel: _ParentChannel) -> Iterable[bytes]:
    match request:
        case {"hash": dict(file)}:
            source = _source(file, channel)
            return _hash(options, lambda wanted: hash_or_fail(source, wanted, channel.report))
        case {"exact": dict(file)}:
            source = _source(file, channel)
            return _hash(options, lambda wanted: exact_or_fail(source, wanted))
        case {"escape_tests": dict(targets)}:
            attempts = sys.modules["hashkit.sandbox.escape_tests"].attempt(**targets)
            return [to_line({"escape_tests": attempts})]
        case {"capabilities": _}:
            found = {
                "versions": capabilities.versions(),
                "pictures": capabilities.picture_formats(),
                "videos": capabilities.video_formats(),
            }
            return [to_line({"capabilities": found})]
    raise ValueError("no such request")


def _source(file: dict[str, Any], channel: _ParentChannel) -> Path | BinaryIO:
    if "path" in file:
        return path_from_text(file["path"])
    return cast(BinaryIO, RemoteFile(file["size"], channel.read_range))


def _hash(options: Options, work: Callable[[Options], HashedFile | FailedFile]) -> Iterable[bytes]:
    """A result always has the SHA-256, by which the parent process deduplicates files."""
    with_sha256 = replace(options, algorithms=resolve((*options.algorithms, "sha256")))
    outcome = work(with_sha256)
    sha256 = _value_of(outcome, "sha256")
    if "sha256" not in options.algorithms:
        outcome = _without_sha256(outcome)
    return WorkerResult(outcome, sha256).to_lines()


def _value_of(outcome: HashedFile | FailedFile, algorithm: str) -> str | None:
    return next((each.text for each in outcome.hashes if each.algorithm == algorithm), None)


def _without_sha256(outcome: HashedFile | FailedFile) -> HashedFile | FailedFile:
    """The outcome as if SHA-256 had not been requested."""
    hashes = tuple(each for each in outcome.hashes if each.algorithm != "sha256")
    kept = outcome.notices
    if isinstance(outcome, FailedFile):
        if not hashes:
            kept = tuple(notice for notice in kept if notice != notices.EXACT_ONLY)
        return replace(outcome, hashes=hashes, notices=kept)
    if not hashes and outcome.frames is None and notices.NO_HASH not in kept:
        kept = (*kept, notices.NO_HASH)
    return replace(outcome, hashes=hashes, notices=kept)


class _ParentChannel:
    """Messages to the parent process during a request. Each restarts the time limit."""

    def __init__(self, answers: BinaryIO, seconds: float) -> None:
        self._answers, self._seconds = answers, seconds
        self._reported = 0.0

    def report(self, part: float) -> None:
        """Report progress, at most ten times a second."""
        now = time.monotonic()
        if now - self._reported >= _PROGRESS_INTERVAL:
            self._reported = now
            _alarm(self._seconds + _GRACE)
            _send(self._answers, to_line({"progress": part}))

    def read_range(self, start: int, length: int) -> bytes:
        """Request a range of the file and wait for it without a time limit."""
        _alarm(0)
        _send(self._answers, to_line({"read": [start, length]}))
        data = sys.stdin.buffer.read(length)
        if len(data) < length:  # the parent process is gone
            raise SystemExit
        _alarm(self._seconds + _GRACE)
        return data
