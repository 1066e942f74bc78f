"""Meta's ThreatExchange: posts a threat descriptor for each hash.

Whether a descriptor that is posted twice is there twice is not published. Deleting one is what the
public client of ThreatExchange does.
https://developers.facebook.com/docs/threat-exchange/reference/submitting
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from hashkit.submission.formats import threatexchange
from hashkit.submission.formats.signals import Signal
from hashkit.submission.sending.backends.base import VARIANTS, YES_OR_NO, FormatBackend, Setting
from hashkit.submission.sending.backends.judging import NO_YES, json_in, judged, named, reason_in
from hashkit.submission.sending.batch import Batch, Decision, Judgement, Request, Response, key_of

_WORD = "[A-Z0-9_]{1,100}"
_FORM = ("Content-Type", "application/x-www-form-urlencoded")

# https://developers.facebook.com/docs/graph-api/guides/error-handling
_LATER_CODES = (1, 2, 4, 17, 341)
_CREDENTIAL_CODES = (10, 102, 190)


class ThreatExchange(FormatBackend):
    """``POST /threat_descriptors/``, one batch for each hash. What the service leaves to the sender
    has no default here, such as who may see a descriptor: the agreement says it."""

    name = "threatexchange"
    form = threatexchange.ThreatExchange
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

    def batches(self, held: Sequence[Signal]) -> Iterable[Batch]:
        return map(self._batch, held)

    def _batch(self, signal: Signal) -> Batch:
        name = threatexchange.INDICATOR_TYPES[signal.kind, signal.algorithm]
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

    def judge(self, response: Response) -> Judgement:
        return named(_fault_in(response) or judged(response), response)

    def withdrawal(self, key: str, known_as: str | None) -> Request | None:
        return None if known_as is None else Request("DELETE", f"/{known_as}")

    def judge_withdrawal(self, response: Response) -> Judgement:
        judgement = _fault_in(response) or super().judge_withdrawal(response)
        if 200 <= response.status < 300 and judgement.decision is Decision.ACCEPTED:
            body = json_in(response)
            done = body.get("success") if isinstance(body, dict) else body
            if done is not True:
                return Judgement(Decision.REFUSED, reason=NO_YES)
        return judgement


def _fault_in(response: Response) -> Judgement | None:
    """The fault that the body names by a code: most come with the status 400 here."""
    body = json_in(response)
    fault = body.get("error") if isinstance(body, dict) else None
    if not isinstance(fault, dict):
        return None
    if fault.get("code") in _LATER_CODES:
        return Judgement(Decision.LATER, retry_after=response.retry_after)
    if fault.get("code") in _CREDENTIAL_CODES:
        return Judgement(Decision.REFUSED, reason=reason_in(response), sure=True)
    judgement = judged(response)
    if judgement.decision is Decision.ACCEPTED:
        return Judgement(Decision.REJECTED, reason=reason_in(response))
    return judgement


def _quoted(value: str) -> str:
    """The encoding of forms (https://url.spec.whatwg.org/#application/x-www-form-urlencoded)."""
    return re.sub(
        r"[^A-Za-z0-9*._ -]",
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()),
        value,
    ).replace(" ", "+")
