"""The engine for browsers, in Node, beside hashlib and hash-wasm. ``python bench/engine.py``.

Needs Node, and for hash-wasm (https://github.com/Daninet/hash-wasm), which is measured only:

    npm install --prefix FOLDER hash-wasm@4.13.0
    python bench/engine.py --hash-wasm FOLDER

Every budget is a ratio of two times measured in turns. ``bench/engine.js`` says how to measure in a
browser.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
from functools import partial
from pathlib import Path

from compare import Work, measure, milliseconds, row, table, where_and_with_what

HERE = Path(__file__).parent
BYTES = bytes(64_000_000)
SERVICES = ("md5", "sha1", "sha256")
NAMES = (*SERVICES, "sha512")
PICTURES = (
    "PDQ, 12 MP",
    "PDQ, 12 MP, with the reference's rounding",
    "PDQ, 12 MP, the seven other orientations",
    "PDQ, a frame of 1920x1080",
)
HEADINGS = ["work", "engine", "against", "its time", "ratio", "budget"]


def by_hashlib(names: tuple[str, ...]) -> None:
    for name in names:
        hashlib.new(name, BYTES, usedforsecurity=False).hexdigest()


class Node:
    """The works of ``engine_in_node.js``."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            ["node", str(HERE / "engine_in_node.js"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _do(self, name: str) -> None:
        print(name, file=self._process.stdin, flush=True)
        if self._process.stdout is None or self._process.stdout.readline() != "done\n":
            raise RuntimeError(f"Node did not do: {name}")

    def work(self, name: str) -> Work:
        return partial(self._do, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hash-wasm", metavar="FOLDER")
    folder = parser.parse_args().hash_wasm
    node = Node(*([str(Path(folder).resolve())] if folder else []))
    rows = []
    for name in NAMES:
        ways = {"engine": node.work(name), "hashlib": partial(by_hashlib, (name,))}
        if folder and name in SERVICES:
            ways["hash-wasm"] = node.work(f"hash-wasm {name}")
        taken = measure(ways)
        shown = f"{name}, 64 MB ({64 / taken['engine']:.0f} MB/s)"
        rows += [
            row(shown, taken["engine"], other, taken[other]) for other in ways if other != "engine"
        ]
    three = "the three of services"
    taken = measure({"engine": node.work(three), "hashlib": partial(by_hashlib, SERVICES)})
    rows.append(row(f"{three}, 64 MB", taken["engine"], "hashlib", taken["hashlib"], 6))
    for name, seconds in measure({name: node.work(name) for name in PICTURES}).items():
        rows.append([name, milliseconds(seconds), "", "", "", ""])
    print(where_and_with_what([]).replace(", .", "."))
    print(table(HEADINGS, rows))


if __name__ == "__main__":
    main()
