"""Nothing lost, nothing doubled: whatever a server does, and wherever it is stopped."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest

from hashkit.errors import (
    AlreadySending,
    ConnectionLost,
    NoWithdrawal,
    ServiceBusy,
    ServiceRefused,
    ServiceUnreachable,
)
from hashkit.submission.document import Submission
from hashkit.submission.sending.backends import BACKENDS
from hashkit.submission.sending.journal import State, journal_beside, open_journal

pytestmark = pytest.mark.test_all

KINDS = tuple(BACKENDS)  # a new one is tested too


def states(outcomes):
    return [outcome.state for outcome in outcomes]


def stored(sender):
    """What the service has, each hash or document as often as it has it."""
    backend = sender.backend
    if sender.kind == "webhook":
        return sorted(backend.stored.values())
    if sender.kind == "hma":
        return sorted(backend.stored.values())
    if sender.kind == "stopncii":
        return sorted((each["signalType"], each["hashValue"]) for each in backend.stored)
    return sorted((each["type"], each["indicator"]) for each in backend.stored.values())


def wanted(sender):
    """What it should have, each once."""
    items = sender.submission.items
    if sender.kind == "webhook":
        return sorted(Submission((item,)).to_json().encode() for item in items)
    names = {
        "hma": {"pdq": "pdq", "md5": "video_md5"},
        "stopncii": {"pdq": "ImagePDQ", "md5": "VideoMD5"},
        "threatexchange": {
            "pdq": "HASH_PDQ",
            "sha256": "HASH_SHA256",
            "md5": "HASH_VIDEO_MD5",
        },
    }[sender.kind]
    return sorted(
        (names[each.algorithm], each.value)
        for item in items
        for each in item.hashes
        if each.algorithm in names and each.quality != 20
    )


@pytest.mark.parametrize("kind", KINDS)
def test_everything_arrives_once(sender, kind):
    sending = sender(kind)
    outcomes = sending.go()
    assert set(states(outcomes)) == {State.ACCEPTED}
    assert stored(sending) == wanted(sending)
    before = len(sending.service.seen)
    assert sending.go() == []  # and nothing is sent again
    assert len(sending.service.seen) == before
    assert sending.waits == []


# What may happen on the way of the third request, and whether it is then sent again by itself.
FAULTS = {
    "cut": "cut",
    "cut after storing": "store_and_cut",
    "cut in the answer": "store_and_half",
    "garbage": "garbage",
    "500": 500,
    "503": 503,
    "429": (429, {"Retry-After": "7"}, b""),
    "408": 408,
    "endless": "endless",
}

# These two services have no keys, and no way to ask: what they stored is sent again.
MAY_REPEAT = {("stopncii", "cut after storing"), ("stopncii", "cut in the answer")}
MAY_REPEAT |= {("threatexchange", fault) for _, fault in MAY_REPEAT}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_on_the_way(sender, kind, fault):
    sending = sender(kind)
    sending.service.faults = [None, None, FAULTS[fault]]
    if fault == "endless" and kind in ("hma", "threatexchange"):
        # They have to say under which name they know it, and did not.
        with pytest.raises(ServiceRefused):
            sending.go()
        if kind == "threatexchange":
            return
    assert set(states(sending.go())) == {State.ACCEPTED}
    if (kind, fault) in MAY_REPEAT:
        assert set(stored(sending)) == set(wanted(sending))
        assert len(stored(sending)) == len(wanted(sending)) + 1
    else:
        assert stored(sending) == wanted(sending)
    assert sending.waits == ([7.0] if fault == "429" else [] if fault == "endless" else [1.0])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("cut", ConnectionLost),
        ("store_and_cut", ConnectionLost),
        ("stall", ConnectionLost),
        ("store_and_stall", ConnectionLost),
        (502, ServiceBusy),
        (429, ServiceBusy),
    ],
)
@pytest.mark.parametrize("kind", ["webhook", "hma"])
def test_a_run_that_ends_in_the_middle_is_gone_on_with(sender, kind, fault, error):
    sending = sender(kind)
    sending.service.faults = [None, None, 503]
    with pytest.raises(ServiceBusy):
        sending.go(tries=1)
    sending.service.faults = [fault]
    with pytest.raises(error):
        sending.go(tries=1, patience=1.0 if "stall" in str(fault) else 20.0)
    rest = sending.go()
    assert len(rest) == len(sending.plan().batches) - 2
    assert stored(sending) == wanted(sending)


def test_hma_may_not_know_yet_what_it_has(sender):
    """The limit that the documentation names: the hash is there twice, and nothing is lost."""
    sending = sender("hma")
    sending.service.faults = ["store_and_cut"]
    sending.backend.slow_index = True
    sending.go()
    assert set(stored(sending)) == set(wanted(sending))
    assert len(stored(sending)) == len(wanted(sending)) + 1


@pytest.mark.parametrize("then", [429, 401, 422])
@pytest.mark.parametrize("kind", ["webhook", "hma"])
def test_what_may_have_arrived_is_not_forgotten(sender, kind, then):
    """It was stored, we do not know, and the next attempt surely was not taken."""
    sending = sender(kind)
    sending.service.faults = ["store_and_cut", then, *[401] * 9]
    if kind == "hma":
        sending.backend.slow_index = True  # or it would be found at once
    with pytest.raises((ServiceBusy, ServiceRefused)):
        sending.go(tries=2)
    first = sending.plan().batches[0].key
    with open_journal(journal_beside(sending.given), sending.plan().backend.destination) as journal:
        assert journal.unsure(first)
    sending.service.faults.clear()
    if kind == "webhook":
        sending.go("withdraw")
        assert stored(sending) == []
        return
    sending.backend.slow_index = False
    sending.go()
    assert stored(sending) == wanted(sending)
    assert states(sending.go("withdraw")) == [State.WITHDRAWN] * 5
    assert stored(sending) == []


def test_hma_does_not_take_a_near_one_or_another_bank_for_it(sender):
    sending = sender("hma")
    sending.service.faults = ["cut"]  # it was not stored, and there are others that look like it
    assert "99" not in {outcome.id for outcome in sending.go()}
    assert stored(sending) == wanted(sending)


def test_tries_and_pauses(sender):
    sending = sender("webhook")
    sending.service.always = 503
    with pytest.raises(ServiceBusy):
        sending.go(tries=4)
    assert sending.waits == [1.0, 2.0, 4.0]
    assert len(sending.service.seen) == 4


def test_a_service_that_asks_for_a_long_time_is_left_alone(sender):
    sending = sender("webhook")
    sending.service.always = (429, {"Retry-After": "3600"}, b"")
    with pytest.raises(ServiceBusy, match="asks to wait 3600 seconds"):
        sending.go()
    assert sending.waits == []
    assert len(sending.service.seen) == 1


@pytest.mark.parametrize(("seconds", "waits"), [("120", [120.0]), ("121", [])])
def test_two_minutes_are_waited_and_no_more(sender, seconds, waits):
    sending = sender("webhook")
    sending.service.faults = [(503, {"Retry-After": seconds}, b"")]
    with nullcontext() if waits else pytest.raises(ServiceBusy):
        sending.go()
    assert sending.waits == waits


def test_nobody_there(sender):
    sending = sender("hma")
    sending.service.close()
    with pytest.raises(ServiceUnreachable):
        sending.go(tries=2)
    journal = journal_beside(sending.given).read_text().splitlines()
    assert json.loads(journal[-1])["state"] == "unsent"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_rejected_does_not_keep_the_rest_back(sender, kind):
    sending = sender(kind)
    body = {"detail": "No room for\nthis \x1b[31mone" + "!" * 500}
    no = (422, {"Content-Type": "application/json"}, json.dumps(body).encode())
    sending.service.faults = [None, no]
    outcomes = sending.go()
    assert states(outcomes).count(State.REJECTED) == 1
    assert outcomes[1].reason.startswith("No room for this ")
    assert len(outcomes[1].reason) == 200
    assert len(outcomes) == len(sending.plan().batches)
    again = sending.go()  # perhaps it takes it by now
    assert states(again) == [State.ACCEPTED]
    assert stored(sending) == wanted(sending)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (401, "does not take these credentials"),
        (403, "does not take these credentials"),
        (404, "does not know this address"),
        (405, "does not know this address"),
        ((302, {"Location": "https://other.example/"}, b""), "elsewhere.*https://other.example/"),
        ((308, {}, b""), "points elsewhere"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_no_other_would_be_taken_either(sender, kind, fault, message):
    sending = sender(kind)
    sending.service.faults = [None, fault]
    with pytest.raises(ServiceRefused, match=message):
        sending.go()
    assert len(sending.service.seen) == 2
    sending.go()
    assert stored(sending) == wanted(sending)


def test_the_page_of_a_network_is_no_answer(sender):
    for kind in ("hma", "threatexchange"):
        sending = sender(kind)
        sending.service.faults = ["page"]
        with pytest.raises(ServiceRefused):
            sending.go()
        assert stored(sending) == []
        sending.go()
        assert stored(sending) == wanted(sending)


def test_threatexchange_says_with_codes_what_is_wrong(sender, monkeypatch):
    sending = sender("threatexchange")
    busy = {"error": {"message": "Too many calls.", "code": 4}}
    wrong = {"error": {"message": "Bad indicator.", "code": 100}}
    sending.service.faults = [
        (400, {}, json.dumps(busy).encode()),
        (400, {}, json.dumps(wrong).encode()),
    ]
    outcomes = sending.go()
    assert sending.waits == [1.0]
    assert outcomes[0].reason == "Bad indicator."
    monkeypatch.setenv("TEST_TOKEN", "old-token")
    with pytest.raises(ServiceRefused, match="Bad token"):
        sending.go()


def test_two_at_once(sender):
    sending = sender("webhook")
    with (
        open_journal(journal_beside(sending.given), sending.plan().backend.destination),
        pytest.raises(AlreadySending),
    ):
        sending.go()
    sending.go()


def test_another_service_gets_everything(sender):
    first = sender("webhook")
    first.go()
    second = sender("webhook")  # at another address, with the same journal
    second.go()
    assert stored(first) == stored(second) == wanted(first)


@pytest.mark.parametrize("kind", ["webhook", "hma", "threatexchange"])
def test_withdrawing(sender, kind):
    sending = sender(kind)
    count = len(sending.go())
    sending.service.faults = [None, 503, "cut"]
    outcomes = sending.go("withdraw")
    assert states(outcomes) == [State.WITHDRAWN] * count
    assert sending.waits == [1.0, 2.0]
    assert stored(sending) == []
    assert sending.go("withdraw") == []
    sending.go()  # it may be sent again
    assert stored(sending) == wanted(sending)


@pytest.mark.parametrize("kind", ["webhook", "hma", "threatexchange"])
def test_withdrawing_what_is_gone_already(sender, kind):
    sending = sender(kind)
    count = len(sending.go())
    sending.service.faults = [410] * count
    assert states(sending.go("withdraw")) == [State.WITHDRAWN] * count


@pytest.mark.parametrize("kind", ["webhook", "hma", "threatexchange"])
def test_a_service_that_knows_nothing_of_withdrawing(sender, kind):
    """It has the hashes, and answers as to any address that it does not know."""
    sending = sender(kind)
    count = len(sending.go())
    sending.service.always = 404
    outcomes = sending.go("withdraw")
    assert states(outcomes) == [State.ACCEPTED] * count
    assert all("took it before" in each.reason for each in outcomes)
    assert stored(sending) == wanted(sending)


@pytest.mark.parametrize("kind", ["webhook", "hma"])
@pytest.mark.parametrize("fault", ["store_and_cut", "store_and_half", "store_and_stall"])
def test_a_lost_answer_to_a_withdrawal_loses_nothing(sender, kind, fault):
    """It was withdrawn, and the answer was lost: sending sends it again."""
    sending = sender(kind)
    count = len(sending.go())
    sending.service.faults = [None, fault]
    with pytest.raises(ConnectionLost):
        sending.go("withdraw", tries=1, patience=1.0)
    assert len(stored(sending)) == count - 2
    sending.service.release.set()
    sending.go()
    assert stored(sending) == wanted(sending)


@pytest.mark.parametrize("kind", ["webhook", "hma"])
def test_a_lost_answer_to_a_withdrawal_is_asked_for_again(sender, kind):
    sending = sender(kind)
    count = len(sending.go())
    sending.service.faults = [None, "store_and_cut", 404 if kind == "hma" else None]
    assert states(sending.go("withdraw")) == [State.WITHDRAWN] * count
    assert stored(sending) == []


@pytest.mark.parametrize("fault", [503, 429, 401, 405, 422])
def test_what_was_not_taken_back_is_still_there(sender, fault):
    sending = sender("webhook")
    sending.go()
    sending.service.faults = [None, fault]
    with pytest.raises((ServiceBusy, ServiceRefused)) if fault != 422 else nullcontext():
        sending.go("withdraw", tries=1)
    sending.go()
    assert stored(sending) == wanted(sending)
    sending.go("withdraw")
    assert stored(sending) == []


def test_withdrawing_what_may_be_there(sender):
    sending = sender("webhook")
    sending.service.faults = ["store_and_cut"]
    with pytest.raises(ConnectionLost):
        sending.go(tries=1)
    assert len(stored(sending)) == 1
    assert states(sending.go("withdraw")) == [State.WITHDRAWN]
    assert stored(sending) == []


def test_withdrawing_what_is_not_known_to_be_there(sender):
    sending = sender("hma")
    sending.service.faults = ["cut"]
    with pytest.raises(ConnectionLost):
        sending.go(tries=1)
    (outcome,) = sending.go("withdraw")
    assert outcome.state == State.TRYING
    assert "not show it yet" in outcome.reason


def test_no_way_to_withdraw(sender):
    sending = sender("stopncii")
    sending.go()
    with pytest.raises(NoWithdrawal):
        sending.go("withdraw")
