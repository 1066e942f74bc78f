"""Compares an answer of check.py with what is expected, in the order in which the steps are
computed, so that the first differing step is reported."""

from __future__ import annotations

import array
import base64
import csv
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Json = dict[str, Any]


class Difference:
    """The first step that differs, and how; ``rounding`` if that may be the cause."""

    def __init__(self, step: str, how: str, rounding: bool = False) -> None:
        self.step, self.how, self.rounding = step, how, rounding

    def __str__(self) -> str:
        return f"{self.step}: {self.how}"


def difference(kit: Json, case: Json, answer: Json, folder: Path) -> Difference | None:
    """The difference, or None. KeyError and others if the answer has another form."""
    if "error" in answer:
        return Difference("answer", f"error {answer['error']}")
    steps = _STEPS.get(kit["do"], _equal)(kit, case, answer, folder)
    found = list(_all_until_certain(steps))
    return found[-1] if found else None


def _all_until_certain(steps: Iterator[Difference]) -> Iterator[Difference]:
    """Report a difference by rounding only if nothing else differs."""
    first = None
    for each in steps:
        if not each.rounding:
            yield each
            return
        first = first or each
    if first is not None:
        yield first


def _unlike(step: str, expected: object, found: object) -> Iterator[Difference]:
    if not _same(expected, found):
        yield Difference(step, f"expected {_short(expected)}, got {_short(found)}")


def _same(a: Any, b: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and is not true, unlike in Python."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return (type(a) is bool) == (type(b) is bool) and bool(a == b)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 200 else text[:200] + "…"


def _equal(_kit: Json, case: Json, answer: Json, _folder: Path) -> Iterator[Difference]:
    for step, expected in case["expect"].items():
        if step == "small" and step not in answer:
            continue  # an intermediate step, which is optional
        yield from _unlike(step, expected, answer[step])


def _near(
    step: str, expected: list[float], found: list[float], tolerance: float
) -> Iterator[Difference]:
    """Two lists of numbers. ValueError if their lengths differ."""
    if len(expected) != len(found):
        yield Difference(step, f"expected {len(expected)} numbers, got {len(found)}")
        return
    apart = [abs(a - b) for a, b in zip(expected, found, strict=True)]
    if not all(each <= tolerance for each in apart):  # (which NaN is not)
        worst = max(range(len(apart)), key=lambda n: (math.isnan(apart[n]), apart[n]))
        first = next(n for n, each in enumerate(apart) if not each <= tolerance)
        yield Difference(
            step,
            f"{sum(not each <= tolerance for each in apart)} of {len(apart)} numbers differ, first "
            f"number {first}: expected {expected[first]}, got {found[first]}; most by "
            f"{apart[worst]:g}, {tolerance:g} is allowed",
        )


def _bits(step: str, expected: str, found: str, ties: str = "0") -> Iterator[Difference]:
    if found == expected:
        return
    digits = set("0123456789abcdef")
    if not isinstance(found, str) or len(found) != len(expected) or set(found) - digits:
        how = f"expected {len(expected)} digits of 0-9 and a-f, got {_short(found)}"
        yield Difference(step, how)
        return
    apart = int(expected, 16) ^ int(found, 16)
    certain = apart & ~int(ties, 16)
    which = [bit for bit in range(4 * len(expected)) if (certain or apart) >> bit & 1]
    shown = ", ".join(map(str, which[:8])) + (" …" if len(which) > 8 else "")
    how = f"{len(which)} bits differ ({shown}), expected {expected}, got {found}"
    yield Difference(step, how, rounding=not certain)


def _pdq(kit: Json, case: Json, answer: Json, _folder: Path) -> Iterator[Difference]:
    expect, allowed = case["expect"], kit["tolerances"]
    if "luma" in expect and "luma" in answer:
        luma = answer["luma"]
        parts = {
            "row_0": luma[:64],
            "column_63": luma[63::64],
            "diagonal": luma[::65],
        }
        for part, expected in expect["luma"].items():
            yield from _near(f"luma, {part}", expected, parts[part], allowed["luma"])
    low, high = case.get("quality_range", [expect["quality"]] * 2)
    for each in _unlike("quality", expect["quality"], answer["quality"]):
        each.rounding = type(answer["quality"]) is int and low <= answer["quality"] <= high
        yield each
    if "dct" in expect and "dct" in answer:
        yield from _near("dct", expect["dct"], answer["dct"], allowed["dct"])
    yield from _bits("hash", expect["hash"], answer["hash"], case.get("ties", "0"))


def _orientations(_kit: Json, case: Json, answer: Json, _folder: Path) -> Iterator[Difference]:
    ties = case.get("ties", {})
    for name, expected in case["expect"].items():
        yield from _bits(name, expected, answer[name], ties.get(name, "0"))


def _percents(kit: Json, case: Json, answer: Json, _folder: Path) -> Iterator[Difference]:
    expect = case["expect"]
    allowed = kit["tolerances"]["percent"]
    yield from _near("percents", expect["percents"], answer["percents"], allowed)
    yield from _unlike("match", expect["match"], answer["match"])


def _vpdq_video(kit: Json, case: Json, answer: Json, folder: Path) -> Iterator[Difference]:
    allowed, found = kit["tolerances"], answer["frames"]
    with (folder / case["expect"]["csv"]).open(newline="") as file:
        expected = list(csv.DictReader(file))
    numbers = [int(each["frame_number"]) for each in expected]
    yield from _unlike("frames", numbers, [each["frame"] for each in found])
    if case.get("timestamps", True):
        times = [float(each["timestamp_seconds"]) for each in expected]
        got = [each["timestamp"] for each in found]
        yield from _near("timestamps", times, got, allowed["timestamp"])
    qualities = [int(each["quality"]) for each in expected]
    got = [each["quality"] for each in found]
    yield from _near("quality", qualities, got, allowed["quality"])
    apart = [
        (int(ours["hash"], 16) ^ int(theirs["pdq_hex"], 16)).bit_count()
        for ours, theirs in zip(found, expected, strict=True)
        if int(theirs["quality"]) >= 50
    ]
    if max(apart) > allowed["bits"]:
        yield Difference("hash", f"{max(apart)} bits differ, {allowed['bits']} are allowed")
    mean = sum(apart) / len(apart)
    if mean > allowed["mean_bits"]:
        yield Difference(
            "hash", f"{mean:.2f} bits differ on average: at most {allowed['mean_bits']}"
        )


class _Tmk:
    """A .tmk file."""

    HEADER = 176
    SIZE = 263_344

    def __init__(self, data: bytes) -> None:
        if len(data) != self.SIZE:
            raise ValueError(f"a .tmk file has {self.SIZE} bytes, not {len(data)}")
        self.header = data[: self.HEADER]
        numbers = array.array("f", data[self.HEADER :])
        coefficients = array.array("f", data[48 : self.HEADER])
        if sys.byteorder == "big":
            numbers.byteswap()
            coefficients.byteswap()
        self.coefficients = coefficients
        self.mean = list(numbers[:256])
        rows = [list(numbers[start : start + 256]) for start in range(256, len(numbers), 256)]
        self.cosines, self.sines = rows[:128], rows[128:]


def _decoded(answer: Json) -> _Tmk:
    return _Tmk(base64.b64decode(answer["tmk"], validate=True))


def _header(expected: bytes, found: bytes) -> Iterator[Difference]:
    if expected[28:32] != found[28:32]:
        frames = [int.from_bytes(each[28:32], "little") for each in (expected, found)]
        yield Difference("header", f"expected {frames[0]} frames, got {frames[1]}")
    for place, (a, b) in enumerate(zip(expected, found, strict=True)):
        if a != b:
            yield Difference("header", f"byte {place}: expected {a}, got {b}")
            return


def _tmk_video(kit: Json, case: Json, answer: Json, folder: Path) -> Iterator[Difference]:
    expected, found = _Tmk((folder / case["expect"]["tmk"]).read_bytes()), _decoded(answer)
    yield from _header(expected.header, found.header)
    least = kit["tolerances"]["cosine"]
    for part in ("mean", "cosines", "sines"):
        a, b = (_flat(getattr(each, part)) for each in (expected, found))
        product = math.fsum(x * y for x, y in zip(a, b, strict=True))
        size = math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))
        if not (size > 0 and product / size >= least):
            cosine = product / size if size > 0 else 0.0
            yield Difference(part, f"the cosine with the reference's is {cosine:.6f}, not {least}")


