"""What will go, decided before anything goes, and shown as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hashkit.submission.document import Submission
from hashkit.submission.formats.base import LeftOut
from hashkit.submission.sending.kinds import kind_of
from hashkit.submission.sending.kinds.base import Kind
from hashkit.submission.sending.parcels import COMMON_HEADERS, Parcel, Request
from hashkit.submission.sending.profile import Profile
from hashkit.submission.sending.record import Record


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes where: the parcels, each key once, and what is left out and why."""

    profile: Profile
    kind: Kind
    parcels: tuple[Parcel, ...]
    left_out: tuple[LeftOut, ...]


def plan_for(submission: Submission, profile: Profile) -> Plan:
    """What of this submission will go to the service of this profile."""
    kind = kind_of(profile)
    parcels, left_out = kind.cut(submission)
    once = {parcel.key: parcel for parcel in reversed(parcels)}  # the first of a key stays
    return Plan(profile, kind, tuple(reversed(once.values())), left_out)


def requests_to_send(plan: Plan, record: Record) -> Iterator[Request]:
    """All requests that sending would begin with, each parcel's: where it is not known whether the
    service has one, the question first, where there is one."""
    for parcel in plan.parcels:
        if record.has(parcel.key):
            continue
        question = plan.kind.question(parcel) if record.unsure(parcel.key) else None
        if question is not None:
            yield question
        yield parcel.request


def requests_to_withdraw(plan: Plan, record: Record) -> Iterator[Request]:
    """All requests that withdrawing would make."""
    for key in record.perhaps_there():
        entry = record.entry(key)
        request = plan.kind.withdrawal(key, None if entry is None else entry.id)
        if request is not None:
            yield request


def headers_of(profile: Profile, request: Request, signed: Mapping[str, str]) -> dict[str, str]:
    """All headers of a request, in their order."""
    headers = {"Host": profile.host, **COMMON_HEADERS, **dict(request.headers), **signed}
    if request.body:
        headers["Content-Length"] = str(len(request.body))
    return headers


def as_sent(plan: Plan, request: Request) -> bytes:
    """A request as it goes over the connection, byte for byte, but for what is made from
    credentials, which is ``hidden``."""
    profile = plan.profile
    path = profile.url(request.path).partition(f"://{profile.host}")[2]
    hidden = dict.fromkeys(plan.kind.signed_names, "hidden")
    lines = [f"{request.method} {path or '/'} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers_of(profile, request, hidden).items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.body
