"""Where JSON Lines go: standard output, or a file that an interrupted run can be resumed from."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from hashkit.cli.report import Outcome, json_line, path_in_json
from hashkit.errors import DocumentInvalid, OutputExists, OutputUnwritable

SUFFIX = ".jsonl"


class ToStandardOutput:
    """Each line as soon as it is there."""

    def write(self, outcome: Outcome) -> None:
        """Print the line of an outcome."""
        print(json_line(outcome), flush=True)


class ToFile:
    """Each line at once, and whole: what a killed run leaves is every line but perhaps the end of
    the last, and that is cut off when the run is resumed."""

    def __init__(self, path: Path, *, resume: bool, replace: bool) -> None:
        """Open the file. OutputExists, OutputUnwritable, or DocumentInvalid where what is there is
        no list that hashkit wrote."""
        self._written: set[bytes] = set()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        flags |= 0 if resume or replace else os.O_EXCL
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except FileExistsError as error:
            raise OutputExists from error
        except (OSError, ValueError) as error:
            raise OutputUnwritable from error
        with open(self._descriptor, "rb", closefd=False) as stream:
            end = self._read(stream) if resume else 0
        os.ftruncate(self._descriptor, end)

    def has(self, path: Path) -> bool:
        """Is there a line for this file?"""
        return _digest(path_in_json(path)) in self._written

    def write(self, outcome: Outcome) -> None:
        """Append the line of an outcome."""
        line = json_line(outcome).encode() + b"\n"
        while line:
            line = line[os.write(self._descriptor, line) :]

    def _read(self, stream: BinaryIO) -> int:
        """Note what is done. Returns where the last whole line ends."""
        end = 0
        damaged = False
        for line in stream:
            path = _path_of(line)
            if path is None:
                damaged = True
                continue
            if damaged:  # not the end that a killed run leaves
                raise DocumentInvalid(_NOT_OURS)
            self._written.add(_digest(path))
            end += len(line)
        if damaged and not end and os.fstat(stream.fileno()).st_size > _SHORT:
            raise DocumentInvalid(_NOT_OURS)
        return end


_SHORT = 1 << 16
_NOT_OURS = "This is not a list that hashkit wrote with --json. It was left as it is."


def _path_of(line: bytes) -> str | None:
    """The path in a line, None where the line is not whole."""
    with suppress(ValueError, RecursionError):
        match json.loads(line) if line.endswith(b"\n") else None:
            case {"path": str(path)}:
                return path
    return None


def _digest(path: str) -> bytes:
    """Names of a million files must not be kept in memory."""
    return blake2b(path.encode(), digest_size=12).digest()


def open_lines(out: Path | None, *, resume: bool, replace: bool) -> ToStandardOutput | ToFile:
    """Where the lines go: to ``out`` if that is a ``.jsonl`` file, else to standard output."""
    if out is None or out.suffix.lower() != SUFFIX:
        return ToStandardOutput()
    return ToFile(out, resume=resume, replace=replace)
