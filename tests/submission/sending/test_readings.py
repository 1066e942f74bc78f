"""Other readings are of the file itself: they go along wherever the original does."""

from __future__ import annotations

import json

import pytest

from hashkit.models import MOVING_READINGS, STILL_READINGS, FrameHash, FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats.converting import export_submission, import_submission
from hashkit.submission.formats.signals import signals_of
from hashkit.submission.sending.backends.base import AN_EDIT
from hashkit.submission.sending.backends.hma import Hma
from hashkit.submission.sending.backends.stopncii import StopNcii
from hashkit.submission.sending.backends.threatexchange import ThreatExchange
from hashkit.submission.sending.backends.webhook import Webhook
from hashkit.submission.sending.profile import Profile


def frames(digit, name="original"):
    return FrameHashes(1.0, (FrameHash(0, 0.0, digit * 64, 90),), name)


PICTURE = Item(
    MediaKind.IMAGE,
    (
        Hash("md5", "0" * 32),
        Hash("pdq", "0" * 64, 90),
        Hash("pdq", "1" * 64, 90, "alpha-dropped"),
        Hash("pdq", "2" * 64, 90, "as-stored"),
        Hash("pdq", "3" * 64, 90, "mirrored"),
    ),
)
VIDEO = Item(
    MediaKind.VIDEO,
    (Hash("md5", "9" * 32),),
    frames("4"),
    (frames("5", "by-frame-count"), frames("6", "mirrored")),
)
BOTH = Submission.from_items([PICTURE, VIDEO])


def test_a_reading_is_no_edit():
    for signal in signals_of(BOTH):
        kinds = signal.is_original, signal.is_reading, signal.is_edit
        assert sum(kinds) == 1
        assert signal.is_reading is (signal.variant in {*STILL_READINGS, *MOVING_READINGS})


@pytest.mark.parametrize("backend", [Hma, StopNcii, ThreatExchange])
@pytest.mark.parametrize("edits", ["no", "yes"])
def test_sent_also_where_the_profile_says_no_edits(backend, edits):
    settings = {name: each.default or "A" for name, each in backend.settings.items()}
    profile = Profile("x", backend.name, "https://x.test", settings | {"variants": edits}, {})
    batches, left_out = backend(profile).split(BOTH)
    sent = b"".join(each.request.body for each in batches).decode()
    assert all(digit * 64 in sent for digit in "012")
    assert ("3" * 64 in sent) is (edits == "yes")
    refused = [each.signal.variant for each in left_out if each.why == AN_EDIT]
    assert refused == ([] if edits == "yes" else ["mirrored"])


def test_a_webhook_gets_the_lowest_version_of_each_item():
    plain = Item(MediaKind.IMAGE, (Hash("md5", "7" * 32),))
    profile = Profile("x", "webhook", "https://x.test", {}, {})
    batches, _ = Webhook(profile).split(Submission((plain, PICTURE, VIDEO)))
    assert [json.loads(each.request.body)["version"] for each in batches] == [1, 2, 2]


@pytest.mark.parametrize(
    ("name", "places"),
    [
        *(("stopncii", 1), ("hma", 1), ("threatexchange", 1), ("ncmec", 1)),
        *(("threatexchange-cli", 1), ("csv", 1), ("vics", 0), ("vpdq", 0)),
    ],
)
def test_each_format_holds_a_reading_as_a_hash_of_its_own(name, places):
    exported = export_submission(BOTH, name)
    assert exported.content.count(b"1" * 64) == places
    assert exported.content.count(b"0" * 64) == (name not in ("vics", "vpdq"))
    if name in ("threatexchange-cli", "csv"):
        assert exported.content.count(b"5" * 64) == 1
    left = {each.signal.variant for each in exported.left_out if each.signal.is_reading}
    assert ("alpha-dropped" in left) is not bool(places)
    says = "which hashes are of a file as other tools read it"
    assert (says in exported.not_said) is (places == 1 and name != "csv")


def test_one_entry_holds_one_picture_hash():
    """The body of a file, and one each for its readings and edits."""
    bodies = json.loads(export_submission(BOTH, "hma").content)
    assert bodies[:4] == [{"pdq": digit * 64} for digit in "0123"]


def test_a_table_is_read_back():
    assert import_submission(export_submission(BOTH, "csv").content).submission == BOTH
