"""A small service that receives hashes from ``hashkit send``, to start from: it stores them in
SQLite and finds pictures that match. What it has to do, and why: docs/receiving.md.

    export RECEIVER_SECRET=whsec_...         # the one that the sender has
    python examples/receiver.py hashes.sqlite3 --port 8000

    [receiver]                               # the sender's profile, for trying it out
    kind = "webhook"
    address = "http://127.0.0.1:8000/hashes"
    secret = "env:RECEIVER_SECRET"

It listens on this computer only. In front of it belongs a server that speaks TLS, and ``/matches``
is for your own systems: do not let it be reached from outside.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from hashkit import Item, Submission
from hashkit.errors import DocumentInvalid

MAX_BYTES = 64 << 20
MAX_SECONDS = 300  # that the clocks may differ by; older requests may be replayed by others
THRESHOLD = 31  # of 256 bits, that a copy may differ in
USED_FROM = 50  # PDQ hashes of a lower quality match pictures that show something else

OPENAPI = Path(__file__).parent.parent / "docs" / "receiving.openapi.json"

TABLES = """
CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS hashes (
    key TEXT NOT NULL REFERENCES items ON DELETE CASCADE,
    algorithm TEXT NOT NULL, value TEXT NOT NULL, variant TEXT NOT NULL, quality INTEGER
);
CREATE INDEX IF NOT EXISTS by_key ON hashes (key);
CREATE INDEX IF NOT EXISTS by_value ON hashes (algorithm, value);
"""


class Refused(Exception):
    """A request that is not taken: a status, and a reason for the sender."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Store:
    """The hashes, in an SQLite database."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # hashes are sensitive
        with closing(self._open()) as database:
            database.executescript(TABLES)

    def add(self, key: str, document: bytes, item: Item) -> None:
        """Store an item, once: a sender that did not get our answer sends it again."""
        with closing(self._open()) as database, database:
            added = database.execute("INSERT OR IGNORE INTO items VALUES (?, ?)", (key, document))
            if added.rowcount:
                rows = ((key, *each) for each in hashes_of(item))
                database.executemany("INSERT INTO hashes VALUES (?, ?, ?, ?, ?)", rows)

    def remove(self, key: str) -> bool:
        """Forget an item. Returns whether it was there."""
        with closing(self._open()) as database, database:
            return bool(database.execute("DELETE FROM items WHERE key = ?", (key,)).rowcount)

    def matches(self, pdq: str) -> list[dict[str, object]]:
        """The items that a picture with this PDQ hash is a copy of, closest first."""
        query = """
            SELECT key, min(distance(value, ?)) AS closest, variant FROM hashes
            WHERE algorithm = 'pdq' AND quality >= ? GROUP BY key
            HAVING closest <= ? ORDER BY closest
        """
        with closing(self._open()) as database:
            rows = database.execute(query, (pdq, USED_FROM, THRESHOLD)).fetchall()
        return [{"key": key, "distance": closest, "variant": edit} for key, closest, edit in rows]

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA secure_delete = ON")  # deleted rows are overwritten
        # Every hash is looked at. For millions of them, put them into a hashkit.Index instead.
        database.create_function("distance", 2, distance, deterministic=True)
        return database


def hashes_of(item: Item) -> Iterator[tuple[str, str, str, int | None]]:
    """The hashes of an item as rows. Frames of a video have PDQ hashes, as pictures do."""
    for each in item.hashes:
        yield each.algorithm, each.text, each.variant, each.quality
    videos = [item.frames] if item.frames is not None else []
    for frames in [*videos, *item.frame_variants]:
        for frame in frames.hashes:
            yield "pdq", frame.value, frames.variant, frame.quality


def distance(one: str, other: str) -> int:
    """The number of bits in which two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


