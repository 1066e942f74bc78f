"""Sends the batches that a service does not have yet, one after the other, and withdraws batches.

A run can be stopped at any moment and started again, since the journal is written first: before a
request goes out it says that the batch is being tried, and after the response what the response
was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hashkit.errors import (
    CertificateRefused,
    ConnectionLost,
    NoWithdrawal,
    ServiceBusy,
    ServiceRefused,
    ServiceUnreachable,
)
from hashkit.submission.sending.backends.judging import judged
from hashkit.submission.sending.batch import Batch, Decision, Judgement, Request, Response, Sent
from hashkit.submission.sending.client import Client, check_available
from hashkit.submission.sending.credentials import credentials_of
from hashkit.submission.sending.journal import Entry, Journal, State, open_journal
from hashkit.submission.sending.lost_entries import (
    after_acceptance,
    after_lookup,
    before_sending,
    find,
    look_up,
)

if TYPE_CHECKING:
    from hashkit.submission.sending.plan import Plan

Wait = Callable[[float], None]

TRIES = 5
"""How often a request is tried before giving up, by default."""

MAX_WAIT = 120.0
"""Seconds. A service that asks for more is not waited for: the run ends."""

_NOT_KNOWN = (
    "It is not known which entry of the service this is, or whether it has one. Take it back there."
)
_ABSENT = "The service says that it does not have it, but it took it before. Ask the service."
_PERHAPS_TWICE = "An answer was lost when it was sent: the service may have it a second time."
_NOT_FOUND = (
    "An answer was lost when it was sent: the service may have it, and not show it yet. "
    "Run this again later."
)
_PERHAPS_LATER = (
    "An answer was lost when it was sent: the service may have it a second time, and not show it "
    "yet. Run this again later."
)
_NOT_ASKED = (
    "An answer was lost when it was sent, and its hash is not in the submission any more, so that "
    "the service cannot be asked for it. Run this with the submission as it was."
)


def load_credentials(plan: Plan) -> dict[str, str]:
    """The credentials of the plan's profile, checked. SendingUnavailable, CredentialMissing."""
    check_available()
    credentials = credentials_of(plan.profile.credentials)
    plan.backend.check_credentials(credentials)
    return credentials


def send(
    plan: Plan, journal_file: Path, credentials: Mapping[str, str], tries: int, wait: Wait
) -> Iterator[Sent]:
    """Send what the service does not have, with a connection of its own. As ``Delivery.send``."""
    with _delivery(plan, journal_file, credentials, tries, wait) as delivery:
        yield from delivery.send()


def withdraw(
    plan: Plan, journal_file: Path, credentials: Mapping[str, str], tries: int, wait: Wait
) -> Iterator[Sent]:
    """Withdraw what the service has, with a connection of its own. As ``Delivery.withdraw``."""
    with _delivery(plan, journal_file, credentials, tries, wait) as delivery:
        yield from delivery.withdraw()


@contextmanager
def _delivery(
    plan: Plan, journal_file: Path, credentials: Mapping[str, str], tries: int, wait: Wait
) -> Iterator[Delivery]:
    with (
        open_journal(journal_file, plan.backend.destination) as journal,
        Client(plan.profile) as client,
    ):
        yield Delivery(plan, journal, client, credentials, tries=tries, wait=wait)


