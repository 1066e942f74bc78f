"""What is sent, and what comes back: the words that the modules of this room share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

COMMON_HEADERS = {
    "User-Agent": "hashkit",  # no version, no system: nobody needs to know
    "Accept": "application/json",
    "Accept-Encoding": "identity",
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
    """What a service takes or rejects as a whole: of item number ``item`` of the submission (from
    1), the hashes of these algorithms, one name each. ``key`` is made from the hashes."""

    key: str
    item: int
    algorithms: tuple[str, ...]
    request: Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered. ``untrusted_body`` has at most 64 KiB; ``wait`` is in seconds."""

    status: int
    untrusted_body: bytes = b""
    wait: float | None = None
    elsewhere: str | None = None


class Verdict(StrEnum):
    """What an answer means for a batch."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # this batch; the next may be taken
    LATER = "later"  # nothing was taken, or it is not known: try again
    REFUSED = "refused"  # no batch would be taken
    ABSENT = "absent"  # to be taken back, and the service says that it does not have it


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict. ``id`` is the service's own name for the batch. ``sure`` says, of a batch that
    was neither accepted nor rejected, that the service surely does not have it. ``wait`` is in
    seconds, where the service asked for it."""

    verdict: Verdict
    id: str | None = None
    reason: str | None = None
    sure: bool = False
    wait: float | None = None


def key_of(*hashes: str) -> str:
    """The idempotency key of these hashes: 64 hex digits, the same in every run and order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
