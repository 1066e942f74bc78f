"""The receiving example: it accepts what hashkit sends, and refuses what others send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
import os
import stat
import threading
import time

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.core import NotSet
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hashkit import FrameHash, FrameHashes, Hash, Item, MediaKind, Submission, hash_file
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.delivering import Delivery
from hashkit.submission.sending.journal import State, open_journal
from hashkit.submission.sending.plan import plan_for
from hashkit.submission.sending.profiles import read_profile

pytestmark = pytest.mark.test_all

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def load(root):
    spec = importlib.util.spec_from_file_location("receiver", root / "examples" / "receiver.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def receiver(root):
    return load(root)


@pytest.fixture(scope="module")
def store(receiver, tmp_path_factory):
    return receiver.Store(tmp_path_factory.mktemp("store") / "hashes.sqlite3")


@pytest.fixture(scope="module")
def address(receiver, store):
    """The example, served on loopback."""
    config = uvicorn.Config(
        receiver.app_for(store, SECRET), "127.0.0.1", 0, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def submission(samples):
    names = ("scene-1.jpg", "scene-2.jpg", "film-h264.mp4")
    return Submission.of([hash_file(samples / name) for name in names])


def signed(known, body=b"", key=KEY, stamp=None):
    stamp = str(int(time.time())) if stamp is None else stamp
    digest = hmac.new(key, f"{known}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": known,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_sent_matched_and_taken_back(address, samples, submission, tmp_path, monkeypatch):
    monkeypatch.setenv("RECEIVER_SECRET", SECRET)
    (tmp_path / "p.toml").write_text(
        f'[receiver]\nkind = "webhook"\naddress = "{address}/hashes"\n'
        'secret = "env:RECEIVER_SECRET"\n'
    )
    plan = plan_for(submission, read_profile(tmp_path / "p.toml", "receiver"))

    def go(what):
        with (
            open_journal(tmp_path / "journal.jsonl", plan.backend.destination) as journal,
            Client(plan.profile) as client,
        ):
            delivery = Delivery(plan, journal, client, {"secret": SECRET})
            return [sent.state for sent in getattr(delivery, what)()]

    def matches(name):
        pdq = hash_file(samples / name, "pdq")["pdq"].value
        return httpx.get(f"{address}/matches", params={"pdq": pdq}, trust_env=False).json()

    assert go("send") == [State.ACCEPTED] * 3
    keys = [batch.key for batch in plan.batches]
    (found,) = matches("scene-1-resized.jpg")
    assert found["key"] in keys
    assert found["distance"] <= 31
    assert matches("bmp.bmp") == []
    (tmp_path / "journal.jsonl").unlink()  # sent again: stored once
    assert go("send") == [State.ACCEPTED] * 3
    assert len(matches("scene-1-resized.jpg")) == 1
    assert go("withdraw") == [State.WITHDRAWN] * 3
    assert matches("scene-1-resized.jpg") == []


@pytest.fixture
def post(address):
    def go(body, headers):
        headers = {"content-type": "application/json", **headers}
        return httpx.post(f"{address}/hashes", content=body, headers=headers, trust_env=False)

    return go


def test_what_is_not_the_senders(post, store, submission):
    body = Submission(submission.items[:1]).to_json().encode()
    key = hashlib.sha256(body).hexdigest()
    now = int(time.time())
    for headers in (
        {},
        signed(key, body, key=bytes(32)),
        signed(key, body + b" "),
        signed(key, body, stamp=str(now - 600)),
        signed(key, body, stamp=str(now + 600)),
        signed(key, body, stamp="soon"),
        {**signed(key, body), "webhook-signature": "v1,"},
        {**signed(key, body), "webhook-id": "0" * 64},
    ):
        assert post(body, headers).status_code == 401
    assert not store.remove(key)
    several = signed(key, body)
    several["webhook-signature"] = f"v1,AAAA {several['webhook-signature']}"
    assert post(body, several).status_code == 204
    assert store.remove(key)


def test_what_is_not_one_item(post, receiver, submission, monkeypatch):
    def answer(body):
        return post(body, signed(hashlib.sha256(body).hexdigest(), body))

    for body in (
        b"",
        b"{}",
        submission.to_json().encode(),
        Submission(()).to_json().encode(),
        Submission(submission.items[:1]).to_json().replace('"items"', '"by": 1, "items"').encode(),
    ):
        answered = answer(body)
        assert answered.status_code == 422
        assert answered.json()["detail"].endswith(".")
    body = Submission(submission.items[:1]).to_json().encode()
    assert post(body, signed("0" * 64, body)).status_code == 422
    monkeypatch.setattr(receiver, "MAX_BYTES", 100)
    assert answer(body).status_code == 413


def test_taking_back_takes_a_signature_of_its_own(address, store, post, submission):
    body = Submission(submission.items[:1]).to_json().encode()
    key = hashlib.sha256(body).hexdigest()
    sent = signed(key, body)
    assert post(body, sent).status_code == 204

    def delete(headers):
        where = f"{address}/hashes/{key}"
        return httpx.delete(where, headers=headers, trust_env=False).status_code

    assert delete(sent) == 401
    assert delete(signed(key)) == 422
    assert delete(signed(f"withdraw-{key}")) == 204
    assert delete(signed(f"withdraw-{key}")) == 404


def test_a_match_takes_a_hash(address):
    for pdq in ("", "x" * 64, "0" * 63):
        answered = httpx.get(f"{address}/matches", params={"pdq": pdq}, trust_env=False)
        assert answered.status_code == 422


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 88, "no base64!"])
def test_a_secret_that_will_not_do(receiver, tmp_path, secret):
    with pytest.raises(ValueError, match=r"."):
        receiver.app_for(receiver.Store(tmp_path / "h.sqlite3"), secret)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_the_database_is_its_owners(receiver, tmp_path):
    receiver.Store(tmp_path / "h.sqlite3")
    assert stat.S_IMODE((tmp_path / "h.sqlite3").stat().st_mode) == 0o600


def flipped(value, bits):
    return f"{int(value, 16) ^ (2**bits - 1):064x}"


def test_what_is_a_match(receiver, tmp_path):
    """At most 31 bits apart and quality at least 50, pictures and frames alike."""
    store = receiver.Store(tmp_path / "h.sqlite3")
    plain, clear, film = "0f" * 32, "33" * 32, "a5" * 32
    frames = (FrameHash(0, 0.0, film, 50), FrameHash(1, 1.0, "3c" * 32, 49))
    items = {
        "plain": Item(MediaKind.IMAGE, (Hash("pdq", plain, 49),)),
        "clear": Item(
            MediaKind.IMAGE, (Hash("pdq", clear, 50), Hash("pdq", plain, 49, "mirrored"))
        ),
        "film": Item(MediaKind.VIDEO, (Hash("md5", "0" * 32),), FrameHashes(1.0, frames)),
    }
    for key, item in items.items():
        store.add(key, b"", item)

    def found(value):
        return [(each["key"], each["distance"]) for each in store.matches(value)]

    assert found(plain) == []
    assert found(flipped(clear, 31)) == [("clear", 31)]
    assert found(flipped(clear, 32)) == []
    assert found(film) == [("film", 0)]
    assert found("3c" * 32) == []


def test_the_published_description_is_that_of_the_document(root):
    """It contains the submission's schema under other addresses, with one item."""
    described = json.loads((root / "docs" / "receiving.openapi.json").read_text())
    schema = json.loads((root / "hashkit" / "submission" / "submission.schema.json").read_text())
    text = json.dumps(schema).replace("#/$defs/", "#/components/schemas/")
    expected = json.loads(text)
    found = described["components"]["schemas"]
    assert {name: found[name] for name in expected["$defs"]} == expected["$defs"]
    items = found["submission"]["properties"]["items"]
    assert (items.pop("minItems"), items.pop("maxItems")) == (1, 1)
    for name in ("properties", "required", "type", "additionalProperties", "if", "then"):
        assert found["submission"][name] == expected[name]


