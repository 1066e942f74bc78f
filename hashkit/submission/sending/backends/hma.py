"""Hasher-Matcher-Actioner, Meta's open matching server: adds hashes to a bank.

It has no idempotency keys and would store a hash twice. So a hash that it may have is looked up
first (``/m/lookup``). Its index is rebuilt from time to time: what was stored just before may not
be found yet, and would be there twice. So that both can be withdrawn, each entry carries a mark in
its ``note``: 32 random hex digits, which say nothing of anybody, and which only the journal knows.
The lookup gives the entries with the same hash, and reading them tells which are ours. Those of
others are never withdrawn. Older servers do not know notes: they refuse a hash with one.
https://github.com/facebook/ThreatExchange/tree/main/hasher-matcher-actioner
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from hashkit.submission.formats.hma import HMA, SIGNAL_TYPES
from hashkit.submission.formats.signals import Signal
from hashkit.submission.sending.backends.base import VARIANTS, YES_OR_NO, FormatBackend, Setting
from hashkit.submission.sending.backends.judging import (
    NO_YES,
    json_in,
    judged,
    name_in,
    named,
)
from hashkit.submission.sending.batch import (
    JSON,
    Batch,
    Decision,
    Judgement,
    Request,
    Response,
    key_of,
)

_NOTE = "note"
_NO_NOTE = "No such signal type note"
"""What servers say that are older than notes: they take each field for a signal."""


class Hma(FormatBackend):
    """One batch for each hash. The server itself asks for no credentials; a gateway in front of it
    may ask for a bearer token."""

    name = "hma"
    form = HMA
    settings: ClassVar[Mapping[str, Setting]] = {
        "bank": Setting("[A-Z0-9_]{1,255}", "the name of a bank, in capitals"),
        VARIANTS: YES_OR_NO,
    }
    credentials: ClassVar[Mapping[str, bool]] = {"token": False}
    withdraws = True
    marks = True

    @property
    def destination(self) -> str:
        return f"{super().destination} {self.profile.settings['bank']}"

    def batches(self, held: Sequence[Signal]) -> Iterable[Batch]:
        return map(self._batch, held)

    def _batch(self, signal: Signal) -> Batch:
        name = SIGNAL_TYPES[signal.algorithm]
        body = json.dumps({name: signal.text}).encode()
        request = Request("POST", f"{self._bank}/signal", body, (JSON,))
        return Batch(key_of(f"{name}:{signal.text}"), signal.item, (signal.algorithm,), request)

    @property
    def signed_names(self) -> tuple[str, ...]:
        return ("Authorization",) if "token" in self.profile.credentials else ()

    def signed(
        self, request: Request, credentials: Mapping[str, str], now: float
    ) -> dict[str, str]:
        token = credentials.get("token")
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    def judge(self, response: Response) -> Judgement:
        return named(judged(response), response)

    def lookup(self, batch: Batch) -> Request | None:
        ((name, value),) = json.loads(batch.request.body).items()
        path = f"/m/lookup?signal={value}&signal_type={name}&bypass_coinflip=true"
        return Request("GET", path)

    def confirms(self, response: Response) -> bool:
        body = json_in(response)
        matches = body.get(self.profile.settings["bank"]) if isinstance(body, dict) else None
        return isinstance(matches, list) and any(map(_is_exact, matches))

    def with_mark(self, request: Request, mark: str) -> Request:
        body = {**json.loads(request.body), _NOTE: mark}
        return replace(request, body=json.dumps(body).encode())

    def refuses_marks(self, response: Response) -> bool:
        body = json_in(response)
        return response.status == 400 and isinstance(body, dict) and body.get("message") == _NO_NOTE

    def entries_in(self, response: Response) -> tuple[str, ...] | None:
        body = json_in(response)
        matches = body.get(self.profile.settings["bank"], []) if isinstance(body, dict) else None
        if not isinstance(matches, list):
            return None
        names = [name_in(each.get("bank_content_id")) for each in matches if _is_exact(each)]
        return None if None in names else tuple(name for name in names if name is not None)

    def reading(self, known_as: str) -> Request:
        return Request("GET", f"{self._bank}/content/{known_as}?include_signals=true")

    def carries(self, response: Response, known_as: str, mark: str) -> bool | None:
        body = json_in(response)
        if not isinstance(body, dict) or name_in(body.get("id")) != known_as or _NOTE not in body:
            return None
        note = body[_NOTE]
        if note == mark:
            return True
        # Ours, with a remark added; or a remark about ours, on an entry of another sender.
        return None if isinstance(note, str) and mark in note else False

    def withdrawal(self, key: str, known_as: str | None) -> Request | None:
        return None if known_as is None else Request("DELETE", f"{self._bank}/content/{known_as}")

    def judge_withdrawal(self, response: Response) -> Judgement:
        judgement = super().judge_withdrawal(response)
        if not 200 <= response.status < 300:
            return judgement
        body = json_in(response)
        count = body.get("deleted") if isinstance(body, dict) else None
        if type(count) is not int:
            return Judgement(Decision.REFUSED, reason=NO_YES)
        return judgement if count else Judgement(Decision.ABSENT)

    @property
    def _bank(self) -> str:
        return f"/c/bank/{self.profile.settings['bank']}"


def _is_exact(untrusted_match: Any) -> bool:
    return isinstance(untrusted_match, dict) and untrusted_match.get("distance") in ("0", 0)
