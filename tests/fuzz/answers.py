"""The fuzz target for the answers of services: any bytes, over a real connection on loopback."""

from __future__ import annotations

import functools
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from hashkit import HashkitError, Submission
from hashkit.models import Hash, MediaKind
from hashkit.submission.document import Item
from hashkit.submission.sending.backends import BACKENDS
from hashkit.submission.sending.batch import Decision, Judgement, Request
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.plan import Plan, plan_for
from hashkit.submission.sending.profile import Profile

_ITEM = Item(MediaKind.IMAGE, (Hash("pdq", "1" * 64, 90),))
_SETTINGS = {
    "bank": "BANK",
    "feedback": "None",
    "description": "As agreed",
    "share_level": "RED",
    "status": "UNKNOWN",
    "privacy_type": "HAS_PRIVACY_GROUP",
    "privacy_members": "",
    "tags": "",
    "variants": "no",
}
_PATIENCE = 2.0


def answers(untrusted: bytes) -> None:
    """Any bytes as the answer of a service of any kind, to any request: a judgement, or a
    HashkitError. The first byte says which."""
    if not untrusted:
        return
    ways = _ways()
    which, request = ways.requests[untrusted[0] % len(ways.requests)]
    ways.service.answer = untrusted[1:]
    try:
        response = ways.clients[which].send(request, {})
    except HashkitError:
        return
    assert 100 <= response.status < 1000, response
    assert response.retry_after is None or response.retry_after >= 0, response
    backend = ways.plans[which].backend
    assert backend.confirms(response) in (True, False)
    for judgement in (backend.judge(response), backend.judge_withdrawal(response)):
        _check(judgement)


def _check(judgement: Judgement) -> None:
    assert judgement.decision in Decision, judgement
    if judgement.id is not None:  # it becomes part of addresses
        assert judgement.id.isascii(), judgement
        assert judgement.id.replace("_", "a").isalnum(), judgement
    if judgement.reason is not None:
        assert judgement.reason.isprintable(), judgement
        assert len(judgement.reason) < 400, judgement


class _Service:
    """Reads the head of a request, writes the answer, and ends the connection."""

    answer = b""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection, suppress(OSError):
                connection.settimeout(10)
                seen = b""
                while b"\r\n\r\n" not in seen:
                    piece = connection.recv(65_536)
                    if not piece:
                        break
                    seen += piece
                connection.sendall(self.answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass


class _Ways(NamedTuple):
    """The service, and for each kind of service a plan, a client, and the requests that there
    are."""

    service: _Service
    plans: dict[str, Plan]
    clients: dict[str, Client]
    requests: list[tuple[str, Request]]


@functools.cache
def _ways() -> _Ways:
    service = _Service()
    ways = _Ways(service, {}, {}, [])
    for kind in BACKENDS:
        profile = Profile("fuzz", kind, f"http://127.0.0.1:{service.port}", _SETTINGS, {})
        plan = plan_for(Submission((_ITEM,)), profile)
        ways.plans[kind] = plan
        ways.clients[kind] = Client(profile, _PATIENCE)
        (batch,) = plan.batches
        requests = (
            batch.request,
            plan.backend.lookup(batch),
            plan.backend.withdrawal(batch.key, "17"),
        )
        ways.requests.extend((kind, request) for request in requests if request is not None)
    return ways


def seeds() -> Iterator[bytes]:
    """Answers of each kind of service, and some that are odd."""
    bodies = (
        b"",
        b'{"id": 17, "signals": {"pdq": "11"}}',
        b'{"BANK": [{"bank_content_id": 17, "distance": "0"}]}',
        b'{"deleted": 1}',
        b'{"success": true, "id": "17"}',
        b'{"error": {"message": "Too many calls.", "code": 4}}',
        b'{"detail": "No room for\\nthis \\u001b[31mone"}',
    )
    whole = []
    for status in (200, 204, 302, 404, 410, 422, 429, 503):
        for body in bodies:
            length = b"" if status == 204 else b"Content-Length: %d\r\n" % len(body)
            whole.append(
                b"HTTP/1.1 %d OK\r\nRetry-After: 7\r\nLocation: /x\r\n%b\r\n%b"
                % (status, length, b"" if status == 204 else body)
            )
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nA: b\r\n\r\n"
    )
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"
    date = b"HTTP/1.1 503 no\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\n"
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b"
    whole += [chunked, chunked + whole[0], hints + whole[0], 2 * whole[0], date, packed]
    whole += [b"HTTP/1.0 200 OK\r\n\r\n{}", b"HTTP/1.1 101 go\r\nUpgrade: x\r\n\r\n\0"]
    for number, answer in enumerate(whole):
        yield bytes([number % 16]) + answer
