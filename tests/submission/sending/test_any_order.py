"""Sending, withdrawing and changing the submission in any order, with every fault of a service and
every crash in between: what the journal says is compared with what the service has."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sending_backends import BACKENDS, FLAVOURS, Hma, OldHma, Seen, SlowHma, Webhook

from hashkit.errors import (
    CertificateRefused,
    ConnectionLost,
    NoWithdrawal,
    SendingError,
    ServiceUnreachable,
)
from hashkit.models import Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.sending.batch import Batch, Request, Response
from hashkit.submission.sending.delivering import Delivery
from hashkit.submission.sending.journal import Entry, State, open_journal
from hashkit.submission.sending.plan import Plan, plan_for
from hashkit.submission.sending.profile import Profile

pytestmark = pytest.mark.test_all

ITEMS = (
    Item(MediaKind.IMAGE, (Hash("pdq", "1" * 64, 90),)),
    Item(MediaKind.VIDEO, (Hash("md5", "2" * 32),)),
)
SETTINGS = {
    "bank": "BANK",
    "feedback": "None",
    "description": "As agreed",
    "share_level": "RED",
    "status": "UNKNOWN",
    "privacy_type": "HAS_PRIVACY_GROUP",
    "privacy_members": "",
    "tags": "",
    "variants": "no",
}
CREDENTIALS = {
    "secret": Webhook.text,
    "function_key": "the-function-secret",
    "subscription_key": "the-subscription-secret",
    "token": "the-token-secret",
}


class Killed(BaseException):
    """The process ends here."""


class Fault(NamedTuple):
    """Whether the service does what it is asked, and what comes of it. ``known``: the answer says
    that it was not done. ``dies``: hashkit ends in the pause after it."""

    done: bool
    result: Response | type[BaseException]
    known: bool = False
    dies: bool = False


LOST = {  # it was done, and we do not know
    "cut after": Fault(True, ConnectionLost),
    "killed after": Fault(True, Killed),
    "503 after": Fault(True, Response(503)),
    "killed in the pause": Fault(True, Response(503), dies=True),
    "nameless": Fault(True, Response(200, b"{}")),
    "half": Fault(True, Response(201, b'{"id": 1')),
    "no status": Fault(True, Response(999)),
}
NOT_DONE = {  # it was not, and we do not know
    "cut before": Fault(False, ConnectionLost),
    "killed before": Fault(False, Killed),
    "503 before": Fault(False, Response(503)),
    "page": Fault(False, Response(200, b"<html>Please log in</html>")),
}
REFUSED = {
    "unreachable": Fault(False, ServiceUnreachable, known=True),
    "certificate": Fault(False, CertificateRefused, known=True),
    "a long time": Fault(False, Response(429, retry_after=3600.0), known=True),
    **{
        str(status): Fault(False, Response(status), known=True)
        for status in (401, 404, 405, 410, 422, 429)
    },
}
FAULTS = LOST | NOT_DONE | REFUSED
FAULT_FREE = Fault(True, Response(200))


def entries(path: Path) -> dict[str, Entry]:
    """What the journal says, the last whole line of each batch."""
    lines = path.read_bytes().split(b"\n")[1:-1] if path.exists() else []
    found = map(json.loads, lines)
    return {
        each["key"]: Entry(
            State(each["state"]),
            each.get("id"),
            "again" in each,
            each.get("mark"),
            each.get("lost", 0),
            "newest" in each,
        )
        for each in found
    }


def keys(path: Path, state: State) -> set[str]:
    return {key for key, entry in entries(path).items() if entry.state is state}


def without_note(body: bytes) -> bytes:
    """The body of a request to hma as if it carried no mark. It is the last field."""
    return re.sub(rb', "note": "[0-9a-f]{32}"}$', b"}", body)


def signal_of(batch: Batch) -> tuple[str, str]:
    """What hma stores of it."""
    ((name, value),) = json.loads(batch.request.body).items()
    return name, value


class Service:
    """A service in memory, in the place of the client, and all that is known on its side: under
    which names it got each batch from us (``ours``), and what it has from others."""

    def __init__(self, kind: str) -> None:
        self.kind = kind.partition(",")[0]
        self.backend = (BACKENDS | FLAVOURS)[kind]()
        self.ours: dict[str, list[str]] = defaultdict(list)
        self.others: dict[int, tuple[str, str]] = {}
        self.fooled: set[str] = set()  # the batches that it was asked for in vain
        self.is_old = isinstance(self.backend, OldHma)
        self.any_success = self.kind in ("webhook", "stopncii")  # is a yes: it gives no names

    def copies(self, key: str) -> list[str]:
        """The names of what it has of a batch from us."""
        if self.kind == "stopncii":
            return self.ours[key]
        there = set(map(str, self.backend.stored))
        return [name for name in dict.fromkeys(self.ours[key]) if name in there]

    def key_of_name(self, name: str) -> str:
        assert name not in map(str, self.others), "this is somebody else's"
        return next(key for key, names in self.ours.items() if name in names)

    def do(self, request: Request, headers: Mapping[str, str], key: str) -> Response:
        path = {"stopncii": "/v1", "threatexchange": "/v21.0"}.get(self.kind, "") + request.path
        headers = {**dict(request.headers), **headers}
        seen = Seen(b"", request.method, path, headers, request.body)
        status, _, body = self.backend.answer(seen)
        if request.method == "POST" and status == 200:
            content = {} if self.any_success else json.loads(body)
            name = key if self.kind == "webhook" else str(content.get("id", len(self.ours[key])))
            if name not in self.ours[key]:
                self.ours[key].append(name)
        for number, signal in self.others.items():
            assert self.backend.stored[number] == signal
        return Response(status, body)


class Client:
    """Hands requests to the service, with a fault for each of the first. ``unsure``: the batches
    of which an answer was lost, so that the service may have them or not."""

    def __init__(self, service: Service, plan: Plan, path: Path, faults: Iterable[str]) -> None:
        self._service = service
        self._path = path
        self._faults = [FAULTS[name] for name in faults]
        self._posts = {batch.request.body: batch.key for batch in plan.batches}
        self._questions = {plan.backend.lookup(batch): batch.key for batch in plan.batches}
        self._had = keys(path, State.ACCEPTED)
        self._unsure = keys(path, State.TRYING)
        self._dies = False
        self.requests = 0
        self.on_disk = path.stat().st_size if path.exists() else 0

    def _key(self, request: Request) -> str:
        """Which batch this is about, and whether it may be now."""
        if request.method == "GET":
            if request in self._questions:
                self._asked = self._questions[request]
            return self._asked
        if request.method == "POST":
            key = self._posts[without_note(request.body)]
            assert key not in self._had, "the journal says that it is there"
            self.hold_mark(request, key)
            if type(self._service.backend) is Hma and key not in self._service.fooled:
                assert not self._service.copies(key), "it would have been found by asking"
        else:
            name = request.path.rpartition("/")[2]
            key = name if self._service.kind == "webhook" else self._service.key_of_name(name)
        assert entries(self._path)[key].state is State.TRYING, (
            "the journal does not say that it is being tried"
        )
        return key

    def hold_mark(self, request: Request, key: str) -> None:
        """What hma will store can be found again: the mark is in the journal, and no other's."""
        if self._service.kind == "hma" and without_note(request.body) != request.body:
            noted = entries(self._path)
            assert json.loads(request.body)["note"] == noted[key].mark
            assert [each.mark for each in noted.values()].count(noted[key].mark) == 1

    def send(self, request: Request, signed: Mapping[str, str]) -> Response:
        self.requests += 1
        self.on_disk = self._path.stat().st_size
        key = self._key(request)
        fault = self._faults.pop(0) if self._faults else FAULT_FREE
        status = fault.result.status if isinstance(fault.result, Response) else None
        if request.method == "DELETE" and (
            status == 410 or (status == 404 and key in self._unsure)
        ):
            fault = Fault(True, Response(status))  # it is believed, so it is true
        if self._service.any_success and status in (200, 201):
            fault = FAULT_FREE
        response = self._service.do(request, signed, key) if fault.done else None
        sure = fault is FAULT_FREE or status in (404, 410)
        if request.method != "GET" and not fault.known:
            (self._unsure.discard if sure else self._unsure.add)(key)
        if request.method == "GET" and fault is not FAULT_FREE:
            self._service.fooled.add(key)
        self._dies = fault.dies
        if fault is FAULT_FREE:
            return response
        if isinstance(fault.result, Response):
            return fault.result
        raise fault.result

    def wait(self, seconds: float) -> None:
        assert seconds <= 120
        if self._dies:
            raise Killed


