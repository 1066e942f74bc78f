"""Access control, checked on every request: only this machine, only this user's page.

Other users of this machine can reach the port; other pages in this browser can send requests to it
and can give it another name (DNS rebinding). So the address holds a key, valid once, which is
exchanged for a cookie; and a request must name the right host and come from the page itself.

Programs' arguments can be read by other users, and a browser gets the address as one. So where the
kernel says whose each connection is, the browser gets an address with a ticket instead of the key:
it is good for connections that are surely this user's, and of no use to others who read it.

For a browser, all ports of 127.0.0.1 are one site and share cookies, so a server on another port
would receive the page's cookie. So the page has a folder with a random name, and the cookie is
limited to that folder.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hashkit.web.peers import Peer

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "X-DNS-Prefetch-Control": "off",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}
"""Sent with every response."""

_START_PATH = "start/"
_STATIC_PATH = "/static/"  # also for the error page: holds no user data
_SAFE_METHODS = ("GET", "HEAD")
_PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")


class Guard:
    """Passes requests of the page itself to ``app``. All others get ``refused``, an error page.

    ``scope["state"]["peer"]`` says who is at the other end."""

    def __init__(self, app: ASGIApp, port: int, refused: Callable[[str], str]) -> None:
        """``refused`` renders the error page for an Accept-Language header.

        ``address`` holds the key, ``ticket_address`` the ticket."""
        self._app, self._refused = app, refused
        self._host = f"127.0.0.1:{port}"
        self._origin = f"http://{self._host}"
        self._folder = f"/{secrets.token_urlsafe(16)}/"
        self._cookie = f"s{port}"
        self._started = False
        self._key, self._ticket = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        start = f"{self._origin}{self._folder}{_START_PATH}"
        self.address, self.ticket_address = start + self._key, start + self._ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no other protocol is supported
        answer = self._answer(scope)
        if scope["path"].startswith(self._folder):
            scope = {**scope, "root_path": self._folder[:-1]}
        expired = self._expired_cookie() if scope["path"] == f"{self._folder}leave" else None
        await answer(scope, receive, _with_headers(send, expired))

    def _answer(self, scope: Scope) -> ASGIApp:
        headers, path = Headers(scope=scope), scope["path"]
        if not self._is_same_origin(scope["method"], headers):
            return self._refusal(headers)
        if path.startswith(_STATIC_PATH):
            return self._app
        if not path.startswith(self._folder):
            return self._refusal(headers)
        known, path = self._has_session(scope), path.removeprefix(self._folder)
        peer: Peer = scope["state"]["peer"]
        peer.has_session |= known
        if path.startswith(_START_PATH):
            if scope["method"] != "GET" or any(name in headers for name in _PREFETCH_HEADERS):
                return self._refusal(headers)
            return self._begin() if known or self._use_key(path, peer) else self._refusal(headers)
        return self._app if known else self._refusal(headers)

    def _is_same_origin(self, method: str, headers: Headers) -> bool:
        if headers.getlist("host") != [self._host]:
            return False
        origins = headers.getlist("origin")
        if origins != [self._origin] and (origins or method not in _SAFE_METHODS):
            return False
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")

    def _has_session(self, scope: Scope) -> bool:
        return _equal(Request(scope).cookies.get(self._cookie, ""), self._session)

    def _use_key(self, path: str, peer: Peer) -> bool:
        """Whether the page may begin. One use of either, the key or the ticket, voids both."""
        given = path.removeprefix(_START_PATH)
        if self._started or not (
            _equal(given, self._key) or (peer.same_user and _equal(given, self._ticket))
        ):
            return False
        self._started = True
        return True

    def _begin(self) -> Response:
        answer = RedirectResponse(self._folder, 303)
        answer.set_cookie(
            self._cookie, self._session, path=self._folder, httponly=True, samesite="strict"
        )
        return answer

    def _expired_cookie(self) -> str:
        """Deletes the cookie: some browsers keep session cookies until they restart."""
        return f"{self._cookie}=; Path={self._folder}; Max-Age=0; HttpOnly; SameSite=Strict"

    def _refusal(self, headers: Headers) -> Response:
        if "text/html" in headers.get("accept", ""):
            return HTMLResponse(self._refused(headers.get("accept-language", "")), 403)
        return PlainTextResponse("This is not for you.\n", 403)


def _equal(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def _with_headers(send: Send, cookie: str | None) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if cookie is not None and message["status"] < 400:
                headers["Set-Cookie"] = cookie
        await send(message)

    return send_with_headers
