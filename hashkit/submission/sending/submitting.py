"""Sending and withdrawing for programs: what ``hashkit send`` does, without its questions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hashkit.submission.document import read_submission
from hashkit.submission.sending.batch import Batch
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.credentials import credentials_of
from hashkit.submission.sending.delivering import TRIES, Delivery, Outcome
from hashkit.submission.sending.journal import journal_beside, open_journal
from hashkit.submission.sending.plan import Plan, plan_for
from hashkit.submission.sending.profiles import read_profile, usual_file

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one request to a service.

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


def send_submission(
    path: PathLike,
    to: str,
    *,
    profiles: PathLike | None = None,
    tries: int = TRIES,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Sent]:
    """Send the hashes of the submission at ``path`` to the service of the profile ``to``, and give
    what became of each request. All of it happens as you go through what is given, errors too:
    ``for sent in send_submission(…)``.

    It asks nobody: show first what would go (``hashkit send --dry-run``). What the service has is
    noted beside the submission, and is not sent again; so call it again after any error.

    ``profiles`` is the file of profiles (that of ``hashkit send`` if not given). Each request is
    tried ``tries`` times (1 or more, 5 if not given); ``wait`` is called with the seconds between
    them, and waits.

    Raises DocumentInvalid or an error of the FileError branch for the submission and the file of
    profiles, and an error of the SendingError branch for all that keeps every request back.
    """
    with _delivery(path, to, profiles, tries, wait) as delivery:
        yield from map(sent, delivery.send())


def withdraw_submission(
    path: PathLike,
    to: str,
    *,
    profiles: PathLike | None = None,
    tries: int = TRIES,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Sent]:
    """Take back what the record beside the submission at ``path`` says that the service of the
    profile ``to`` has, and give what became of each request, as you go through it.

    Arguments and errors are as for ``send_submission``; NoWithdrawal where the service has no way
    to take anything back.
    """
    with _delivery(path, to, profiles, tries, wait) as delivery:
        yield from map(sent, delivery.withdraw())


@contextmanager
def delivering(
    plan: Plan,
    beside: Path,
    credentials: Mapping[str, str],
    tries: int,
    wait: Callable[[float], None],
) -> Iterator[Delivery]:
    """A delivery, with the record at ``beside`` and a connection of its own."""
    with open_journal(beside, plan.backend.destination) as journal, Client(plan.profile) as client:
        yield Delivery(plan, journal, client, credentials, tries=tries, wait=wait)


@contextmanager
def _delivery(
    path: PathLike,
    to: str,
    profiles: PathLike | None,
    tries: int,
    wait: Callable[[float], None],
) -> Iterator[Delivery]:
    given = Path(path)
    profile = read_profile(usual_file() if profiles is None else Path(profiles), to)
    plan = plan_for(read_submission(given), profile)
    credentials = credentials_of(profile.credentials)
    plan.backend.check_credentials(credentials)
    with delivering(plan, journal_beside(given), credentials, tries, wait) as delivery:
        yield delivery


def sent(step: tuple[Batch | None, Outcome]) -> Sent:
    """What a step of a delivery says: of which batch of the submission, if it is of one, and what
    became of it."""
    batch, outcome = step
    return Sent(
        item=None if batch is None else batch.item,
        algorithms=() if batch is None else batch.algorithms,
        key=outcome.key,
        state=outcome.state.value,
        id=outcome.id,
        reason=outcome.reason,
    )
