"""Connection limits, applied before any data of a connection is read.

The port is open to every user of this machine. On Linux the kernel says which user a connection
belongs to, and those of other users are aborted. Silent connections are aborted after a while, and
their number is limited, so that no one can use up all of them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

_MAX_CONNECTIONS = 100
"""At a time. Each page in a browser takes six at most."""

_FIRST_REQUEST_TIMEOUT = 10.0
"""Seconds in which the first request must arrive."""

_PROC_NET_TCP = Path("/proc/net/tcp")
_ROOT_UID = 0  # can read every process anyway


class Connection(H11Protocol):
    """A connection that is aborted if it is another user's or silent."""

    _open = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept or abort the connection."""
        Connection._open += 1
        super().connection_made(transport)
        peer, here = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if Connection._open > _MAX_CONNECTIONS or not is_same_user(peer, here):
            transport.abort()
            return
        self._timeout = self.loop.call_later(_FIRST_REQUEST_TIMEOUT, self._abort_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        Connection._open -= 1
        if (timeout := getattr(self, "_timeout", None)) is not None:
            timeout.cancel()
        super().connection_lost(exc)

    def _abort_if_silent(self) -> None:
        if cast(Any, self).cycle is None:
            self.transport.abort()


def is_same_user(peer: tuple[str, int], here: tuple[str, int]) -> bool:
    """Whether a process of the same user made this connection. True if the system does not say."""
    if sys.platform != "linux":
        return True
    wanted = [_kernel_format(peer), _kernel_format(here)]
    try:
        lines = _PROC_NET_TCP.read_text("ascii").splitlines()[1:]
    except OSError:
        return True
    for line in lines:
        fields = line.split()
        if fields[1:3] == wanted:
            return int(fields[7]) in (os.getuid(), _ROOT_UID)
    return True  # it is closed already


def _kernel_format(address: tuple[str, int]) -> str:
    """As in /proc/net/tcp: the four bytes in this machine's order, and the port."""
    number = int.from_bytes(bytes(map(int, address[0].split("."))), sys.byteorder)
    return f"{number:08X}:{address[1]:04X}"
