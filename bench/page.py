"""A long video through the local page's server and from disk: ``python bench/page.py``.

The browser's own time to read and send a range comes on top: here a script sends the ranges. The
file is a short film followed by a long empty box, and takes little space on disk. Linux only, for
the memory. ``--gigabytes N`` is its size.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from compare import where_and_with_what

from hashkit import hash_files

FILM = Path(__file__).parent.parent / "samples_synthetic" / "film-h264.mp4"


def long_film(path: Path, gigabytes: float) -> Path:
    padding = int(gigabytes * (1 << 30))
    with path.open("wb") as file:
        file.write(FILM.read_bytes())
        file.write(struct.pack(">I4sQ", 1, b"free", padding + 16))
        file.truncate(file.tell() + padding)
    return path


class Page:
    """Makes the requests of the page to ``hashkit app``."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "hashkit", "app", "--no-browser"]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        found = None
        while not found:
            found = re.search(r"127\.0\.0\.1:(\d+)(/start/\S+)", self.server.stdout.readline())
        self.connection = http.client.HTTPConnection("127.0.0.1", int(found[1]))
        self.headers = {"Origin": f"http://127.0.0.1:{found[1]}"}
        self.connection.request("GET", found[2])
        answer = self.connection.getresponse()
        answer.read()
        self.headers["Cookie"] = answer.headers["Set-Cookie"].split(";")[0]
        html = self.ask("GET", "/").decode()
        self.headers["X-Page"] = re.search(r'data-page="([\w-]+)"', html)[1]

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        self.connection.request(method, path, body, self.headers)
        return self.connection.getresponse().read()

    def hash(self, path: Path) -> None:
        wanted = {"size": path.stat().st_size, "variants": False}
        state = json.loads(self.ask("POST", "/files", json.dumps(wanted).encode()))
        number = state["file"]
        with path.open("rb") as file:
            while "done" not in state:
                start, length = state["read"] or (0, 0)
                file.seek(start)
                state = json.loads(self.ask("POST", f"/files/{number}", file.read(length)))
        if state["done"]["verdict"] != "good":
            raise SystemExit(f"this came of it: {state}")


def most_memory(pid: int) -> float:
    """Peak memory of a process in megabytes."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    gigabytes = parser.parse_args().gigabytes
    print(where_and_with_what(["hashkit", "starlette", "uvicorn", "av"]))
    with tempfile.TemporaryDirectory() as folder:
        film = long_film(Path(folder, "film.mp4"), gigabytes)
        began = time.perf_counter()
        list(hash_files([film]))
        from_disk = time.perf_counter() - began
        page = Page()
        began = time.perf_counter()
        page.hash(film)
        from_page = time.perf_counter() - began
        memory = most_memory(page.server.pid)
        page.ask("POST", "/leave")
        page.server.wait()
    print(f"{gigabytes:g} GB from the disk: {from_disk:.1f} s")
    print(
        f"{gigabytes:g} GB by pieces: {from_page:.1f} s, {from_page / from_disk:.2f} times as long"
    )
    print(f"memory of the server: {memory:.0f} MB")


if __name__ == "__main__":
    main()
