"""What will go, decided before anything goes, and shown as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hashkit.submission.document import Submission
from hashkit.submission.formats.base import LeftOut
from hashkit.submission.sending.backends import backend_of
from hashkit.submission.sending.backends.base import Backend
from hashkit.submission.sending.batch import Batch, Request
from hashkit.submission.sending.journal import Journal
from hashkit.submission.sending.profile import Profile, headers_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes where: the batches, each key once, and what is left out and why."""

    profile: Profile
    backend: Backend
    batches: tuple[Batch, ...]
    left_out: tuple[LeftOut, ...]


def plan_for(submission: Submission, profile: Profile) -> Plan:
    """What of this submission will go to the service of this profile."""
    backend = backend_of(profile)
    batches, left_out = backend.cut(submission)
    once = {batch.key: batch for batch in reversed(batches)}  # the first of a key stays
    return Plan(profile, backend, tuple(reversed(once.values())), left_out)


def requests_to_send(plan: Plan, journal: Journal) -> Iterator[Request]:
    """All requests that sending would begin with, each batch's: where it is not known whether the
    service has one, the question first, where there is one."""
    for batch in plan.batches:
        if journal.has(batch.key):
            continue
        question = plan.backend.question(batch) if journal.unsure(batch.key) else None
        if question is not None:
            yield question
        yield batch.request


def requests_to_withdraw(plan: Plan, journal: Journal) -> Iterator[Request]:
    """All requests that withdrawing would make."""
    for key in journal.perhaps_there():
        entry = journal.entry(key)
        request = plan.backend.withdrawal(key, None if entry is None else entry.id)
        if request is not None:
            yield request


def as_sent(plan: Plan, request: Request) -> bytes:
    """A request as it goes over the connection, byte for byte, but for what is made from
    credentials, which is ``hidden``."""
    profile = plan.profile
    path = profile.url(request.path).partition(f"://{profile.host}")[2]
    hidden = dict.fromkeys(plan.backend.signed_names, "hidden")
    lines = [f"{request.method} {path or '/'} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers_of(profile, request, hidden).items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.body
