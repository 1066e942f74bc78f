"""Who may be connected at all, before anything is read of what they say.

The port is open to everybody on this machine. On Linux the system says whose each connection is,
and those of other people are cut at once. Whoever connects and says nothing is cut after a while,
and there are only so many connections at a time: nobody can take all of them from the page.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

_MOST = 100
"""Connections at a time. Each page of a browser takes six at most."""

_SILENT = 10.0
"""Seconds in which a first request has to be there."""

_CONNECTIONS = Path("/proc/net/tcp")
_ROOT = 0  # may look into every process anyway


class Connection(H11Protocol):
    """One connection, cut where it is not this person's, or says nothing."""

    _open = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, or cut it."""
        Connection._open += 1
        super().connection_made(transport)
        peer, here = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if Connection._open > _MOST or not is_ours(peer, here):
            transport.abort()
            return
        self._patience = self.loop.call_later(_SILENT, self._cut_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        Connection._open -= 1
        if (patience := getattr(self, "_patience", None)) is not None:
            patience.cancel()
        super().connection_lost(exc)

    def _cut_if_silent(self) -> None:
        if cast(Any, self).cycle is None:
            self.transport.abort()


def is_ours(peer: tuple[str, int], here: tuple[str, int]) -> bool:
    """Does this connection come from a process of the same person? True where the system does not
    say."""
    if sys.platform != "linux":
        return True
    wanted = [_shown(peer), _shown(here)]
    try:
        lines = _CONNECTIONS.read_text("ascii").splitlines()[1:]
    except OSError:
        return True
    for line in lines:
        fields = line.split()
        if fields[1:3] == wanted:
            return int(fields[7]) in (os.getuid(), _ROOT)
    return True  # it has ended already


def _shown(address: tuple[str, int]) -> str:
    """As the kernel shows it: the four bytes in the order of this machine, and the port."""
    number = int.from_bytes(bytes(map(int, address[0].split("."))), sys.byteorder)
    return f"{number:08X}:{address[1]:04X}"
