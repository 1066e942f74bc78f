"""The recipes of docs/architecture.md for an export format and a backend, followed in a temporary
copy of the package: one module and one line each."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hashkit import Hash, Item, MediaKind, Submission, write_submission
from hashkit.submission.sending.backends import BACKENDS

PDQ, MIRRORED = Hash("pdq", "a" * 64, 90), Hash("pdq", "b" * 64, 90, "mirrored")
SUBMISSION = Submission.from_items(
    [
        Item(MediaKind.IMAGE, (Hash("sha256", "1" * 64), PDQ, MIRRORED)),
        Item(MediaKind.VIDEO, (Hash("md5", "2" * 32), Hash("sha256", "3" * 64))),
    ]
)

FORMAT = '''"""Toy: SHA-256 hashes, one on each line."""

from __future__ import annotations

from collections.abc import Sequence

from hashkit.submission.formats.base import Format
from hashkit.submission.formats.signals import Signal


class Toy(Format):
    """A line for each SHA-256."""

    name = "toy"

    def refusal(self, signal: Signal) -> str | None:
        """SHA-256 only."""
        return None if signal.algorithm == "sha256" else "Toy takes SHA-256."

    def write(self, held: Sequence[Signal]) -> bytes:
        """The list."""
        return "".join(f"{each.text}\\n" for each in held).encode("ascii")
'''

BACKEND = '''"""A toy service: one batch for each hash."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hashkit.submission.formats.hma import HMA
from hashkit.submission.formats.signals import Signal
from hashkit.submission.sending.backends.base import VARIANTS, YES_OR_NO, FormatBackend
from hashkit.submission.sending.batch import Batch, Request, key_of


class Toy(FormatBackend):
    """``POST /hashes`` with the hash as text."""

    name = "toy"
    form = HMA
    settings = {VARIANTS: YES_OR_NO}

    def batches(self, held: Sequence[Signal]) -> Iterable[Batch]:
        for each in held:
            request = Request("POST", "/hashes", each.text.encode())
            yield Batch(key_of(each.text), each.item, (each.algorithm,), request)
'''


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the package, which is what runs there, and a submission."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "hashkit", tmp_path / "hashkit", ignore=ignored)
    write_submission(SUBMISSION, tmp_path / "s.json")
    return tmp_path / "hashkit" / "submission"


@pytest.fixture
def service() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server on loopback, and the bodies that it got."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()
        thread.join()


def add_line(table: Path, after: str, line: str) -> None:
    """Add a line to a table, after the first one that is ``after``."""
    lines = table.read_text("utf-8").splitlines()
    lines.insert(lines.index(after) + 1, line)
    table.write_text("\n".join(lines) + "\n", "utf-8")


def test_an_export_format(run: Callable, unwrapped: Callable, copy: Path) -> None:
    (copy / "formats" / "toy.py").write_text(FORMAT, "utf-8")
    add_line(
        copy / "formats" / "registry.py",
        after='        "csv": "table.Table",',
        line='        "toy": "toy.Toy",',
    )
    assert "|csv|toy" in "".join(unwrapped(run("export", "--help").stdout).split())
    wrong = run("export", "s.json", "--format", "zip")
    assert (wrong.returncode, "csv, toy" in unwrapped(wrong.stderr)) == (2, True)
    done = run("export", "s.json", "--format", "toy")
    assert done.returncode == 0
    assert done.stdout.split() == ["1" * 64, "3" * 64]
    assert done.stderr.splitlines() == [
        "Left out, since this format cannot hold it:",
        "- 1 pdq hash (item 1): Toy takes SHA-256.",
        "- 1 pdq hash of an edit (item 1): Toy takes SHA-256.",
        "- 1 md5 hash (item 2): Toy takes SHA-256.",
        "It holds 2 hashes, and no picture, file name or date.",
    ]


@pytest.mark.test_all
def test_a_backend(
    run: Callable, copy: Path, tmp_path: Path, service: tuple[str, list[bytes]]
) -> None:
    (copy / "sending" / "backends" / "toy.py").write_text(BACKEND, "utf-8")
    add_line(
        copy / "sending" / "backends" / "__init__.py",
        after='        "webhook": "webhook.Webhook",',
        line='        "toy": "toy.Toy",',
    )
    address, bodies = service
    profiles = tmp_path / "profiles.toml"
    profiles.write_text(f'[test]\nkind = "toy"\naddress = "{address}"\n\n[no]\nkind = "smtp"\n')
    listed = run("profiles", "--profiles", profiles)
    assert f"test: toy, {address}" in listed.stdout
    known = ", ".join(sorted([*BACKENDS, "toy"]))
    assert f"not one of {known}" in listed.stdout
    for _ in range(2):  # the second run finds all of it in the journal
        done = run("send", "s.json", "--to", "test", "--profiles", profiles, "--yes")
        assert done.returncode == 0
        assert bodies == [PDQ.text.encode(), b"2" * 32]
    journal = (tmp_path / "s.json.sent.jsonl").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in journal[1:]]
    assert [each["state"] for each in entries] == ["trying", "accepted"] * 2
    assert {each["to"] for each in entries} == {f"toy {address}"}
