"""What the servers of these tests do when nothing fails, as each service's published interface says
and without any code of hashkit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Seen:
    """A request as it came, byte for byte, and its parts."""

    raw: bytes
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def reply(status: int, content: Any = None, **headers: str) -> Reply:
    body = b"" if content is None else json.dumps(content).encode()
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, body


def served_by(authority: Any, *names: str, **options: Any) -> ssl.SSLContext:
    """A server's TLS, with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


class Webhook:
    """Stores documents by key, each once, and checks the signature as Standard Webhooks says."""

    secret = os.urandom(32)
    text = "whsec_" + base64.b64encode(secret).decode()

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.calls: list[str] = []

    def answer(self, seen: Seen) -> Reply:
        known = seen.headers["webhook-id"]
        signed = f"{known}.{seen.headers['webhook-timestamp']}.".encode() + seen.body
        digest = hmac.new(self.secret, signed, hashlib.sha256).digest()
        if seen.headers["webhook-signature"] != "v1," + base64.b64encode(digest).decode():
            return reply(401, {"detail": "wrong signature"})
        if seen.method == "DELETE":
            key = seen.path.rpartition("/")[2]
            assert known == f"withdraw-{key}"
            return reply(204 if self.stored.pop(key, None) is not None else 404)
        assert known == hashlib.sha256(seen.body).hexdigest()
        self.calls.append(known)
        self.stored[known] = seen.body
        return reply(200)


class Hma:
    """Stores a hash as often as it is sent, with its note. Finds what was there when its index was
    built."""

    def __init__(self) -> None:
        self.stored: dict[int, tuple[str, str]] = {}
        self.notes: dict[int, str | None] = {}
        self.next_id = 1
        self.slow_index = False

    def in_index(self, number: int) -> bool:
        return not self.slow_index

    def answer(self, seen: Seen) -> Reply:
        parts = urlsplit(seen.path)
        if parts.path == "/m/lookup":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            there = [
                {"bank_content_id": number, "distance": "0"}
                for number, stored in self.stored.items()
                if stored == (asked["signal_type"], asked["signal"]) and self.in_index(number)
            ]
            near = [{"bank_content_id": 99, "distance": "12"}]
            return reply(200, {"OTHER": near, "BANK": near + there})
        if not parts.path.startswith("/c/bank/BANK/"):
            return reply(404, {"message": "bank not found"})
        if seen.method == "DELETE":
            known = self.stored.pop(int(parts.path.rpartition("/")[2]), None)
            return reply(200, {"deleted": int(known is not None)})
        if seen.method == "GET":
            assert parts.query == "include_signals=true"
            return self.entry(int(parts.path.rpartition("/")[2]))
        return self.add(json.loads(seen.body))

    def add(self, body: dict[str, str]) -> Reply:
        note = self.note_of(body)
        if note is not None and len(note) > 255:
            return reply(400, {"message": "Note must be 255 characters or less"})
        for name in body:
            if name not in ("pdq", "video_md5"):
                return reply(400, {"message": f"No such signal type {name}"})
        ((name, value),) = body.items()
        number, self.next_id = self.next_id, self.next_id + 1
        self.stored[number] = (name, value)
        self.notes[number] = note
        return reply(200, {"id": number, "signals": {name: value}})

    def note_of(self, body: dict[str, str]) -> str | None:
        return body.pop("note", None)

    def entry(self, number: int) -> Reply:
        if number not in self.stored:
            return reply(404, {"message": f"content '{number}' not found"})
        name, value = self.stored[number]
        note = self.notes.get(number)
        return reply(200, {"id": number, "note": note, "signals": {name: value}})


class StopNcii:
    """Takes records from senders with the keys."""

    def __init__(self) -> None:
        self.stored: list[dict[str, Any]] = []

    def answer(self, seen: Seen) -> Reply:
        if seen.headers["x-functions-key"] != "the-function-secret":
            return reply(401)
        if seen.headers["Ocp-Apim-Subscription-Key"] != "the-subscription-secret":
            return reply(401)
        assert seen.path == "/v1/SubmitHashes"
        body = json.loads(seen.body)
        assert body["count"] == len(body["hashRecords"])
        self.stored += body["hashRecords"]
        return reply(200, {})


class ThreatExchange:
    """One descriptor for each indicator."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, str]] = {}
        self.next_id = 1000

    def answer(self, seen: Seen) -> Reply:
        if seen.headers["Authorization"] != "Bearer the-token-secret":
            return reply(400, {"error": {"message": "Bad token.", "code": 190}})
        if seen.method == "DELETE":
            known = self.stored.pop(seen.path.rpartition("/")[2], None)
            error = {"message": "No such object.", "code": 100}
            return reply(200, {"success": True}) if known else reply(400, {"error": error})
        assert seen.path == "/v21.0/threat_descriptors/"
        fields = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        number, self.next_id = str(self.next_id), self.next_id + 1
        self.stored[number] = fields
        return reply(200, {"success": True, "id": number})


class SlowHma(Hma):
    """One whose index is built now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.built: set[int] = set()

    def in_index(self, number: int) -> bool:
        return number in self.built


class OldHma(Hma):
    """One from before there were notes: it takes every field for a signal, and reads no entries."""

    def note_of(self, body: dict[str, str]) -> str | None:
        return None

    def entry(self, number: int) -> Reply:
        return reply(405, {"message": "The method is not allowed for the requested URL."})


class MergingThreatExchange(ThreatExchange):
    """One that knows a descriptor again."""

    def answer(self, seen: Seen) -> Reply:
        before = dict(self.stored)
        answer = super().answer(seen)
        if seen.method == "POST":
            (number,) = self.stored.keys() - before.keys()
            for known, fields in before.items():
                if fields == self.stored[number]:
                    del self.stored[number]
                    return reply(200, {"success": True, "id": known})
        return answer


BACKENDS = {"webhook": Webhook, "hma": Hma, "stopncii": StopNcii, "threatexchange": ThreatExchange}
FLAVOURS = {
    "hma, slow": SlowHma,
    "hma, old": OldHma,
    "threatexchange, merging": MergingThreatExchange,
}
