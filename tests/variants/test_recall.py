"""The figures of docs/variants.md, on a small set of pictures and edits that never changes.

The full measurement, ``bench/variants.py``, takes minutes. This draws fewer pictures and edits by
the same functions, so that a change that finds less is seen.
"""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from hashkit.variants.sets import MAX_HASHES

pytestmark = pytest.mark.test_all

PICTURES = range(1, 12, 2)  # of the half that the edits were not chosen on
EACH = 3
SLACK = 3  # percent: encoders and fonts differ between versions


@pytest.fixture(scope="module")
def bench(root):
    sys.path[:0] = [str(root / "bench"), str(root / "samples_synthetic")]
    import variants

    return variants


@pytest.fixture(scope="module")
def found(bench, scene):
    originals = []
    for number in PICTURES:
        shape = bench.SHAPES[number % len(bench.SHAPES)]
        size = (480, round(480 / shape)) if shape >= 1 else (round(480 * shape), 480)
        originals += [scene(900 + number, *size), bench._clouds(900 + number, *size)]
    sets = bench.sets_of(originals)
    return {
        name: (sets, bench.population(originals, EACH, mild=name == "mild"))
        for name in ("full", "mild")
    }


HEADLINES = {"full": {1: 18, 16: 51, 48: 72}, "mild": {1: 28, 16: 64, 48: 82}}
"""Percent found of this small set, with so many hashes."""


@pytest.mark.parametrize("amounts", HEADLINES)
def test_headlines(bench, found, amounts):
    everything = bench.recalls(*found[amounts])["all"]
    for step, expected in HEADLINES[amounts].items():
        part = 100 * everything[bench.STEPS.index(step)]
        assert abs(part - expected) <= SLACK, (step, part)


@pytest.mark.parametrize("amounts", HEADLINES)
def test_the_page_says_about_the_same(root, bench, amounts):
    """Other pictures, the same story."""
    page = (root / "docs" / "variants.md").read_text("utf-8")
    row = re.search(rf"^\| {amounts} +\|(.*)\|$", page, re.M).group(1)
    shown = dict(zip(bench.STEPS, map(int, re.findall(r"(\d+) %", row)), strict=True))
    for step, expected in HEADLINES[amounts].items():
        assert abs(shown[step] - expected) <= 6


def test_no_false_match(bench, found):
    for sets, copies in found.values():
        pairs, matches, smallest = bench.price(sets, copies)
        assert pairs > 100_000
        assert matches == 0
        assert smallest > 62  # twice the threshold


def test_what_the_original_alone_can_and_cannot_find(bench, found):
    by_kind = bench.recalls(*found["full"])
    one, wide = bench.STEPS.index(1), bench.STEPS.index(MAX_HASHES["wide"])
    for kind in ("blur", "recompressed"):
        assert by_kind[kind][one] > 0.9
    for kind in ("mirrored", "quarter turns"):
        assert by_kind[kind][one] == 0
        assert by_kind[kind][wide] == 1
    assert all(np.diff(by_kind[kind]).min() >= 0 for kind in by_kind)
