"""Takes the picture of the local page that the README shows: ``docs/assets/page.png``.

    python tools/screenshot.py

Needs Chromium and the extra ``test-all``. Nothing is chosen or hashed in the picture.
"""

from __future__ import annotations

import io
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

OUT = Path(__file__).resolve().parents[1] / "docs" / "assets" / "page.png"


def taken(address: str) -> bytes:
    """The first questions of the page at this address, as PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 820, "height": 620}, color_scheme="light")
        page.goto(address)
        page.locator("#begin").click()
        picture = page.screenshot()
        browser.close()
    return picture


def main() -> int:
    """Start the page, take the picture, and end the page."""
    command = [sys.executable, "-u", "-m", "hashkit", "app", "--no-browser", "--language", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as server:
        found = (re.search(r"http://127\.0\.0\.1\S+", line) for line in server.stdout or ())
        address = next(filter(None, found))
        picture = Image.open(io.BytesIO(taken(address[0])))
        picture.quantize(64).save(OUT, optimize=True)
        server.send_signal(signal.SIGINT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