def _flat(rows: list[Any]) -> list[float]:
    return [number for row in rows for number in row] if isinstance(rows[0], list) else rows


def _tmk_signature(kit: Json, case: Json, answer: Json, _folder: Path) -> Iterator[Difference]:
    expect, allowed, found = case["expect"], kit["tolerances"], _decoded(answer)
    yield from _header(bytes.fromhex(expect["header"]), found.header)
    yield from _near("mean", expect["mean"], found.mean, allowed["mean"])
    for part in ("cosines", "sines"):
        rows = getattr(found, part)
        for period, expected in enumerate(expect[part]):
            for j, numbers in enumerate(expected):
                row = [rows[32 * period + j][n] for n in kit["sampled"]]
                step = f"{part}, period {period}, coefficient {j}"
                length = math.sqrt(found.coefficients[j])  # of the row: it may be very short
                yield from _near(step, numbers, row, allowed["rows"] * length)


def _tmk_score(kit: Json, case: Json, answer: Json, _folder: Path) -> Iterator[Difference]:
    expect = case["expect"]
    for level, allowed in kit["tolerances"].items():
        yield from _near(level, [expect[level]], [answer[level]], allowed)
    yield from _unlike("match", expect["match"], answer["match"])


def _tmk_features(kit: Json, case: Json, answer: Json, _folder: Path) -> Iterator[Difference]:
    allowed = kit["tolerances"]["features"]
    yield from _near("features", case["expect"]["features"], answer["features"], allowed)


def _submission(_kit: Json, case: Json, answer: Json, folder: Path) -> Iterator[Difference]:
    expect = case["expect"]
    yield from _unlike("valid", expect["valid"], answer["valid"])
    if expect["valid"]:
        expected = json.loads((folder / expect["document"]).read_text("utf-8"))
        yield from _unlike("document", expected, answer["document"])


def _export(_kit: Json, case: Json, answer: Json, folder: Path) -> Iterator[Difference]:
    expect = case["expect"]
    yield from _unlike("left_out", sorted(expect["left_out"]), sorted(answer["left_out"]))
    file = folder / expect["content"]
    expected, found = file.read_text("utf-8"), answer["content"]
    if file.suffix == ".json":  # spaces do not count
        yield from _unlike("content", json.loads(expected), json.loads(found))
    elif file.suffix == ".xml":
        a, b = (ElementTree.canonicalize(each, strip_text=True) for each in (expected, found))
        yield from _unlike("content", a, b)
    else:
        yield from _unlike("content", expected, found)


_STEPS = {
    "pdq": _pdq,
    "pdq_orientations": _orientations,
    "vpdq_compare": _percents,
    "vpdq_video": _vpdq_video,
    "tmk_features": _tmk_features,
    "tmk_signature": _tmk_signature,
    "tmk_score": _tmk_score,
    "tmk_video": _tmk_video,
    "submission": _submission,
    "export": _export,
}
