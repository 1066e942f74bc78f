"""A local page for the tests: the real command, with requests as a browser makes them."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hashkit.web.rendering import LEAVE_TO


class Server:
    """``hashkit app`` as a process of its own."""

    def __init__(
        self,
        *arguments: str,
        under: Sequence[str] = (),
        browser: str | None = None,
        **options: object,
    ) -> None:
        """``under`` is a command that runs it, such as strace. ``browser`` is the command of the
        browser that it opens, None for none."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **options.pop("env", {})}
        if browser is None:
            arguments = ("--no-browser", *arguments)
        else:
            environment |= {"BROWSER": browser, "DISPLAY": ":0"}
        self.process = subprocess.Popen(
            [*under, sys.executable, "-B", "-m", "hashkit", "app", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
            **options,
        )
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)(/[\w-]+/)(start/\S+)", line):
                self.address, self.port = found[0], int(found[1])
                self.folder, self.start = found[2], found[2] + found[3]
                return
        raise AssertionError(self.process.stderr.read())

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> str:
        """The address of the page."""
        return f"{self.origin}{self.folder}"

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers (on Linux)."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [int(pid) for each in tasks.glob("*/children") for pid in each.read_text().split()]

    def ask(self, method: str, path: str, body: bytes | dict | None = None, **headers: str):
        """One request, with the headers of the page unless others are given; a header that is None
        is left out. Returns status, headers, body."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        given = {"Host": f"127.0.0.1:{self.port}"}
        if method not in ("GET", "HEAD"):
            given["Origin"] = self.origin
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        connection.close()
        return found

    def end(self) -> tuple[int, str]:
        """Interrupt it as Ctrl-C does, unless it has ended. Returns its exit code and output."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        _, output = self.process.communicate(timeout=60)
        return self.process.returncode, output


AS_ANOTHER_USER = """
import os, socket, sys
from pathlib import Path
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
"""
"""The beginning of a program. What it needs is imported while it can read Python's folder."""


def run_as_another_user(code: str, *arguments: object) -> str:
    """Run Python code as another user of this machine. Returns its output."""
    command = [sys.executable, "-c", AS_ANOTHER_USER + code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=True, timeout=60
    ).stdout


class Visitor:
    """A client with the cookie and an open page."""

    def __init__(self, server: Server) -> None:
        self.server, self.files, self._lock = server, 0, threading.Lock()
        status, headers, _ = server.ask("GET", server.start)
        assert (status, headers["Location"]) == (303, server.folder)
        self.cookie = headers["Set-Cookie"].split(";")[0]
        _, _, html = self.ask("GET", "/")
        self.page = re.search(r'data-page="([\w-]+)"', html.decode())[1]

    def ask(self, method: str, path: str, body: bytes | dict | None = None, **headers: str):
        if hasattr(self, "page"):
            headers = {"X_Page": self.page, **headers}
        if not path.startswith("/static"):
            path = self.server.folder + path.removeprefix("/")
        return self.server.ask(method, path, body, **{"Cookie": self.cookie, **headers})

    def hash(self, data: bytes, *, variants: bool = False) -> dict:
        """Hash a file as the page does. Returns its result."""
        number, state = self.begin(len(data), variants=variants)
        while "done" not in state:
            state = self.go_on(number, state, lambda start, length: data[start : start + length])
        return state["done"]

    def begin(self, size: int, *, variants: bool = False) -> tuple[int, dict]:
        """Start with a file. Returns its number and state."""
        with self._lock:
            self.files += 1
            number = self.files
        wanted = {"size": size, "variants": variants}
        status, _, body = self.ask("PUT", f"/files/{number}", wanted)
        assert status == 200, body
        return number, json.loads(body)

    def go_on(self, number: int, state: dict, read_range: Callable[[int, int], bytes]) -> dict:
        """Send the requested range, if there is one. Returns the next state."""
        if state["read"] is None:
            status, _, body = self.ask("POST", f"/files/{number}", b"")
        else:
            serial, start, length = state["read"]
            path = f"/files/{number}/ranges/{serial}"
            status, _, body = self.ask("POST", path, read_range(start, length))
        assert status == 200, body
        return json.loads(body)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers; those that still run are killed at the end."""
    servers = []

    def start(*arguments: str, **options: object) -> Server:
        servers.append(Server(*arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


@pytest.fixture
def as_another_user() -> Callable[..., str]:
    """Runs Python code as another user of this machine."""
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("needs another person")
    return run_as_another_user


@pytest.fixture
def server(serve) -> Server:
    return serve()


@pytest.fixture
def visit() -> Callable[[Server], Visitor]:
    """Open the page with the key in the address."""
    return Visitor


@pytest.fixture
def visitor(server) -> Visitor:
    return Visitor(server)


@pytest.fixture
def window(browser) -> Iterator[object]:
    """A fresh browser context. The target of the quick exit is served by the test."""
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(30_000)
    context.route(f"{LEAVE_TO}**", lambda route: route.fulfill(body="<title>Elsewhere</title>"))
    yield context
    context.close()


@pytest.fixture
def page(window: object, server: Server) -> object:
    """The page, just opened."""
    page = window.new_page()
    page.goto(server.address)
    return page


class Clock:
    """A clock that a test sets."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hold() -> Callable[..., None]:
    """Blocks a page's transfers, or that of the file with this number: what it sends never
    arrives."""

    def held(page: object, number: int | None = None) -> None:
        def kept(route: object) -> None:
            if route.request.method == "DELETE":
                route.continue_()

        page.route(f"**/files/{number or '*'}{{,/**}}", kept)

    return held
