"""The facts of the algorithms: no algorithm is skipped by what compares, prints, describes or
computes hashes, and nothing else says otherwise."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest

import hashkit
from hashkit import notices
from hashkit.cli.output.comparisons import finding_in_words
from hashkit.hashes import pdq, tmk, vpdq
from hashkit.hashes.registry import ALGORITHMS, MIN_QUALITY, Distance
from hashkit.matching.comparing import compare

SCHEMA = json.loads(hashkit.submission_schema())
HASHES = SCHEMA["$defs"]["item"]["properties"]["hashes"]["properties"]
WORDS = {
    Distance.EQUALITY: "equal",
    Distance.BITS: "0 of {bits} bits differ",
    Distance.NEAREST_BITS: "0 of {bits} bits differ",
    Distance.SHARED_FRAMES: "100 % of the first, 100 % of the second (at least {threshold:g} % of",
    Distance.SCORES: "(both at least {threshold:g})",
}


# Bits, threshold, least quality, and whether the services take it: docs/comparing.md and the
# definitions of the algorithms.
FACTS = {
    "md5": (128, None, None, True),
    "sha1": (160, None, None, True),
    "sha256": (256, None, None, True),
    "sha512": (512, None, None, False),
    "pdq": (256, 31, 50, True),
    "vpdq": (256, 20, 50, True),
    "tmk_pdqf": (8 * 263_344, 0.7, None, True),
    "ahash": (64, 10, None, False),
    "phash": (64, 10, None, False),
    "dhash": (64, 10, None, False),
    "whash": (64, 10, None, False),
    "colorhash": (42, None, None, False),
    "crop_resistant": (64, 16, None, False),
}


def test_the_facts():
    found = {
        name: (each.bits, each.threshold, each.min_quality, each.is_default)
        for name, each in ALGORITHMS.items()
    }
    assert found == FACTS
    assert list(found) == list(FACTS)  # hashes are listed in this order


@pytest.fixture(scope="module")
def hashed(samples):
    """A moving picture has every hash."""
    return hashkit.hash_file(samples / "gif-animated.gif", "all")


@pytest.mark.parametrize("name", ALGORITHMS)
class TestEveryAlgorithm:
    def test_is_compared_and_printed(self, name, hashed):
        originals = (
            each for each in compare(hashed, hashed).findings if each.variant == "original"
        )
        (finding,) = [each for each in originals if each.algorithm == name]
        algorithm = ALGORITHMS[name]
        assert finding.match is (None if name == "colorhash" else True)
        if algorithm.distance is not Distance.EQUALITY:
            assert finding.threshold == algorithm.threshold
        what, distance, _ = finding_in_words(finding)
        assert what == name
        words = WORDS[algorithm.distance]
        assert words.format(bits=algorithm.bits, threshold=algorithm.threshold or 0) in distance

    def test_is_in_the_schema(self, name, hashed):
        document = json.loads(hashkit.Submission.of([hashed]).to_json())
        value = document["items"][0]["hashes"][name]
        validator = jsonschema.Draft202012Validator(HASHES[name] | {"$defs": SCHEMA["$defs"]})
        validator.validate(value)
        assert not validator.is_valid("0")

    def test_pattern_of_the_schema(self, name):
        described = HASHES[name]
        if "$ref" in described:
            described = SCHEMA["$defs"][described["$ref"].rpartition("/")[2]]
        fields = described.get("properties", {"value": described})
        if name == "vpdq":
            fields = fields["frames"]["items"]["properties"]
            assert fields["value"] == SCHEMA["$defs"]["pdq"]["properties"]["value"]
            return
        pattern = fields["value"]["pattern"]
        assert pattern == f"^{ALGORITHMS[name].pattern.pattern.replace('(?:', '(')}$"
        assert ("quality" in fields) is ALGORITHMS[name].has_quality


def test_workers_load_what_computes_a_hash_before_they_are_locked_in(samples):
    code = (
        "import sys\n"
        "from hashkit.hashes.registry import ALGORITHMS, by_module\n"
        "from hashkit.pipeline.hashing import hash_or_fail\n"
        "from hashkit.pipeline.options import Options\n"
        "from hashkit.sandbox import worker\n"
        "for name in ALGORITHMS:\n"
        "    worker._prepare(Options((name,)), False)\n"
        "    assert [*by_module([name])][0] in sys.modules, name\n"
        "before = {name for name in sys.modules if name.startswith('hashkit')}\n"
        "hash_or_fail(sys.argv[1], Options(tuple(ALGORITHMS)))\n"
        "later = {name for name in sys.modules if name.startswith('hashkit')} - before\n"
        "assert not later, later\n"
    )
    subprocess.run([sys.executable, "-c", code, samples / "gif-animated.gif"], check=True)


def test_the_registry_needs_no_arithmetic():
    code = "import sys, hashkit.hashes.registry; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_facts_that_others_repeat():
    facts = ALGORITHMS["pdq"]
    assert facts.bits == pdq.BITS
    assert facts.threshold == pdq.THRESHOLD
    assert facts.min_quality == pdq.QUALITY_THRESHOLD
    assert vpdq.QUALITY_THRESHOLD == ALGORITHMS["vpdq"].min_quality == MIN_QUALITY
    assert ALGORITHMS["vpdq"].bits == pdq.BITS
    assert ALGORITHMS["tmk_pdqf"].bits == tmk.SIZE * 8
    assert ALGORITHMS["tmk_pdqf"].threshold == tmk.THRESHOLD
    assert f"below {MIN_QUALITY}" in notices.LOW_QUALITY.text
    assert f"below {MIN_QUALITY}" in SCHEMA["$defs"]["pdq"]["description"]
