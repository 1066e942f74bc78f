"""The values that the modules of this package share: requests, responses, batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

COMMON_HEADERS = {
    "User-Agent": "hashkit",  # no version, no system: nobody needs to know
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",  # each request has a connection of its own
}
"""The headers of every request, beside those that belong to the request."""

JSON = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` follows the address of the profile."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Hashes of item number ``item`` of the submission (from 1) that a service takes or rejects as
    a whole. ``algorithms`` has one name for each hash. ``key`` is made from the hashes."""

    key: str
    item: int
    algorithms: tuple[str, ...]
    request: Request


@dataclass(frozen=True, slots=True)
class Response:
    """The response of a service. ``untrusted_body`` has at most 64 KiB; ``retry_after`` is in
    seconds; ``location`` is where a redirect points."""

    status: int
    untrusted_body: bytes = b""
    retry_after: float | None = None
    location: str | None = None


class Decision(StrEnum):
    """What a response means for a batch."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # this batch; the next may be taken
    LATER = "later"  # nothing was taken, or it is not known: try again
    REFUSED = "refused"  # no batch would be taken
    ABSENT = "absent"  # to a withdrawal: the service says that it does not have the batch


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision and its details. ``id`` is the service's own name for the batch. ``sure`` says, of
    a batch that was neither accepted nor rejected, that the service surely does not have it.
    ``retry_after`` is in seconds, where the service asked for it."""

    decision: Decision
    id: str | None = None
    reason: str | None = None
    sure: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one request to a service.

    ``item`` is the number of the item in the submission, from 1; None for one that is not in it any
    more. ``algorithms`` names the algorithm of each hash in the request. ``key`` is its idempotency
    key, 64 hex digits. ``state`` is ``accepted``, ``rejected`` or ``withdrawn``; where something
    could not be taken back, the state that it is still in, and ``reason`` says why. ``id`` is the
    service's own name for it, where it has one. ``reason`` is what the service said: text of
    somebody else.
    """

    item: int | None
    algorithms: tuple[str, ...]
    key: str
    state: str
    id: str | None = None
    reason: str | None = None


def key_of(*hashes: str) -> str:
    """The idempotency key of these hashes: 64 hex digits, the same in every run and order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
