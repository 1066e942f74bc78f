"""Finds entries of ours whose names were lost, at services where a batch can carry a mark.

When hashkit is killed between a request and its answer, the service may have stored the batch under
a name that we do not know. The journal knows the mark that the batch carries, and the lookup gives
the names of all entries with the same hash: the mark in an entry tells whether it is ours.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hashkit.submission.sending.backends.judging import judged
from hashkit.submission.sending.batch import Batch, Decision, Judgement, Request, Response
from hashkit.submission.sending.journal import Entry, State

if TYPE_CHECKING:
    from hashkit.submission.sending.backends.base import Backend

MARK_TO_SHOW = "0" * 32
"""What stands in the place of a mark that is not drawn yet."""


def new_mark() -> str:
    """A mark: 32 random hex digits. One is drawn for each batch, so that the entries of a
    submission have nothing in common at the service."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Found:
    """``ours``: the names of the entries that are ours. ``all_read``: of each of the others, the
    service said that it is not."""

    ours: tuple[str, ...] = ()
    all_read: bool = False

    def is_all(self, entry: Entry) -> bool:
        """Whether these surely are all. The service lists what was there when its index was built:
        once it lists the newest entry of ours, it lists the older ones too."""
        return self.all_read and entry.newest and entry.id in self.ours


def find(
    backend: Backend, ask: Callable[[Request], Response], lookup: Response, entry: Entry
) -> Found | Judgement:
    """The entries of ours among those that the response to a lookup lists: the one that the journal
    knows, and those with the mark of ``entry``. A judgement (LATER) where the service is busy."""
    names = backend.entries_in(lookup)
    if names is None or entry.mark is None:
        return Found()
    ours, all_read = [], True
    for name in names:
        if name == entry.id:
            ours.append(name)
            continue
        response = ask(backend.reading(name))
        judgement = judged(response)
        if judgement.decision is Decision.LATER:
            return judgement
        if response.status in (404, 410):  # it was taken back since
            continue
        accepted = judgement.decision is Decision.ACCEPTED
        is_ours = backend.carries(response, name, entry.mark) if accepted else None
        if is_ours:
            ours.append(name)
        all_read = all_read and is_ours is not None
    return Found(tuple(ours), all_read)


def look_up(
    backend: Backend, ask: Callable[[Request], Response], batch: Batch, before: Entry
) -> Judgement | None:
    """Look up a batch that the service may have. ACCEPTED with a name where an entry is ours, and
    without one where an entry may be. None where there is none, or no lookup: then the batch has to
    be sent, perhaps again."""
    request = backend.lookup(batch)
    if request is None:
        return None
    response = ask(request)
    judgement = judged(response)
    if judgement.decision is not Decision.ACCEPTED:
        return None if judgement.decision is Decision.REJECTED else judgement
    found = find(backend, ask, response, before)
    if isinstance(found, Judgement):
        return found
    if found.ours:
        known = before.id if before.id in found.ours else found.ours[0]
        return Judgement(Decision.ACCEPTED, known)
    if found.all_read:
        return None
    return Judgement(Decision.ACCEPTED) if backend.confirms(response) else None


def before_sending(backend: Backend, before: Entry, *, marking: bool) -> Entry:
    """What the journal says while a batch is sent. ``marking``: it carries its mark."""
    again = before.state is State.TRYING and backend.duplicates
    if not marking:
        return replace(before, state=State.TRYING, again=before.again or again)
    return Entry(
        State.TRYING,
        before.id,
        before.again or (again and before.mark is None),
        before.mark or new_mark(),
        before.lost + 1,
    )


def after_acceptance(before: Entry, trying: Entry, known_as: str | None) -> Entry:
    """What the journal says of a batch that was accepted. An entry that ``before`` names may be
    there too: it was being withdrawn."""
    older = trying.mark is not None and before.id not in (None, known_as)
    lost, newest = before.lost + older, trying.lost > before.lost
    return Entry(State.ACCEPTED, known_as, trying.again, trying.mark, lost, newest)


def after_lookup(before: Entry, known_as: str | None) -> Entry:
    """What the journal says of a batch that the lookup found."""
    if known_as in (None, before.id):
        return replace(before, state=State.ACCEPTED)
    # One of the lost has its name again. Where another name was known, that one is lost now.
    lost = before.lost if before.id is not None else max(0, before.lost - 1)
    return replace(before, state=State.ACCEPTED, id=known_as, lost=lost, newest=False)
