"""Any service that takes hashkit's own document: one signed batch for each item.

A batch is a submission of one item, as ``hashkit.submission.document`` writes it. The signature is
that of Standard Webhooks (https://www.standardwebhooks.com), for which there are libraries in many
languages: ``webhook-id`` is the key of the batch, so that sending it again does no harm, and
``webhook-signature`` is ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import ClassVar

from hashkit.errors import CredentialMissing
from hashkit.models import FrameHashes
from hashkit.submission.document import Item, Submission
from hashkit.submission.sending.backends.base import Backend, Split
from hashkit.submission.sending.batch import JSON, Batch, Request

_ID = "webhook-id"
_WITHDRAW = "withdraw-"
_SECRET_PREFIX = "whsec_"  # noqa: S105 (the same for all secrets)
_SECRET_BYTES = range(24, 65)


class Webhook(Backend):
    """``POST`` to the address, and ``DELETE`` to the address, a slash and the key."""

    name = "webhook"
    credentials: ClassVar[Mapping[str, bool]] = {"secret": True}
    withdraws = True
    duplicates = False

    def split(self, submission: Submission) -> Split:
        return tuple(map(_batch, count(1), submission.items)), ()

    @property
    def signed_names(self) -> tuple[str, ...]:
        return ("webhook-timestamp", "webhook-signature")

    def signed(
        self, request: Request, credentials: Mapping[str, str], now: float
    ) -> dict[str, str]:
        message_id = dict(request.headers)[_ID]
        stamp = str(int(now))
        signed = f"{message_id}.{stamp}.".encode() + request.body
        digest = hmac.new(_secret(credentials["secret"]), signed, hashlib.sha256).digest()
        return {
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        _secret(credentials["secret"])

    def withdrawal(self, key: str, known_as: str | None) -> Request | None:
        return Request("DELETE", f"/{key}", headers=((_ID, f"{_WITHDRAW}{key}"),))


def _batch(number: int, item: Item) -> Batch:
    body = Submission((item,)).to_json().encode()
    key = hashlib.sha256(body).hexdigest()
    return Batch(key, number, _names(item), Request("POST", "", body, (JSON, (_ID, key))))


def _names(item: Item) -> tuple[str, ...]:
    frames: list[FrameHashes | None] = [item.frames, *item.frame_variants]
    names = Counter(each.algorithm for each in item.hashes)
    names["vpdq"] += sum(each is not None for each in frames)
    return tuple(names.elements())


def _secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) not in _SECRET_BYTES:
        raise CredentialMissing(
            f"The secret is not {_SECRET_PREFIX} and the base64 of 24 to 64 bytes."
        )
    return secret