of_each = [st.sampled_from(sorted(group)) for group in (LOST, NOT_DONE, REFUSED)]
faults = st.lists(st.one_of(*of_each, st.sampled_from(["404", "422"])), max_size=4)
tries = st.integers(1, 3)
stops = st.none() | st.integers(1, 2)  # after how many batches hashkit is killed
cuts = st.integers(0, 250)  # how many bytes of the last line did not get to the disk then


class AnyOrder(RuleBasedStateMachine):
    """Nothing lost, nothing doubled without a word, nothing of others touched."""

    def begin(self, kind: str) -> None:
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "s.json.sent.jsonl"
        self.service = Service(kind)
        profile = Profile("test", self.service.kind, "https://service.example", SETTINGS, {})
        self.everything = plan_for(Submission.from_items(ITEMS), profile)
        self.plan = self.everything

    def teardown(self) -> None:
        self.folder.cleanup()

    def run(self, what, faults=(), tries=5, stop=None, cut=0):
        """One run of hashkit: the outcome of each batch, and what ended it, if anything did."""
        client = Client(self.service, self.everything, self.path, faults)
        outcomes, end = [], None
        try:
            # No waiting for the disk: what it does not get is cut off below.
            with (
                patch("os.fsync"),
                open_journal(self.path, self.plan.backend.destination) as journal,
            ):
                delivery = Delivery(
                    self.plan, journal, client, CREDENTIALS, tries=tries, wait=client.wait
                )
                items = {batch.key: batch.item for batch in self.plan.batches}
                for outcome in getattr(delivery, what)():
                    assert outcome.item == items.get(outcome.key)
                    self.hold(outcome)
                    outcomes.append(outcome)
                    if len(outcomes) == stop:
                        end = Killed()
                        break
        except (SendingError, Killed) as error:
            end = error
        if isinstance(end, Killed):
            self.cut(client.on_disk, cut)
        assert not (isinstance(end, NoWithdrawal) and client.requests)
        return outcomes, end

    def cut(self, on_disk: int, cut: int) -> None:
        """A crash takes bytes of the last line, if nothing was done since that relies on it."""
        whole = self.path.read_bytes()
        begin = whole.rfind(b"\n", 0, -1) + 1
        self.path.write_bytes(whole[: max(on_disk, begin, len(whole) - cut)])

    def hold(self, outcome) -> None:
        """What is said is so."""
        if outcome.state == State.ACCEPTED:
            assert self.is_there(outcome.key)
        elif outcome.state == State.WITHDRAWN and outcome.reason is None:
            assert not self.service.copies(outcome.key)

    def is_there(self, key: str) -> bool:
        if self.service.copies(key):
            return True
        batch = next(each for each in self.everything.batches if each.key == key)
        return self.service.kind == "hma" and signal_of(batch) in self.service.others.values()

    @rule(faults=faults, tries=tries, stop=stops, cut=cuts)
    def send(self, **how) -> None:
        self.run("send", **how)

    @rule(faults=faults, tries=tries, stop=stops, cut=cuts)
    def withdraw(self, **how) -> None:
        self.run("withdraw", **how)

    @rule()
    def send_and_all_is_well(self) -> None:
        left = {batch.key for batch in self.plan.batches} - keys(self.path, State.ACCEPTED)
        outcomes, end = self.run("send")
        assert end is None
        assert {each.key for each in outcomes} == left
        assert {each.state for each in outcomes} <= {State.ACCEPTED}
        assert all(self.is_there(batch.key) for batch in self.plan.batches)

    @rule()
    def withdraw_and_all_is_well(self) -> None:
        outcomes, end = self.run("withdraw")
        if self.service.kind == "stopncii":
            assert isinstance(end, NoWithdrawal)
            return
        assert end is None
        reported = {each.key for each in outcomes if each.reason is not None}  # exit code 1
        assert {key for key in self.service.ours if self.service.copies(key)} <= reported

    @rule(which=st.sets(st.sampled_from(range(len(ITEMS)))))
    def edit(self, which: set[int]) -> None:
        batches = tuple(each for each in self.everything.batches if each.item - 1 in which)
        self.plan = replace(self.everything, batches=batches)

    @precondition(lambda self: self.service.kind == "hma")
    @rule(number=st.sampled_from(range(len(ITEMS))))
    def somebody_else_adds_the_same(self, number: int) -> None:
        hma = self.service.backend
        signal = signal_of(self.everything.batches[number])
        self.service.others[hma.next_id] = hma.stored[hma.next_id] = signal
        hma.next_id += 1

    @precondition(lambda self: isinstance(self.service.backend, SlowHma))
    @rule()
    def the_index_is_built(self) -> None:
        self.service.backend.built = set(self.service.backend.stored)

    @precondition(lambda self: self.service.kind == "hma" and not self.service.is_old)
    @rule()
    def withdraw_with_an_index_and_nothing_is_left(self) -> None:
        self.plan = self.everything
        if isinstance(self.service.backend, SlowHma):
            self.the_index_is_built()
        _, end = self.run("withdraw")
        assert end is None
        assert not [name for key in self.service.ours for name in self.service.copies(key)]

    @invariant()
    def the_journal_is_right(self) -> None:
        noted = entries(self.path)
        for batch in self.everything.batches:
            entry = noted.get(batch.key, Entry(State.UNSENT))
            assert entry.state is not State.ACCEPTED or self.is_there(batch.key)
            strays = [name for name in self.service.copies(batch.key) if name != entry.id]
            if self.service.kind == "hma" and not self.service.is_old:
                assert not entry.again, "what was sent with a mark is found again"
                assert len(strays) <= entry.lost
                assert not strays or {self.service.backend.notes[int(each)] for each in strays} == {
                    entry.mark
                }
                continue
            may_be_there = entry.state in (State.ACCEPTED, State.TRYING) and entry.id is None
            assert not strays or entry.again or (may_be_there and len(strays) == 1)


