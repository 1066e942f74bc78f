"""Sending the batches that a service does not have yet, one after the other, and taking them back.

The record is what makes it safe to be stopped at any moment, and to begin again: before a request
goes out it says that the batch is being tried, and after the answer what the answer was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from hashkit.errors import (
    CertificateRefused,
    ConnectionLost,
    NoWithdrawal,
    ServiceBusy,
    ServiceRefused,
    ServiceUnreachable,
)
from hashkit.submission.sending.backends.base import judged
from hashkit.submission.sending.batch import Answer, Batch, Judgement, Request, Verdict
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.journal import Entry, Journal, State
from hashkit.submission.sending.plan import Plan

TRIES = 5
"""How often a batch is tried before giving up, if nothing else is said."""

MAX_WAIT = 120.0
"""Seconds. A service that asks for more is left alone: to be tried again another time."""

_NOT_KNOWN = (
    "It is not known which entry of the service this is, or whether it has one. Take it back there."
)
_ABSENT = "The service says that it does not have it, but it took it before. Ask the service."
_PERHAPS_TWICE = "An answer was lost when it was sent: the service may have it a second time."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch. ``reason`` is the service's, and not to be trusted."""

    key: str
    state: State
    id: str | None = None
    reason: str | None = None


class Delivery:
    """A plan, on its way. ``wait`` is called with the seconds to wait, and waits."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        client: Client,
        credentials: Mapping[str, str],
        *,
        tries: int = TRIES,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._client = client
        self._credentials = credentials
        self._tries = tries
        self._wait = wait

    def send(self) -> Iterator[tuple[Batch, Outcome]]:
        """Send what the service does not have, and say what became of each batch. A batch that is
        rejected does not keep the others back.

        Raises what keeps all others back too: ServiceUnreachable, CertificateRefused,
        ConnectionLost, ServiceBusy, ServiceRefused. What was sent until then is in the record.
        """
        for batch in self._plan.batches:
            if not self._journal.has(batch.key):
                yield batch, self._deliver(batch)

    def withdraw(self) -> Iterator[tuple[Batch | None, Outcome]]:
        """Take back every batch that the service has, or may have, and say what became of each.
        The batch is None where it is not of this submission any more.

        Errors as ``send``, and NoWithdrawal where there is no way to."""
        if not self._plan.backend.withdraws:
            raise NoWithdrawal
        batches = {batch.key: batch for batch in self._plan.batches}
        for key in self._journal.perhaps_there():
            yield batches.get(key), self._take_back(key)

    def _deliver(self, batch: Batch) -> Outcome:
        judgement = self._patiently(lambda: self._attempt(batch))
        accepted = judgement.verdict is Verdict.ACCEPTED
        return Outcome(
            batch.key,
            State.ACCEPTED if accepted else State.REJECTED,
            judgement.id,
            judgement.reason,
        )

    def _attempt(self, batch: Batch) -> Judgement:
        """Send a batch, once, and note what came of it. An earlier attempt may have arrived and we
        not know it: then nothing but a yes says more than that."""
        before = self._journal.entry(batch.key) or Entry(State.UNSENT)
        unsure = before.state is State.TRYING
        if unsure and (judgement := self._is_it_there(batch)) is not None:
            if judgement.verdict is Verdict.ACCEPTED:  # whose it is, nobody says
                self._journal.write(batch.key, replace(before, state=State.ACCEPTED))
            return judgement
        trying = Entry(
            State.TRYING, before.id, before.again or (unsure and self._plan.backend.repeats)
        )
        self._journal.write(batch.key, trying)
        try:
            judgement = self._plan.backend.judge(self._ask(batch.request))
        except (ServiceUnreachable, CertificateRefused):
            self._journal.write(batch.key, before)
            raise
        if judgement.verdict is Verdict.ACCEPTED:
            self._journal.write(batch.key, Entry(State.ACCEPTED, judgement.id, trying.again))
        elif unsure:
            if judgement.sure or judgement.verdict is Verdict.REJECTED:
                self._journal.write(batch.key, before)
        elif judgement.verdict is Verdict.REJECTED:
            self._journal.write(batch.key, Entry(State.REJECTED, again=before.again))
        elif judgement.sure:
            self._journal.write(batch.key, Entry(State.UNSENT, again=before.again))
        return judgement

    def _is_it_there(self, batch: Batch) -> Judgement | None:
        """Ask for a batch that the service may have. None where it does not say that it has it:
        it has to be sent, again perhaps."""
        question = self._plan.backend.question(batch)
        if question is None:
            return None
        answer = self._ask(question)
        judgement = judged(answer)
        if judgement.verdict is not Verdict.ACCEPTED:
            return None if judgement.verdict is Verdict.REJECTED else judgement
        return Judgement(Verdict.ACCEPTED) if self._plan.backend.found(answer) else None

    def _take_back(self, key: str) -> Outcome:
        judgement = self._patiently(lambda: self._attempt_back(key))
        entry = self._journal.entry(key) or Entry(State.TRYING)
        if judgement.verdict is not Verdict.ACCEPTED:
            return Outcome(key, entry.state, entry.id, judgement.reason)
        self._journal.write(key, Entry(State.WITHDRAWN, again=entry.again))
        return Outcome(key, State.WITHDRAWN, entry.id, _PERHAPS_TWICE if entry.again else None)

    def _attempt_back(self, key: str) -> Judgement:
        """Take a batch back, once. Until the service has answered, it has it or not: the record
        says so, or a lost answer would leave out what is to be sent again."""
        before = self._journal.entry(key) or Entry(State.TRYING)
        request = self._plan.backend.withdrawal(key, before.id)
        if request is None:
            return Judgement(Verdict.REJECTED, reason=_NOT_KNOWN)
        self._journal.write(key, replace(before, state=State.TRYING))
        try:
            judgement = self._plan.backend.judge_withdrawal(self._ask(request))
        except (ServiceUnreachable, CertificateRefused):
            self._journal.write(key, before)
            raise
        if judgement.verdict is Verdict.ABSENT:
            surely_there = before.state is State.ACCEPTED
            judgement = (
                Judgement(Verdict.REJECTED, reason=_ABSENT)
                if surely_there
                else Judgement(Verdict.ACCEPTED)
            )
        if judgement.verdict is Verdict.REJECTED or judgement.sure:
            self._journal.write(key, before)
        return judgement

    def _patiently(self, attempt: Callable[[], Judgement]) -> Judgement:
        """Try until there is an answer that says something, and not too often."""
        for number in range(1, self._tries + 1):
            pause = 2.0 ** (number - 1)
            try:
                judgement = attempt()
            except (ServiceUnreachable, ConnectionLost):
                if number == self._tries:
                    raise
            else:
                if judgement.verdict is Verdict.REFUSED:
                    raise ServiceRefused(f"The service refused. {judgement.reason}")
                if judgement.verdict is not Verdict.LATER:
                    return judgement
                if judgement.wait is not None:
                    pause = judgement.wait
                if number == self._tries or pause > MAX_WAIT:
                    raise _busy(judgement)
            self._wait(pause)
        raise ValueError("tries must be at least 1")

    def _ask(self, request: Request) -> Answer:
        signed = self._plan.backend.signed(request, self._credentials, time.time())
        return self._client.send(request, signed)


def _busy(judgement: Judgement) -> ServiceBusy:
    if judgement.wait is None:
        return ServiceBusy()
    return ServiceBusy(f"The service asks to wait {judgement.wait:.0f} seconds.")
