"""The plan: what will be sent where. It is made before anything is sent, and can be shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashkit.submission.document import read_submission
from hashkit.submission.sending.backends import backend_for
from hashkit.submission.sending.lost_entries import MARK_TO_SHOW
from hashkit.submission.sending.profile import Profile, headers_of
from hashkit.submission.sending.profiles import default_profiles, read_profile

if TYPE_CHECKING:
    from hashkit.submission.document import Submission
    from hashkit.submission.formats.base import LeftOut
    from hashkit.submission.sending.backends.base import Backend
    from hashkit.submission.sending.batch import Batch, Request
    from hashkit.submission.sending.journal import Journal

PathLike = str | os.PathLike[str]
Reading = Callable[[Path], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent where: the batches, each key once, and what is left out and why."""

    profile: Profile
    backend: Backend
    batches: tuple[Batch, ...]
    left_out: tuple[LeftOut, ...]


def prepare(
    path: PathLike, to: str, profiles: PathLike | None = None, reading: Reading = nullcontext
) -> Plan:
    """The plan for the submission at ``path`` and the profile ``to``. Each of the two files is read
    inside of ``reading(path of the file)``: an error raised there is about that file."""
    submission_file = Path(path)
    profiles_file = default_profiles() if profiles is None else Path(profiles)
    with reading(submission_file):
        submission = read_submission(submission_file)
    with reading(profiles_file):
        return plan_for(submission, read_profile(profiles_file, to))


def plan_for(submission: Submission, profile: Profile) -> Plan:
    """What of this submission will be sent to the service of this profile."""
    backend = backend_for(profile)
    batches, left_out = backend.split(submission)
    once = {batch.key: batch for batch in reversed(batches)}  # the first of a key stays
    return Plan(profile, backend, tuple(reversed(once.values())), left_out)


def requests_to_send(plan: Plan, journal: Journal) -> Iterator[Request]:
    """The requests that sending begins with. A batch that the service may have already is looked up
    first, where the service has a lookup. What the lookup will find, and so what is read then, is
    not known. Marks that are not drawn yet are zeros."""
    for batch in plan.batches:
        if journal.has(batch.key):
            continue
        lookup = plan.backend.lookup(batch) if journal.unsure(batch.key) else None
        if lookup is not None:
            yield lookup
        entry = journal.entry(batch.key)
        mark = None if entry is None else entry.mark
        yield plan.backend.with_mark(batch.request, mark or MARK_TO_SHOW)


def requests_to_withdraw(plan: Plan, journal: Journal) -> Iterator[Request]:
    """The requests that withdrawing makes. Where an answer was lost, the batch is looked up first;
    what that will find, and so what is read and withdrawn then, is not known."""
    batches = {batch.key: batch for batch in plan.batches}
    for key in journal.maybe_held():
        entry = journal.entry(key)
        if entry is not None and entry.lost and key in batches:
            lookup = plan.backend.lookup(batches[key])
            if lookup is not None:
                yield lookup
        request = plan.backend.withdrawal(key, None if entry is None else entry.id)
        if request is not None:
            yield request


def as_sent(plan: Plan, request: Request) -> bytes:
    """A request as it goes over the connection, byte for byte. What is made from credentials is
    ``hidden``."""
    profile = plan.profile
    path = profile.url(request.path).partition(f"://{profile.host}")[2]
    hidden = dict.fromkeys(plan.backend.signed_names, "hidden")
    lines = [f"{request.method} {path or '/'} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers_of(profile, request, hidden).items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.body
