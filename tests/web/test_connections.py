"""The limits of connections, and what is answered to what is no request."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import suppress
from http.client import HTTPException
from types import SimpleNamespace

import pytest

from hashkit.web.connections import MAX_CONNECTIONS, Connections
from hashkit.web.guard import HEADERS

CONNECT = """
family, protocol, port, how = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[5]
client = socket.socket(family, socket.SOCK_STREAM, protocol)
client.settimeout(30)
client.connect((sys.argv[4], port))
try:
    client.sendall(sys.argv[6].encode())
    if how == "half":
        client.shutdown(socket.SHUT_WR)
    if how == "close":
        client.close()
        print("sent")
    else:
        print(client.recv(12).decode() or "cut")
except OSError as error:
    print("waits" if isinstance(error, TimeoutError) else "cut")
"""
IPV4 = (int(socket.AF_INET), 0, "127.0.0.1")
IPV6 = (int(socket.AF_INET6), 0, "::ffff:127.0.0.1")
MPTCP = (int(socket.AF_INET), 262, "127.0.0.1")


def request(server, path, cookie=""):
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {cookie}\r\n\r\n"


@pytest.mark.parametrize("how", ["wait", "half"])
@pytest.mark.parametrize("way", [IPV4, IPV6, MPTCP], ids=["IPv4", "IPv6", "MPTCP"])
def test_another_user_of_this_machine_is_cut(way, how, visitor, as_another_user):
    """Even with the cookie and all headers, and whatever kind of socket they use."""
    with suppress(OSError), socket.socket(way[0], socket.SOCK_STREAM, way[1]) as own:
        own.connect((way[2], visitor.server.port))  # this user, in the same way
        own.sendall(request(visitor.server, visitor.server.folder, visitor.cookie).encode())
        assert own.recv(12) == b"HTTP/1.1 200"
    family, protocol, address = way
    given = request(visitor.server, visitor.server.folder, visitor.cookie)
    found = as_another_user(CONNECT, family, protocol, visitor.server.port, address, how, given)
    assert found.strip() == "cut"


@pytest.mark.parametrize("way", [IPV4, IPV6], ids=["IPv4", "IPv6"])
def test_another_user_who_has_closed_already_is_cut(way, server, as_another_user):
    """Nobody holds the socket any more when the server asks whose it is."""
    family, protocol, address = way
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        given = request(server, server.start)
        sent = as_another_user(CONNECT, family, protocol, server.port, address, "close", given)
        time.sleep(0.5)  # until the kernel has forgotten whose it was
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert sent.strip() == "sent"
    assert server.ask("GET", server.start)[0] == 303  # the key was not used


def connections_to(server, count):
    return [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(count)]


def is_cut(connection):
    """Whether it ends before its timeout, whatever comes before the end."""
    with suppress(ConnectionError):
        try:
            while connection.recv(1 << 16):
                pass
        except TimeoutError:
            return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="a connection may wait unnoticed")
def test_silent_connections_do_not_lock_the_page_out(visitor):
    """Of the same user, whose other programs may connect too: the first request is answered."""
    server = visitor.server
    open_page = socket.create_connection(("127.0.0.1", server.port), 60)
    path = f"{server.folder}here?page={visitor.page}"
    open_page.sendall(request(server, path, visitor.cookie).encode())
    assert open_page.recv(12) == b"HTTP/1.1 200"
    for beginning in (b"", b"GET / HTTP/1.1\r\n", request(server, "/").encode()):
        silent = connections_to(server, MAX_CONNECTIONS + 10)
        for each in silent:
            with suppress(OSError):  # it had to go already
                each.sendall(beginning)
        assert visitor.ask("POST", "/active", b"")[0] == 204
        for each in silent:
            each.close()
    open_page.settimeout(1)
    assert not is_cut(open_page)
    open_page.close()


@pytest.mark.test_all
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_flood_of_connections_passes(visitor):
    """Other users can connect too; the page must keep working, and end as always."""
    silent = []
    for _ in range(3 * MAX_CONNECTIONS):
        with suppress(OSError):
            silent.append(socket.create_connection(("127.0.0.1", visitor.server.port), timeout=5))
    for each in silent:
        with suppress(OSError):  # already aborted
            each.send(b"GET / HTTP/1.1\r\n")
    deadline = time.monotonic() + 60
    while True:
        with suppress(OSError, HTTPException):
            if visitor.ask("POST", "/active", b"")[0] == 204:
                break
        assert time.monotonic() < deadline
    for each in silent:
        each.close()
    code, output = visitor.server.end()
    assert (code, output.count("Traceback")) == (130, 0)


class Other:
    """A connection, without one."""

    def __init__(self, *, session, idle):
        self.peer, self.is_idle = SimpleNamespace(has_session=session), idle
        self.transport, self.aborted = self, 0

    def abort(self):
        self.aborted += 1


@pytest.mark.parametrize(
    ("kinds", "gone"),
    [  # the first ones of all: whether they sent the cookie, and are idle; which one has to go
        ([(False, True), (False, True), (False, False)], 0),
        ([(True, True), (False, False), (False, True)], 1),
        ([(True, False), (True, True), (False, True)], 2),
        ([(True, False), (True, True), (True, True)], 1),
        ([(True, False), (True, False), (True, False)], None),
    ],
)
def test_which_connection_is_dropped_for_a_new_one(kinds, gone):
    all_kinds = kinds + [(True, False)] * (MAX_CONNECTIONS - len(kinds))
    connections = Connections(None)
    older = [Other(session=session, idle=idle) for session, idle in all_kinds]
    assert all(connections.admit(each) for each in older)
    assert not any(each.aborted for each in older)
    assert connections.admit(Other(session=False, idle=True)) == (gone is not None)
    assert [at for at, each in enumerate(older) if each.aborted] == ([] if gone is None else [gone])
    connections.forget(older[-1])
    assert connections.admit(Other(session=True, idle=False))
    assert sum(each.aborted for each in older) == (gone is not None)


@pytest.mark.test_all
def test_slow_requests_are_cut(visitor):
    """The first one of a connection, and each later one."""
    server = visitor.server
    first, later, answered = connections_to(server, 3)
    for each in (later, answered):
        each.sendall(request(server, "/static/page.css").encode())
        while not each.recv(1 << 16).endswith(b"}\n"):
            pass
    # The third one is answered, and then sends the body of its request for ever.
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 999999\r\n\r\n"
    answered.sendall(head.encode())
    assert answered.recv(1 << 16).startswith(b"HTTP/1.1 403")
    for each in (first, later):
        each.sendall(b"GET / HTTP/1.1\r\nX: ")
    slow, deadline = [first, later, answered], time.monotonic() + 60
    while slow:
        assert time.monotonic() < deadline, [first, later, answered].index(slow[0])
        time.sleep(0.5)
        for each in [*slow]:
            try:
                each.sendall(b"x")
            except ConnectionError:
                slow.remove(each)
    for each in (first, later, answered):
        each.close()
    assert visitor.ask("POST", "/active", b"")[0] == 204


HOST = b"Host: 127.0.0.1:PORT\r\n"
ODD = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),  # as TLS begins
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 403),
    "no version": (b"GET /\r\n\r\n", 400),
    "a header without an end": (b"GET / HTTP/1.1\r\nX: " + b"x" * (1 << 17), 400),
    "two lengths": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        400,
    ),
    "two hosts": (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "no host, HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", 403),
    "a body in no chunks": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\nx",
        (400, 501),
    ),
    "another method": (b"CONNECT evil.example:80 HTTP/1.1\r\n" + HOST + b"\r\n", 403),
    "WebSocket": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        403,
    ),
    "HTTP/2 by an upgrade": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        403,
    ),
    "a wait for a go-ahead": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        403,
    ),
    "a method that static files lack": (
        b"DELETE /static/page.css HTTP/1.1\r\n" + HOST + b"Origin: http://127.0.0.1:PORT\r\n\r\n",
        405,
    ),
    "a file out of the folder": (b"GET /static/../guard.py HTTP/1.1\r\n" + HOST + b"\r\n", 404),
}


@pytest.mark.parametrize("name", ODD)
def test_every_answer_has_the_headers(name, server):
    """Those too that the server gives before it asks the page."""
    sent, expected = ODD[name]
    status, headers = odd_answer(server, sent)
    assert status in (expected if isinstance(expected, tuple) else (expected,))
    for header, value in HEADERS.items():
        assert headers.get(header.lower()) == value, header
    assert not {"server", "date"} & {*headers}


def odd_answer(server, sent):
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(sent.replace(b"PORT", b"%d" % server.port))
        found = b""
        while b"\r\n\r\n" not in found:
            part = connection.recv(1 << 16)
            assert part, found
            found += part
    first, *fields = found.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return int(first.split()[1]), {
        name.lower(): value for name, value in (field.split(": ", 1) for field in fields)
    }


def test_what_follows_an_answer_gets_no_second_one(server):
    """The end of a request that is no HTTP, after it was answered."""
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n".encode())
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 403")
        connection.sendall(b"zz\r\n")
        assert is_cut(connection)
