"""Real servers on loopback that answer as each service's published interface says, and that fail in
every way that a server or the network can fail."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hashkit.models import FrameHash, FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.credentials import credentials_of
from hashkit.submission.sending.delivering import Delivery
from hashkit.submission.sending.journal import journal_beside, open_journal
from hashkit.submission.sending.plan import plan_for
from hashkit.submission.sending.profiles import read_profile

sys.path.insert(0, str(Path(__file__).parent))
from sending_answers import OddAnswers
from sending_backends import BACKENDS, Reply, Seen, Webhook, reply


class Service:
    """A server on loopback. ``faults`` are what happens to the next requests that store something,
    one each: a status or a whole reply, or the name of a method of ``Handler``; ``None`` for no
    fault. When they are used up, all is well. ``early`` is what happens to the next connections
    before a byte is read of them: the name of a method of ``OddAnswers``, or ``None``."""

    def __init__(self, backend: Any, context: ssl.SSLContext | None = None) -> None:
        self.backend = backend
        self.faults: list[int | str | Reply | None] = []
        self.early: list[str | None] = []
        self.always: int | str | Reply | None = None
        self.seen: list[Seen] = []
        self.connections = 0
        self.busy: set[object] = set()  # the handlers that are at work
        self.tunnels: list[tuple[str, dict[str, str]]] = []
        self.stalled = threading.Event()
        self.release = threading.Event()
        self.wrote = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.service = self
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # clients that go away are what is tested
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self.scheme = "http" if context is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def fault(self, seen: Seen) -> int | str | Reply | None:
        if seen.method == "GET":
            return None
        return self.faults.pop(0) if self.faults else self.always

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Recorder:
    """A stream that keeps what was read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.read_so_far = b""

    def readline(self, limit: int = -1) -> bytes:
        line = self._stream.readline(limit)
        self.read_so_far += line
        return line

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self.read_so_far += piece
        return piece

    def close(self) -> None:
        self._stream.close()


