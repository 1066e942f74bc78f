"""The engine's submissions are hashkit's own, byte for byte, and so is what it keeps of a video's
other readings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashkit.cli.output.outcomes import json_line
from hashkit.errors import MediaCorrupt
from hashkit.hashes.registry import ALGORITHMS
from hashkit.models import (
    MOVING_READINGS,
    ORIENTATIONS,
    STILL_READINGS,
    FailedFile,
    FrameHash,
    FrameHashes,
    Hash,
    HashedFile,
    MediaKind,
)
from hashkit.submission.document import Submission
from hashkit.variants.json_codec import variants_to_json
from hashkit.variants.readings import apart

sys.path.insert(0, str(Path(__file__).parent))

from in_node import call

# Few values, so that items are alike, and differ late.
hex_digits = st.sampled_from(["0", "a", "f0", "0123456789abcdef"])
quality = st.integers(0, 100)
names = st.sampled_from([name for name in ALGORITHMS if name not in ("vpdq", "tmk_pdqf")])


def of_length(text, digits):
    return (text * digits)[:digits]


@st.composite
def hashes(draw, variant="original"):
    """One hash of an original, or of a variant."""
    name = draw(names) if variant == "original" else "pdq"
    value = of_length(draw(hex_digits), -(-ALGORITHMS[name].bits // 4))
    return Hash(name, value, draw(quality) if name == "pdq" else None, variant)


tmk = st.binary(min_size=1, max_size=7).map(lambda value: Hash("tmk_pdqf", value))
still = st.lists(hashes() | tmk, max_size=5, unique_by=lambda each: each.algorithm)
still_variants = st.lists(
    st.sampled_from([*STILL_READINGS, *ORIENTATIONS[1:], "crop-2.5", "padded-9x16-black"]).flatmap(
        hashes
    ),
    max_size=3,
)
frames = st.builds(
    FrameHash,
    st.integers(0, 2**53 - 1),
    st.floats(0, 1e9) | st.integers(0, 10**6).map(lambda number: number / 1000),
    hex_digits.map(lambda text: of_length(text, 64)),
    quality,
)
intervals = st.sampled_from(["all", "keyframes", 0.0, 1.0, 1e-4, 9.999e-5, 1e-6, 1.5e-7]) | (
    st.floats(1e-12, 1e9)
)


def moving(variants):
    return st.builds(FrameHashes, intervals, st.lists(frames, max_size=3).map(tuple), variants)


@st.composite
def outcomes(draw):
    kind, originals = draw(st.sampled_from(MediaKind)), tuple(draw(still))
    has_pdq = any(each.algorithm == "pdq" for each in originals)
    found = (*originals, *(draw(still_variants) if has_pdq else ()))
    if draw(st.integers(0, 4)) == 0:
        return FailedFile(Path("a"), MediaCorrupt(), draw(st.sampled_from([kind, None])), found)
    of_frames = draw(st.none() | moving(st.just("original")))
    names = st.sampled_from([*MOVING_READINGS, "mirrored", "bars-removed"])
    variants = draw(st.lists(moving(names), max_size=2)) if of_frames else ()
    return HashedFile(Path("a"), kind, found, (), of_frames, tuple(variants))


folders = st.lists(outcomes(), max_size=8).flatmap(
    # Some files are there twice.
    lambda some: st.lists(st.sampled_from(some), max_size=12) if some else st.just([])
)


@settings(max_examples=10)
@given(st.lists(folders, min_size=20, max_size=40))
def test_documents_equal_those_of_python(given_folders):
    printed = [[json.loads(json_line(each)) for each in folder] for folder in given_folders]
    texts = call("submission.js", "submissionText", [(each,) for each in printed])
    for text, folder in zip(texts, given_folders, strict=True):
        assert text == Submission.of(folder).to_json()


@pytest.mark.parametrize("level", ["none", "readings", "orientations"])
def test_documents_of_the_samples_equal_those_of_python(samples, tmp_path, level):
    out = tmp_path / "submission.json"
    algorithms = "all" if level == "none" else "services"
    command = [sys.executable, "-m", "hashkit", "hash", "--recursive", "--json"]
    command += ["--algorithms", algorithms, "--variants", level, "--out", str(out), str(samples)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(printed) > 40
    (text,) = call("submission.js", "submissionText", [(printed[::-1],)])
    assert text.encode() == out.read_bytes()


@st.composite
def near_frames(draw):
    """A frame that is so many bits from one of two."""
    bits = draw(st.sampled_from([0, 1, 15, 16, 17, 30, 256]))
    value = draw(st.sampled_from([0, int("5" * 64, 16)]))
    apart = ((1 << bits) - 1) << draw(st.integers(0, 256 - bits))
    number = draw(st.integers(0, 99))
    return FrameHash(number, 0.0, f"{value ^ apart:064x}", draw(st.sampled_from([0, 49, 50, 100])))


readings = st.builds(
    FrameHashes,
    st.just(1.0),
    st.lists(near_frames(), max_size=4).map(tuple),
    st.sampled_from(MOVING_READINGS),
)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.lists(readings, max_size=4), readings), min_size=1, max_size=20))
def test_readings_of_videos_are_kept_as_in_python(cases):
    def as_json(some):
        return variants_to_json((), some)

    arguments = [(as_json(some), as_json([original])[0]["vpdq"]) for some, original in cases]
    kept = call("variants.js", "readingsApart", arguments)
    for found, (some, original) in zip(kept, cases, strict=True):
        assert found == as_json(apart(some, original))
