"""Sending the parcels that a service does not have yet, one after the other, and taking them back.

The record is what makes it safe to be stopped at any moment, and to begin again: before a request
goes out it says that the parcel is being tried, and after the answer what the answer was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hashkit.errors import (
    CertificateRefused,
    ConnectionLost,
    NoWithdrawal,
    ServiceBusy,
    ServiceRefused,
    ServiceUnreachable,
)
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.kinds.base import judged
from hashkit.submission.sending.parcels import Answer, Judgement, Parcel, Request, Verdict
from hashkit.submission.sending.plan import Plan
from hashkit.submission.sending.record import Entry, Record, State

TRIES = 5
"""How often a parcel is tried before giving up, if nothing else is said."""

LONGEST_WAIT = 120.0
"""Seconds. A service that asks for more is left alone: to be tried again another time."""

_NOT_KNOWN = "It is not known whether the service has it. Send it again, then withdraw it."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel. ``reason`` is the service's, and not to be trusted."""

    key: str
    state: State
    id: str | None = None
    reason: str | None = None


class Delivery:
    """A plan, on its way. ``wait`` is called with the seconds to wait, and waits."""

    def __init__(
        self,
        plan: Plan,
        record: Record,
        client: Client,
        credentials: Mapping[str, str],
        *,
        tries: int = TRIES,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._plan = plan
        self._record = record
        self._client = client
        self._credentials = credentials
        self._tries = tries
        self._wait = wait

    def send(self) -> Iterator[tuple[Parcel, Outcome]]:
        """Send what the service does not have, and say what became of each parcel. A parcel that is
        rejected does not keep the others back.

        Raises what keeps all others back too: ServiceUnreachable, CertificateRefused,
        ConnectionLost, ServiceBusy, ServiceRefused. What was sent until then is in the record.
        """
        for parcel in self._plan.parcels:
            if not self._record.has(parcel.key):
                yield parcel, self._deliver(parcel)

    def withdraw(self) -> Iterator[tuple[Parcel | None, Outcome]]:
        """Take back every parcel that the service has, or may have, and say what became of each.
        The parcel is None where it is not of this submission any more.

        Errors as ``send``, and NoWithdrawal where there is no way to."""
        if not self._plan.kind.withdraws:
            raise NoWithdrawal
        parcels = {parcel.key: parcel for parcel in self._plan.parcels}
        for key in self._record.keys(State.ACCEPTED, State.TRYING):
            yield parcels.get(key), self._take_back(key, parcels.get(key))

    def _deliver(self, parcel: Parcel) -> Outcome:
        judgement = self._patiently(lambda: self._attempt(parcel))
        accepted = judgement.verdict is Verdict.ACCEPTED
        return Outcome(
            parcel.key,
            State.ACCEPTED if accepted else State.REJECTED,
            judgement.id,
            judgement.reason,
        )

    def _attempt(self, parcel: Parcel) -> Judgement:
        """Send a parcel, once, and note what came of it. An earlier attempt may have arrived and we
        not know it: then nothing but a yes says more than that."""
        unsure = self._record.unsure(parcel.key)
        judgement = self._is_it_there(parcel) if unsure else None
        if judgement is None:
            self._record.write(parcel.key, State.TRYING)
            try:
                judgement = self._plan.kind.judge(self._ask(parcel.request))
            except (ServiceUnreachable, CertificateRefused):
                if not unsure:
                    self._record.write(parcel.key, State.UNSENT)
                raise
        if judgement.verdict is Verdict.ACCEPTED:
            self._record.write(parcel.key, State.ACCEPTED, judgement.id)
        elif judgement.verdict is Verdict.REJECTED and not unsure:
            self._record.write(parcel.key, State.REJECTED)
        elif judgement.sure and not unsure:
            self._record.write(parcel.key, State.UNSENT)
        return judgement

    def _is_it_there(self, parcel: Parcel) -> Judgement | None:
        """Ask for a parcel that the service may have. None where it does not say that it has it:
        it has to be sent, again perhaps."""
        question = self._plan.kind.question(parcel)
        if question is None:
            return None
        answer = self._ask(question)
        judgement = judged(answer)
        if judgement.verdict is not Verdict.ACCEPTED:
            return None if judgement.verdict is Verdict.REJECTED else judgement
        known_as = self._plan.kind.found(answer)
        return None if known_as is None else Judgement(Verdict.ACCEPTED, known_as)

    def _take_back(self, key: str, parcel: Parcel | None) -> Outcome:
        before = self._record.entry(key) or Entry(State.TRYING)
        judgement = self._patiently(lambda: self._attempt_back(key, before, parcel))
        if judgement.verdict is Verdict.ACCEPTED:
            self._record.write(key, State.WITHDRAWN)
            return Outcome(key, State.WITHDRAWN, before.id)
        return Outcome(key, before.state, before.id, judgement.reason)

    def _attempt_back(self, key: str, before: Entry, parcel: Parcel | None) -> Judgement:
        known_as = before.id
        if before.state is State.TRYING and parcel is not None:
            there = self._is_it_there(parcel)
            if there is not None and there.verdict is not Verdict.ACCEPTED:
                return there
            known_as = None if there is None else there.id
        request = self._plan.kind.withdrawal(key, known_as)
        if request is None:
            return Judgement(Verdict.REJECTED, reason=_NOT_KNOWN)
        return self._plan.kind.judge_withdrawal(self._ask(request))

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
                if number == self._tries or pause > LONGEST_WAIT:
                    raise _busy(judgement)
            self._wait(pause)
        raise ValueError("tries must be at least 1")

    def _ask(self, request: Request) -> Answer:
        signed = self._plan.kind.signed(request, self._credentials, time.time())
        return self._client.send(request, signed)


def _busy(judgement: Judgement) -> ServiceBusy:
    if judgement.wait is None:
        return ServiceBusy()
    return ServiceBusy(f"The service asks to wait {judgement.wait:.0f} seconds.")