def body_of(case):
    if isinstance(case.body, NotSet):
        return b""
    return case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()


def headers_of(case, body, sign):
    """Headers made up by schemathesis, signed as by the sender, or left as they are."""
    headers = dict(case.headers or {})
    if sign:
        key = case.path_parameters.get("key") if case.path_parameters else None
        known = hashlib.sha256(body).hexdigest() if key is None else f"withdraw-{key}"
        headers |= signed(known, body)
    return {name: value.encode("latin-1", "replace") for name, value in headers.items()}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", ["receive", "withdraw"])
def test_schemathesis(address, operation, mode):
    """Every response to any request, signed or not, is in the description."""
    text = httpx.get(f"{address}/openapi.json", trust_env=False).text
    assert "{351126}" in text
    # Generating a TMK signature takes too long. One that is too short must be refused.
    schema = schemathesis.openapi.from_dict(json.loads(text.replace("{351126}", "{2}")))
    described = schema.find_operation_by_id(operation)
    statuses = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(described.as_strategy(generation_mode=mode), st.booleans())
    def check(case, sign):
        body = body_of(case)
        answered = httpx.request(
            case.method,
            address + case.formatted_path,
            content=body,
            headers=headers_of(case, body, sign),
            trust_env=False,
        )
        statuses.add(answered.status_code)
        case.validate_response(
            answered,
            checks=[
                checks.not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
        )

    check()
    assert 401 in statuses
    assert statuses & {204, 404, 422}
