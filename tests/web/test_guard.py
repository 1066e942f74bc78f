"""Access control: only this machine, only this user's page."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from http.cookies import SimpleCookie

import pytest

from hashkit.web.guard import HEADERS


def attempts(visitor):
    """Every kind of request, as the page makes it."""
    return [
        ("GET", "/", None),
        ("GET", f"/here?page={visitor.page}", None),
        ("GET", f"/submission?page={visitor.page}", None),
        ("POST", "/active", b""),
        ("POST", "/guide", {}),
        ("PUT", "/files/1", {"size": 1, "variants": False}),
        ("POST", "/files/1", b""),
        ("POST", "/files/1/ranges/1", b"x"),
        ("POST", "/files/1/unreadable", b""),
        ("DELETE", "/files/1", None),
        ("POST", f"/closed?page={visitor.page}", b""),
        ("POST", f"/leave?page={visitor.page}", b""),
        ("GET", "/static/page.css", None),
        ("GET", "/nowhere", None),
    ]


def hosts(port):
    return [
        None,
        "localhost",
        f"localhost:{port}",
        "127.0.0.1",
        f"127.0.0.1:{port + 1}",
        f"evil.example:{port}",
        f"127.0.0.1:{port}.evil.example",
        f"[::1]:{port}",
        "",
    ]


def test_another_host_is_refused_everywhere(visitor):
    """As in DNS rebinding: the right cookie and port, another host name."""
    for method, path, body in attempts(visitor):
        for host in hosts(visitor.server.port):
            status, _, content = visitor.ask(method, path, body, Host=host)
            assert status in (400, 403), (method, path, host)
            assert b"hashkit" not in content.lower()


def test_another_origin_is_refused_everywhere(visitor):
    port = visitor.server.port
    for method, path, body in attempts(visitor):
        for origin in (
            "null",
            "https://evil.example",
            f"http://localhost:{port}",
            f"http://127.0.0.1:{port + 1}",  # the same site for a browser: it sends the cookie
            f"https://127.0.0.1:{port}",
            "",
        ):
            status, _, _ = visitor.ask(method, path, body, Origin=origin)
            assert status == 403, (method, path, origin)
        for site in ("cross-site", "same-site", "else"):
            status, _, _ = visitor.ask(method, path, body, Sec_Fetch_Site=site)
            assert status == 403, (method, path, site)
    assert visitor.server.process.poll() is None


def test_what_changes_something_needs_an_origin(visitor):
    for method, path, body in attempts(visitor):
        if method != "GET":
            assert visitor.ask(method, path, body, Origin=None)[0] == 403, path


def test_without_the_cookie_nothing_is_revealed(visitor):
    for method, path, body in attempts(visitor):
        if path.startswith("/static"):
            continue
        for cookie in (None, "", f"s{visitor.server.port}=", "s1=x", visitor.cookie + "x", "=;,"):
            status, _, content = visitor.ask(method, path, body, Cookie=cookie)
            assert status == 403, (method, path, cookie)
            assert visitor.page.encode() not in content


def test_the_key_is_good_for_one_use(server):
    wrong = server.start[:-1] + ("a" if server.start[-1] != "a" else "b")
    assert server.ask("GET", wrong)[0] == 403
    assert server.ask("HEAD", server.start)[0] == 403
    assert server.ask("POST", server.start, b"")[0] == 403
    for name in ("Sec_Purpose", "Purpose", "X_Purpose", "X_Moz"):
        assert server.ask("GET", server.start, **{name: "prefetch"})[0] == 403
    status, headers, _ = server.ask("GET", server.start)
    assert status == 303
    cookie = headers["Set-Cookie"]
    (kept,) = SimpleCookie(cookie).values()
    assert kept["httponly"]
    assert kept["samesite"].lower() == "strict"
    assert kept["path"] == server.folder  # other ports of this machine never see it
    assert not kept["max-age"]
    assert not kept["expires"]
    assert server.ask("GET", f"/{server.start.split('/', 2)[2]}")[0] == 403  # without the folder
    stale, _, content = server.ask("GET", server.start, Accept="text/html")
    assert stale == 403
    assert b"<html" in content
    assert server.ask("GET", server.start, Cookie=cookie.split(";")[0])[0] == 303


def test_every_response_has_the_security_headers(visitor):
    answers = [
        visitor.ask("GET", "/"),
        visitor.ask("GET", "/static/page.css"),
        visitor.ask("GET", "/nowhere"),
        visitor.ask("GET", "/", Cookie=None),
        visitor.ask("GET", "/", Host="evil.example"),
        visitor.ask("POST", "/guide", b"["),
        visitor.ask("POST", "/active", b""),
    ]
    assert [status for status, _, _ in answers] == [200, 200, 404, 403, 403, 400, 204]
    for _, headers, _ in answers:
        for name, value in HEADERS.items():
            assert headers[name] == value
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "server" not in headers
        assert "date" not in headers


def test_the_policy_lets_nothing_in_from_elsewhere():
    policy = dict(
        part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";")
    )
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) <= {"'self'", "'none'"}
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert HEADERS["Cache-Control"] == "no-store"
    assert HEADERS["Referrer-Policy"] == "no-referrer"


NOBODY_THERE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT}


def test_only_this_machine_is_listened_to(server):
    others = set()
    with suppress(socket.gaierror):  # its own name need not lead anywhere
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        others = {info[4][0] for info in found}
    for address in {"127.0.0.2", *others} - {"127.0.0.1"}:
        with pytest.raises(OSError, match=r".") as refusal:
            socket.create_connection((address, server.port), timeout=5)
        assert isinstance(refusal.value, TimeoutError) or refusal.value.errno in NOBODY_THERE


def test_two_servers_share_nothing(serve):
    one, other = serve(), serve()
    assert one.port != other.port
    assert one.start != other.start
    assert other.ask("GET", one.start)[0] == 403


def test_leaving_deletes_the_cookie(visitor):
    """Some browsers keep it on disk until they restart."""
    _, headers, _ = visitor.ask("POST", f"/leave?page={visitor.page}", b"")
    assert headers["Set-Cookie"].startswith(visitor.cookie.split("=")[0] + "=;")
    assert "Max-Age=0" in headers["Set-Cookie"]
    assert f"Path={visitor.server.folder}" in headers["Set-Cookie"]