class Delivery:
    """Carries out a plan. ``wait`` is called with the seconds to wait, and waits."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        client: Client,
        credentials: Mapping[str, str],
        *,
        tries: int = TRIES,
        wait: Wait = time.sleep,
    ) -> None:
        self._batches = {batch.key: batch for batch in plan.batches}
        self._backend = plan.backend
        self._journal = journal
        self._client = client
        self._credentials = credentials
        self._tries = tries
        self._wait = wait
        self._marking = plan.backend.marks

    def send(self) -> Iterator[Sent]:
        """Send what the service does not have. The batches after a rejected one are sent too.

        Raises what keeps all others back too: ServiceUnreachable, CertificateRefused,
        ConnectionLost, ServiceBusy, ServiceRefused. What was sent until then is in the journal.
        """
        for batch in self._batches.values():
            if not self._journal.has(batch.key):
                yield self._deliver(batch)

    def withdraw(self) -> Iterator[Sent]:
        """Withdraw every batch that the service has, or may have.

        Errors as ``send``, and NoWithdrawal where there is no way to."""
        if not self._backend.withdraws:
            raise NoWithdrawal
        for key in self._journal.maybe_held():
            yield self._withdraw(key)

    def _sent(self, key: str, state: State, id: str | None, reason: str | None) -> Sent:
        batch = self._batches.get(key)  # None where the submission was changed since
        item, algorithms = (None, ()) if batch is None else (batch.item, batch.algorithms)
        return Sent(item, algorithms, key, state.value, id, reason)

    def _deliver(self, batch: Batch) -> Sent:
        judgement = self._with_retries(lambda: self._attempt(batch))
        accepted = judgement.decision is Decision.ACCEPTED
        state = State.ACCEPTED if accepted else State.REJECTED
        return self._sent(batch.key, state, judgement.id, judgement.reason)

    def _attempt(self, batch: Batch) -> Judgement:
        """Send a batch once, and note the result. Where an earlier attempt may have arrived, only
        an acceptance changes what is known."""
        before = self._journal.entry(batch.key) or Entry(State.UNSENT)
        unsure = before.state is State.TRYING
        found = look_up(self._backend, self._ask, batch, before) if unsure else None
        if found is not None:
            if found.decision is Decision.ACCEPTED:
                self._journal.write(batch.key, after_lookup(before, found.id))
            return found
        trying = before_sending(self._backend, before, marking=self._marking)
        self._journal.write(batch.key, trying)
        try:
            response = self._ask(self._request(batch, trying))
        except (ServiceUnreachable, CertificateRefused):
            self._journal.write(batch.key, before)
            raise
        if self._marking and self._backend.refuses_marks(response):
            self._marking = False  # for the whole run
            self._journal.write(batch.key, before)
            return self._attempt(batch)
        judgement = self._backend.judge(response)
        if judgement.decision is Decision.ACCEPTED:
            if judgement.id and self._journal.is_of_another(judgement.id, batch.key):
                raise ConnectionLost  # the answer to another request, kept by something in between
            self._journal.write(batch.key, after_acceptance(before, trying, judgement.id))
        elif unsure:
            if judgement.sure or judgement.decision is Decision.REJECTED:
                self._journal.write(batch.key, before)
        elif judgement.decision is Decision.REJECTED:
            self._journal.write(batch.key, replace(before, state=State.REJECTED, id=None))
        elif judgement.sure:
            self._journal.write(batch.key, replace(before, state=State.UNSENT, id=None))
        return judgement

    def _request(self, batch: Batch, trying: Entry) -> Request:
        if not self._marking or trying.mark is None:
            return batch.request
        return self._backend.with_mark(batch.request, trying.mark)

    def _withdraw(self, key: str) -> Sent:
        judgement = self._with_retries(lambda: self._attempt_withdrawal(key))
        entry = self._journal.entry(key) or Entry(State.TRYING)
        if judgement.decision is not Decision.ACCEPTED:
            return self._sent(key, entry.state, entry.id, judgement.reason)
        # A mark that may still be at the service is kept, to look for it again.
        mark = entry.mark if entry.lost else None
        self._journal.write(
            key, Entry(State.WITHDRAWN, again=entry.again, mark=mark, lost=entry.lost)
        )
        otherwise = _PERHAPS_TWICE if entry.again else None
        reason = self._why(key, entry, _PERHAPS_LATER, otherwise)
        return self._sent(key, State.WITHDRAWN, entry.id, reason)

    def _why(self, key: str, entry: Entry, not_listed: str, otherwise: str | None) -> str | None:
        """Why the service may still have a batch."""
        if not entry.lost:
            return otherwise
        return not_listed if key in self._batches else _NOT_ASKED

    def _attempt_withdrawal(self, key: str) -> Judgement:
        """Withdraw a batch once. Until the service has answered, it may have the batch or not, and
        the journal says so: else a batch whose answer was lost would not be sent again."""
        if (judgement := self._withdraw_lost(key)) is not None:
            return judgement
        before = self._journal.entry(key) or Entry(State.TRYING)
        request = self._backend.withdrawal(key, before.id)
        if request is None:
            return Judgement(
                Decision.REJECTED, reason=self._why(key, before, _NOT_FOUND, _NOT_KNOWN)
            )
        self._journal.write(key, replace(before, state=State.TRYING))
        try:
            judgement = self._backend.judge_withdrawal(self._ask(request))
        except (ServiceUnreachable, CertificateRefused):
            self._journal.write(key, before)
            raise
        if judgement.decision is Decision.ABSENT:
            surely_there = before.state is State.ACCEPTED
            judgement = (
                Judgement(Decision.REJECTED, reason=_ABSENT)
                if surely_there
                else Judgement(Decision.ACCEPTED)
            )
        if judgement.decision is Decision.REJECTED or judgement.sure:
            self._journal.write(key, before)
        return judgement

    def _withdraw_lost(self, key: str) -> Judgement | None:
        """Withdraw the entries of a batch whose names were lost, as far as the service lists them.
        All but one: that one has a name from then on. None where this does not keep the rest back.
        """
        entry, batch = self._journal.entry(key), self._batches.get(key)
        request = None if batch is None else self._backend.lookup(batch)
        if entry is None or not entry.lost or request is None:
            return None
        response = self._ask(request)
        judgement = judged(response)
        if judgement.decision is not Decision.ACCEPTED:
            return judgement if judgement.decision is Decision.LATER else None
        found = find(self._backend, self._ask, response, entry)
        if isinstance(found, Judgement):
            return found
        names = [name for name in found.ours if name != entry.id]
        if names and entry.id is None:
            entry = after_lookup(entry, names.pop(0))
            self._journal.write(key, entry)
        for name in names:
            judgement = self._withdraw_one(key, entry, name)
            if judgement.decision is not Decision.ACCEPTED:
                return judgement
            entry = replace(entry, lost=max(0, entry.lost - 1))
            self._journal.write(key, entry)
        if found.is_all(entry):
            self._journal.write(key, replace(entry, lost=0))
        return None

    def _withdraw_one(self, key: str, entry: Entry, name: str) -> Judgement:
        """Withdraw an entry that the service just showed, beside the one that the journal names."""
        request = self._backend.withdrawal(key, name)
        if request is None:
            return Judgement(Decision.REJECTED, reason=_NOT_KNOWN)
        self._journal.write(key, replace(entry, state=State.TRYING))
        judgement = self._backend.judge_withdrawal(self._ask(request))
        self._journal.write(key, entry)
        if judgement.decision is Decision.ABSENT:
            return Judgement(Decision.REJECTED, reason=_ABSENT)
        return judgement

    def _with_retries(self, attempt: Callable[[], Judgement]) -> Judgement:
        """Try until the service decides, at most ``tries`` times."""
        for number in range(1, self._tries + 1):
            pause = 2.0 ** (number - 1)
            try:
                judgement = attempt()
            except (ServiceUnreachable, ConnectionLost):
                if number == self._tries:
                    raise
            else:
                if judgement.decision is Decision.REFUSED:
                    raise ServiceRefused(f"The service refused. {judgement.reason}")
                if judgement.decision is not Decision.LATER:
                    return judgement
                if judgement.retry_after is not None:
                    pause = judgement.retry_after
                if number == self._tries or pause > MAX_WAIT:
                    raise _busy(judgement)
            self._wait(pause)
        raise ValueError("tries must be at least 1")

    def _ask(self, request: Request) -> Response:
        signed = self._backend.signed(request, self._credentials, time.time())
        return self._client.send(request, signed)


def _busy(judgement: Judgement) -> ServiceBusy:
    if judgement.retry_after is None:
        return ServiceBusy()
    return ServiceBusy(f"The service asks to wait {judgement.retry_after:.0f} seconds.")
