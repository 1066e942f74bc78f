"""Open a page in a real browser and use it as a person does: for pages that speak to no server.

    with window("firefox") as page:
        page.open("file:///…/hashkit.html")
        page.run("document.querySelector('#begin').click()")
        page.choose("#files-input", [path])

Each browser is asked by its own protocol: Chromium by Playwright, Firefox by Marionette, WebKit by
WebDriver. What is run is run in the page itself, under its policy.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import browsers
from one_playwright import playwright

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how WebDriver names an element
SECONDS = 60


class ScriptFailed(Exception):
    """What was run in the page threw."""


class Window:
    """A window of a browser, with one page."""

    def open(self, address: str) -> None:
        """Open a page, and wait until it is loaded."""
        raise NotImplementedError

    def run(self, code: str, *given: Any) -> Any:
        """What the body of a function returns, or its promise. ``arguments`` are what is given."""
        raise NotImplementedError

    def choose(self, selector: str, paths: Sequence[Path]) -> None:
        """Choose these files in a field for files."""
        raise NotImplementedError

    def click(self, selector: str) -> None:
        """Click as a person does."""
        raise NotImplementedError

    def wait_for(self, expression: str, seconds: float = SECONDS) -> Any:
        """The value of an expression, as soon as it is true."""
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(ScriptFailed):  # the page is just being replaced
                if value := self.run(f"return ({expression})"):
                    return value
            assert time.monotonic() < until, f"it never was true: {expression}"
            time.sleep(0.05)


class _Chromium(Window):
    def __init__(self, page: Any) -> None:
        self._page = page

    def open(self, address: str) -> None:
        self._page.goto("about:blank")
        self._page.goto(address)

    def run(self, code: str, *given: Any) -> Any:
        try:
            return self._page.evaluate(
                f"async (given) => (function () {{ {code} }})(...given)", [*given]
            )
        except Exception as error:
            raise ScriptFailed(str(error)) from error

    def choose(self, selector: str, paths: Sequence[Path]) -> None:
        self._page.set_input_files(selector, [str(path) for path in paths])

    def click(self, selector: str) -> None:
        self._page.click(selector)

    def press(self, key: str) -> None:
        """Press a key."""
        self._page.keyboard.press(key)

    def answer(self, address: str, html: str) -> None:
        """Give this page to the browser when it asks for an address."""
        self._page.route(f"{address}**", lambda route: route.fulfill(body=html))


class _Driven(Window):
    """By the commands of WebDriver."""

    def ask(self, command: str, **fields: Any) -> Any:
        raise NotImplementedError

    def open(self, address: str) -> None:
        self.ask("Navigate", url="about:blank")
        self.ask("Navigate", url=address)

    def run(self, code: str, *given: Any) -> Any:
        done = "const done = arguments[arguments.length - 1]; const given = [...arguments];"
        body = (
            f"{done} Promise.resolve().then(() => (function () {{ {code} }})(...given))"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }));"
        )
        answer = self.ask("ExecuteAsyncScript", script=body, args=[*given])
        if answer is None:
            raise ScriptFailed("the page was replaced")
        if "error" in answer:
            raise ScriptFailed(answer["error"])
        return answer.get("value")

    def choose(self, selector: str, paths: Sequence[Path]) -> None:
        self.run("document.querySelector(arguments[0]).hidden = false", selector)
        self.ask("ElementSendKeys", id=self._find(selector), text="\n".join(map(str, paths)))
        self.run(
            "const field = document.querySelector(arguments[0]); if (field) field.hidden = true",
            selector,
        )

    def click(self, selector: str) -> None:
        self.ask("ElementClick", id=self._find(selector))

    def _find(self, selector: str) -> str:
        found = self.ask("FindElement", using="css selector", value=selector)
        return found.get(ELEMENT) or found["value"][ELEMENT]


class _Firefox(_Driven):
    """Marionette: lines of JSON on a socket, each after its length."""

    def __init__(self, port: int) -> None:
        until = time.monotonic() + browsers.START_SECONDS
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
                break
            except OSError:
                assert time.monotonic() < until, "Firefox does not listen"
                time.sleep(0.2)
        self._stream = self._socket.makefile("rb")
        self._number = 0
        self._read()
        self.ask("NewSession", pageLoadStrategy="normal", unhandledPromptBehavior="accept")
        self.ask("SetTimeouts", script=SECONDS * 1000)

    def close(self) -> None:
        """Let go of the connection."""
        self._stream.close()
        self._socket.close()

    def ask(self, command: str, **fields: Any) -> Any:
        self._number += 1
        if command == "ExecuteAsyncScript":
            fields |= {"sandbox": None, "newSandbox": False}
        message = json.dumps([0, self._number, f"WebDriver:{command}", fields]).encode()
        self._socket.sendall(str(len(message)).encode() + b":" + message)
        _, _, error, answer = self._read()
        if error is not None:
            raise ScriptFailed(f"{error['error']}: {error['message']}")
        return answer.get("value", answer) if command == "ExecuteAsyncScript" else answer

    def _read(self) -> Any:
        length = b""
        while (each := self._stream.read(1)) != b":":
            assert each, "Firefox ended"
            length += each
        return json.loads(self._stream.read(int(length)))


class _WebKit(_Driven):
    """WebDriver over HTTP."""

    _PLACES: ClassVar = {
        "Navigate": "url",
        "ExecuteAsyncScript": "execute/async",
        "FindElement": "element",
        "ElementSendKeys": "element/{id}/value",
        "ElementClick": "element/{id}/click",
    }

    def __init__(self, port: int, program: str) -> None:
        self._port = port
        until = time.monotonic() + browsers.START_SECONDS
        wanted = {"webkitgtk:browserOptions": {"binary": program, "args": ["--automation"]}}
        capabilities = {"capabilities": {"alwaysMatch": wanted}}
        while True:
            try:
                self._session = self._post("/session", capabilities)["sessionId"]
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until, "WebKitWebDriver does not listen"
                time.sleep(0.2)
        self._post(f"/session/{self._session}/timeouts", {"script": SECONDS * 1000})

    def ask(self, command: str, **fields: Any) -> Any:
        place = self._PLACES[command].format(**fields)
        fields.pop("id", None)
        return self._post(f"/session/{self._session}/{place}", fields)

    def end(self) -> None:
        self._post(f"/session/{self._session}", None, "DELETE")

    def _post(self, place: str, fields: Any, method: str = "POST") -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
        try:
            connection.request(
                method, place, json.dumps(fields), {"Content-Type": "application/json"}
            )
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and {"error", "message"} <= answer.keys():
            raise ScriptFailed(f"{answer['error']}: {answer['message']}")
        return answer


@contextlib.contextmanager
def window(name: str) -> Iterator[Window]:
    """A window of the browser of this name, which ends with it."""
    with (
        tempfile.TemporaryDirectory(prefix="window-", ignore_cleanup_errors=True) as folder,
        _WINDOWS[name](Path(folder)) as opened,
    ):
        yield opened


@contextlib.contextmanager
def _chromium(folder: Path) -> Iterator[Window]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    browser = playwright().chromium.launch(
        executable_path=browsers._chromium(),
        args=[
            *arguments,
            "--disable-popup-blocking",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ],
    )
    try:
        yield _Chromium(browser.new_context(accept_downloads=True).new_page())
    finally:
        browser.close()


@contextlib.contextmanager
def _firefox(folder: Path) -> Iterator[Window]:
    port = _free_port()
    with browsers._start_firefox(folder, "about:blank") as (command, more):
        settings = folder / "profile" / "user.js"
        lines = {
            "marionette.port": port,
            "dom.disable_open_during_load": False,
            "media.peerconnection.ice.loopback": True,
            "media.peerconnection.ice.link_local": True,
            "media.peerconnection.ice.default_address_only": False,
        }
        text = "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in lines.items())
        settings.write_text(settings.read_text("utf-8") + text, "utf-8")
        environment = {**browsers._environment(folder), **more}
        with (
            browsers._process([*command, "--marionette"], environment, folder / "output"),
            contextlib.closing(_Firefox(port)) as opened,
        ):
            yield opened


@contextlib.contextmanager
def _webkit(folder: Path) -> Iterator[Window]:
    port = _free_port()
    with browsers._start_webkit(folder, "about:blank") as (command, more):
        environment = {**browsers._environment(folder), **more}
        driver = ["WebKitWebDriver", f"--port={port}", "--host=127.0.0.1"]
        with browsers._process(driver, environment, folder / "output"):
            opened = _WebKit(port, command[0])
            try:
                yield opened
            finally:
                with contextlib.suppress(Exception):
                    opened.end()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


_WINDOWS = {"chromium": _chromium, "firefox": _firefox, "webkit": _webkit}
