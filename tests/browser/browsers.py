"""Run the JavaScript engine in real browsers.

A browser is started on a page of a server of this process, which asks the server for jobs and
posts what comes of them. No driver is needed, and it is the same for every browser:

    with Browser("firefox") as browser:
        browser.call("pdq.js", "pdqDistance", "00", "ff")           # 8
        browser.call("hashkit.js", "hashFile", Path("picture.jpg")) # a path becomes a File
        browser.run("return 6 * given", 7)                          # 42

``where="worker"`` runs a job in a module Worker instead of on the page. bytes become a Uint8Array,
NumPy arrays the typed array of their kind, and back. What JavaScript throws is raised as
``JavaScriptError``.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import itertools
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

HERE = Path(__file__).resolve().parent
ENGINE = Path(importlib.util.find_spec("hashkit").origin).parent / "browser"
"""The engine of the package that is installed, or first in PYTHONPATH."""

NAMES = ("chromium", "firefox", "webkit")

START_SECONDS = 120
"""To start a browser, on a machine that is busy."""

JOB_SECONDS = 120

_MINI_BROWSERS = ("lib*/*/webkit2gtk-4*/MiniBrowser", "lib*/webkit2gtk-4*/MiniBrowser")  # in /usr
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_ARRAYS = {
    "u1": "Uint8Array",
    "i1": "Int8Array",
    "u2": "Uint16Array",
    "i2": "Int16Array",
    "u4": "Uint32Array",
    "i4": "Int32Array",
    "f4": "Float32Array",
    "f8": "Float64Array",
}
_KINDS = {name: kind for kind, name in _ARRAYS.items()} | {"Uint8ClampedArray": "u1"}


class BrowserDied(Exception):
    """The browser ended, or did not answer in time."""


class JavaScriptError(Exception):
    """What a job threw: the name of its class, and the fields that are its own."""

    def __init__(self, thrown: dict[str, Any]) -> None:
        super().__init__(f"{thrown['name']}: {thrown['message']}\n{thrown['stack']}")
        self.name: str = thrown["name"]
        self.message: str = thrown["message"]
        self.fields: dict[str, Any] = thrown["fields"]


def missing(name: str) -> str | None:
    """What is not installed, of what this browser needs; None if all is there."""
    if name == "chromium":
        return None if _chromium() else "chromium, chromium-browser or google-chrome"
    if name == "firefox":
        return None if _firefox() else "firefox-esr or firefox"
    if not _mini_browser():
        return "WebKit's MiniBrowser (Debian: webkit2gtk-driver)"
    return None if shutil.which("Xvfb") else "Xvfb (Debian: xvfb)"


class Browser:
    """A browser that runs jobs, one after the other. It starts at the first, and anew after it has
    died."""

    def __init__(self, name: str) -> None:
        assert name in NAMES, name
        self.name = name
        self.start_seconds: float | None = None
        self._running: _Running | None = None

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def call(
        self,
        module: str,
        function: str,
        *arguments: Any,
        where: str = "page",
        seconds: float = JOB_SECONDS,
    ) -> Any:
        """What an exported function of a module of the engine returns, or its promise."""
        job = {"do": "call", "module": module, "function": function}
        return self.ask({**job, "arguments": list(arguments)}, where, seconds)

    def run(
        self,
        body: str,
        given: Any = None,
        where: str = "page",
        seconds: float = JOB_SECONDS,
        on_report: Callable[[Any], None] | None = None,
    ) -> Any:
        """What the body of an async function returns. It knows ``given``, ``load("pdq.js")``, which
        imports a module of the engine, and ``report(value)``, which calls ``on_report``."""
        return self.ask({"do": "run", "body": body, "given": given}, where, seconds, on_report)

    def ask(
        self,
        job: dict[str, Any],
        where: str = "page",
        seconds: float = JOB_SECONDS,
        on_report: Callable[[Any], None] | None = None,
    ) -> Any:
        """Run a job. BrowserDied, with the end of the browser's own output, if nothing comes of it
        in time; JavaScriptError if it throws."""
        if self._running is None:
            began = time.monotonic()
            self._running = _Running(self.name)
            self.start_seconds = time.monotonic() - began
        try:
            answer = self._running.ask({**job, "where": where}, seconds, on_report)
        except BaseException:
            self.end()
            raise
        if "thrown" in answer:
            raise JavaScriptError(answer["thrown"])
        return answer["value"]

    @property
    def process(self) -> int:
        """The number of the browser's process; it has to be running."""
        assert self._running is not None
        return self._running.browser.pid

    def end(self) -> None:
        """End the browser and all that belongs to it."""
        if self._running is not None:
            self._running.end()
            self._running = None