class Receiver:
    """The requests of ``hashkit send``."""

    def __init__(self, store: Store, secret: str) -> None:
        self._store = store
        self._secret = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        if not 24 <= len(self._secret) <= 64:
            raise ValueError("the secret is whsec_ and the base64 of 24 to 64 bytes")

    async def receive(self, request: Request) -> Response:
        """POST /hashes: the hashes of one picture or video."""
        body = await body_of(request)
        key = self._checked_id(request, body)
        if key != hashlib.sha256(body).hexdigest():
            raise Refused(422, "The webhook-id is not the SHA-256 of the body.")
        item = await run_in_threadpool(item_in, body)
        await run_in_threadpool(self._store.add, key, body, item)
        return Response(status_code=204)

    async def withdraw(self, request: Request) -> Response:
        """DELETE /hashes/{key}: forget them."""
        key = request.path_params["key"]
        if self._checked_id(request, await body_of(request)) != f"withdraw-{key}":
            raise Refused(422, "The webhook-id is not withdraw- and the key.")
        if not await run_in_threadpool(self._store.remove, key):
            raise Refused(404, "There is nothing with this key.")
        return Response(status_code=204)

    async def match(self, request: Request) -> Response:
        """GET /matches?pdq=...: what a picture is a copy of."""
        pdq = request.query_params.get("pdq", "")
        if not re.fullmatch("[0-9a-f]{64}", pdq):
            raise Refused(422, "Give pdq, 64 hex digits.")
        return JSONResponse(await run_in_threadpool(self._store.matches, pdq))

    def _checked_id(self, request: Request, body: bytes) -> str:
        """The id of a request, once its signature and time are verified. Call it before anything
        else is done with the request."""
        known, stamp = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp"))
        signed = f"{known}.{stamp}.".encode("latin-1", "replace") + body
        digest = hmac.new(self._secret, signed, hashlib.sha256).digest()
        expected = f"v1,{base64.b64encode(digest).decode()}".encode()
        # While a secret is exchanged for another, there is a signature for each.
        given = request.headers.get("webhook-signature", "").encode("latin-1", "replace").split()
        if not any([hmac.compare_digest(expected, each) for each in given]):
            raise Refused(401, "The signature is not right.")
        if not re.fullmatch("[0-9]{1,15}", stamp) or abs(time.time() - int(stamp)) > MAX_SECONDS:
            raise Refused(401, "The time stamp is not of now.")
        return known


async def body_of(request: Request) -> bytes:
    """The body, unless it is too long."""
    chunks, length = [], 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > MAX_BYTES:
                raise Refused(413, "This is too long.")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise Refused(400, "This is not whole.") from error
    return b"".join(chunks)


def item_in(untrusted_body: bytes) -> Item:
    """The one item of a submission."""
    try:
        items = Submission.from_json(untrusted_body).items
    except DocumentInvalid as error:
        raise Refused(422, str(error)) from error
    if len(items) != 1:
        raise Refused(422, "There is not one item in it.")
    return items[0]


async def refuse(_: Request, error: Exception) -> Response:
    """Tell the sender why."""
    if not isinstance(error, Refused):
        raise error
    return JSONResponse({"detail": error.detail}, error.status)


async def openapi(_: Request) -> Response:
    """GET /openapi.json: what is served here, for programs."""
    return FileResponse(OPENAPI, media_type="application/json")


def app_for(store: Store, secret: str) -> Starlette:
    """The service. ``secret`` is ``whsec_`` and base64. ValueError for anything else."""
    receiver = Receiver(store, secret)
    app = Starlette(
        routes=[
            Route("/hashes", receiver.receive, methods=["POST"]),
            Route("/hashes/{key}", receiver.withdraw, methods=["DELETE"]),
            Route("/matches", receiver.match, methods=["GET"]),
            Route("/openapi.json", openapi, methods=["GET"]),
        ],
        exception_handlers={Refused: refuse},
    )
    app.router.redirect_slashes = False
    return app


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser(description="Receive hashes from hashkit send.")
    parser.add_argument("database")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    secret = os.environ.get("RECEIVER_SECRET")
    if secret is None:
        parser.error("the variable RECEIVER_SECRET is not set")
    app = app_for(Store(options.database), secret)
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
