"""Cases for submissions, valid and invalid, their exports, and signatures.

The submission and its exports are hashkit's own definition: there is no other reference. The
documents are written by hand and validated against the JSON Schema; the exports are hashkit's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from importlib.metadata import version
from typing import Any

import jsonschema

from hashkit import Submission, export_submission, submission_schema
from hashkit.submission.formats.registry import FORMATS

from .cases import Case, Kit
from .pictures import random_bytes

Json = dict[str, Any]
_VALIDATOR = jsonschema.Draft202012Validator(json.loads(submission_schema()))
_OURS = {"hashkit": "as it is beside this kit"}
_ENDINGS = {"ncmec": "xml", "threatexchange-cli": "txt", "vpdq": "txt", "csv": "csv"}


def make(kit: Kit) -> None:
    _submissions(kit)
    _exports(kit)
    _webhook(kit)


def _hex(seed: str, digits: int) -> str:
    return random_bytes(seed, digits // 2 + 1).tobytes().hex()[:digits]


def _pdq(seed: str, quality: int = 100) -> Json:
    return {"value": _hex(seed, 64), "quality": quality}


def _frame(number: int, seconds: float, quality: int = 100) -> Json:
    return {"frame": number, "timestamp": seconds, **_pdq(f"frame {number}", quality)}


def _document(*items: Json, **fields: Any) -> Json:
    return {"format": "hashkit-submission", "version": 1, "items": list(items), **fields}


def _image(**hashes: Any) -> Json:
    return {"kind": "image", "hashes": hashes or {"pdq": _pdq("image")}}


_ALL = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_CLASSIC = {"ahash": 16, "phash": 16, "dhash": 16, "whash": 16, "colorhash": 11}
_VPDQ = {"interval": 1.0, "frames": [_frame(0, 0.0), _frame(25, 1.0, 49), _frame(50, 2.002)]}
_VIDEO = {"kind": "video", "hashes": {"md5": _hex("v", 32), "vpdq": _VPDQ}}
_EDITED = {
    **_image(sha256="3" * 64, pdq=_pdq("image")),
    "variants": [
        {"name": "mirrored", "pdq": _pdq("mirrored")},
        {"name": "crop-5", "pdq": _pdq("crop", 50)},
        {"name": "mirrored", "vpdq": {"interval": 1.0, "frames": [_frame(0, 0.0)]}},
    ],
}
_EDITED["hashes"]["vpdq"] = {"interval": "keyframes", "frames": [_frame(0, 0.0)]}
_READ = {
    **_image(sha256="4" * 64, pdq=_pdq("image")),
    "variants": [
        {"name": "alpha-dropped", "pdq": _pdq("dropped")},
        {"name": "palette-indices+as-stored", "pdq": _pdq("indices")},
        {"name": "mirrored", "pdq": _pdq("mirrored")},
        {"name": "by-frame-count", "vpdq": {"interval": 1.0, "frames": [_frame(0, 0.0)]}},
    ],
}
_READ["hashes"]["vpdq"] = {"interval": 1.0, "frames": [_frame(0, 0.0), _frame(25, 1.0)]}
_EVERY_HASH = _image(
    **{name: _hex(name, digits) for name, digits in _ALL.items()},
    pdq=_pdq("every", 0),
    **{name: _hex(name, digits) for name, digits in _CLASSIC.items()},
    crop_resistant=",".join(_hex(f"crop {n}", 16) for n in range(3)),
)
_THREE = [_image(sha256=digit * 64) for digit in "951"]
_PLAIN = _image(md5="1" * 32, sha1="1" * 40, sha256="1" * 64, pdq=_pdq("plain", 20))
_EXPORTED = _document(_PLAIN, {**_VIDEO, "hashes": {**_VIDEO["hashes"], "sha256": "2" * 64}})
_EXPORTED["items"].append({**_EDITED, "variants": _EDITED["variants"][:2]})
_EXPORTED["items"][2]["hashes"] = {"sha256": "3" * 64, "pdq": _pdq("image"), "phash": "5" * 16}

_VALID: dict[str, Json] = {
    "one-picture": _document(_image()),
    "every-hash": _document(_EVERY_HASH),
    "video": _document(_VIDEO),
    "edits": _document(_EDITED),
    "readings": {**_document(_READ), "version": 2},
    "no-items": _document(),
    "in-order": _document(*_THREE[::-1]),
    "to-export": _EXPORTED,
}


def _with_vpdq(**fields: Any) -> Json:
    return _document(_image(vpdq={"interval": 1, "frames": [{**_frame(0, 0.0), **fields}]}))


def _with_variant(**fields: Any) -> Json:
    return _document({**_image(), "variants": [{"name": "mirrored", **fields}]})


# Name: the document, or its bytes; why it is refused.
_INVALID: dict[str, tuple[Json | bytes, str]] = {
    "not-json": (b"hashes", "not JSON"),
    "cut-short": (json.dumps(_document(_image())).encode()[:-3], "not JSON"),
    "name-twice": (
        b'{"format": "x", "format": "hashkit-submission", "version": 1, "items": []}\n',
        "a name stands twice: the second hides the first from whoever looks",
    ),
    "nan": (
        json.dumps(_with_vpdq(timestamp=float("nan"))).encode(),
        "NaN is not JSON",
    ),
    "other-format": (_document(format="other"), "the format is another"),
    "other-version": (_document(version=3), "the version is another"),
    "readings-in-version-1": (_document(_READ), "version 1 has no other readings of a file"),
    "version-true": (_document(version=True), "true is not the number 1"),
    "no-version": ({"format": "hashkit-submission", "items": []}, "the version is missing"),
    "items-no-list": (_document(items={}), "items is not a list"),
    "file-name": (_document({**_image(), "path": "a.jpg"}), "a file's name must not leave"),
    "document-name": (_document(_image(), name="x"), "there is a field too many"),
    "other-kind": (_document({**_image(), "kind": "sound"}), "the kind is neither of the two"),
    "no-hashes": (_document({"kind": "image", "hashes": {}}), "an item needs a hash"),
    "unknown-hash": (_document(_image(photodna="0" * 288)), "no such hash"),
    "short-md5": (_document(_image(md5="0" * 31)), "31 digits, not 32"),
    "capital-md5": (_document(_image(md5="A" * 32)), "capitals: digits are 0-9 and a-f"),
    "pdq-text": (_document(_image(pdq="0" * 64)), "PDQ is an object with value and quality"),
    "quality-101": (_document(_image(pdq=_pdq("q", 101))), "a quality is 0 to 100"),
    "quality-missing": (_document(_image(pdq={"value": "0" * 64})), "the quality is missing"),
    "pdq-width": (_document(_image(pdq={**_pdq("w"), "width": 9})), "there is a field too many"),
    "short-tmk": (_document(_image(tmk_pdqf={"encoding": "base64", "value": "AAAA"})), "too short"),
    "interval-often": (_document(_image(vpdq={"interval": "often", "frames": []})), "no interval"),
    "frame-negative": (_with_vpdq(frame=-1), "frames count from 0"),
    "timestamp-text": (_with_vpdq(timestamp="1"), "a timestamp is a number"),
    "variant-original": (_with_variant(name="original", pdq=_pdq("o")), "no edit has that name"),
    "variant-two": (_with_variant(pdq=_pdq("a"), vpdq=_VPDQ), "one hash each"),
    "variant-md5": (_with_variant(md5="0" * 32), "edits have PDQ or vPDQ only"),
    "variant-alone": (
        _document({**_image(md5="0" * 32), "variants": [{"name": "mirrored", "pdq": _pdq("a")}]}),
        "an edit of what has no PDQ itself; the schema cannot say this",
    ),
    "variant-unknown": (
        _with_variant(name="holiday", pdq=_pdq("h")),
        "hashkit knows no such edit, and a name could tell; the schema cannot say this",
    ),
    "reading-mirrored": (
        {**_with_variant(name="alpha-dropped+mirrored", pdq=_pdq("m")), "version": 2},
        "a reading is not edited as well; the schema cannot say this",
    ),
}


def _text(document: Json) -> bytes:
    """As hashkit writes it."""
    return (json.dumps(document, indent=2) + "\n").encode()


def _submissions(kit: Kit) -> None:
    cases: list[Case] = []
    for name, document in _VALID.items():
        path = kit.put(f"kit/submissions/{name}.json", _text(document))
        _VALIDATOR.validate(document)
        cases.append(_case(name, path, {"valid": True, "document": path}))
    ordered = "kit/submissions/in-order.json"
    path = kit.put("kit/submissions/out-of-order.json", _text(_document(*_THREE)))
    cases.append(_case("out-of-order", path, {"valid": True, "document": ordered}))
    tight = {"items": _document(*_THREE)["items"], "version": 1, "format": "hashkit-submission"}
    path = kit.put("kit/submissions/other-spaces.json", json.dumps(tight).encode())
    cases.append(_case("other-spaces", path, {"valid": True, "document": ordered}))
    for name, (content, why) in _INVALID.items():
        data = content if isinstance(content, bytes) else _text(content)
        path = kit.put(f"kit/submissions/invalid/{name}.json", data)
        if not isinstance(content, bytes):
            assert _VALIDATOR.is_valid(content) == ("the schema cannot say this" in why), name
        cases.append({**_case(name, path, {"valid": False}), "why": why})
    kit.put("kit/submission.schema.json", submission_schema().encode())
    tools = {**_OURS, "jsonschema": version("jsonschema")}
    kit.cases("submission", "Documents to take or to refuse.", tools, cases)


def _case(name: str, path: str, expect: Case) -> Case:
    return {"name": name, "ask": {"file": path}, "expect": expect}


def _exports(kit: Kit) -> None:
    submission = Submission.from_json(_text(_EXPORTED))
    cases = []
    for name in FORMATS:
        exported = export_submission(submission, name, 2 if name == "vpdq" else None)
        path = kit.put(f"kit/exports/{name}.{_ENDINGS.get(name, 'json')}", exported.content)
        left_out = [
            [each.signal.item, each.signal.algorithm, each.signal.variant]
            for each in exported.left_out
        ]
        ask: Case = {"file": "kit/submissions/to-export.json", "format": name}
        if name == "vpdq":
            ask["item"] = 2
        cases.append({"name": name, "ask": ask, "expect": {"left_out": left_out, "content": path}})
    about = "One submission in every format: what is in it, and what has no place there."
    kit.cases("export", about, _OURS, cases)


_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
_TIME = 1767225600.75


def _webhook(kit: Kit) -> None:
    body = _text(_document(_image()))
    key = hashlib.sha256(body).hexdigest()
    path = "kit/submissions/one-picture.json"
    published = kit.put("kit/webhook-published.json", b'{"test": 2432232314}')
    example = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "time": 1614265330.9}
    example_id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    cases: list[Case] = [
        {
            "name": "the example of Standard Webhooks",
            "ask": {"file": published, "id": example_id, **example},
            "expect": {
                "webhook-id": example_id,
                "webhook-timestamp": "1614265330",
                "webhook-signature": signature,
            },
        },
        {
            "name": "a submission of one item",
            "ask": {"file": path, "secret": _SECRET, "time": _TIME},
            "expect": _signed(key, body),
        },
        {
            "name": "taken back",
            "ask": {"withdraw": key, "secret": _SECRET, "time": _TIME},
            "expect": _signed(f"withdraw-{key}", b""),
        },
    ]
    # (The last is too long.)
    for secret in ("", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_" + "A" * 88):
        ask = {"file": path, "secret": secret, "time": _TIME}
        cases.append({"name": f"secret {secret!r}", "ask": ask, "expect": {"refused": True}})
    about = "The headers of one request. Without an id, it is the key: the SHA-256 of the body."
    kit.cases("webhook", about, {"hashlib": "Python's", "hmac": "Python's"}, cases)


def _signed(message: str, body: bytes) -> dict[str, str]:
    stamp = str(int(_TIME))
    secret = base64.b64decode(_SECRET.removeprefix("whsec_"))
    signed = hmac.digest(secret, f"{message}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
