"""StopNCII, for partners that hold keys: one batch for each item, with a record for each hash.

Its response to a submission is not published: any status of success counts as accepted, and it is
not known whether it rejects single records. Nor is it known how hashes are withdrawn, or what
happens to a record that is sent twice; it knows records by type and value, so a second one should
change nothing. The time that a record must carry is the day of sending, at midnight (UTC).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import ClassVar

from hashkit.submission.formats.signals import Signal
from hashkit.submission.formats.stopncii import SIGNAL_TYPES, StopNCII
from hashkit.submission.sending.backends.base import VARIANTS, YES_OR_NO, FormatBackend, Setting
from hashkit.submission.sending.batch import JSON, Batch, Request, key_of

_FEEDBACK = ("None", "PendingReview", "Blocked", "NotBlocked")
_DAY = 86_400


class StopNcii(FormatBackend):
    """``POST /SubmitHashes`` of version 1."""

    name = "stopncii"
    form = StopNCII
    address = "https://api.stopncii.org/v1"
    settings: ClassVar[Mapping[str, Setting]] = {
        "feedback": Setting("|".join(_FEEDBACK), f"one of {', '.join(_FEEDBACK)}", "None"),
        "tags": Setting("[A-Za-z0-9_,-]*", "words with commas", ""),
        VARIANTS: YES_OR_NO,
    }
    credentials: ClassVar[Mapping[str, bool]] = {"function_key": True, "subscription_key": True}

    def batches(self, held: Sequence[Signal]) -> Iterable[Batch]:
        by_item = groupby(held, key=lambda each: each.item)
        return (self._batch(item, list(hashes)) for item, hashes in by_item)

    def _batch(self, item: int, hashes: list[Signal]) -> Batch:
        feedback = {
            "tags": [tag for tag in self.profile.settings["tags"].split(",") if tag],
            "feedbackValue": self.profile.settings["feedback"],
        }
        records = [
            {
                "lastModtimestamp": int(time.time()) // _DAY * _DAY,
                "signalType": SIGNAL_TYPES[each.algorithm],
                "hashValue": each.text,
                "CSPFeedbacks": [feedback],
            }
            for each in hashes
        ]
        body = json.dumps({"count": len(records), "hashRecords": records}).encode()
        key = key_of(*(f"{SIGNAL_TYPES[each.algorithm]}:{each.text}" for each in hashes))
        names = tuple(each.algorithm for each in hashes)
        return Batch(key, item, names, Request("POST", "/SubmitHashes", body, (JSON,)))

    @property
    def signed_names(self) -> tuple[str, ...]:
        return ("x-functions-key", "Ocp-Apim-Subscription-Key")

    def signed(
        self, request: Request, credentials: Mapping[str, str], now: float
    ) -> dict[str, str]:
        return {
            "x-functions-key": credentials["function_key"],
            "Ocp-Apim-Subscription-Key": credentials["subscription_key"],
        }
