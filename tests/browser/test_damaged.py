"""Damaged copies of the samples, those of tests/test_mutations.py, through the engine and Python.

Nothing crashes, and the engine gives no hash without a notice where Python gives a notice, or no
hash. That holds without exception for what is cut short or lacks a part. Of changed bytes, a
browser's decoder conceals a few, which no page can see.
"""

from __future__ import annotations

import json
import random
import sys
from importlib import import_module

import pytest

import hashkit
from hashkit.cli.output.outcomes import json_line

pytestmark = pytest.mark.test_all

HASH = 'return (await load("hashkit.js")).hashFile(given)'
BROKEN = {"decoder_crashed", "too_much_memory", "took_too_long"}

EVERY = {"chromium": 2, "firefox": 8, "webkit": 8}
"""Every so many of the 2,030 copies are tried."""

CONCEALED = {"chromium": 0.01, "firefox": 0.05, "webkit": 0.03}
"""The share of all copies of which damage may be concealed. With all copies: 0.002, 0.019 (nearly
all of it H.264, whose damage Firefox never reports) and 0.005."""


@pytest.fixture(scope="module")
def mutations(root):
    sys.path.insert(0, str(root / "tests"))
    return import_module("test_mutations")


def copies(mutations, every, folder):
    """The damaged copies, each with the way in which it was damaged."""
    for seed in range(8):
        chance = random.Random(seed)
        for sample in mutations.SAMPLES[seed::8]:
            data = sample.read_bytes()
            for number in range(mutations.EACH):
                way = chance.choice([*mutations.WAYS])
                damaged = mutations.WAYS[way](data, chance)
                if number % every == seed % every:
                    path = folder / f"{sample.stem}-{number}-{way}{sample.suffix}"
                    path.write_bytes(damaged)
                    yield path, way


def perceptual(outcome):
    return {"pdq", "vpdq"} & outcome.get("hashes", {}).keys()


def problem(found, wanted, incomplete):
    """What the engine does worse than Python, or None."""
    if found.get("error", {}).get("code") in BROKEN:
        return found["error"]["code"]
    if not perceptual(found):
        return None
    codes, known = (
        {each["code"] for each in outcome.get("notices", ())} & incomplete
        for outcome in (found, wanted)
    )
    if "vpdq" not in found["hashes"] and wanted.get("kind") == "image":
        known -= {"video_truncated", "video_damaged"}  # of hashes that were not made
    if codes:
        return None
    if not perceptual(wanted):
        return f"a hash, where Python has none: {wanted.get('error')}"
    return f"no notice, where Python has {known}" if known else None


def test_damage_is_noticed(each_browser, mutations, tmp_path):
    every = EVERY[each_browser.name]
    damaged = dict(copies(mutations, every, tmp_path))
    assert len(damaged) > 1900 / every
    concealed = []
    for outcome in hashkit.hash_files(damaged, algorithms="md5,pdq,vpdq"):
        wanted = json.loads(json_line(outcome))
        found = each_browser.run(HASH, outcome.path)
        worse = problem(found, wanted, mutations.INCOMPLETE)
        if worse is not None:
            assert worse not in BROKEN, outcome.path.name
            assert damaged[outcome.path] in ("flip", "splice"), f"{outcome.path.name}: {worse}"
            concealed.append(f"{outcome.path.name}: {worse}")
    most = CONCEALED[each_browser.name] * len(damaged)
    assert len(concealed) <= most, "\n".join(concealed)
