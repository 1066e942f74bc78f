"""The way of a submission from file to network, as docs/architecture.md has it: eight modules."""

from __future__ import annotations

import sys

import pytest

from hashkit import send_submission

pytestmark = pytest.mark.test_all

WALK = [
    "hashkit.submission.sending.submitting.send_submission",
    "hashkit.submission.sending.plan.prepare",
    "hashkit.submission.document.read_submission",
    "hashkit.submission.sending.backends.base.split",  # of each backend with an export format
    "hashkit.submission.formats.hma.refusal",
    "hashkit.submission.sending.delivering.send",
    "hashkit.submission.sending.journal.write",
    "hashkit.submission.sending.client.send",
]


def test_the_walk_goes_through_eight_modules(sender):
    sending = sender("hma")
    called: dict[str, None] = {}

    def note(frame, event, _):
        if event == "call":
            called[f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"] = None

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        next(send_submission(sending.given, "test", profiles=sending.profiles))
    finally:
        sys.setprofile(before)
    assert [each for each in called if each in WALK] == WALK
