"""The journal, a file beside the submission: which batches a service has.

Its lines are JSON. Each is written and flushed to the disk before anything else is done:

    {"format": "hashkit-sent", "version": 1}
    {"to": "hma https://hma.example BANK", "key": "…", "state": "trying", "mark": "…", "lost": 1}
    {"to": "hma https://hma.example BANK", "key": "…", "state": "accepted", "id": "17", "mark": "…"}

The last line of a batch counts. If it says ``trying``, hashkit was stopped before the service had
answered, while sending or withdrawing: it may have the batch or not. A line that a crash cut off
does not count. The file holds no hash: a key is made from hashes, which cannot be found from it.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from hashkit.errors import (
    AlreadySending,
    FileEmpty,
    FileMissing,
    IsAFolder,
    NotAFile,
    RecordDamaged,
    RecordUnwritable,
)
from hashkit.pipeline.files import open_untrusted

_HEADER = {"format": "hashkit-sent", "version": 1}
_HEADER_LINE = json.dumps(_HEADER).encode() + b"\n"
_MAX_BYTES = 1 << 30
_LOCKED_BYTE = 1 << 40  # far behind the end: on Windows, a locked byte cannot be read


class State(StrEnum):
    """The state of a batch."""

    TRYING = "trying"  # the service may have it, or not
    UNSENT = "unsent"  # it surely does not
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Entry:
    """The state of a batch, and the service's own name for it, if it gave one. ``again``: it was
    sent again although it may have arrived before, to a service that would store it twice and
    cannot be searched for it. This stays true when one of the two is withdrawn.

    ``mark`` is what it carries at a service that can be searched for it. ``lost`` is how many
    requests with this mark may have stored it under a name that we do not know. ``newest``: the
    service gave ``id`` in answer to the last of all requests with this mark."""

    state: State
    id: str | None = None
    again: bool = False
    mark: str | None = None
    lost: int = 0
    newest: bool = False


def journal_beside(submission: str | os.PathLike[str]) -> Path:
    """The path of the journal of this submission: beside the file itself, not beside a link."""
    file = Path(os.path.realpath(submission))
    return file.with_name(f"{file.name}.sent.jsonl")


class Journal:
    """What is known of the batches that were sent to one destination."""

    def __init__(self, destination: str, entries: dict[str, Entry], descriptor: int | None) -> None:
        self._destination = destination
        self._entries = entries
        self._descriptor = descriptor

    def entry(self, key: str) -> Entry | None:
        """What is known of the batch of this key; None where it was never tried."""
        return self._entries.get(key)

    def has(self, key: str) -> bool:
        """Whether the service surely has it."""
        entry = self.entry(key)
        return entry is not None and entry.state is State.ACCEPTED

    def unsure(self, key: str) -> bool:
        """Whether the service may have it, or not."""
        entry = self.entry(key)
        return entry is not None and entry.state is State.TRYING

    def is_of_another(self, id: str, key: str) -> bool:
        """Whether this is the service's name for another batch than that of ``key``."""
        return any(
            entry.id == id and entry.state is State.ACCEPTED
            for other, entry in self._entries.items()
            if other != key
        )

    def maybe_held(self) -> tuple[str, ...]:
        """The keys of all batches that the service has, or may have, be it a second time only."""
        there = (State.ACCEPTED, State.TRYING)
        return tuple(
            key
            for key, entry in self._entries.items()
            if entry.state in there or entry.again or entry.lost
        )

    def write(self, key: str, entry: Entry) -> None:
        """Write an entry to the disk. RecordUnwritable."""
        fields: dict[str, Any] = {"to": self._destination, "key": key, "state": entry.state.value}
        if entry.id is not None:
            fields["id"] = entry.id
        for name in ("again", "newest"):
            if getattr(entry, name):
                fields[name] = True
        if entry.mark is not None:
            fields["mark"] = entry.mark
        if entry.lost:
            fields["lost"] = entry.lost
        if self._descriptor is None:
            raise ValueError("this journal was opened to be read")
        _append(self._descriptor, json.dumps(fields).encode() + b"\n")
        self._entries[key] = entry


def read_journal(path: Path, destination: str) -> Journal:
    """The journal as it is, for reading only. RecordDamaged, also for a folder, a pipe or a device;
    or an error of the FileError branch."""
    try:
        with open_untrusted(path) as source:
            untrusted = source.read() if source.size <= _MAX_BYTES else b"too big\n"
    except (FileMissing, FileEmpty):
        untrusted = b""
    except (IsAFolder, NotAFile) as error:
        raise RecordDamaged from error
    return Journal(destination, _entries(untrusted, destination), None)


@contextmanager
def open_journal(path: Path, destination: str) -> Iterator[Journal]:
    """The journal, locked, for adding entries. It is made if it is not there.

    AlreadySending where another process has it open, RecordDamaged, RecordUnwritable.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise RecordUnwritable from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RecordDamaged  # reading from a pipe may never end
        _lock(descriptor)
        with open(descriptor, "rb", closefd=False) as stream:
            untrusted = stream.read(_MAX_BYTES + 1)
        whole = untrusted[: untrusted.rfind(b"\n") + 1]
        entries = _entries(untrusted, destination)
        if not whole and not _HEADER_LINE.startswith(untrusted):
            raise RecordDamaged  # another kind of file
        if len(whole) < len(untrusted):
            os.truncate(descriptor, len(whole))  # removes a line that a crash cut off
        if not whole:
            _append(descriptor, _HEADER_LINE)
            _flush_folder(path.parent)
        yield Journal(destination, entries, descriptor)
    finally:
        os.close(descriptor)  # releases the lock, as the end of the process does


def _entries(untrusted: bytes, destination: str) -> dict[str, Entry]:
    lines = untrusted.split(b"\n")[:-1]
    entries: dict[str, Entry] = {}
    if lines and _json(lines[0]) != _HEADER:
        raise RecordDamaged
    for line in lines[1:]:
        fields = _json(line)
        try:
            if fields["to"] == destination:
                entries[_text(fields["key"])] = _entry(fields)
        except (KeyError, TypeError, ValueError) as error:
            raise RecordDamaged from error
    return entries


def _entry(untrusted: dict[str, Any]) -> Entry:
    name, mark, lost = untrusted.get("id"), untrusted.get("mark"), untrusted.get("lost", 0)
    if type(lost) is not int or lost < 0:
        raise ValueError
    return Entry(
        State(untrusted["state"]),
        None if name is None else _text(name),
        untrusted.get("again") is True,
        None if mark is None else _text(mark),
        lost,
        untrusted.get("newest") is True,
    )


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordDamaged from error


def _text(untrusted: Any) -> str:
    # Names end up in the addresses of requests.
    if isinstance(untrusted, str) and untrusted.replace("_", "a").isalnum() and untrusted.isascii():
        return untrusted
    raise ValueError


def _append(descriptor: int, line: bytes) -> None:
    try:
        while line:
            line = line[os.write(descriptor, line) :]
        os.fsync(descriptor)
    except OSError as error:
        raise RecordUnwritable from error


def _flush_folder(folder: Path) -> None:
    """Write the name of a new file to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise AlreadySending from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadySending from error
