"""Entries at HMA whose names were lost: found again by their mark, and all of them taken back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from sending_backends import OldHma, reply

from hashkit.errors import ConnectionLost, ServiceBusy
from hashkit.submission.sending.backends import backend_for
from hashkit.submission.sending.batch import Response
from hashkit.submission.sending.journal import Entry, State, journal_beside, read_journal
from hashkit.submission.sending.profile import Profile

pytestmark = pytest.mark.test_all

MARK = "0123456789abcdef" * 2


class Slow:
    """What an index that was built at some time lists: nothing that is newer."""

    def __init__(self, backend):
        self.built: set[int] = set()
        backend.in_index = self.built.__contains__
        self._backend = backend

    def build(self):
        self.built.update(self._backend.stored)


@pytest.fixture
def hma(sender):
    """A sender to HMA with a slow index."""
    sending = sender("hma")
    sending.index = Slow(sending.backend)
    return sending


def journal(sending):
    return read_journal(journal_beside(sending.given), sending.plan().backend.destination)


def entry_of(sending, number=0):
    return journal(sending).entry(sending.plan().batches[number].key)


def signal_of(sending, number=0):
    ((name, value),) = json.loads(sending.plan().batches[number].request.body).items()
    return name, value


def reasons(outcomes):
    return [outcome.reason for outcome in outcomes if outcome.reason is not None]


def others_add(sending, *notes):
    """Somebody else adds the first hash, with each of these notes."""
    for note in notes:
        number, sending.backend.next_id = sending.backend.next_id, sending.backend.next_id + 1
        sending.backend.stored[number] = signal_of(sending)
        sending.backend.notes[number] = note


def doubled(sending, times=1):
    """Send: the first hash is stored ``times`` times more than is known."""
    sending.service.faults = ["store_and_cut"] * times
    sending.go()
    assert len(sending.backend.stored) == 5 + times


# Real processes


def start(sending, name):
    where = [name, sending.given, "--to", "test", "--profiles", sending.profiles, "--yes"]
    return subprocess.Popen(
        [sys.executable, "-m", "hashkit", *where],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def killed_in(sending, name, faults):
    """Run a command, and kill it when the server has done what it was asked and not answered."""
    sending.service.faults = faults
    sending.service.stalled.clear()
    sending.service.release.clear()
    with start(sending, name) as process:
        assert sending.service.stalled.wait(60)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    sending.service.release.set()


def finished(sending, name):
    sending.service.faults = []
    with start(sending, name) as process:
        output = process.communicate(timeout=120)[0]
    return process.returncode, output


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_killed_again_and_again_and_all_is_taken_back(hma):
    """Two runs of sending and two of taking back are killed; others have the same hash."""
    others_add(hma, None, "ours", MARK)
    theirs = dict(hma.backend.stored)
    killed_in(hma, "send", ["store_and_stall"])
    killed_in(hma, "send", [None, None, "store_and_stall"])
    assert finished(hma, "send")[0] == 0
    assert len(hma.backend.stored) == 3 + 5 + 2  # doubles have come to be
    hma.index.build()
    killed_in(hma, "withdraw", ["store_and_stall"])
    killed_in(hma, "withdraw", [None, None, "store_and_stall"])
    assert finished(hma, "withdraw")[0] == 0
    assert hma.backend.stored == theirs
    assert journal(hma).maybe_held() == ()


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_killed_while_the_index_lags_behind(hma):
    """What is not listed yet stays, which is said; it is found when the index is built."""
    killed_in(hma, "send", ["store_and_stall"])
    assert finished(hma, "send")[0] == 0
    code, output = finished(hma, "withdraw")
    assert code == 1
    assert output.count("not show it yet. Run this again later.") == 1
    assert len(hma.backend.stored) == 1
    hma.index.build()
    code, output = finished(hma, "withdraw")
    assert (code, output) == (0, "item 1 (md5): withdrawn\n")
    assert hma.backend.stored == {}


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_killed_and_taken_back_without_sending_the_rest(hma):
    killed_in(hma, "send", ["store_and_stall"])
    hma.index.build()
    assert finished(hma, "withdraw") == (0, "item 1 (md5): withdrawn\n")
    assert hma.backend.stored == {}


# The mark


def test_each_entry_has_a_mark_of_its_own_that_says_nothing(hma):
    hma.go()
    notes = list(hma.backend.notes.values())
    assert len(set(notes)) == len(notes) == 5
    assert all(re.fullmatch("[0-9a-f]{32}", note) for note in notes)


def test_the_mark_is_noted_before_the_request_goes(hma):
    hma.service.faults = ["store_and_cut"]
    with pytest.raises(ConnectionLost):
        hma.go(tries=1)
    entry = entry_of(hma)
    assert entry == Entry(State.TRYING, mark=hma.backend.notes[1], lost=1)


def test_a_batch_keeps_its_mark_until_it_is_taken_back(hma):
    doubled(hma, 2)
    assert hma.backend.notes[1] == hma.backend.notes[2] == hma.backend.notes[3]
    hma.index.build()
    hma.go("withdraw")
    assert entry_of(hma) == Entry(State.WITHDRAWN)
    hma.go()
    assert hma.backend.notes[1] not in [hma.backend.notes[each] for each in hma.backend.stored]


def test_two_submissions_have_nothing_in_common(hma):
    hma.go()
    journal_beside(hma.given).unlink()
    hma.go()
    assert len(set(hma.backend.notes.values())) == 10


# Going on with sending


def test_what_is_found_is_known_by_name_again(hma):
    hma.service.faults = ["store_and_cut"]
    with pytest.raises(ConnectionLost):
        hma.go(tries=1)
    hma.index.build()
    assert hma.go()[0].id == "1"
    assert len(hma.backend.stored) == 5
    assert entry_of(hma).lost == 0
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}


def test_what_others_have_is_not_taken_for_ours(hma):
    """Ours never arrived, and the service has the same hash from somebody else: ours is sent."""
    others_add(hma, None, "", "an old case")
    theirs = dict(hma.backend.stored)
    hma.index.build()
    hma.service.faults = ["cut"]
    assert hma.go()[0].id == "4"
    hma.index.build()
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == theirs


def test_two_of_which_one_is_listed(hma):
    """The listed one has its name again, and does not show that the other is listed too."""
    hma.service.faults = ["store_and_cut"]
    with suppress(ConnectionLost):
        hma.go(tries=1)
    hma.index.build()
    newest = max(hma.index.built)
    hma.index.built.clear()
    hma.service.faults = ["store_and_cut"]
    with suppress(ConnectionLost):
        hma.go(tries=1)
    hma.index.built.add(newest)
    assert entry_of(hma).lost == 2
    hma.go()
    assert len(reasons(hma.go("withdraw"))) == 1
    assert len(hma.backend.stored) == 1
    hma.index.build()
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}


# Taking back


def test_all_doubles_are_taken_back_at_once(hma):
    doubled(hma, 3)
    hma.index.build()
    outcomes = hma.go("withdraw")
    assert [each.state for each in outcomes] == [State.WITHDRAWN] * 5
    assert reasons(outcomes) == []
    assert hma.backend.stored == {}


def test_a_request_that_never_arrived_is_not_looked_for_for_ever(hma):
    """The newest is listed, so an older one would be too."""
    hma.service.faults = ["cut"]
    hma.go()
    assert entry_of(hma).lost == 1
    hma.index.build()
    assert reasons(hma.go("withdraw")) == []
    assert journal(hma).maybe_held() == ()


def test_the_lost_one_is_listed_and_the_known_one_is_not(hma):
    """As many were found as were lost: there are no more."""
    doubled(hma)
    hma.index.built.add(1)
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}
    assert journal(hma).maybe_held() == ()


def test_the_one_that_is_known_is_taken_back_whatever_is_listed(hma):
    doubled(hma)
    for _ in range(2):
        (reason,) = reasons(hma.go("withdraw"))
        assert "not show it yet" in reason
        assert list(hma.backend.stored) == [1]
    assert entry_of(hma) == Entry(State.WITHDRAWN, mark=hma.backend.notes[1], lost=1)


def test_sent_again_while_one_is_not_found(hma):
    doubled(hma)
    hma.go("withdraw")
    hma.go()
    hma.index.build()
    assert len(hma.backend.stored) == 6
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}


@pytest.mark.parametrize("fault", [503, "cut", "store_and_cut", "store_and_half"])
def test_a_fault_while_doubles_are_taken_back(hma, fault):
    doubled(hma, 2)
    hma.index.build()
    for faults in ([fault], [None, fault], [None, None, fault]):
        hma.service.faults = faults
        with suppress(ServiceBusy, ConnectionLost):
            hma.go("withdraw", tries=1)
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}


@pytest.mark.parametrize("fault", [404, 422])
def test_a_double_that_is_not_given_back_is_reported(hma, fault):
    doubled(hma)
    hma.index.build()
    hma.service.faults = [fault]
    (reason,) = reasons(hma.go("withdraw"))
    assert reason
    assert set(hma.backend.stored.values()) == {signal_of(hma)}
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}


def test_it_is_busy_when_it_is_asked(hma):
    """Nothing is taken back yet, and the next run does it."""
    doubled(hma)
    hma.index.build()
    hma.backend.entry, entry = lambda _: reply(503), hma.backend.entry
    with pytest.raises(ServiceBusy):
        hma.go("withdraw", tries=2)
    assert len(hma.backend.stored) == 6
    hma.backend.entry = entry
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}


def test_no_lookup_does_not_keep_the_known_ones(hma):
    doubled(hma)
    answer = hma.backend.answer
    hma.backend.answer = lambda seen: reply(404) if seen.method == "GET" else answer(seen)
    assert len(reasons(hma.go("withdraw"))) == 1
    assert list(hma.backend.stored) == [1]


def test_what_is_gone_while_it_is_read(hma):
    doubled(hma)
    hma.index.build()
    hma.backend.entry = lambda _: reply(404)
    assert reasons(hma.go("withdraw")) == []


@pytest.mark.parametrize("note", ["{} seen", "see {}", None])
def test_a_note_that_was_changed(hma, note):
    """It may be ours, or a remark about ours on an entry of somebody else: it stays."""
    doubled(hma)
    hma.backend.notes[1] = note and note.format(hma.backend.notes[1])
    hma.index.build()
    assert len(reasons(hma.go("withdraw"))) == (0 if note is None else 1)
    assert list(hma.backend.stored) == [1]


def test_one_that_is_not_in_the_submission_any_more(hma):
    """The journal holds no hash, so it cannot be looked up: it is said, each time."""
    doubled(hma)
    hma.index.build()
    whole, hma.submission = hma.submission, type(hma.submission)(())
    for _ in range(2):
        (reason,) = reasons(hma.go("withdraw"))
        assert "not in the submission any more" in reason
        assert list(hma.backend.stored) == [1]
    hma.submission = whole
    assert reasons(hma.go("withdraw")) == []
    assert hma.backend.stored == {}


# Other servers


def test_a_server_without_notes_gets_hashes_without(hma):
    hma.service.backend = OldHma()
    outcomes = hma.go()
    assert [each.state for each in outcomes] == [State.ACCEPTED] * 5
    posts = [json.loads(each.body) for each in hma.service.seen]
    assert ["note" in each for each in posts] == [True, *[False] * 5]  # it is tried once
    assert entry_of(hma) == Entry(State.ACCEPTED, "1")
    assert reasons(hma.go("withdraw")) == []


def test_at_a_server_without_notes_a_double_is_reported_each_time(hma):
    hma.service.backend = OldHma()
    hma.backend.slow_index = True
    hma.service.faults = [None, "store_and_cut"]
    hma.go()
    for _ in range(2):
        assert len(reasons(hma.go("withdraw"))) == 1
        assert len(hma.backend.stored) == 1


def test_the_record_of_an_older_hashkit(hma):
    """Sent without a mark, and stored: nobody can tell whose it is."""
    hma.service.backend = OldHma()
    hma.service.faults = [None, "store_and_cut"]
    with pytest.raises(ConnectionLost):
        hma.go(tries=1)
    hma.service.backend, old = type(hma.service.backend).__mro__[1](), hma.service.backend
    hma.backend.stored, hma.backend.next_id = old.stored, old.next_id
    assert entry_of(hma) == Entry(State.TRYING)
    outcomes = hma.go()
    assert (outcomes[0].state, outcomes[0].id) == (State.ACCEPTED, None)
    (reason,) = reasons(hma.go("withdraw"))
    assert "not known which entry" in reason
    assert list(hma.backend.stored) == [1]


# What its answers mean


def backend():
    settings = {"bank": "BANK", "variants": "no"}
    return backend_for(Profile("p", "hma", "https://a.example", settings, {}))


@pytest.mark.parametrize(
    ("entry", "ours"),
    [
        ({"id": 7, "note": MARK}, True),
        ({"id": "7", "note": MARK}, True),
        ({"id": 7, "note": None}, False),
        ({"id": 7, "note": ""}, False),
        ({"id": 7, "note": MARK[1:]}, False),
        ({"id": 7, "note": 5}, False),
        ({"id": 7, "note": MARK + " "}, None),
        ({"id": 8, "note": MARK}, None),
        ({"note": MARK}, None),
        ({"id": 7}, None),
        ([], None),
        (None, None),
    ],
)
def test_whose_an_entry_is(entry, ours):
    assert backend().carries(Response(200, json.dumps(entry).encode()), "7", MARK) is ours


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({}, ()),
        ({"OTHER": [{"bank_content_id": 1, "distance": "0"}]}, ()),
        ({"BANK": [{"bank_content_id": 1, "distance": "2"}]}, ()),
        ({"BANK": [{"bank_content_id": n, "distance": "0"} for n in (1, 2)]}, ("1", "2")),
        ({"BANK": [{"bank_content_id": "../x", "distance": "0"}]}, None),
        ({"BANK": [{"distance": "0"}]}, None),
        ({"BANK": 7}, None),
        (["BANK"], None),
        ("<html>", None),
    ],
)
def test_what_a_lookup_lists(answer, names):
    assert backend().entries_in(Response(200, json.dumps(answer).encode())) == names


@pytest.mark.parametrize(
    ("status", "message", "refused"),
    [
        (400, "No such signal type note", True),
        (400, "No such signal type pdq", False),
        (200, "No such signal type note", False),
        (400, None, False),
    ],
)
def test_who_takes_no_notes(status, message, refused):
    body = json.dumps({"message": message}).encode()
    assert backend().refuses_marks(Response(status, body)) is refused
    assert backend().refuses_marks(Response(400, b"[]")) is False
