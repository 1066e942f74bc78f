"""The page cannot send: every way is tried from inside it, while somebody listens.

Each is also tried in the same page without its policy and its guard, where it has to arrive. What
arrives in spite of them is listed here, as in SECURITY.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
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

NOT_FROM_DISK = {"service_worker", "shared_worker", "worker", "track", "manifest"}
NOT_THERE: dict[str, set[str]] = {
    "chromium": {"icon", "preconnect"},
    "firefox": {"ping", "prefetch", "rules"},
    "webkit": {
        *("document_open", "form_tab", "icon", "navigate", "open", "open_of_frame", "prefetch"),
        *("rules", "webrtc", "webrtc_of_frame", "webtransport", "worker_in_worker"),
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


def arrived_in(name, folder, guarded):
    """What arrived of each attempt."""
    with Listener([*TOGETHER, *ALONE]) as listener, window(name) as page:
        path = folder / f"{name}-{guarded}.html"
        attempts = CODE.replace("(PLACES)", f"({json.dumps(listener.places)})")
        path.write_text(page_with(attempts, guarded), "utf-8")
        for wanted in ("all", *ALONE):
            page.open(f"{path.as_uri()}#{wanted}")
            page.wait_for("document.documentElement.dataset.attempted")
            until = time.monotonic() + WAIT * (2 if wanted == "all" else 1)
            while time.monotonic() < until and (guarded or wanted not in listener.arrived):
                time.sleep(0.05)
        return {**listener.arrived}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_arrives_but_what_is_listed(name, tmp_path):
    if (lack := missing(name)) is not None:
        pytest.skip(f"needs {lack}")
    open_page = arrived_in(name, tmp_path, guarded=False)
    held = arrived_in(name, tmp_path, guarded=True)
    assert {*TOGETHER, *ALONE} - open_page.keys() - NOT_FROM_DISK == NOT_THERE[name]
    assert held == LEFT[name]