class Handler(OddAnswers, BaseHTTPRequestHandler):
    """Passes requests on to the backend, unless it is to fail."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # what was written has arrived
    server_version = "test"

    def setup(self) -> None:
        super().setup()
        self.rfile = Recorder(self.rfile)
        self.server.service.connections += 1
        self.server.service.busy.add(self)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.service.busy.discard(self)

    def log_message(self, *_: object) -> None:
        pass

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        raw, self.rfile.read_so_far = self.rfile.read_so_far, b""
        seen = Seen(raw, self.command, self.path, dict(self.headers), body)
        service = self.server.service
        service.seen.append(seen)
        fault = service.fault(seen)
        if isinstance(fault, int):
            fault = reply(fault)
        if isinstance(fault, tuple):
            self._send(fault)
        elif fault is None:
            self._send(service.backend.answer(seen))
        else:
            getattr(self, fault)(service, seen)

    def do_CONNECT(self) -> None:
        """Be a proxy: a tunnel to wherever is asked for."""
        self.server.service.tunnels.append((self.path, dict(self.headers)))
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            back = threading.Thread(target=_pipe, args=(there, self.connection))
            back.start()
            _pipe(self.connection, there)
            back.join()
        self.close_connection = True

    do_POST = do_DELETE = do_GET = do_PUT = _do

    def _send(self, answer: Reply) -> None:
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self, service: Service, seen: Seen) -> None:
        """The connection ends, and nothing was stored."""
        self.close_connection = True

    def store_and_cut(self, service: Service, seen: Seen) -> None:
        """It was stored, and the connection ends before the answer."""
        service.backend.answer(seen)
        self.close_connection = True

    def store_and_half(self, service: Service, seen: Seen) -> None:
        """It was stored, and the connection ends in the middle of the answer."""
        service.backend.answer(seen)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        self.close_connection = True

    def stall(self, service: Service, seen: Seen) -> None:
        """Nothing is stored or answered."""
        service.stalled.set()
        service.release.wait(60)
        self.close_connection = True

    def store_and_stall(self, service: Service, seen: Seen) -> None:
        """It was stored, and no answer comes."""
        service.backend.answer(seen)
        self.stall(service, seen)

    def garbage(self, service: Service, seen: Seen) -> None:
        """Not HTTP."""
        self.wfile.write(b"\x00\xff" * 100 + b"\r\n\r\n")
        self.close_connection = True

    def endless(self, service: Service, seen: Seen) -> None:
        """It was stored, and the answer never ends."""
        service.backend.answer(seen)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            self.wfile.write(b" " * 65536)

    def endless_headers(self, service: Service, seen: Seen) -> None:
        """Header after header, each in time."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        self._drip(service, b"a")

    def endless_hints(self, service: Service, seen: Seen) -> None:
        """Answers that only say that there will be an answer."""
        self._drip(service, b"HTTP/1.1 103 Early Hints\r\n\r\n")

    def drip(self, service: Service, seen: Seen) -> None:
        """A chunk that does not even begin."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;")
        self._drip(service, b"a")

    def slow_body(self, service: Service, seen: Seen) -> None:
        """A body, a byte at a time."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        self._drip(service, b"a")

    def _drip(self, service: Service, piece: bytes) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            while not service.release.wait(0.05):
                self.wfile.write(piece)
                self.wfile.flush()

    def page(self, service: Service, seen: Seen) -> None:
        """The page of some network in between: a success, of something else."""
        self._send((200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"))


def _pipe(one: socket.socket, other: socket.socket) -> None:
    """Hand on what comes, to its end."""
    with contextlib.suppress(OSError):
        while piece := one.recv(65536):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)


PROFILES = {
    "webhook": 'address = "{address}/hashes"\nsecret = "env:TEST_SECRET"',
    "hma": 'address = "{address}"\nbank = "BANK"',
    "stopncii": 'address = "{address}/v1"\nfunction_key = "env:TEST_FUNCTION"\n'
    'subscription_key = "env:TEST_SUBSCRIPTION"\ntags = "a,b"',
    "threatexchange": 'address = "{address}/v21.0"\ntoken = "env:TEST_TOKEN"\n'
    'description = "As agreed, café & co"\nshare_level = "RED"\nstatus = "UNKNOWN"\n'
    'privacy_type = "HAS_PRIVACY_GROUP"\nprivacy_members = "12,34"',
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the profiles of the tests refer to."""
    monkeypatch.setenv("TEST_SECRET", Webhook.text)
    monkeypatch.setenv("TEST_FUNCTION", "the-function-secret")
    monkeypatch.setenv("TEST_SUBSCRIPTION", "the-subscription-secret")
    monkeypatch.setenv("TEST_TOKEN", "the-token-secret")


def images(count: int) -> list[Item]:
    return [
        Item(MediaKind.IMAGE, (Hash("pdq", f"{n:02x}" * 32, 90), Hash("sha256", f"{n:064x}")))
        for n in range(1, count + 1)
    ]


@pytest.fixture
def submission() -> Submission:
    """Five pictures, one of them with too little detail, and a video."""
    frames = FrameHashes(1.0, (FrameHash(0, 0.0, "a" * 64, 90),))
    plain = Item(MediaKind.IMAGE, (Hash("pdq", "b" * 64, 20),))
    video = Item(MediaKind.VIDEO, (Hash("md5", "c" * 32),), frames)
    given = Submission.from_items([*images(4), plain, video])
    return Submission.from_json(given.to_json())  # in the order of a document


@pytest.fixture(scope="session")
def authority() -> Any:
    """A certificate authority that is trusted only where a profile names it."""
    import trustme

    return trustme.CA()


@dataclass
class Sender:
    """A submission on disk, a service, and a profile for it."""

    folder: Path
    submission: Submission
    service: Service
    kind: str
    name: str = "test"
    waits: list[float] = field(default_factory=list)

    @property
    def profiles(self) -> Path:
        return self.folder / "profiles.toml"

    @property
    def given(self) -> Path:
        return self.folder / "s.json"

    @property
    def backend(self) -> Any:
        return self.service.backend

    def plan(self) -> Any:
        return plan_for(self.submission, read_profile(self.profiles, self.name))

    def go(self, what: str = "send", patience: float = 20.0, tries: int = 5) -> list[Any]:
        """Send, or withdraw. Waits are noted, not waited."""
        plan = self.plan()
        credentials = credentials_of(plan.profile.credentials)
        with (
            open_journal(journal_beside(self.given), plan.backend.destination) as journal,
            Client(plan.profile, patience) as client,
        ):
            delivery = Delivery(
                plan, journal, client, credentials, tries=tries, wait=self.waits.append
            )
            return list(getattr(delivery, what)())


@pytest.fixture
def sender(submission: Submission, tmp_path: Path) -> Iterator[Callable[..., Sender]]:
    """Start a service of a kind, and write a profile named ``test`` for it."""
    services: list[Service] = []

    def start(
        kind: str, context: ssl.SSLContext | None = None, more: str = "", host: str = "127.0.0.1"
    ) -> Sender:
        service = Service(BACKENDS[kind](), context)
        services.append(service)
        address = re.sub(r"127\.0\.0\.1", host, service.address)
        text = PROFILES[kind].format(address=address)
        profile = f'[test]\nkind = "{kind}"\n{text}\n{more}\n'
        (tmp_path / "profiles.toml").write_text(profile, "utf-8")
        (tmp_path / "s.json").write_text(submission.to_json())
        return Sender(tmp_path, submission, service, kind)

    yield start
    for service in services:
        service.close()