class _Running:
    """One run of a browser, with its server and its folder."""

    def __init__(self, name: str) -> None:
        self._cleanup = contextlib.ExitStack()
        self._numbers = itertools.count()
        self._jobs: queue.Queue[str] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._files: dict[str, Path] = {}
        try:
            folder = Path(
                self._cleanup.enter_context(
                    tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
                )
            )
            self._output = folder / "output"
            address = self._cleanup.enter_context(self._serve())
            command, environment = self._cleanup.enter_context(_COMMANDS[name](folder, address))
            self.browser = self._cleanup.enter_context(
                _process(command, {**_environment(folder), **environment}, self._output)
            )
            self._next("ready", START_SECONDS, None)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        self._jobs.put("{}")  # lets go of a request that waits
        self._cleanup.close()

    def ask(
        self, job: dict[str, Any], seconds: float, on_report: Callable[[Any], None] | None
    ) -> dict[str, Any]:
        number = str(next(self._numbers))
        self._files.clear()
        self._jobs.put(json.dumps({**self._sent(job), "number": number}))
        return self._next(number, seconds, on_report)

    def _next(
        self, number: str, seconds: float, on_report: Callable[[Any], None] | None
    ) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while True:
            try:
                answer = self._answers.get(timeout=0.2)
            except queue.Empty:
                if self.browser.poll() is not None:
                    raise self._died(f"ended with {self.browser.returncode}") from None
                if time.monotonic() > until:
                    raise self._died(f"did not answer for {seconds:g} seconds") from None
                continue
            if answer["number"] == number:
                if "report" not in answer:
                    return answer
                if on_report is not None:
                    on_report(answer["report"])

    def _died(self, what: str) -> BrowserDied:
        said = self._output.read_text("utf-8", errors="replace")[-2000:]
        return BrowserDied(f"The browser {what}. The end of its output:\n{said}")

    def _sent(self, value: Any) -> Any:
        """A value as it goes to the page."""
        if isinstance(value, dict):
            return {name: self._sent(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._sent(each) for each in value]
        if isinstance(value, bytes):
            value = np.frombuffer(value, np.uint8)
        if isinstance(value, np.ndarray):
            kind = _ARRAYS[value.dtype.newbyteorder("<").str[1:]]
            data = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
            return {"$array": kind, "data": base64.b64encode(data).decode()}
        if isinstance(value, Path):
            place = f"/files/{len(self._files)}"
            self._files[place] = value
            return {"$file": place, "name": value.name}
        return value

    @contextlib.contextmanager
    def _serve(self) -> Iterator[str]:
        """Answer the page; only this machine, and only what the page needs."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()

    def path_of(self, place: str) -> Path | None:
        """The file that is served at this place, if there is one."""
        if place in self._files:
            return self._files[place]
        for start, folder in (("/hashkit/", ENGINE), ("/", HERE)):
            name = place.removeprefix(start)
            if place.startswith(start) and "/" not in name and Path(name).suffix in _TYPES:
                return folder / name
        return None

    def next_job(self) -> str:
        try:
            return self._jobs.get(timeout=20)
        except queue.Empty:
            return "{}"

    def answered(self, data: bytes) -> None:
        self._answers.put(json.loads(data, object_hook=_received))


def _received(value: dict[str, Any]) -> Any:
    """A value as it came from the page: typed arrays and numbers that JSON does not have."""
    if "$array" in value:
        return np.frombuffer(base64.b64decode(value["data"]), f"<{_KINDS[value['$array']]}")
    return float(value["$number"]) if "$number" in value else value


def _handler(running: _Running) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            place = urlsplit(self.path).path
            if place == "/next":
                self._answer(running.next_job().encode(), "application/json")
                return
            path = running.path_of("/page.html" if place == "/" else place)
            if path is None or not path.is_file():
                self._answer(b"", "text/plain", HTTPStatus.NOT_FOUND)
            else:
                kind = _TYPES.get(path.suffix) if place not in running._files else None
                self._answer_file(path, kind or "application/octet-stream")

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            running.answered(data)
            self._answer(b"{}", "application/json")

        def _answer(self, data: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
            self._begin(len(data), kind, status)
            self.wfile.write(data)

        def _answer_file(self, path: Path, kind: str) -> None:
            with path.open("rb") as file:
                self._begin(path.stat().st_size, kind, HTTPStatus.OK)
                shutil.copyfileobj(file, self.wfile)

        def _begin(self, length: int, kind: str, status: HTTPStatus) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # the browser has ended
                super().handle()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


# Browsers: what to start, and with which variables, beside those for all.

_Command = tuple[list[str], dict[str, str]]


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def _firefox() -> str | None:
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


def _mini_browser() -> str | None:
    found = [path for pattern in _MINI_BROWSERS for path in Path("/usr").glob(pattern)]
    return str(max(found)) if found else None


@contextlib.contextmanager
def _start_chromium(folder: Path, address: str) -> Iterator[_Command]:
    program = _chromium()
    assert program is not None
    quiet = (
        *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update"),
        *(
            "--disable-crash-reporter",
            "--disable-breakpad",
            "--disable-default-apps",
            "--disable-extensions",
            "--no-default-browser-check",
        ),
        # Nothing waits for a window that nobody looks at.
        *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
        *("--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
    )
    yield [program, "--headless", *quiet, f"--user-data-dir={folder / 'profile'}", address], {}


_FIREFOX_SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "app.update.auto": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.cache.disk.enable": False,
    "browser.ping-centre.telemetry": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.provider.google4.updateURL": "",
    "browser.safebrowsing.provider.mozilla.updateURL": "",
    "browser.search.update": False,
    "browser.sessionstore.resume_from_crash": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.tabs.warnOnClose": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "dom.push.connection.enabled": False,
    "extensions.blocklist.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-manager.url": "",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "network.proxy.type": 0,
    "network.trr.mode": 5,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "termsofuse.bypassNotification": True,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
    "trailhead.firstrun.didSeeAboutWelcome": True,
}


@contextlib.contextmanager
def _start_firefox(folder: Path, address: str) -> Iterator[_Command]:
    program = _firefox()
    assert program is not None
    profile = folder / "profile"
    profile.mkdir()
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in _FIREFOX_SETTINGS.items()]
    (profile / "user.js").write_text("\n".join(lines) + "\n", "utf-8")
    command = [program, "--headless", "--no-remote", "--profile", str(profile), address]
    yield command, {"MOZ_CRASHREPORTER_DISABLE": "1", "MOZ_HEADLESS": "1"}


@contextlib.contextmanager
def _start_webkit(folder: Path, address: str) -> Iterator[_Command]:
    program = _mini_browser()
    assert program is not None
    with _screen(folder) as display:
        yield (
            [program, "--private", address],
            {
                "DISPLAY": display,
                "GDK_BACKEND": "x11",
                "LIBGL_ALWAYS_SOFTWARE": "1",
                "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
                "GSETTINGS_BACKEND": "memory",
                "NO_AT_BRIDGE": "1",
                # Its sandbox needs namespaces that containers do not give.
                "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
            },
        )


_COMMANDS = {"chromium": _start_chromium, "firefox": _start_firefox, "webkit": _start_webkit}


@contextlib.contextmanager
def _screen(folder: Path) -> Iterator[str]:
    """A screen that nobody sees."""
    reading, writing = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1024x768x24",
        "-nolisten",
        "tcp",
    ]
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reading)
        try:
            environment = _environment(folder)
            stack.enter_context(_process(command, environment, folder / "screen", (writing,)))
        finally:
            os.close(writing)
        number = b""
        while not number.endswith(b"\n"):
            piece = os.read(reading, 16)
            if not piece:
                raise BrowserDied(f"Xvfb ended: {(folder / 'screen').read_text('utf-8')}")
            number += piece
        yield f":{number.decode().strip()}"


def _environment(folder: Path) -> dict[str, str]:
    """The variables for a browser: none of its places is that of the person who runs the tests."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "FONTCONFIG_PATH")
    mine = {name: os.environ[name] for name in kept if name in os.environ}
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        place = folder / name.lower()
        place.mkdir(mode=0o700, exist_ok=True)
        mine[name] = str(place)
    return {**mine, "TMPDIR": str(folder), "DBUS_SESSION_BUS_ADDRESS": "disabled:"}


# A browser does not outlive tests that are killed. PR_SET_PDEATHSIG is 1.
_ENDS_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@contextlib.contextmanager
def _process(
    command: list[str], environment: dict[str, str], output: Path, kept: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, all of which is ended."""
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _ENDS_WITH_PARENT, *command]
    with output.open("wb") as file:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=kept,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
