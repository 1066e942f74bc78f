"""An answer counts for the request that it answers, and for no other."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import nullcontext

import pytest
from sending_answers import EARLY, NO_ANSWER, ONE_ANSWER, YES
from sending_backends import served_by

from hashkit.errors import ConnectionLost, ServiceBusy, ServiceUnreachable
from hashkit.models import Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.sending import exchange
from hashkit.submission.sending.batch import Request
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.journal import State, journal_beside
from hashkit.submission.sending.profiles import read_profile

pytestmark = pytest.mark.test_all

WITH_NAMES = ("hma", "threatexchange")


@pytest.fixture(params=["http", "https"])
def way(request, sender, authority, tmp_path):
    """Start a service of a kind, with TLS or without."""

    def start(kind):
        if request.param == "http":
            return sender(kind)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        return sender(kind, served_by(authority, "127.0.0.1"), 'ca = "ca.pem"')

    return start


def noted(sending, state):
    """The batches that are in this state, as the journal says."""
    lines = journal_beside(sending.given).read_text().splitlines()[1:]
    last = {entry["key"]: entry["state"] for entry in map(json.loads, lines)}
    return {key for key, each in last.items() if each == state}


@pytest.mark.parametrize("then", [503, 429, "cut"])
@pytest.mark.parametrize("kind", ["webhook", "hma", "threatexchange"])
def test_an_answer_that_was_left_over_is_not_the_next_one(way, kind, then):
    sending = way(kind)
    sending.service.faults = [None, "doubled", then]
    with pytest.raises((ServiceBusy, ConnectionLost)):
        sending.go(tries=1)
    assert len(sending.backend.stored) == len(noted(sending, State.ACCEPTED)) == 2
    sending.go()
    assert len(sending.backend.stored) == len(sending.plan().batches)


@pytest.mark.parametrize("then", [503, 429, "cut"])
@pytest.mark.parametrize("kind", ["webhook", "hma", "threatexchange"])
def test_nor_when_withdrawing(way, kind, then):
    sending = way(kind)
    count = len(sending.go())
    sending.service.faults = [None, "doubled", then]
    with pytest.raises((ServiceBusy, ConnectionLost)):
        sending.go("withdraw", tries=1)
    assert len(sending.backend.stored) == count - 2
    assert len(noted(sending, State.WITHDRAWN)) == 2


@pytest.mark.parametrize("fault", ONE_ANSWER)
@pytest.mark.parametrize("kind", ["webhook", "hma", "stopncii", "threatexchange"])
def test_one_answer_is_taken_whatever_is_around_it(way, kind, fault):
    sending = way(kind)
    sending.service.faults = [fault] * 2
    assert {each.state for each in sending.go()} == {State.ACCEPTED}
    assert sending.waits == []
    assert len(sending.service.seen) == len(sending.plan().batches)


@pytest.mark.parametrize("fault", NO_ANSWER)
@pytest.mark.parametrize("kind", ["webhook", "hma", "stopncii", "threatexchange"])
def test_two_that_differ_are_none(way, kind, fault):
    sending = way(kind)
    sending.service.faults = [None, fault]
    with pytest.raises(ConnectionLost):
        sending.go(tries=1)
    assert len(noted(sending, State.ACCEPTED)) == len(noted(sending, State.TRYING)) == 1
    sending.go()
    assert noted(sending, State.ACCEPTED) == {batch.key for batch in sending.plan().batches}


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_nor_when_withdrawing_something(way, fault):
    sending = way("hma")
    count = len(sending.go())
    sending.service.faults = [None, fault]
    with pytest.raises(ConnectionLost):
        sending.go("withdraw", tries=1)
    assert len(sending.backend.stored) == count - 1
    sending.go("withdraw")
    assert sending.backend.stored == {}


@pytest.fixture
def slow(monkeypatch):
    """Begin a request only when the service has written."""

    def wait_for(sending):
        look = exchange._Pieces.has_early

        def later(pieces):
            assert sending.service.wrote.wait(30)
            return look(pieces)

        monkeypatch.setattr(exchange._Pieces, "has_early", later)

    return wait_for


@pytest.mark.parametrize("fault", EARLY)
@pytest.mark.parametrize("what", ["send", "withdraw"])
def test_what_came_before_the_request_is_no_answer(way, slow, what, fault):
    """And nothing of the request was sent: what is known of the batch stays as it was."""
    sending = way("hma")
    if what == "withdraw":
        sending.go()
    seen, before = len(sending.service.seen), dict(sending.backend.stored)
    slow(sending)
    sending.service.early = [fault]
    with pytest.raises(ServiceUnreachable):
        sending.go(what, tries=1)
    assert len(sending.service.seen) == seen
    assert sending.backend.stored == before
    assert noted(sending, State.TRYING) == set()


@pytest.mark.parametrize("kind", ["webhook", "hma"])
def test_an_answer_that_crosses_the_request(way, kind):
    """It may come after the request was sent. The real one follows it."""
    sending = way(kind)
    for _ in range(10):
        sending.service.early = ["yes_then_busy"]
        with pytest.raises((ConnectionLost, ServiceUnreachable, ServiceBusy)):
            sending.go(tries=1)
        sending.service.faults.clear()
        assert sending.backend.stored == {}
        assert noted(sending, State.ACCEPTED) == set()
    sending.go()
    assert len(sending.backend.stored) == len(sending.plan().batches)


@pytest.mark.parametrize("kind", WITH_NAMES)
def test_the_name_of_another_batch_is_no_answer(sender, kind):
    """Something in between may keep answers too, and hand out one on another connection."""
    sending = sender(kind)
    sending.go(tries=1)
    first = next(iter(sending.backend.stored))
    stale = (200, {}, json.dumps({"id": first, "success": True}).encode())
    more = [Item(MediaKind.IMAGE, (Hash("pdq", "e" * 64, 90),)), *sending.submission.items]
    sending.submission = Submission.from_items(more)
    sending.service.faults = [stale]
    with pytest.raises(ConnectionLost):
        sending.go(tries=1)
    assert len(noted(sending, State.TRYING)) == 1
    assert [each.state for each in sending.go()] == [State.ACCEPTED]
    assert len(sending.backend.stored) == len(sending.plan().batches)


@pytest.mark.parametrize("kind", WITH_NAMES)
def test_the_name_of_what_was_withdrawn_may_be_given_again(sender, kind):
    """Some services use a number again."""
    sending = sender(kind)
    sending.go()
    sending.go("withdraw")
    sending.backend.next_id = 1 if kind == "hma" else 1000
    sending.submission = Submission.from_items(reversed(sending.submission.items))
    assert {each.state for each in sending.go()} == {State.ACCEPTED}


def test_so_may_that_of_one_whose_withdrawal_is_not_known(sender):
    sending = sender("hma")
    sending.go()
    sending.service.faults = ["store_and_cut"]
    with pytest.raises(ConnectionLost):
        sending.go("withdraw", tries=1)
    sending.backend.next_id = 1
    sending.submission = Submission((Item(MediaKind.IMAGE, (Hash("pdq", "e" * 64, 90),)),))
    assert [each.id for each in sending.go(tries=1)] == ["1"]


class Declining:
    """Answers when it has read the head of a request, reads no more, and ends the connection."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.recv(100)
            connection.sendall(self._answer)

    def close(self) -> None:
        self._thread.join(30)
        self._listening.close()


