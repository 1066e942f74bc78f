"""Answers that come when they should not, or with more than they should."""

from __future__ import annotations

import time
from typing import Any

from sending_backends import Reply, Seen, reply


def raw(answer: Reply, more: bytes = b"") -> bytes:
    """The bytes of an answer. ``more`` is added to its body, and not to its length."""
    status, headers, body = answer
    headers = {"Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + body + more


YES = raw(reply(200, {"id": 4_000_000, "deleted": 1, "success": True}))
"""To no request: nothing was stored or withdrawn."""


class OddAnswers:
    """For a handler of requests. Faults as those of ``Handler``, and, in ``service.early``, what
    the next connections begin with: the names of methods, or None."""

    server: Any
    wfile: Any
    close_connection: bool

    def handle(self) -> None:
        early = self.server.service.early
        fault = early.pop(0) if early else None
        if fault is not None:
            getattr(self, fault)(self.server.service)
        super().handle()

    # Before the request was read

    def yes_then_busy(self, service: Any) -> None:
        """A yes, and then the answer to the request: it was not done."""
        self._write(YES)
        service.wrote.set()
        service.faults.insert(0, 503)

    def yes_then_done(self, service: Any) -> None:
        """A yes, and then some answer to the request: without one, the yes could not be known from
        an answer that came in time."""
        self._write(YES)
        service.wrote.set()
        if service.faults and service.faults[0] in ("cut", "garbage"):
            service.faults[0] = None

    def garbage_first(self, service: Any) -> None:
        self._write(b"\x00\xffHTTP/\r\n")
        service.wrote.set()

    # Instead of an answer

    def doubled(self, service: Any, seen: Seen) -> None:
        """The answer, twice. The connection stays open, whatever was asked for."""
        self._write(2 * raw(service.backend.answer(seen)))
        self.close_connection = False

    def doubled_apart(self, service: Any, seen: Seen) -> None:
        answer = raw(service.backend.answer(seen))
        self._write(answer)
        time.sleep(0.05)
        self._write(answer)

    def busy_after_yes(self, service: Any, seen: Seen) -> None:
        """Two answers in one piece, and nothing was done."""
        self._write(YES + raw(reply(503)))

    def busy_after_yes_apart(self, service: Any, seen: Seen) -> None:
        """The second in pieces of its own."""
        self._write(YES + b"H")
        for piece in (b"TT", b"P/1.1 503 no\r\n", b"Content-Length: 0\r\n\r\n"):
            time.sleep(0.02)
            self._write(piece)

    def garbage_between(self, service: Any, seen: Seen) -> None:
        self._write(YES + b"\0\xffHTT\r\n" + raw(reply(503)))

    def garbage_after(self, service: Any, seen: Seen) -> None:
        self._write(raw(service.backend.answer(seen), b"\r\n\0\xffHTT"))

    def garbage_before(self, service: Any, seen: Seen) -> None:
        self._write(b"\0\xff\r\n" + raw(service.backend.answer(seen)))

    def longer_than_it_says(self, service: Any, seen: Seen) -> None:
        self._write(raw(service.backend.answer(seen), b'{"id": "more"}'))

    def hints(self, service: Any, seen: Seen) -> None:
        """Those that there may be before an answer (RFC 9110, 15.2)."""
        self._write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n")
        self._write(raw(service.backend.answer(seen)))

    def old(self, service: Any, seen: Seen) -> None:
        """As HTTP/1.0: the body ends with the connection."""
        status, _, body = service.backend.answer(seen)
        self._write(f"HTTP/1.0 {status} OK\r\n\r\n".encode() + body)
        self.close_connection = True

    def chunked(self, service: Any, seen: Seen) -> None:
        self._chunked(service.backend.answer(seen), b"garbage\r\n\r\n")

    def chunked_then_busy(self, service: Any, seen: Seen) -> None:
        """Nothing was done."""
        yes = reply(200, {"id": 4_000_000, "deleted": 1, "success": True})
        self._chunked(yes, raw(reply(503)))

    def _chunked(self, answer: Reply, more: bytes) -> None:
        status, _, body = answer
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        head = f"HTTP/1.1 {status} OK\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        if status == 204:  # which has no body
            self._write(b"HTTP/1.1 204 OK\r\n\r\n" + more)
            return
        self._write(head + chunk + b"0\r\n\r\n" + more)

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()


EARLY = ("yes_then_busy", "yes_then_done", "garbage_first")
ONE_ANSWER = (  # whatever is around it, it is the answer
    *("doubled", "doubled_apart", "garbage_after", "longer_than_it_says", "hints", "old"),
    "chunked",
)
NO_ANSWER = ("busy_after_yes", "busy_after_yes_apart", "garbage_between", "chunked_then_busy")
