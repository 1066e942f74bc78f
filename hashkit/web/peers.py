"""Which user is at the other end of a connection.

On Linux the kernel lists every TCP socket with the user whose process made it. The tables are
opened before the first connection and stay open: whoever uses up this process's files cannot make
them unreadable.

A socket of IPv6 can connect to 127.0.0.1 as well (``::ffff:127.0.0.1``) and is listed in the other
table. A socket that its process has closed is listed without an inode, and by many kernels as
root's: it belongs to no user.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import FileIO
from types import TracebackType

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")

Address = tuple[str, int]
"""An IPv4 address in dotted form, and a port."""

_MAX_READS = 2
"""A table is no snapshot: while other sockets come and go, a line can be missed."""

_LOCAL, _REMOTE, _UID, _INODE = 1, 2, 7, 9  # fields of a line
_MAPPED = bytes(10) + b"\xff\xff"
_NO_INODE = b"0"


@dataclass(slots=True)
class Peer:
    """What is known about the other end of a connection.

    ``same_user``: the kernel says that a process of this user made it. ``has_session``: it sent the
    cookie.
    """

    same_user: bool
    has_session: bool = False


class SocketTables:
    """The kernel's tables of TCP sockets. Close it, or use it as a context."""

    def __init__(self, listening: Address, tables: tuple[str, ...] = TABLES) -> None:
        """``listening`` is a listening socket of this process. A system whose tables do not list it
        does not say whose a socket is."""
        self._opened = ExitStack()
        self._tables: list[FileIO] = []
        for name in tables:
            with suppress(OSError):  # tcp6 is missing where IPv6 is switched off
                self._tables.append(self._opened.enter_context(FileIO(name)))
        self.tell_owners = self.owner_of(listening, ("0.0.0.0", 0)) == _own_uid()  # noqa: S104

    def __enter__(self) -> SocketTables:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the tables."""
        self._opened.close()

    def owner_of(self, local: Address, remote: Address) -> int | None:
        """The user id of the process that holds the socket with these two ends, as the socket
        itself sees them; None if no such socket is listed."""
        wanted = [_kernel_formats(local), _kernel_formats(remote)]
        for _ in range(_MAX_READS):
            for table in self._tables:
                if (owner := _find(table, wanted)) is not None:
                    return owner
        return None


def _find(table: FileIO, wanted: list[tuple[bytes, bytes]]) -> int | None:
    try:
        table.seek(0)
        lines = table.readall().splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if (
            len(fields) > _INODE
            and fields[_LOCAL] in wanted[0]
            and fields[_REMOTE] in wanted[1]
            and fields[_INODE] != _NO_INODE
        ):
            return int(fields[_UID])
    return None


def _kernel_formats(address: Address) -> tuple[bytes, bytes]:
    """As in the two tables: groups of four bytes in this machine's order, and the port."""
    host = bytes(map(int, address[0].split(".")))
    return tuple(b"%s:%04X" % (_groups(each), address[1]) for each in (host, _MAPPED + host))  # type: ignore[return-value]


def _groups(host: bytes) -> bytes:
    groups = (host[at : at + 4] for at in range(0, len(host), 4))
    return b"".join(b"%08X" % int.from_bytes(each, sys.byteorder) for each in groups)


def _own_uid() -> int:
    """The user id of this process, -1 where users have none."""
    return os.getuid() if sys.platform != "win32" else -1
