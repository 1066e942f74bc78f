"""Inside a worker: build the walls, then hash one file after the other.

    standard input    one JSON object a line: first how to start, then requests
    standard output   one JSON object a line: first which walls stand, then answers

    {"hash": file, "seconds": s}     -> {"progress": 0.0 to 1.0}, now and then
                                     -> {"outcome": …, "sha256": … or null}
    {"exact": file, "seconds": s}    -> the same, without decoding anything
    {"capabilities": {}, "seconds": s}  -> {"capabilities": …}: what the decoders can open
    {"probe": {…}, "seconds": s}     -> {"probe": …}: what this process could do if it tried

A file is {"path": …}, or {"size": bytes} where it is elsewhere and will be handed over:

    {"want": [start, length]}        <- exactly these bytes

``hashkit.sandbox.process`` is the other end. Whatever is imported here is imported before the walls
stand; a file is opened only after.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from hashkit import notices
from hashkit.hashes.registry import by_module, resolve
from hashkit.media import capabilities
from hashkit.media.images import lift_pillows_limit
from hashkit.models import FailedFile, HashedFile
from hashkit.pipeline.hashing import exact_or_fail, hash_or_fail
from hashkit.pipeline.options import Options
from hashkit.sandbox import lockdown
from hashkit.sandbox.protocol import Answer, path_from_text, to_line
from hashkit.sandbox.remote_file import RemoteFile

_BETWEEN_PROGRESS = 0.1  # seconds
_GRACE = 10.0  # seconds after which this process ends itself, should nobody else end it


def main(start: dict[str, Any]) -> None:
    """Build the walls and answer requests until there are no more."""
    answers = _own_output()
    options = Options(**{**start["options"], "algorithms": tuple(start["options"]["algorithms"])})
    _prepare(options, start["with_escape_tests"])
    walls = lockdown.lock_down(start["max_memory"])
    _send(answers, to_line({"walls": [asdict(wall) for wall in walls]}))
    for line in sys.stdin.buffer:
        request = json.loads(line)
        seconds = request.pop("seconds")
        _alarm(seconds + _GRACE)
        _send(answers, _answer(request, options, _Asker(answers, seconds)))
        _alarm(0)


def _own_output() -> BinaryIO:
    """Where answers go. What a library prints must not be taken for one."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _prepare(options: Options, with_escape_tests: bool) -> None:
    """Import what is wanted, and leave decisions on ending to the supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lift_pillows_limit()
    for module in by_module(options.algorithms):
        import_module(module)
    if with_escape_tests:
        from hashkit.sandbox import escape_tests  # noqa: F401, PLC0415 (only for the doctor)


def _alarm(seconds: float) -> None:
    """End this process after so many seconds, also in the middle of native code. The supervisor
    does so too, but it may be gone."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _send(answers: BinaryIO, message: bytes) -> None:
    answers.write(message)
    answers.flush()


def _answer(request: dict[str, Any], options: Options, asker: _Asker) -> bytes:
    match request:
        case {"hash": dict(file)}:
            source = _source(file, asker)
            return _hash(options, lambda wanted: hash_or_fail(source, wanted, asker.report))
        case {"exact": dict(file)}:
            source = _source(file, asker)
            return _hash(options, lambda wanted: exact_or_fail(source, wanted))
        case {"probe": dict(targets)}:
            return to_line(
                {"probe": sys.modules["hashkit.sandbox.escape_tests"].attempt(**targets)}
            )
        case {"capabilities": _}:
            found = {
                "versions": capabilities.versions(),
                "pictures": capabilities.picture_formats(),
                "videos": capabilities.video_formats(),
            }
            return to_line({"capabilities": found})
    raise ValueError("no such request")


def _source(file: dict[str, Any], asker: _Asker) -> Path | BinaryIO:
    if "path" in file:
        return path_from_text(file["path"])
    return cast(BinaryIO, RemoteFile(file["size"], asker.piece))


def _hash(options: Options, work: Callable[[Options], HashedFile | FailedFile]) -> bytes:
    """An answer always has the SHA-256, by which the supervisor knows copies of the same file."""
    with_sha256 = replace(options, algorithms=resolve((*options.algorithms, "sha256")))
    outcome = work(with_sha256)
    sha256 = _value_of(outcome, "sha256")
    if "sha256" not in options.algorithms:
        outcome = _without_sha256(outcome)
    return Answer(outcome, sha256).to_line()


def _value_of(outcome: HashedFile | FailedFile, algorithm: str) -> str | None:
    return next((each.text for each in outcome.hashes if each.algorithm == algorithm), None)


def _without_sha256(outcome: HashedFile | FailedFile) -> HashedFile | FailedFile:
    """The outcome as if SHA-256 had not been asked for."""
    hashes = tuple(each for each in outcome.hashes if each.algorithm != "sha256")
    told = outcome.notices
    if isinstance(outcome, FailedFile):
        if not hashes:
            told = tuple(notice for notice in told if notice != notices.EXACT_ONLY)
        return replace(outcome, hashes=hashes, notices=told)
    if not hashes and outcome.frames is None and notices.NO_HASH not in told:
        told = (*told, notices.NO_HASH)
    return replace(outcome, hashes=hashes, notices=told)


class _Asker:
    """Speaks to the supervisor while a request is worked on. Each time, the time limit begins
    anew."""

    def __init__(self, answers: BinaryIO, seconds: float) -> None:
        self._answers, self._seconds = answers, seconds
        self._reported = 0.0

    def report(self, part: float) -> None:
        """Pass progress on, now and then."""
        now = time.monotonic()
        if now - self._reported >= _BETWEEN_PROGRESS:
            self._reported = now
            _alarm(self._seconds + _GRACE)
            _send(self._answers, to_line({"progress": part}))

    def piece(self, start: int, length: int) -> bytes:
        """Ask for a piece of the file, however long it takes to get it."""
        _alarm(0)
        _send(self._answers, to_line({"want": [start, length]}))
        data = sys.stdin.buffer.read(length)
        if len(data) < length:  # nobody is there any more
            raise SystemExit
        _alarm(self._seconds + _GRACE)
        return data
