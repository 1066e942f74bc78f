"""Plausible mistakes: PDQ and TMK written plainly, with a switch for each mistake, and altered
answers of hashkit."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np


class _Named:
    def __str__(self):
        changed = [each for each in fields(self) if getattr(self, each.name) != each.default]
        return ",".join(f"{each.name}={getattr(self, each.name)}" for each in changed)


@dataclass(frozen=True)
class Pdq(_Named):
    """The switches and their right values."""

    weights: tuple[float, ...] = (0.299, 0.587, 0.114)
    grey_bytes: bool = False
    smallest_window: int = 127
    lean: int = 2
    passes: int = 2
    corners: bool = False
    swap_rows: bool = False
    least_side: int = 5
    quality_rounds: bool = False
    quality_of_sum: bool = False
    quality_off: int = 0
    first_row: int = 1
    transposed: bool = False
    median_of: int = 127
    not_less: bool = False
    backwards: bool = False


def netpbm(file):
    kind, size, _, data = Path(file).read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    shape = (height, width, 3) if kind == b"P6" else (height, width)
    return np.frombuffer(data, np.uint8).reshape(shape)


def pdq_answer(file, how):
    pixels = netpbm(file)
    if min(pixels.shape[:2]) < how.least_side:
        return {"hash": "0" * 64, "quality": 0}
    luma = pixels @ np.array(how.weights) if pixels.ndim == 3 else pixels.astype(float)
    if how.grey_bytes:
        luma = np.floor(luma + 0.5)
    if luma.shape != (64, 64):
        luma = _filtered(_filtered(luma, how).T, how).T
    if how.swap_rows:
        luma = luma[::-1]
    rows = np.arange(how.first_row, how.first_row + 16)[:, None]
    waves = np.sqrt(2 / 64) * np.cos(np.pi / 128 * rows * (2 * np.arange(64) + 1))
    dct = waves @ luma @ waves.T
    dct = dct.T if how.transposed else dct
    median = np.sort(dct.ravel())[how.median_of]
    bits = dct.ravel() >= median if how.not_less else dct.ravel() > median
    value = np.packbits(bits if how.backwards else bits[::-1]).tobytes().hex()
    return {
        "hash": value,
        "quality": _quality(luma, how),
        "luma": luma.ravel().tolist(),
        "dct": dct.ravel().tolist(),
    }


def _filtered(lines, how):
    """64 of the rows, each an average of averages of its neighbours."""
    length = len(lines)
    window = (length + how.smallest_window) // 128
    ahead = (window + how.lean) // 2
    for _ in range(how.passes):
        ends = [(max(0, n + ahead - window), min(length, n + ahead)) for n in range(length)]
        lines = np.array([lines[a : max(b, a + 1)].mean(axis=0) for a, b in ends])
    half = 0.0 if how.corners else 0.5
    return lines[[int((i + half) * length / 64) for i in range(64)]]


def _quality(luma, how):
    steps = [np.diff(luma, axis=axis).ravel() * 100 / 255 for axis in (0, 1)]
    sizes = np.abs(np.concatenate(steps))
    if how.quality_of_sum:
        whole = sizes.sum()
    else:
        whole = np.rint(sizes).sum() if how.quality_rounds else np.floor(sizes).sum()
    return min(int(whole / 90), 100) + how.quality_off


@dataclass(frozen=True)
class Tmk(_Named):
    """The switches and their right values."""

    first_time: int = 0
    normalized: bool = True
    scaled: bool = True
    root: bool = True
    swap_waves: bool = False
    swap_periods: bool = False
    count_off: int = 0
    mean_of_unit: bool = False
    big_endian: bool = False


PERIODS = (2731, 4391, 9767, 14653)
_REFERENCE = next((Path(__file__).parent / "vectors" / "conformance" / "tmk").iterdir())


def tmk_answer(request, how):
    given = np.fromfile(request["features"], "<f4").reshape(-1, 256).astype(float)
    frames = given[np.arange(request["frames"]) % len(given)]
    header = _REFERENCE.read_bytes()[:176]
    coefficients = np.frombuffer(header, "<f4", 32, 48)
    unit = frames / np.maximum(np.linalg.norm(frames, axis=1, keepdims=True), 1e-30)
    times = np.arange(len(frames)) + how.first_time
    waves = [np.cos, np.sin][:: -1 if how.swap_waves else 1]
    rows = []
    for wave in waves:
        for period in PERIODS[:: -1 if how.swap_periods else 1]:
            angles = 2 * np.pi * np.outer(np.arange(32), times) / period
            sums = wave(angles) @ (unit if how.normalized else frames)
            norms = np.linalg.norm(sums, axis=1, keepdims=True)
            sums = np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0)
            factors = np.sqrt(coefficients) if how.root else coefficients
            rows.append(sums * factors[:, None] if how.scaled else sums)
    mean = (unit if how.mean_of_unit else frames).mean(axis=0)
    count = struct.pack(">i" if how.big_endian else "<i", len(frames) + how.count_off)
    order = ">f4" if how.big_endian else "<f4"
    body = np.concatenate([mean, np.array(rows).ravel()]).astype(order).tobytes()
    return {"tmk": base64.b64encode(header[:28] + count + header[32:] + body).decode()}


def naive_clock(request):
    """The frame that is shown at every fifteenth of a second."""
    times = [time for time, _ in request["frames"]]
    end = times[-1] + 1 / request["rate"]
    ticks = np.arange(0, end, 1 / 15)
    return {"taken": [int(np.searchsorted(times, t + 1e-9, "right")) - 1 for t in ticks]}


def _changed(name, change):
    def wrong(_request, answer):
        if name in answer:
            answer[name] = change(answer[name])
        return answer

    wrong.__name__ = f"{name} changed"
    return wrong


def _first_bit(value):
    return f"{int(value[0], 16) ^ 8:x}{value[1:]}"


def _only_less(request, answer):
    return {**answer, "match": answer["match"] and answer["distance"] < 31}


def _any_quality(_request, answer):
    return {**answer, "match": answer["distance"] <= 31}


def _quality_above(request, answer):
    sides = request["first"]["quality"], request["second"]["quality"]
    return {**answer, "match": answer["match"] and min(sides) > 50}


def _percents(distance=31, quality=50, unique=True):
    def wrong(request, _answer):
        sides = [
            [value for value, of in request[side] if of >= quality] for side in ("first", "second")
        ]
        sides = [sorted(set(side)) for side in sides] if unique else sides
        found = []
        for these, those in (sides, sides[::-1]):
            hits = [
                any((int(a, 16) ^ int(b, 16)).bit_count() <= distance for b in those) for a in these
            ]
            found.append(100 * sum(hits) / len(hits) if hits and those else 0.0)
        return {"percents": found, "match": found[0] >= 80}

    wrong.__name__ = f"distance {distance}, quality {quality}, unique {unique}"
    return wrong


def _without_variants(_request, answer):
    for item in answer.get("document", {}).get("items", []):
        item.pop("variants", None)
    return answer


def _takes_everything(_request, answer):
    return answer if answer["valid"] else {"valid": True, "document": {}}


def _in_the_order_of_the_file(_request, answer):
    if answer["valid"]:
        answer["document"]["items"].reverse()
    return answer


def _hex_signature(_request, answer):
    if "webhook-signature" in answer:
        data = base64.b64decode(answer["webhook-signature"][3:])
        answer["webhook-signature"] = f"v1,{data.hex()}"
    return answer


ANSWERS = [
    ("bytes", _changed("sha256", str.upper), "sha256"),
    ("bytes", _changed("md5", _first_bit), "md5"),
    ("pdq", _changed("hash", _first_bit), "hash"),
    ("pdq", _changed("hash", str.upper), "hash"),
    ("pdq", _changed("quality", lambda quality: quality + 1), "quality"),
    ("pdq", _changed("dct", lambda dct: dct[16:] + dct[:16]), "dct"),
    ("pdq", _changed("luma", lambda luma: luma[64:] + luma[:64]), "luma, row_0"),
    ("pdq_orientations", _changed("mirrored", _first_bit), "mirrored"),
    (
        "pdq_orientations",
        lambda _request, answer: {**answer, "rotated-90": answer["rotated-270"]},
        "rotated-90",
    ),
    ("pdq_compare", _changed("distance", lambda distance: distance + 1), "distance"),
    ("pdq_compare", _only_less, "match"),
    ("pdq_compare", _any_quality, "match"),
    ("pdq_compare", _quality_above, "match"),
    ("classic", _changed("hash", _first_bit), "hash"),
    ("classic", lambda _request, answer: {**answer, "small": "00"}, "small"),
    ("classic_compare", _changed("distance", lambda distance: distance - 1), "distance"),
    ("vpdq_compare", _changed("percents", lambda both: both[::-1]), "percents"),
    ("vpdq_compare", _changed("match", lambda match: int(match)), "match"),
    ("vpdq_compare", _percents(distance=30), "percents"),
    ("vpdq_compare", _percents(distance=32), "percents"),
    ("vpdq_compare", _percents(quality=51), "percents"),
    ("vpdq_compare", _percents(quality=49), "percents"),
    ("vpdq_compare", _percents(unique=False), "percents"),
    ("tmk_features", _changed("features", lambda given: given[::-1]), "features"),
    ("tmk_features", _changed("features", lambda given: [n + 0.1 for n in given]), "features"),
    ("tmk_clock", _changed("taken", lambda taken: taken[:-1]), "taken"),
    ("tmk_score", _changed("level1", lambda level: level + 1e-4), "level1"),
    ("tmk_score", _changed("level2", lambda level: level * 0.99), "level2"),
    ("tmk_score", _changed("match", lambda match: not match), "match"),
    ("submission", _takes_everything, "valid"),
    ("submission", lambda _request, _answer: {"valid": False}, "valid"),
    ("submission", _without_variants, "document"),
    ("submission", _in_the_order_of_the_file, "document"),
    ("export", _changed("content", lambda text: text.replace("1", "2", 1)), "content"),
    ("export", _changed("left_out", lambda left: left[1:]), "left_out"),
    ("webhook", _hex_signature, "webhook-signature"),
    (
        "webhook",
        _changed("webhook-timestamp", lambda stamp: str(int(stamp) + 1)),
        "webhook-timestamp",
    ),
    ("webhook", _changed("refused", lambda _: False), "refused"),
]
