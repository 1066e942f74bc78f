"""Submissions of any content, for ``st.from_type``."""

from __future__ import annotations

from hypothesis import strategies as st

from hashkit.hashes.registry import ALGORITHMS
from hashkit.models import (
    ORIENTATIONS,
    STILL_READINGS,
    FrameHash,
    FrameHashes,
    Hash,
    MediaKind,
)
from hashkit.submission.document import Item, Submission
from hashkit.variants.sets import BY_COVERAGE

LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "pdq": 64, "colorhash": 11}


def hex_digits(length):
    return st.text("0123456789abcdef", min_size=length, max_size=length)


def values(name):
    if name == "tmk_pdqf":
        return st.binary(min_size=9, max_size=9).map(lambda end: bytes(263_335) + end)
    if name == "crop_resistant":
        return st.lists(hex_digits(16), min_size=1, max_size=4).map(",".join)
    return hex_digits(LENGTHS.get(name, 16))


@st.composite
def hashes(draw):
    single = [name for name in ALGORITHMS if name != "vpdq"]
    names = draw(st.lists(st.sampled_from(single), min_size=1, unique=True))
    originals = [
        Hash(name, draw(values(name)), draw(st.integers(0, 100)) if name == "pdq" else None)
        for name in names
    ]
    once = st.lists(variants, max_size=3, unique_by=lambda each: (each.variant, each.value))
    edits = draw(once) if "pdq" in names else []
    return (*originals, *edits)


variant_names = st.sampled_from(
    [*BY_COVERAGE, *ORIENTATIONS[1:], "bars-removed", "bars-removed+mirrored", "crop-5+mirrored"]
)
still_names = variant_names | st.sampled_from(STILL_READINGS)
variants = st.builds(Hash, st.just("pdq"), hex_digits(64), st.integers(50, 100), still_names)


frame_hashes = st.builds(
    FrameHash,
    st.integers(0, 10**6),
    st.integers(0, 10**7).map(lambda thousandths: thousandths / 1000),
    hex_digits(64),
    st.integers(0, 100),
)


def in_order(most):
    each_once = st.lists(frame_hashes, max_size=most, unique_by=lambda each: each.frame)
    return each_once.map(lambda found: tuple(sorted(found, key=lambda each: each.frame)))


intervals = st.sampled_from(["all", "keyframes"]) | st.floats(0.01, 1000)
frames = st.none() | st.builds(FrameHashes, intervals, in_order(5))
moving = st.builds(FrameHashes, intervals, in_order(3), variant_names)
items = st.builds(Item, st.sampled_from(MediaKind), hashes(), frames) | st.builds(
    Item,
    st.sampled_from(MediaKind),
    hashes(),
    frames.filter(bool),
    st.lists(moving, max_size=2).map(tuple),
)

st.register_type_strategy(Item, items)
st.register_type_strategy(Submission, st.lists(items, max_size=4).map(Submission.from_items))
