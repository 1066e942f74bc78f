"""Connection limits, applied before any data of a connection is read.

The port is open to every user of this machine. On Linux the kernel says which user a connection
belongs to, and those of other users are aborted, as are those whose user it does not say.

Whoever may connect cannot lock the page out: a connection is aborted when it is silent or slow.
When there are too many, a new one takes the place of the oldest that did not send the cookie.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from hashkit.web.guard import HEADERS
from hashkit.web.peers import Peer, SocketTables

MAX_CONNECTIONS = 100
"""At a time. Each page in a browser takes six at most."""

_REQUEST_TIMEOUT = 10.0
"""Seconds in which a request must arrive, all of its headers."""

_ROOT_UID = 0  # can read every process anyway


class Connections:
    """The open connections of one server, the oldest first."""

    def __init__(self, tables: SocketTables) -> None:
        self._tables = tables
        self._open: dict[Connection, None] = {}

    def protocol(self, **uvicorn: Any) -> Connection:
        """A new connection with the arguments that uvicorn gives its protocols."""
        return Connection(self, **uvicorn)

    def admit(self, connection: Connection) -> bool:
        """Whether a new connection may stay: an older one may have to go for it."""
        if len(self._open) >= MAX_CONNECTIONS:
            oldest = next((each for each in self._open if not each.peer.has_session), None)
            oldest = oldest or next((each for each in self._open if each.is_idle), None)
            if oldest is None:
                return False
            oldest.transport.abort()
            self.forget(oldest)
        self._open[connection] = None
        return True

    def forget(self, connection: Connection) -> None:
        """Note that it is closed."""
        self._open.pop(connection, None)

    def peer_of(self, transport: asyncio.Transport) -> Peer | None:
        """Who made a connection, None if another user did or the kernel does not know."""
        if not self._tables.tell_owners:
            return Peer(same_user=False)
        theirs, ours = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        owner = self._tables.owner_of(theirs, ours)
        if sys.platform == "win32" or owner not in (os.getuid(), _ROOT_UID):
            return None
        return Peer(same_user=owner == os.getuid())


class Connection(H11Protocol):
    """A connection that is aborted if it is another user's, silent or slow."""

    def __init__(self, connections: Connections, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.peer = Peer(same_user=False)
        self._connections = connections
        self._timeout: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        cycle = cast(Any, self).cycle
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept or abort the connection."""
        super().connection_made(transport)
        peer = self._connections.peer_of(transport)
        if peer is None or not self._connections.admit(self):
            transport.abort()
            return
        self.peer = peer
        self.app_state = {**self.app_state, "peer": peer}  # for the guard
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.forget(self)
        if self._timeout is not None:
            self._timeout.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        if not self.transport.is_closing():
            self._await_request()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, with the headers of every response."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # an answer was begun
            return
        fields = {**HEADERS, "Content-Type": "text/plain; charset=utf-8", "Connection": "close"}
        response = h11.Response(
            status_code=400, headers=list(fields.items()), reason=b"Bad Request"
        )
        for event in (response, h11.Data(data=msg.encode("ascii")), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _await_request(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
        self._timeout = self.loop.call_later(_REQUEST_TIMEOUT, self._abort_if_slow)

    def _abort_if_slow(self) -> None:
        if self.is_idle or not self.peer.has_session:
            self.transport.abort()
