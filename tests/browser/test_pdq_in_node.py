"""The engine's PDQ gives Python's values and qualities, bit for bit, ties too."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashkit.hashes import pdq, pdq_filter, pdq_reference
from hashkit.variants import computing, recipes

_NODE = shutil.which("node")
_SCRIPT = Path(__file__).with_name("pdq_in_node.js")

pytestmark = pytest.mark.skipif(_NODE is None, reason="needs Node 20 or later (node)")

# Of frames and edits, ties are decided by float32 sums in Python, and by doubles in the engine.
TIE = 0.005


BY_DCT, BY_SMALL_COPY, TURNED_PLANES = 1, 2, 4


def answers(pictures: Sequence[np.ndarray], wanted: int = 0) -> list[dict[str, Any]]:
    """What the engine makes of these, in one process, a few rows at a time."""
    parts = []
    for number, pixels in enumerate(pictures):
        height, width = pixels.shape[:2]
        opaque = np.full((height, width, 4), 255, np.uint8)
        opaque[..., :3] = pixels if pixels.ndim == 3 else pixels[..., None]
        parts += [struct.pack("<4I", width, height, 1 + number * 7 % 97, wanted), opaque.tobytes()]
    done = subprocess.run(
        [str(_NODE), str(_SCRIPT)],
        input=b"".join(parts),
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(found) == len(pictures)
    return found


def noise(rng, height, width):
    return rng.integers(0, 256, (height, width, 3))


def dim(rng, height, width):
    return rng.integers(0, rng.integers(2, 40), (height, width, 3)) + rng.integers(0, 216)


def smooth(rng, height, width):
    cells = rng.integers(0, 256, (*rng.integers(2, 40, 2), 3), dtype=np.uint8)
    return cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)


def gradient(rng, height, width):
    down, right, period = rng.integers(0, 9), rng.integers(1, 9), rng.integers(2, 257)
    values = (np.arange(height)[:, None] * down + np.arange(width) * right) % period
    return np.repeat((values * 255 // max(1, values.max()))[..., None], 3, axis=2)


def flat(rng, height, width):
    return np.broadcast_to(rng.integers(0, 256, 3), (height, width, 3))


def rows(rng, height, width):
    """Few rows, again and again."""
    return np.resize(rng.integers(0, 256, (rng.integers(1, 30), width, 3)), (height, width, 3))


def tiles(rng, height, width):
    tile = rng.integers(0, 256, (*rng.integers(1, 60, 2), 3))
    repeats = (height // tile.shape[0] + 1, width // tile.shape[1] + 1, 1)
    return np.tile(tile, repeats)[:height, :width]


SCENES = {each.__name__: each for each in (noise, dim, smooth, gradient, flat, rows, tiles)}

# From 1 to 300 or 1,000, small ones more often, and those around which the filter changes.
sides = st.one_of(
    st.integers(1, 300),
    st.floats(0, np.log(1000)).map(lambda exponent: round(np.exp(exponent))),
    st.sampled_from([4, 5, 63, 64, 65, 127, 128, 129, 256, 257]),
)
descriptions = st.tuples(
    st.sampled_from(sorted(SCENES)), st.integers(0, 2**32 - 1), sides, sides, st.booleans()
)
many = st.lists(descriptions, min_size=30, max_size=60)


def drawn(scene: str, seed: int, height: int, width: int, grey: bool = False) -> np.ndarray:
    """A picture by its description."""
    values = SCENES[scene](np.random.default_rng(seed), height, width)
    pixels = np.ascontiguousarray(np.clip(values, 0, 255).astype(np.uint8))
    return np.ascontiguousarray(pixels[..., 0]) if grey else pixels


def _assert_equal(found, pixels, description):
    wanted = pdq.compute(pixels)
    assert (found["value"], found["quality"]) == (wanted.value, wanted.quality), description


@settings(max_examples=12)
@given(many)
def test_values_and_qualities_equal_those_of_python(described):
    pictures = [drawn(*each) for each in described]
    for found, pixels, each in zip(answers(pictures), pictures, described, strict=True):
        _assert_equal(found, pixels, each)


@settings(max_examples=6)
@given(many)
def test_orientations_equal_those_of_python(described):
    pictures = [drawn(*each) for each in described]
    for found, pixels, each in zip(answers(pictures, BY_DCT), pictures, described, strict=True):
        wanted = pdq.compute_orientations(pixels)
        assert found["quality"] == wanted[0].quality, each
        assert found["orientations"] == [
            {"name": hashed.variant, "value": hashed.value} for hashed in wanted
        ], each


@settings(max_examples=6)
@given(many)
def test_planes_are_reduced_as_in_python(described):
    pictures = [drawn(*each)[..., :1].squeeze(2) for each in described if not each[4]]
    for found, pixels in zip(answers(pictures), pictures, strict=True):
        luma = pdq_filter.luma64(pixels)
        plane = found["plane"]
        assert np.abs(luma.ravel() - plane["luma"]).max() < 0.0005
        value, quality = pdq.of_luma64(luma)
        assert abs(quality - plane["quality"]) <= 1
        for bit in _differing_bits(value, plane["value"]):
            assert _distance_from_median(luma, bit) < TIE


@settings(max_examples=3)
@given(many)
def test_planes_are_turned_as_in_python(described):
    pictures = [drawn(*each)[..., :1].squeeze(2) for each in described if not each[4]]
    for found, pixels in zip(answers(pictures, TURNED_PLANES), pictures, strict=True):
        assert [*found["planes"]] == [*computing._TURNS]
        for name, luma in found["planes"].items():
            flip, mirror, swap = computing._TURNS[name]
            turned = pixels[:: -1 if flip else 1, :: -1 if mirror else 1]
            wanted = pdq_filter.luma64(turned.T if swap else turned)
            assert np.abs(wanted.ravel() - luma).max() < 0.0005, name


def _differing_bits(a, b):
    difference = int(a, 16) ^ int(b, 16)
    return [bit for bit in range(256) if difference >> bit & 1]


def _distance_from_median(luma, bit):
    dct = pdq_reference.DCT.astype(np.float64)
    coefficients = (dct @ luma @ dct.T).ravel()
    return abs(coefficients[bit] - np.sort(coefficients)[127])


def test_rounding_decides_where_it_does_in_python(monkeypatch):
    """Nowhere less often, and hardly more often. Of some, the order of two coefficients is not
    certain, of others the quality."""
    decides, decided = pdq._rounding_decides, []

    def noted(*given):
        decided.append(bool(decides(*given)))
        return decided[-1]

    monkeypatch.setattr(pdq, "_rounding_decides", noted)
    pictures = [drawn("noise" if seed % 2 else "dim", seed, 70, 65 + seed) for seed in range(500)]
    of_full_quality, of_less = [], []
    for found, pixels in zip(answers(pictures), pictures, strict=True):
        quality = pdq.compute(pixels).quality
        where = of_full_quality if quality == 100 else of_less
        where.append((decided[-1], found["reads"] == 2))
    for pairs in (of_full_quality, of_less):
        assert (True, False) not in pairs
        assert pairs.count((True, True)) >= 3
        assert pairs.count((False, True)) < pairs.count((True, True)) / 2


def test_sides_of_64_are_filtered_only_beside_others():
    """The reference filters no picture of 64x64. That shows only where rounding decides."""
    shapes = [(64, 64), (64, 90), (90, 64), (301, 64), (64, 128)]
    described = [
        (scene, seed, *shape)
        for scene in ("flat", "gradient", "rows", "tiles")
        for seed in range(12)
        for shape in shapes
    ]
    pictures = [drawn(*each) for each in described]
    for found, pixels, each in zip(answers(pictures), pictures, described, strict=True):
        _assert_equal(found, pixels, each)


def test_gradients_are_rounded_as_in_python():
    """Of 43.35 grey levels, the percentage is 17 in float32, and below 17 in doubles."""
    pixels = np.zeros((64, 64, 3), np.uint8)  # of this size, nothing is filtered
    pixels[1:60:6, 2:60:6] = 0, 42, 164
    assert pdq.compute(pixels).quality == 100 * 4 * 17 // 90
    _assert_equal(answers([pixels])[0], pixels, "dots")


# Sides of 1,024 and more are made smaller: by half, by whole numbers, and by others.
SHAPES = [
    (5, 9), (64, 64), (300, 201), (129, 1000), (700, 1100), (1024, 2048), (1100, 1025),
    (1536, 2048), (2304, 3072), (40, 3000), (3001, 511), (6, 5000), (2050, 2047),
]  # fmt: skip


@pytest.mark.parametrize("scene", ["dim", "noise", "smooth"])
def test_edits_equal_those_of_python(scene):
    pictures = [drawn(scene, *numbers) for numbers in [(7, *shape) for shape in SHAPES]]
    for found, pixels in zip(answers(pictures, BY_SMALL_COPY), pictures, strict=True):
        wanted = computing.hash_variants(pixels, "orientations", pdq.compute(pixels))
        assert [each["name"] for each in found["turned"]] == [each.variant for each in wanted]
        copy = computing.SmallCopy.of(pixels)
        for each, hashed in zip(found["turned"], wanted, strict=True):
            assert abs(each["quality"] - hashed.quality) <= 1
            layout = recipes.layout_of(hashed.variant, 1.0)
            for bit in _differing_bits(each["value"], hashed.value):
                assert _distance_from_median(computing._seen(copy, layout), bit) < TIE


@pytest.mark.test_all
@pytest.mark.parametrize("scene", sorted(SCENES))
def test_twelve_megapixels(scene):
    pixels = drawn(scene, 3, 3000, 4000)
    _assert_equal(answers([pixels])[0], pixels, scene)
