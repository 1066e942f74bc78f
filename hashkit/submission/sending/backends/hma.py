"""Hasher-Matcher-Actioner, Meta's open matching server: hashes into a bank.

It has no idempotency keys and would store a hash twice. So when it is not known whether it has one,
it is asked (``/m/lookup``). Its index is built now and then: what was stored just before may not
be found yet, and would be there twice. That does no harm to what it matches, but only one of the
two can be taken back. An entry that was found may be somebody else's, so it is never taken back.
https://github.com/facebook/ThreatExchange/tree/main/hasher-matcher-actioner
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from hashkit.submission.document import Submission
from hashkit.submission.formats.hma import HMA, SIGNAL_TYPES
from hashkit.submission.formats.signals import Signal
from hashkit.submission.sending.backends.base import (
    NO_YES,
    VARIANTS,
    YES_OR_NO,
    Backend,
    Cut,
    Setting,
    chosen,
    json_in,
    judged,
    name_in,
)
from hashkit.submission.sending.batch import (
    JSON,
    Answer,
    Batch,
    Judgement,
    Request,
    Verdict,
    key_of,
)


class Hma(Backend):
    """One batch a hash. The server itself asks for no credentials; one behind a gateway may ask
    for a bearer token."""

    name = "hma"
    settings: ClassVar[Mapping[str, Setting]] = {
        "bank": Setting("[A-Z0-9_]{1,255}", "the name of a bank, in capitals"),
        VARIANTS: YES_OR_NO,
    }
    credentials: ClassVar[Mapping[str, bool]] = {"token": False}
    withdraws = True

    @property
    def destination(self) -> str:
        return f"{super().destination} {self.profile.settings['bank']}"

    def cut(self, submission: Submission) -> Cut:
        taken, left = chosen(submission, HMA(), self.profile.settings[VARIANTS] == "yes")
        return tuple(map(self._batch, taken)), left

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

    def judge(self, answer: Answer) -> Judgement:
        judgement = judged(answer)
        if judgement.verdict is not Verdict.ACCEPTED:
            return judgement
        told = json_in(answer)
        known_as = name_in(told.get("id")) if isinstance(told, dict) else None
        if known_as is None:  # a gateway's page, perhaps: it would be wrong to take it for a yes
            return Judgement(Verdict.REFUSED, reason=NO_YES)
        return Judgement(Verdict.ACCEPTED, known_as)

    def question(self, batch: Batch) -> Request | None:
        ((name, value),) = json.loads(batch.request.body).items()
        path = f"/m/lookup?signal={value}&signal_type={name}&bypass_coinflip=true"
        return Request("GET", path)

    def found(self, answer: Answer) -> bool:
        told = json_in(answer)
        matches = told.get(self.profile.settings["bank"]) if isinstance(told, dict) else None
        return isinstance(matches, list) and any(map(_is_exact, matches))

    def withdrawal(self, key: str, known_as: str | None) -> Request | None:
        return None if known_as is None else Request("DELETE", f"{self._bank}/content/{known_as}")

    def judge_withdrawal(self, answer: Answer) -> Judgement:
        judgement = super().judge_withdrawal(answer)
        told = json_in(answer)
        if not 200 <= answer.status < 300:
            return judgement
        count = told.get("deleted") if isinstance(told, dict) else None
        if type(count) is not int:
            return Judgement(Verdict.REFUSED, reason=NO_YES)
        return judgement if count else Judgement(Verdict.ABSENT)

    @property
    def _bank(self) -> str:
        return f"/c/bank/{self.profile.settings['bank']}"


def _is_exact(untrusted_match: Any) -> bool:
    return isinstance(untrusted_match, dict) and untrusted_match.get("distance") in ("0", 0)
