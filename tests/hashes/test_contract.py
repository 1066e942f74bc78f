"""What every algorithm promises, whatever it computes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module

import cv2
import numpy as np
import pytest

import hashkit
from hashkit.errors import UnknownAlgorithm
from hashkit.hashes import cryptographic, pdq
from hashkit.hashes.registry import ALGORITHMS, DEFAULT, Family, by_module, resolve
from hashkit.media.sampling import Sampler
from hashkit.pipeline.frame_hashing import FrameHasher
from hashkit.pipeline.options import Options
from hashkit.pipeline.video_hashing import hash_frames

PIXELS = np.random.default_rng(7).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def compute(name, pixels=PIXELS):
    """Any algorithm on a picture; a video is that picture moving to the right."""
    family = ALGORITHMS[name].family
    if family is Family.CRYPTOGRAPHIC:
        return cryptographic.compute(np.ascontiguousarray(pixels).tobytes(), [name])[0]
    if family is Family.VIDEO:
        frames = [_Frame(number, np.roll(pixels, number, axis=1)) for number in range(30)]
        options = Options((name,), "all")
        found = hash_frames(frames, options, FrameHasher(options, Sampler(0.0, None)), 15.0)
        return found.hashes[0] if found.hashes else found.frames
    if family is Family.PDQ:
        return pdq.compute(pixels)
    (module,) = by_module([name])
    return import_module(module).compute(pixels, [name])[0]


@dataclass
class _Frame:
    number: int
    pixels: np.ndarray
    duration: float = 1 / 15
    limited_range: bool = False
    as_stored: None = None

    @property
    def timestamp(self):
        return self.number / 15

    def small(self):
        return cv2.resize(self.pixels, (64, 64), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", ALGORITHMS)
class TestEveryAlgorithm:
    def test_value_looks_as_the_registry_says(self, name):
        found = compute(name)
        if name == "vpdq":
            assert len(found.hashes) == 30
            for each in found.hashes:
                assert ALGORITHMS["pdq"].pattern.fullmatch(each.value)
            return
        assert found.algorithm == name
        assert found.variant == "original"
        assert ALGORITHMS[name].pattern.fullmatch(found.text)
        assert (found.quality is not None) == ALGORITHMS[name].has_quality

    def test_same_input_same_hash(self, name):
        assert compute(name) == compute(name, PIXELS.copy())

    def test_another_picture_another_hash(self, name):
        other = np.zeros_like(PIXELS)
        other[:60, :80] = (200, 30, 30)
        assert compute(name) != compute(name, other)

    def test_leaves_its_input_alone(self, name):
        pixels = PIXELS.copy()
        pixels.flags.writeable = False
        compute(name, pixels)
        assert np.array_equal(pixels, PIXELS)

    def test_through_hash_file(self, name, samples):
        moving = ALGORITHMS[name].family is Family.VIDEO
        hashed = hashkit.hash_file(samples / ("gif-animated.gif" if moving else "bmp.bmp"), name)
        if name == "vpdq":
            assert hashed.hashes == ()
            assert hashed.frames.hashes
        else:
            assert [each.algorithm for each in hashed.hashes] == [name]


def test_names_resolve_in_one_order():
    assert resolve("services") == DEFAULT == resolve(reversed(DEFAULT))
    assert resolve("all") == tuple(ALGORITHMS)
    assert resolve("PDQ, md5,pdq") == ("md5", "pdq")


@pytest.mark.parametrize("names", ["", "pdq2", "md5,", [""], [], "photodna"])
def test_unknown_names_are_refused(names):
    with pytest.raises(UnknownAlgorithm, match="Known: md5, sha1"):
        resolve(names)


def test_algorithms_load_no_network_module():
    code = (
        "import sys, hashkit.hashes.vpdq, hashkit.hashes.tmk, hashkit.hashes.cryptographic\n"
        "bad = {'socket', 'ssl', 'http.client', 'urllib.request', 'asyncio'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
