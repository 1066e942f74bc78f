"""One request and its answer on a connection of their own, as httpx reports each step of them.

An answer is taken for the one to the request only if nothing came before the request was sent and
no other answer follows. Otherwise it is not known which of them is the one (RFC 9112, 9.2). httpx
hands out neither what came before nor what follows, so both are looked for in its stream.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hashkit.errors import ConnectionLost, ServiceUnreachable

_END_SECONDS = 2.0
_MAX_REST = 64 << 10
_MAX_PIECE = 64 << 10

_BEGINNING = b"HTTP/"
# Also at the end of what has come so far, where the rest of it may follow.
_PERHAPS_BEGINNING = re.compile(rb"HTTP/|H(?:T(?:TP?)?)?\Z")


class Exchange:
    """Watches one request. ``watch`` is for httpx, as its ``trace``. ``patience`` is in seconds:
    the whole answer may take twice as long."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._pieces: _Pieces | None = None
        self._alarm: threading.Timer | None = None
        self._sent = False

    def watch(self, event: str, details: Mapping[str, Any]) -> None:
        """Called by httpx at each step, for the CONNECT to a proxy too.

        ServiceUnreachable where there is an answer before anything was sent. When all is sent, a
        timer starts that ends the connection: a service could otherwise send a byte now and then
        for ever."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._pieces = _Pieces(details["return_value"])
        elif self._pieces is None:
            return
        elif event.endswith("send_request_headers.started"):
            self._sent = False
            if self._pieces.has_early():
                raise ServiceUnreachable
        elif event.endswith("send_request_body.complete"):  # not where writing it failed
            self._sent = True
            self._cancel_alarm()  # set by the CONNECT to a proxy, on the same connection
            connection = self._pieces.stream.get_extra_info("socket")
            self._alarm = threading.Timer(2 * self._patience, _shut, (connection,))
            self._alarm.daemon = True
            self._alarm.start()

    def close(self) -> None:
        """End the connection. To be called in the end, whatever came of the request."""
        self._cancel_alarm()
        if self._pieces is not None:
            self._pieces.close()

    def _cancel_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def check(self, status: int, *, has_body: bool, is_whole: bool) -> None:
        """ConnectionLost where an answer of this status may not be the one to the request.

        ``has_body`` is of the request: a service may decline one without reading its body.
        ``is_whole`` says that the answer was read to its end."""
        if is_whole and self._pieces is not None:
            rest = self._pieces.rest(min(_END_SECONDS, self._patience))
            # The same answer twice says the same, whichever of them is the one.
            if _BEGINNING in rest and not self._pieces.repeats(rest):
                raise ConnectionLost
        if not self._sent and not (status >= 400 and has_body):
            raise ConnectionLost


class _Pieces:
    """Puts itself between httpx and ``stream``, whose bytes it hands on in pieces, so that the
    beginning of an answer is never in one piece with the end of another. httpx asks for a piece
    only if the answer is not whole yet: what follows it stays here."""

    def __init__(self, stream: Any) -> None:
        import httpcore  # noqa: PLC0415 (it comes with httpx)

        self._errors = httpcore
        self.stream = stream
        self._read = stream.read
        self.close = stream.close
        self._waiting = b""
        self._given = bytearray()
        stream.read = self._next_piece
        stream.close = lambda: None  # httpx closes it as soon as it has its answer

    def _next_piece(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._waiting:
            self._waiting = self._read(max_bytes, timeout)
        beginning = _PERHAPS_BEGINNING.search(self._waiting, 1)
        end = len(self._waiting) if beginning is None else beginning.start()
        piece, self._waiting = self._waiting[:end], self._waiting[end:]
        if len(self._given) <= _MAX_REST:
            self._given += piece
        return piece

    def has_early(self) -> bool:
        """Whether something came already. An error is left to the next step, which has it too."""
        with suppress(self._errors.TimeoutException, self._errors.NetworkError):
            return len(self._read(1, 0)) > 0
        return False

    def rest(self, seconds: float) -> bytes:
        """What follows the answer. The connection was asked to be closed, so its end comes at once;
        one that stays open is waited for so many seconds."""
        rest, last = self._waiting, time.monotonic() + seconds
        with suppress(self._errors.TimeoutException, self._errors.NetworkError):
            while len(rest) < _MAX_REST and (left := last - time.monotonic()) > 0:
                piece = self._read(_MAX_PIECE, left)
                if not piece:
                    break
                rest += piece
        return rest

    def repeats(self, rest: bytes) -> bool:
        """Whether ``rest`` is what was handed on, once more or several times."""
        times, left = divmod(len(rest), len(self._given))
        return left == 0 and rest == bytes(self._given) * times


def _shut(connection: socket.socket) -> None:
    # As a plain socket: shutting down a TLS socket drops its keys while another thread reads.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
