"""hashkit's side of what check.py asks; an example for others, too.

python check.py python answer_hashkit.py
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import hashkit
from hashkit.errors import CredentialMissing, DocumentInvalid
from hashkit.hashes import classic, cryptographic, pdq, pdq_filter, tmk, vpdq
from hashkit.hashes.pdq_reference import DCT
from hashkit.matching.comparing import CLASSIC_THRESHOLD
from hashkit.media import videos
from hashkit.models import FrameHash
from hashkit.submission.sending.backends.webhook import Webhook
from hashkit.submission.sending.batch import Request
from hashkit.submission.sending.profile import Profile

Json = dict[str, Any]


def pixels_of(file: str) -> pdq_filter.Pixels:
    with Image.open(file) as image:
        return np.asarray(image)


def do_bytes(file: str) -> Json:
    names = ("md5", "sha1", "sha256", "sha512")
    found = cryptographic.compute(Path(file).read_bytes(), names)
    return {each.algorithm: each.value for each in found}


def do_pdq(file: str) -> Json:
    pixels = pixels_of(file)
    found = pdq.compute(pixels)
    luma = pdq_filter.luma64(pixels)
    return {
        "hash": found.value,
        "quality": found.quality,
        "luma": luma.ravel().tolist(),
        "dct": (DCT @ luma @ DCT.T).ravel().tolist(),
    }


def do_pdq_orientations(file: str) -> Json:
    return {each.variant: each.value for each in pdq.compute_orientations(pixels_of(file))}


def do_pdq_compare(first: Json, second: Json) -> Json:
    away = pdq.distance(first["hash"], second["hash"])
    enough = min(first["quality"], second["quality"]) >= pdq.QUALITY_THRESHOLD
    return {"distance": away, "match": enough and away <= pdq.THRESHOLD}


def do_classic(file: str, algorithm: str) -> Json:
    return {"hash": classic.compute(pixels_of(file), [algorithm])[0].value}


def do_classic_compare(algorithm: str, first: str, second: str) -> Json:
    away = pdq.distance(first, second)  # bits of any two numbers
    return {"distance": away, "match": away <= CLASSIC_THRESHOLD}


def do_vpdq_compare(first: list[Any], second: list[Any]) -> Json:
    sides = [[FrameHash(0, 0.0, *frame) for frame in side] for side in (first, second)]
    found = vpdq.compare(*sides)
    return {"percents": list(found), "match": found.first >= vpdq.MATCH_PERCENT}


def do_vpdq_video(file: str, interval: str | float, turn: bool = True) -> Json:
    upright = videos._upright
    if not turn:  # hashkit always turns frames upright; Meta's tool never does
        videos._upright = lambda pixels, native: pixels
    try:
        hashed = hashkit.hash_file(file, "vpdq", sample=interval)
    finally:
        videos._upright = upright
    frames = [
        {
            "frame": each.frame,
            "timestamp": each.timestamp,
            "hash": each.value,
            "quality": each.quality,
        }
        for each in hashed.frames.hashes
    ]
    return {"frames": frames}


def do_tmk_features(file: str) -> Json:
    pixels = pixels_of(file)
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    return {"features": tmk.features_of(colour).tolist()}


def do_tmk_clock(rate: float, frames: list[tuple[float, float]]) -> Json:
    clock, taken = tmk.FrameClock(rate), []
    for number, (timestamp, duration) in enumerate(frames):
        before, now = clock.ticks(timestamp, duration)
        taken += [number - 1] * before + [number] * now
    return {"taken": taken + [len(frames) - 1] * clock.ticks_at_end()}


def do_tmk_signature(features: str, frames: int) -> Json:
    numbers = np.fromfile(features, "<f4").reshape(-1, 256)
    accumulator = tmk.Accumulator()
    for time in range(frames):
        accumulator.add(numbers[time % len(numbers)])
    return _tmk(accumulator.signature().to_bytes())


def do_tmk_score(first: str, second: str) -> Json:
    signatures = [tmk.Signature.from_bytes(Path(each).read_bytes()) for each in (first, second)]
    found = tmk.score(*signatures)
    return {"level1": found.level1, "level2": found.level2, "match": found.match}


def do_tmk_video(file: str) -> Json:
    return _tmk(hashkit.hash_file(file, "tmk_pdqf")["tmk_pdqf"].value)


def _tmk(data: bytes) -> Json:
    return {"tmk": b64encode(data).decode()}


def do_submission(file: str) -> Json:
    try:
        found = hashkit.Submission.from_json(Path(file).read_bytes())
    except DocumentInvalid:
        return {"valid": False}
    return {"valid": True, "document": json.loads(found.to_json())}


def do_export(file: str, format: str, item: int | None = None) -> Json:
    found = hashkit.export_submission(hashkit.read_submission(file), format, item)
    signals = [each.signal for each in found.left_out]
    return {
        "content": found.content.decode(),
        "left_out": [[each.item, each.algorithm, each.variant] for each in signals],
    }


def do_webhook(secret: str, time: float, **asked: str) -> Json:
    kind = Webhook(Profile("kit", "webhook", "https://example.org", {}, {}))
    try:
        request = _request(kind, **asked)
        return {**dict(request.headers), **kind.signed(request, {"secret": secret}, time)}
    except CredentialMissing:
        return {"refused": True}


def _request(
    kind: Webhook, file: str | None = None, id: str | None = None, withdraw: str | None = None
) -> Request:
    if withdraw is not None:
        request = kind.withdrawal(withdraw, None)
        assert request is not None
        return request
    assert file is not None
    if id is not None:
        return Request("POST", "", Path(file).read_bytes(), (("webhook-id", id),))
    batches, _ = kind.split(hashkit.read_submission(file))
    request = batches[0].request
    return Request("POST", "", request.body, (("webhook-id", batches[0].key),))


ANSWERS: dict[str, Callable[..., Json]] = {
    name.removeprefix("do_"): function
    for name, function in list(globals().items())
    if name.startswith("do_")
}


def answer(request: Json) -> Json:
    """What hashkit says to one request."""
    asked = dict(request)
    function = ANSWERS.get(asked.pop("do"))
    return {"unknown": True} if function is None else function(**asked)


def main() -> None:
    for line in sys.stdin:
        try:
            said = answer(json.loads(line))
        except Exception as error:  # the next question may have an answer
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