@pytest.mark.parametrize(
    "answer", [YES, b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"], ids=["yes", "no"]
)
def test_a_yes_to_a_request_that_was_not_sent_whole_is_none(sender, answer):
    sending = sender("webhook")
    service = Declining(answer)
    text = sending.profiles.read_text("utf-8")
    changed = text.replace(str(sending.service.port), str(service.port))
    sending.profiles.write_text(changed, "utf-8")
    profile = read_profile(sending.profiles, "test")
    with Client(profile, patience=10.0) as way:
        try:
            status = way.send(Request("POST", "", b"x" * (64 << 20)), {}).status
        except ConnectionLost:  # some systems drop the answer with the rest of the connection
            status = None
    service.close()
    assert status in (None, 413)


@pytest.mark.parametrize(
    ("status", "has_body", "counts"),
    [
        *((413, True, True), (400, True, True), (399, True, False), (200, True, False)),
        *((404, False, False), (410, False, False)),
    ],
)
def test_what_counts_where_writing_failed(status, has_body, counts):
    """A service may decline a body that it did not read. Nothing else."""
    unsent = exchange.Exchange(1.0)
    with nullcontext() if counts else pytest.raises(ConnectionLost):
        unsent.check(status, has_body=has_body, is_whole=True)


def test_each_request_has_a_connection_of_its_own(sender):
    sending = sender("webhook")
    sending.go()
    assert sending.service.connections == len(sending.service.seen) == len(sending.plan().batches)
    assert {seen.headers["Connection"] for seen in sending.service.seen} == {"close"}
