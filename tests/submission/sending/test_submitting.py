"""Sending and withdrawing from the library, with a real service."""

from __future__ import annotations

import pytest

from hashkit import errors, send_submission, withdraw_submission
from hashkit.submission.sending.journal import journal_beside

pytestmark = pytest.mark.test_all


def test_each_request_is_reported_and_sent_once(sender):
    sending = sender("webhook")
    sent = list(send_submission(sending.given, "test", profiles=sending.profiles))
    assert [each.item for each in sent] == [1, 2, 3, 4, 5, 6]
    assert {each.state for each in sent} == {"accepted"}
    assert {each.key for each in sent} == set(sending.backend.stored)
    assert sent[0].algorithms == ("md5", "vpdq")
    assert list(send_submission(sending.given, "test", profiles=sending.profiles)) == []
    assert len(sending.service.seen) == 6


def test_nothing_goes_before_it_is_asked_for(sender):
    sending = sender("webhook")
    sent = send_submission(str(sending.given), "test", profiles=str(sending.profiles))
    assert sending.service.seen == []
    next(sent)
    assert len(sending.service.seen) == 1
    sent.close()  # and another may open the journal now
    assert len(list(send_submission(sending.given, "test", profiles=sending.profiles))) == 5


def test_what_is_rejected_says_why_and_the_rest_goes(sender):
    sending = sender("webhook")
    sending.service.faults = [(422, {}, b'{"detail": "Not this one."}')]
    sent = list(send_submission(sending.given, "test", profiles=sending.profiles))
    assert [(each.state, each.reason) for each in sent] == [
        ("rejected", "Not this one."),
        *[("accepted", None)] * 5,
    ]


def test_it_waits_and_gives_up_and_goes_on(sender):
    sending = sender("hma")
    sending.service.always = (503, {"Retry-After": "7"}, b"")
    waits = []
    options = {"profiles": sending.profiles, "tries": 3, "wait": waits.append}
    with pytest.raises(errors.ServiceBusy):
        list(send_submission(sending.given, "test", **options))
    assert waits == [7.0, 7.0]
    sending.service.always = None
    assert len(list(send_submission(sending.given, "test", **options))) == 5


def test_taking_back(sender):
    sending = sender("hma")
    sent = list(send_submission(sending.given, "test", profiles=sending.profiles))
    back = list(withdraw_submission(sending.given, "test", profiles=sending.profiles))
    assert [(each.key, each.id, each.state) for each in back] == [
        (each.key, each.id, "withdrawn") for each in sent
    ]
    assert sending.backend.stored == {}


def test_the_default_profiles_of_profiles(sender, monkeypatch):
    sending = sender("webhook")
    monkeypatch.setenv("HASHKIT_PROFILES", str(sending.profiles))
    assert len(list(send_submission(sending.given, "test"))) == 6


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda sending, _: sending.given.write_text("{}"), errors.DocumentInvalid),
        (lambda sending, _: sending.given.unlink(), errors.FileMissing),
        (lambda sending, _: sending.profiles.unlink(), errors.FileMissing),
        (lambda sending, _: sending.profiles.write_text("# none"), errors.ProfileUnknown),
        (lambda _, environment: environment.delenv("TEST_SECRET"), errors.CredentialMissing),
        (lambda _, environment: environment.setenv("TEST_SECRET", "x"), errors.CredentialMissing),
    ],
)
@pytest.mark.parametrize("go", [send_submission, withdraw_submission])
def test_what_keeps_everything_back(sender, monkeypatch, spoil, error, go):
    sending = sender("webhook")
    spoil(sending, monkeypatch)
    with pytest.raises(error):
        list(go(sending.given, "test", profiles=sending.profiles))
    assert sending.service.seen == []
    assert not journal_beside(sending.given).exists()


def test_stopncii_takes_nothing_back(sender):
    sending = sender("stopncii")
    with pytest.raises(errors.NoWithdrawal):
        list(withdraw_submission(sending.given, "test", profiles=sending.profiles))
