"""Opens untrusted files, and reads each once.

Of a file over the limit of size, only the first bytes are read: they tell whether it is a picture
or video at all, which a disk image in the same folder is not.

Read-only, never copied, and only regular files: a read from a pipe or a device may block forever. A
file that changes while it is read is refused, since its hashes would mix two versions.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from hashkit.errors import (
    FileChanged,
    FileEmpty,
    FileMissing,
    FileTooBig,
    FileUnreadable,
    HashkitError,
    IsAFolder,
    LinkLoop,
    NotAFile,
)

MAX_BYTES = 64 << 30
"""Limit of a file, in bytes: what a disk of 20 MB/s reads within an hour, or nearly three hours
of 4K video of the highest common rate of phones, 400 MB a minute. A sparse file claims any size."""

_CHUNK = 1 << 20
_HEAD = 4096

# A file's timestamp is set when a write begins, and advances in steps of up to 10 ms on common
# systems. If it is recent, that write may still be running, or another may follow within the same
# step and leave the timestamp unchanged. So we wait until the file has not changed for a moment.
_QUIET = 0.1
_QUIET_TRIES = 5

_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # or opening a pipe would wait for a writer
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class UntrustedFile:
    """An open file: ``size`` in bytes, its ``head``, and its bytes, once.

    All that gives more than the head raises FileTooBig for a file over the limit.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._before = self._quiet_stamp()
        self.size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        if self.size == 0:
            raise FileEmpty
        self.head = stream.read(_HEAD)
        stream.seek(0)

    def read(self) -> bytes:
        """All bytes. FileChanged where they may be of two versions."""
        self._check_size()
        chunks = [self._stream.read(self.size + 1)]  # all at once, unless the file has grown
        while chunk := self._stream.read(_CHUNK):  # a caller's own stream may give less
            chunks.append(chunk)
        whole = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self.check_unchanged(len(whole))
        return whole

    def chunks(self) -> Iterator[bytes]:
        """The bytes in chunks, so that memory stays small. FileChanged as ``read``."""
        self._check_size()
        length = 0
        while chunk := self._stream.read(_CHUNK):
            length += len(chunk)
            yield chunk
        self.check_unchanged(length)

    @property
    def stream(self) -> BinaryIO:
        """The file itself, for a reader that seeks; call ``check_unchanged`` afterwards."""
        self._check_size()
        return self._stream

    def check_unchanged(self, length: int) -> None:
        """Raise FileChanged where ``length`` bytes read may be of two versions of the file."""
        if length != self.size or self._stamp() != self._before:
            raise FileChanged

    def _check_size(self) -> None:
        if self.size > MAX_BYTES:
            raise FileTooBig

    def _stamp(self) -> tuple[int, ...]:
        """What changes when the file does. Empty for a stream that is not a file on disk."""
        try:
            status = os.fstat(self._stream.fileno())
        except (OSError, AttributeError):
            return ()
        return (
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )

    def _quiet_stamp(self) -> tuple[int, ...]:
        """The stamp, once it is so old that any later change gives another."""
        for _ in range(_QUIET_TRIES):
            stamp = self._stamp()
            if not stamp or not 0 <= time.time() - max(stamp[-2:]) / 1e9 < _QUIET:
                return stamp
            time.sleep(_QUIET)
        raise FileChanged  # it is written to all the time


@contextmanager
def open_untrusted(source: str | bytes | os.PathLike[str] | BinaryIO) -> Iterator[UntrustedFile]:
    """Open a path, or take a seekable binary file object (which stays open, at its end).

    Raises an error of the FileError branch, also for what goes wrong while reading inside the
    ``with`` block.
    """
    with _own_errors():
        if isinstance(source, str | bytes | os.PathLike):
            with _open_path(os.fsdecode(source)) as stream:
                yield UntrustedFile(stream)
        else:
            yield UntrustedFile(source)


def _open_path(path: str) -> io.FileIO:
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except PermissionError:
        if os.path.isdir(path):  # how Windows refuses to open a folder
            raise IsAFolder from None
        raise
    except OSError as error:
        if error.errno == errno.EINVAL and not os.path.lexists(path):
            raise FileMissing from error  # no file can have this name on Windows, or on its disks
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return io.FileIO(descriptor, "rb")
    os.close(descriptor)
    raise IsAFolder if stat.S_ISDIR(mode) else NotAFile


_BY_ERRNO: dict[int, type[HashkitError]] = {
    errno.ENOENT: FileMissing,
    errno.ENOTDIR: FileMissing,
    errno.ENAMETOOLONG: FileMissing,
    errno.EISDIR: IsAFolder,
    errno.ELOOP: LinkLoop,
    errno.ENXIO: NotAFile,  # a socket, or a device without a driver
    errno.ENODEV: NotAFile,
    errno.EOPNOTSUPP: NotAFile,
}


@contextmanager
def _own_errors() -> Iterator[None]:
    """Turn the system's errors into ours, each with its cause."""
    try:
        yield
    except OSError as error:
        ours = _BY_ERRNO.get(error.errno or 0, FileUnreadable)()
        if error.filename is not None:  # shown with a traceback, and not part of the text
            ours.add_note(f"The path was {os.fsdecode(error.filename)!r}.")
        raise ours from error
    except ValueError as error:  # a NUL in the name, or a closed stream
        raise (FileMissing if "null" in str(error) else FileUnreadable)() from error
