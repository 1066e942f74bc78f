"""Where JSON Lines go: standard output, or a file that an interrupted run can be resumed from."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from hashkit.cli.output.outcomes import Outcome, json_line, path_in_json
from hashkit.errors import DocumentInvalid, OutputExists, OutputUnwritable

SUFFIX = ".jsonl"


class ToStandardOutput:
    """Prints each line at once."""

    def write(self, outcome: Outcome) -> None:
        """Print the line of an outcome."""
        print(json_line(outcome), flush=True)


class ToFile:
    """Appends each line at once. A run that is killed may leave the last line unfinished; it is cut
    off when the run is resumed."""

    def __init__(self, path: Path, *, resume: bool, replace: bool) -> None:
        """Open the file. OutputExists, OutputUnwritable, or DocumentInvalid where what is there is
        no list that hashkit wrote."""
        self.failed_before = 0
        self._written: set[bytes] = set()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        flags |= 0 if resume or replace else os.O_EXCL
        try:
            self._descriptor = os.open(path, flags, 0o600)
            _lock(self._descriptor)
        except FileExistsError as error:
            raise OutputExists from error
        except (OSError, ValueError) as error:
            raise OutputUnwritable from error
        with open(self._descriptor, "rb", closefd=False) as stream:
            end = self._read(stream) if resume else 0
        os.ftruncate(self._descriptor, end)

    def has(self, path: Path) -> bool:
        """Whether there is a line for this file, with an outcome that is not to be tried again."""
        return _digest(path_in_json(path)) in self._written

    def write(self, outcome: Outcome) -> None:
        """Append the line of an outcome."""
        line = json_line(outcome).encode() + b"\n"
        while line:
            line = line[os.write(self._descriptor, line) :]

    def _read(self, stream: BinaryIO) -> int:
        """Remember the files that are done. Returns the offset where the last whole line ends."""
        end = 0
        for line in stream:
            found = _read_line(line)
            if found is None:
                # A killed run leaves the beginning of a line, or zeros, without a line end.
                ours = line.startswith(_BEGINNING[: len(line)]) or (end and not line.strip(b"\0"))
                if line.endswith(b"\n") or not ours:
                    raise DocumentInvalid(_NOT_OURS)
                break
            path, error = found
            end += len(line)
            if error not in _WORTH_ANOTHER_TRY:
                self._written.add(_digest(path))
                self.failed_before += error is not None
        return end


_BEGINNING = b'{"path": "'
_NOT_OURS = "This is not a list that hashkit wrote with --json. It was left as it is."
# A matter of the moment or of the machine, not of what is in the file: another try may succeed when
# less else is running, or with more memory or time. "decoder_crashed" is a matter of the file.
_WORTH_ANOTHER_TRY = (
    *("file_missing", "file_unreadable", "file_changed", "file_empty", "is_a_folder"),
    *("not_downloaded", "too_much_memory", "took_too_long", "worker_lost"),
)


def _lock(descriptor: int) -> None:
    """Keep a second run from writing to the list. (Windows has no such lock.)"""
    try:
        import fcntl  # noqa: PLC0415 (POSIX only)
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OutputUnwritable("Another run is writing to this list.") from error


def _read_line(line: bytes) -> tuple[str, str | None] | None:
    """The path in a line, and the code of its error if it has one. None where it is no line of
    hashkit."""
    with suppress(ValueError, RecursionError):
        match json.loads(line) if line.endswith(b"\n") else None:
            case {"path": str(path), "error": {"code": str(code)}}:
                return path, code
            case {"path": str(path), "hashes": dict()}:
                return path, None
    return None


def _digest(path: str) -> bytes:
    """Takes less memory than the names of a million files."""
    return blake2b(path.encode(), digest_size=12).digest()


def open_lines(out: Path | None, *, resume: bool, replace: bool) -> ToStandardOutput | ToFile:
    """Where the lines go: to ``out`` if that is a ``.jsonl`` file, else to standard output."""
    if out is None or out.suffix.lower() != SUFFIX:
        return ToStandardOutput()
    return ToFile(out, resume=resume, replace=replace)
