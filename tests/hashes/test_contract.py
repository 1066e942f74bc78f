"""What every algorithm promises, whatever it computes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import hashkit
from hashkit.errors import UnknownAlgorithm
from hashkit.hashes import classic, cryptographic, pdq
from hashkit.hashes.registry import ALGORITHMS, DEFAULT, Family, resolve

PIXELS = np.random.default_rng(7).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def compute(name, pixels=PIXELS):
    family = ALGORITHMS[name].family
    if family is Family.CRYPTOGRAPHIC:
        return cryptographic.compute(np.ascontiguousarray(pixels).tobytes(), [name])[0]
    return pdq.compute(pixels) if family is Family.PDQ else classic.compute(pixels, [name])[0]


@pytest.mark.parametrize("name", ALGORITHMS)
class TestEveryAlgorithm:
    def test_value_looks_as_the_registry_says(self, name):
        found = compute(name)
        assert found.algorithm == name
        assert found.variant == "original"
        assert ALGORITHMS[name].pattern.fullmatch(found.value)
        assert (found.quality is not None) == ALGORITHMS[name].has_quality

    def test_same_input_same_hash(self, name):
        assert compute(name) == compute(name, PIXELS.copy())

    def test_another_picture_another_hash(self, name):
        other = np.zeros_like(PIXELS)
        other[:60, :80] = (200, 30, 30)
        assert compute(name).value != compute(name, other).value

    def test_leaves_its_input_alone(self, name):
        pixels = PIXELS.copy()
        pixels.flags.writeable = False
        compute(name, pixels)
        assert np.array_equal(pixels, PIXELS)

    def test_through_hash_file(self, name, samples):
        hashed = hashkit.hash_file(samples / "scene-1.jpg", name)
        assert [each.algorithm for each in hashed.hashes] == [name]


def test_names_resolve_in_one_order():
    assert resolve("services") == DEFAULT == resolve(reversed(DEFAULT))
    assert resolve("all") == tuple(ALGORITHMS)
    assert resolve("PDQ, md5,pdq") == ("md5", "pdq")


@pytest.mark.parametrize("names", ["", "pdq2", "md5,", [""], "photodna"])
def test_unknown_names_are_told(names):
    with pytest.raises(UnknownAlgorithm, match="Known: md5, sha1"):
        resolve(names)


def test_algorithms_load_no_network_module():
    code = (
        "import sys, hashkit.hashes.pdq, hashkit.hashes.cryptographic, hashkit.hashes.registry\n"
        "bad = {'socket', 'ssl', 'http.client', 'urllib.request', 'asyncio'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
