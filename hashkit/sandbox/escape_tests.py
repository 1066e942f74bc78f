"""Escape tests: attempts to do what a worker must not be able to do.

They run inside a worker, for ``hashkit doctor`` and for the tests. Where possible each is made
twice: through Python, which the audit hook refuses, and through the C library, which only the
operating system can refuse.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable

_REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSYS)


def attempt(folder: str, port: int = 9, unix_path: str | None = None) -> dict[str, str]:
    """Make every attempt. Returns for each name ``refused`` or ``not refused``.

    ``folder`` is a folder that the user may write to; files created there are removed. ``port`` is
    a TCP port on this machine, ``unix_path`` the path of a UNIX socket; no data is sent to either.
    """
    target = os.path.join(folder, f".hashkit-probe-{os.getpid()}")
    attempts: dict[str, Callable[[], object]] = {
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 1).close(),
        "connect by IPv6": lambda: socket.create_connection(("::1", port), 1).close(),
        "write a file": lambda: _write(target),
        "start a program": _start_a_program,
        "list a folder": lambda: os.listdir(folder),
    }
    if os.name == "posix":
        attempts["fork"] = lambda: _fork(os.fork)
        attempts["UNIX socket"] = lambda: _connect_unix(unix_path)
    if hasattr(os, "memfd_create"):
        attempts["file in memory"] = lambda: os.close(os.memfd_create("hashkit"))
    if _c_library is not None:
        attempts |= _c_library.attempts(target)
    return {name: _outcome(each) for name, each in attempts.items()}


def _outcome(step: Callable[[], object]) -> str:
    try:
        step()
    except OSError as error:
        # Other errors prove nothing: a connection refused today may be accepted tomorrow.
        return "refused" if error.errno in _REFUSALS else "not refused"
    return "not refused"


def _start_a_program() -> None:
    subprocess.run([sys.executable, "-V"], check=False, stdout=subprocess.DEVNULL)


def _connect_unix(path: str | None) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        if path is not None:
            connection.connect(path)


class _CLibrary:
    """C library functions that return -1 on failure."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self.socket, self.open, self.unlink = libc.socket, libc.open, libc.unlink
        self.mkdir, self.rmdir, self.fork = libc.mkdir, libc.rmdir, libc.fork
        self.mmap, self.munmap = libc.mmap, libc.munmap
        self.mmap.restype = ctypes.c_ssize_t
        self.mmap.argtypes = (*[ctypes.c_ssize_t] * 2, *[ctypes.c_int] * 3, ctypes.c_ssize_t)
        self.munmap.argtypes = (ctypes.c_ssize_t, ctypes.c_size_t)

    def attempts(self, target: str) -> dict[str, Callable[[], object]]:
        """The attempts through the C library, by name."""
        name = os.fsencode(target)

        def connect() -> None:
            os.close(_check(self.socket(socket.AF_INET, socket.SOCK_STREAM, 0)))

        def create() -> None:
            flags = os.O_WRONLY | os.O_CREAT
            os.close(_check(self.open(name, flags, 0o600)))
            self.unlink(name)

        def make_folder() -> None:
            _check(self.mkdir(name, 0o700))
            self.rmdir(name)

        def share_memory() -> None:
            access = mmap.PROT_READ | mmap.PROT_WRITE
            kind = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
            self.munmap(_check(self.mmap(0, mmap.PAGESIZE, access, kind, -1, 0)), mmap.PAGESIZE)

        return {
            "shared memory, without Python": share_memory,
            "connect, without Python": connect,
            "write a file, without Python": create,
            "make a folder, without Python": make_folder,
            "fork, without Python": lambda: _fork(lambda: _check(self.fork())),
        }


# Loaded at import: once the restrictions are active, loading a library is refused.
_c_library = _CLibrary() if os.name == "posix" else None


def _check(returned: int) -> int:
    if returned < 0:  # ctypes.get_errno() would be refused
        raise PermissionError(errno.EPERM, "no")
    return returned


def _fork(fork: Callable[[], int]) -> None:
    child = fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _write(target: str) -> None:
    with open(target, "wb"):
        pass
    os.remove(target)
