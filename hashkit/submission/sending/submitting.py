"""Sending and withdrawing for programs: what ``hashkit send`` does, without its questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from hashkit.submission.sending.batch import Sent
from hashkit.submission.sending.delivering import TRIES, load_credentials, send, withdraw
from hashkit.submission.sending.journal import journal_beside
from hashkit.submission.sending.plan import PathLike, prepare


def send_submission(
    path: PathLike,
    to: str,
    *,
    profiles: PathLike | None = None,
    tries: int = TRIES,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Sent]:
    """Send the hashes of the submission at ``path`` to the service of the profile ``to``, and give
    the outcome of each request. All of it happens as you go through what is given, errors too:
    ``for sent in send_submission(…)``.

    It asks nobody: show first what would go (``hashkit send --dry-run``). What the service has is
    noted beside the submission, and is not sent again; so call it again after any error.

    ``profiles`` is the file of profiles (that of ``hashkit send`` if not given). Each request is
    tried ``tries`` times (1 or more, 5 if not given); ``wait`` is called with the seconds between
    them, and waits.

    Raises DocumentInvalid or an error of the FileError branch for the submission and the file of
    profiles, and an error of the SendingError branch for all that keeps every request back.
    """
    plan = prepare(path, to, profiles)
    yield from send(plan, journal_beside(path), load_credentials(plan), tries, wait)


def withdraw_submission(
    path: PathLike,
    to: str,
    *,
    profiles: PathLike | None = None,
    tries: int = TRIES,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Sent]:
    """Take back what the journal beside the submission at ``path`` says that the service of the
    profile ``to`` has, and give the outcome of each request, as you go through it.

    Arguments and errors are as for ``send_submission``; NoWithdrawal where the service has no way
    to take anything back.
    """
    plan = prepare(path, to, profiles)
    yield from withdraw(plan, journal_beside(path), load_credentials(plan), tries, wait)
