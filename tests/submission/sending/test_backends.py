"""How each backend splits a submission, and what the responses of a service mean to it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from hashkit.errors import CredentialMissing
from hashkit.models import Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats.base import TOO_PLAIN
from hashkit.submission.formats.converting import export_submission
from hashkit.submission.sending.backends import BACKENDS, backend_for, base, judging
from hashkit.submission.sending.backends.webhook import Webhook
from hashkit.submission.sending.batch import Decision, Request, Response
from hashkit.submission.sending.credentials import Reference
from hashkit.submission.sending.plan import plan_for
from hashkit.submission.sending.profile import Profile

SETTINGS = {
    "hma": {"bank": "BANK"},
    "stopncii": {"feedback": "None", "tags": ""},
    "threatexchange": {
        "description": "a & b = ü",
        "share_level": "RED",
        "status": "UNKNOWN",
        "privacy_type": "VISIBLE",
        "privacy_members": "",
        "tags": "",
    },
    "webhook": {},
}


def profile(kind, **settings):
    everything = {"variants": "no", **SETTINGS[kind], **settings}
    return Profile("p", kind, "https://a.example", everything, {})


def plan(kind, submission, **settings):
    return plan_for(submission, profile(kind, **settings))


def left(found):
    return [(each.signal.algorithm, each.why) for each in found.left_out]


PICTURE = Item(
    MediaKind.IMAGE,
    (
        Hash("sha256", "e" * 64),
        Hash("pdq", "1" * 64, 50),
        Hash("pdq", "2" * 64, 90, "mirrored"),
        Hash("pdq", "3" * 64, 49, "flipped"),
    ),
)


@pytest.mark.parametrize("kind", BACKENDS)
class TestEveryBackend:
    def test_keys_come_from_hashes_alone(self, kind, submission):
        one, other = (plan(kind, submission) for _ in range(2))
        keys = [batch.key for batch in one.batches]
        assert keys == [batch.key for batch in other.batches]
        assert len(set(keys)) == len(keys)
        assert all(len(key) == 64 for key in keys)
        fewer = plan(kind, Submission(submission.items[:2]))
        assert {batch.key for batch in fewer.batches} < set(keys)

    def test_every_hash_goes_or_is_left_out(self, kind, submission):
        found = plan(kind, submission)
        sent = sum(len(batch.algorithms) for batch in found.batches)
        not_sent = len(found.left_out)
        items = submission.items
        assert sent + not_sent == sum(len(item.hashes) + bool(item.frames) for item in items)

    def test_the_same_hash_twice_goes_once(self, kind):
        pdq = Hash("pdq", "1" * 64, 90)
        same = Submission((Item(MediaKind.IMAGE, (pdq,)), Item(MediaKind.IMAGE, (pdq,))))
        (batch,) = plan(kind, same).batches
        assert batch.item == 1

    def test_nothing_to_send(self, kind):
        assert plan(kind, Submission(())).batches == ()

    def test_any_answer_means_something(self, kind):
        backend = backend_for(profile(kind))
        bodies = (
            b"",
            b"{}",
            b"[]",
            b"null",
            b"\xff",
            b'{"error": 7}',
            b'{"id": []}',
            b"[" * 60_000,
        )
        for status in range(100, 600):
            for body in bodies:
                answer = Response(status, body)
                assert backend.judge(answer).decision in Decision
                backend.judge_withdrawal(answer)
                if backend.judge(answer).decision in (Decision.REJECTED, Decision.REFUSED):
                    assert backend.judge(answer).reason


@pytest.mark.parametrize("kind", ["hma", "stopncii", "threatexchange"])
def test_what_goes_is_what_is_exported(kind, submission):
    exported = export_submission(submission, kind)
    found = plan(kind, submission, variants="yes")
    assert found.left_out == exported.left_out
    sent = b" ".join(batch.request.body for batch in found.batches).decode()
    assert {each.text for each in exported.held} <= set(re.findall("[0-9a-f]{32,}", sent))


def test_hashes_one_by_one():
    found = plan("hma", Submission((PICTURE,)))
    (batch,) = found.batches
    assert json.loads(batch.request.body) == {"pdq": "1" * 64}
    assert batch.request.path == "/c/bank/BANK/signal"
    assert left(found) == [
        ("sha256", "Hasher-Matcher-Actioner has PDQ, and MD5 of videos."),
        ("pdq", base.AN_EDIT),
        ("pdq", TOO_PLAIN),
    ]
    with_edits = plan("hma", Submission((PICTURE,)), variants="yes")
    assert [json.loads(each.request.body)["pdq"][0] for each in with_edits.batches] == ["1", "2"]


def test_stopncii():
    found = plan(
        "stopncii", Submission((PICTURE,)), variants="yes", tags="a,,b", feedback="Blocked"
    )
    (batch,) = found.batches
    body = json.loads(batch.request.body)
    assert body["count"] == 2
    for record in body["hashRecords"]:
        assert record["signalType"] == "ImagePDQ"
        assert record["CSPFeedbacks"] == [{"tags": ["a", "b"], "feedbackValue": "Blocked"}]
        assert record["lastModtimestamp"] % 86_400 == 0


def test_threatexchange():
    found = plan("threatexchange", Submission((PICTURE,)), tags="x:y", privacy_members="1,2")
    bodies = [parse_qs(each.request.body.decode(), strict_parsing=True) for each in found.batches]
    assert {each["type"][0] for each in bodies} == {"HASH_SHA256", "HASH_PDQ"}
    for each in bodies:
        assert each["description"] == ["a & b = ü"]
        assert (each["tags"], each["privacy_members"]) == (["x:y"], ["1,2"])
        assert "variants" not in each
    assert b"tags" not in plan("threatexchange", Submission((PICTURE,))).batches[0].request.body


@pytest.mark.parametrize("kind", ["hma", "stopncii", "threatexchange"])
def test_keys_are_of_type_and_value(kind):
    """They stay the same in every version: a key that changed would send everything again."""
    pdq, md5 = Hash("pdq", "a" * 64, 90), Hash("md5", "b" * 32)
    submission = Submission((Item(MediaKind.VIDEO, (pdq, md5)),))
    names = {
        "hma": ["pdq", "video_md5"],
        "stopncii": ["ImagePDQ", "VideoMD5"],
        "threatexchange": ["HASH_PDQ", "HASH_VIDEO_MD5"],
    }[kind]
    values = [f"{names[0]}:{pdq.value}", f"{names[1]}:{md5.value}"]
    if kind == "stopncii":
        values = ["\n".join(sorted(values))]
    expected = {hashlib.sha256(each.encode()).hexdigest() for each in values}
    assert {each.key for each in plan(kind, submission).batches} == expected


def test_hashes_of_one_value_and_two_types_are_two():
    same = Submission(
        (Item(MediaKind.IMAGE, (Hash("pdq", "a" * 64, 90), Hash("sha256", "a" * 64))),)
    )
    assert len(plan("threatexchange", same).batches) == 2


@pytest.mark.parametrize(("status", "sure"), [(429, True), (425, True), (408, False), (503, False)])
def test_what_surely_did_not_arrive(status, sure):
    judgement = judging.judged(Response(status))
    assert (judgement.decision, judgement.sure) == (Decision.LATER, sure)


def test_a_webhook_gets_documents(submission):
    found = plan("webhook", submission)
    assert found.left_out == ()
    for batch, item in zip(found.batches, submission.items, strict=True):
        assert batch.request.body == Submission((item,)).to_json().encode()
        assert batch.key == hashlib.sha256(batch.request.body).hexdigest()


def test_the_signature_is_that_of_standard_webhooks():
    """The example of https://github.com/standard-webhooks/standard-webhooks."""
    request = Request(
        "POST", "", b'{"test": 2432232314}', (("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),)
    )
    credentials = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    assert backend_for(profile("webhook")).signed(request, credentials, 1614265330.9) == {
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64!", "whsec_" + "A" * 88]
)
def test_a_secret_that_will_not_do(secret):
    with pytest.raises(CredentialMissing, match="24 to 64 bytes"):
        backend_for(profile("webhook")).check_credentials({"secret": secret})


def test_a_token_for_hma_is_optional():
    backend = backend_for(profile("hma"))
    assert backend.signed(Request("GET", ""), {}, 0) == {}
    assert backend.signed_names == ()
    asked = backend_for(replace(profile("hma"), credentials={"token": Reference(None, "T")}))
    assert tuple(asked.signed(Request("GET", ""), {"token": "x"}, 0)) == asked.signed_names


@pytest.mark.parametrize("known", ["../x", "a/b", "", "x" * 201, "é", 1.5, True, None, [], {}])
def test_names_that_services_do_not_have(known):
    """They end up in addresses."""
    answer = Response(200, json.dumps({"id": known}).encode())
    for kind in ("hma", "threatexchange"):
        assert backend_for(profile(kind)).judge(answer).decision is Decision.REFUSED


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"detail": "No."}, "No."),
        ({"message": "a\n b\tc"}, "a b c"),
        ({"error": {"message": "Deep."}}, "Deep."),
        ({"title": "T", "detail": "D"}, "D"),
        ("Text.", "Text."),
        ({}, "Status 422"),
        ({"detail": ["a"]}, "Status 422"),
        ({"detail": "\x1b]0;owned\x07\x9b31m\u202e"}, r"\x1b]0;owned\x07\x9b31m\u202e"),
        ({"detail": "\ud800 a"}, r"\ud800 a"),
        ({"error": {"error": {"error": "too deep"}}}, "Status 422"),
    ],
)
def test_reasons(body, reason):
    assert judging.reason_in(Response(422, json.dumps(body).encode())) == reason


def test_where_it_points_is_shown_without_harm():
    judgement = judging.judged(Response(302, location="http://x/\x9b31m\udc80\u202e"))
    assert r"http://x/\x9b31m\udc80\u202e" in judgement.reason


def test_the_webhook_deletes_by_key():
    request = Webhook(profile("webhook")).withdrawal("k", None)
    assert (request.method, request.path, request.body) == ("DELETE", "/k", b"")