def order_for(*kinds: str):
    """The tests of one kind of service, in its flavours."""
    start = initialize(kind=st.sampled_from(kinds))(AnyOrder.begin)
    machine = type(f"AnyOrder_{kinds[0]}", (AnyOrder,), {"start": start})
    machine.TestCase.settings = settings(stateful_step_count=30)
    return machine.TestCase


TestWebhook = order_for("webhook")
TestHma = order_for("hma", "hma, slow", "hma, old")
TestStopNcii = order_for("stopncii")
TestThreatExchange = order_for("threatexchange", "threatexchange, merging")

# What went wrong once, or would be easy to get wrong: runs of hashkit, each with its faults.
STORIES = {
    "what may be there twice": "hma, slow: send cut_after/send/withdraw/send/withdraw/withdraw",
    "and is rejected then": "hma, slow: send cut_after/send/withdraw/send 422/withdraw/send 429",
    "a page takes nothing back": "hma: send/withdraw page",
    "nor does it there": "threatexchange: send/withdraw page",
    "no name is no yes": "hma: send page",
    "a lost answer to a withdrawal": "webhook: send/withdraw killed_after",
    "a lost answer that says no more": "hma: send/withdraw cut_after",
    "lost, then nobody there": "webhook: send cut_after/send unreachable",
    "no way to withdraw": "webhook: send/withdraw 404",
    "somebody else's": "hma: others/send cut_before/send/withdraw",
    "done, with an error": "webhook: send 503_after/send 422",
    "killed before the answer": "hma: send killed_after/send/withdraw",
    "lost, then rejected": "webhook: send cut_after/send 422",
}


@pytest.mark.parametrize("story", STORIES)
def test_stories(story):
    kind, _, steps = STORIES[story].partition(": ")
    machine = AnyOrder()
    machine.begin(kind)
    for step in steps.split("/"):
        what, *faults = step.split()
        faults = [each.replace("_", " ") for each in faults]
        if what == "others":
            machine.somebody_else_adds_the_same(0)
        elif faults:
            machine.run(what, faults, tries=1)
        else:
            getattr(machine, f"{what}_and_all_is_well")()
        machine.the_journal_is_right()
    machine.teardown()
