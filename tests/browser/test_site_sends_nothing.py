"""The page cannot send: every way is tried from inside it, while somebody listens.

Each is also tried in the same page without its policy and its guard, where it has to arrive. What
arrives in spite of them is listed here, as in SECURITY.md.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import http.server
import json
import re
import threading
import time
from pathlib import Path

import pytest
from browsers import NAMES, missing
from listening import Listener
from windows import window

from hashkit.web.site.building import build

pytestmark = pytest.mark.test_all

CODE = (Path(__file__).parent / "attempts.js").read_text("utf-8")
_NAMES = re.compile(r"^    (\w+): \(at\)", re.MULTILINE)
TOGETHER, ALONE = (_NAMES.findall(part) for part in CODE.split("  const alone = {"))

WAIT = 1.5
"""Seconds for what should not come."""

NOT_EVERYWHERE = {
    # Of other origins, and from disk all are others; or not in this version of WebKit.
    "from a server": {"service_worker", "shared_worker", "worker", "track", "manifest"}
    | {"own_manifest", "worker_in_worker"},
}
NOT_EVERYWHERE["from disk"] = NOT_EVERYWHERE["from a server"] | {
    name for name in TOGETHER if name.startswith("own_")
}
NOT_THERE: dict[str, set[str]] = {
    "chromium": {"icon", "preconnect"},
    "firefox": {"ping", "prefetch", "rules"},
    "webkit": {
        *("document_open", "form_tab", "icon", "navigate", "open", "open_of_frame", "prefetch"),
        *("rules", "webrtc", "webrtc_of_frame", "webtransport"),
    },
}
"""What does not arrive without a policy either: the browser does not have it, or not here."""

LEFT: dict[str, dict[str, str]] = {
    "chromium": {
        "iframe": "connection",
        "form_tab": "connection",
        "location_of_frame": "connection",
        "link_tab_alone": "request",
        "open_of_frame": "request",
        "webrtc_of_frame": "datagram",
    },
    "firefox": {
        "preconnect": "connection",
        "link_tab_alone": "request",
        "open_of_frame": "request",
        "webrtc_of_frame": "datagram",
    },
    "webkit": {
        "preconnect": "connection",
        "link_tab_alone": "connection",
        "link_alone": "request",
        "location": "request",
        "location_replace": "request",
        "refresh": "request",
        "top_of_frame": "request",
    },
}
"""What arrives in spite of the policy and the guard."""


def page_with(attempts, guarded):
    """The page with the attempts in it; ``guarded``: with its policy, which allows them."""
    html = build(["en"]).html.decode()
    digest = base64.b64encode(hashlib.sha256(attempts.encode()).digest()).decode()
    start, end = html.rsplit("</body>", 1)
    html = f"{start}<script>{attempts}</script></body>{end}"
    if guarded:
        return html.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    html, count = re.subn(r"<meta http-equiv=.*?</script>", "", html, count=1, flags=re.DOTALL)
    assert count == 1
    return html


@contextlib.contextmanager
def served(folder, arrived):
    """The address of a server of this folder, which sends no headers of its own. It notes what it
    is asked for beside pages."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/own_"):
                arrived[self.path[1:]] = "request"
            super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def arrived_in(name, folder, where, guarded):
    """What arrived of each attempt."""
    with (
        Listener([*TOGETHER, *ALONE]) as listener,
        served(folder, listener.arrived) as server,
        window(name) as page,
    ):
        path = folder / f"{name}-{guarded}.html"
        address = path.as_uri() if where == "from disk" else f"{server}/{path.name}"
        attempts = CODE.replace("(PLACES)", f"({json.dumps(listener.places)})")
        path.write_text(page_with(attempts, guarded), "utf-8")
        for wanted in ("all", *ALONE):
            page.open(f"{address}#{wanted}")
            page.wait_for("document.documentElement.dataset.attempted")
            until = time.monotonic() + WAIT * (2 if wanted == "all" else 1)
            while time.monotonic() < until and (guarded or wanted not in listener.arrived):
                time.sleep(0.05)
        return {**listener.arrived}


@pytest.mark.parametrize("where", ["from disk", "from a server"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_arrives_but_what_is_listed(name, where, tmp_path):
    if (lack := missing(name)) is not None:
        pytest.skip(f"needs {lack}")
    open_page = arrived_in(name, tmp_path, where, guarded=False)
    held = arrived_in(name, tmp_path, where, guarded=True)
    assert {*TOGETHER, *ALONE} - open_page.keys() - NOT_EVERYWHERE[where] == NOT_THERE[name]
    assert held == LEFT[name]
