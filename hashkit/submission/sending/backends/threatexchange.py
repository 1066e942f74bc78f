"""Meta's ThreatExchange: one batch a hash, a threat descriptor each.

Whether a descriptor that is posted twice is there twice is not published. Deleting one is what the
public client of ThreatExchange does.
https://developers.facebook.com/docs/threat-exchange/reference/submitting
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from hashkit.submission.document import Submission
from hashkit.submission.formats.signals import Signal
from hashkit.submission.formats.threatexchange import INDICATOR_TYPES
from hashkit.submission.formats.threatexchange import ThreatExchange as Form
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
    reason_in,
)
from hashkit.submission.sending.batch import (
    Answer,
    Batch,
    Judgement,
    Request,
    Verdict,
    key_of,
)

_WORD = "[A-Z0-9_]{1,100}"
_FORM = ("Content-Type", "application/x-www-form-urlencoded")

# https://developers.facebook.com/docs/graph-api/guides/error-handling
_LATER_CODES = (1, 2, 4, 17, 341)
_CREDENTIAL_CODES = (10, 102, 190)


class ThreatExchange(Backend):
    """``POST /threat_descriptors/``. What the service's rules leave to the sender, who may see a
    descriptor among them, has no default here: the agreement says it."""

    name = "threatexchange"
    address = "https://graph.facebook.com/v21.0"
    settings: ClassVar[Mapping[str, Setting]] = {
        "description": Setting("[^\x00-\x1f]{1,500}", "a sentence"),
        "share_level": Setting(_WORD, "a share level"),
        "status": Setting(_WORD, "a status"),
        "privacy_type": Setting(_WORD, "a privacy type"),
        "privacy_members": Setting("[0-9,]*", "numbers with commas", ""),
        "tags": Setting("[A-Za-z0-9_:,-]*", "words with commas", ""),
        VARIANTS: YES_OR_NO,
    }
    credentials: ClassVar[Mapping[str, bool]] = {"token": True}
    withdraws = True

    def cut(self, submission: Submission) -> Cut:
        taken, left = chosen(submission, Form(), self.profile.settings[VARIANTS] == "yes")
        return tuple(map(self._batch, taken)), left

    def _batch(self, signal: Signal) -> Batch:
        name = INDICATOR_TYPES[signal.kind, signal.algorithm]
        fields = {"indicator": signal.text, "type": name}
        for setting in self.settings:
            if setting != VARIANTS and self.profile.settings[setting]:
                fields[setting] = self.profile.settings[setting]
        body = "&".join(f"{field}={_quoted(value)}" for field, value in fields.items())
        request = Request("POST", "/threat_descriptors/", body.encode(), (_FORM,))
        return Batch(key_of(f"{name}:{signal.text}"), signal.item, (signal.algorithm,), request)

    @property
    def signed_names(self) -> tuple[str, ...]:
        return ("Authorization",)

    def signed(
        self, request: Request, credentials: Mapping[str, str], now: float
    ) -> dict[str, str]:
        return {"Authorization": f"Bearer {credentials['token']}"}

    def judge(self, answer: Answer) -> Judgement:
        judgement = _fault_in(answer) or judged(answer)
        if judgement.verdict is not Verdict.ACCEPTED:
            return judgement
        told = json_in(answer)
        known_as = name_in(told.get("id")) if isinstance(told, dict) else None
        if known_as is None:
            return Judgement(Verdict.REFUSED, reason=NO_YES)
        return Judgement(Verdict.ACCEPTED, known_as)

    def withdrawal(self, key: str, known_as: str | None) -> Request | None:
        return None if known_as is None else Request("DELETE", f"/{known_as}")

    def judge_withdrawal(self, answer: Answer) -> Judgement:
        judgement = _fault_in(answer) or super().judge_withdrawal(answer)
        told = json_in(answer)
        if 200 <= answer.status < 300 and judgement.verdict is Verdict.ACCEPTED:
            done = told.get("success") if isinstance(told, dict) else told
            if done is not True:
                return Judgement(Verdict.REFUSED, reason=NO_YES)
        return judgement


def _fault_in(answer: Answer) -> Judgement | None:
    """Most faults come with the status 400 here, and an object whose code says which it is."""
    told = json_in(answer)
    fault = told.get("error") if isinstance(told, dict) else None
    if not isinstance(fault, dict):
        return None
    if fault.get("code") in _LATER_CODES:
        return Judgement(Verdict.LATER, wait=answer.wait)
    if fault.get("code") in _CREDENTIAL_CODES:
        return Judgement(Verdict.REFUSED, reason=reason_in(answer), sure=True)
    judgement = judged(answer)
    if judgement.verdict is Verdict.ACCEPTED:
        return Judgement(Verdict.REJECTED, reason=reason_in(answer))
    return judgement


def _quoted(value: str) -> str:
    """As forms are written (https://url.spec.whatwg.org/#application/x-www-form-urlencoded)."""
    return re.sub(
        r"[^A-Za-z0-9*._ -]",
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()),
        value,
    ).replace(" ", "+")
