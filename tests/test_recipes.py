"""The recipes of docs/architecture.md, each done in a copy of the package: add a perceptual hash,
add an image format."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import jsonschema
import numpy as np
import pytest
from PIL import Image

TOY_MODULE = '''
"""A toy: 64 bits, each of which says whether that part of the picture is brighter than the mean."""

from collections.abc import Iterable

import cv2
import numpy as np

from hashkit.hashes.arrays import Pixels
from hashkit.models import Hash


def compute(pixels: Pixels, algorithms: Iterable[str] = ("toy",)) -> tuple[Hash, ...]:
    grey = np.atleast_3d(pixels).mean(axis=2)
    small = cv2.resize(grey, (8, 8), interpolation=cv2.INTER_AREA)
    value = np.packbits(small > small.mean()).tobytes().hex()
    return tuple(Hash(name, value) for name in algorithms)
'''
TOY_ROW = '    Algorithm("toy", Family.PIXELS, "toy", 64, Distance.BITS, 10),\n'
QOI_ROW = '    Format("qoi", "QOI", _begins(b"qoif"), "PIL.QoiImagePlugin.QoiImageFile"),\n'
END_OF_TABLE = ")\n# fmt: on\n"


class Copy:
    """A copy of the package, which is changed and then run."""

    def __init__(self, package, folder):
        self.folder = folder
        shutil.copytree(package, folder / "hashkit", ignore=shutil.ignore_patterns("__pycache__"))

    def add_row(self, module, row):
        path = self.folder / "hashkit" / module
        text = path.read_text("utf-8")
        assert text.count(END_OF_TABLE) == 1
        path.write_text(text.replace(END_OF_TABLE, row + END_OF_TABLE), "utf-8")

    def run(self, *arguments):
        """Standard output of this command line of Python's, run in the copy."""
        command = [sys.executable, "-B", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def hashkit(self, *arguments):
        return self.run("-m", "hashkit", *arguments)

    def hashed(self, path, *options):
        """What ``hashkit hash --json`` says of a file."""
        return json.loads(self.hashkit("hash", path, "--json", *options))


@pytest.fixture
def copy(root, tmp_path):
    return Copy(root / "hashkit", tmp_path)


class TestAddAPerceptualHash:
    @pytest.fixture
    def with_toy(self, copy):
        (copy.folder / "hashkit" / "hashes" / "toy.py").write_text(TOY_MODULE, "utf-8")
        copy.add_row("hashes/registry.py", TOY_ROW)
        return copy

    def test_hash(self, with_toy, samples):
        found = with_toy.hashed(samples / "scene-1.jpg", "--algorithms", "toy")
        assert [*found["hashes"]] == ["toy"]
        assert len(found["hashes"]["toy"]) == 16

    def test_compare(self, with_toy, samples):
        said = with_toy.hashkit("compare", samples / "scene-1.jpg", samples / "scene-1-resized.jpg")
        (line,) = [line for line in said.splitlines() if line.split()[:1] == ["toy"]]
        assert "of 64 bits differ (at most 10)" in line
        assert "yes" in line

    def test_submission(self, with_toy, samples, tmp_path):
        out = tmp_path / "submission.json"
        with_toy.hashkit("hash", samples / "scene-1.jpg", "--algorithms", "md5,toy", "--out", out)
        document = json.loads(out.read_text("utf-8"))
        assert [*document["items"][0]["hashes"]] == ["md5", "toy"]
        validator = jsonschema.Draft202012Validator(json.loads(with_toy.hashkit("schema")))
        validator.validate(document)
        document["items"][0]["hashes"]["toy"] = "0" * 15
        assert not validator.is_valid(document)
        again = "import sys, hashkit; print(hashkit.read_submission(sys.argv[1]).to_json(), end='')"
        assert with_toy.run("-c", again, out) == out.read_text("utf-8")

    def test_hash_files(self, with_toy, samples):
        code = (
            "import sys, hashkit\n"
            "for each in hashkit.hash_files(sys.argv[1:], algorithms='toy'):\n"
            "    print(each['toy'].value, hashkit.hash_file(each.path, 'toy')['toy'].value)\n"
        )
        said = with_toy.run("-c", code, samples / "scene-1.jpg", samples / "bmp.bmp")
        pairs = [line.split() for line in said.splitlines()]
        assert len(pairs) == 2
        assert all(in_a_worker == here for in_a_worker, here in pairs)


def qoi(pixels):
    """A QOI file that names each pixel: https://qoiformat.org/qoi-specification.pdf"""
    height, width = pixels.shape[:2]
    header = b"qoif" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\3\0"
    body = np.insert(pixels.reshape(-1, 3), 0, 0xFE, axis=1).tobytes()
    return header + body + bytes(7) + b"\1"


class TestAddAnImageFormat:
    @pytest.fixture
    def with_qoi(self, copy):
        copy.add_row("media/formats.py", QOI_ROW)
        return copy

    @pytest.fixture
    def sample(self, samples, tmp_path):
        with Image.open(samples / "scene-1.jpg") as scene:
            small = scene.convert("RGB").resize((160, 120))
        small.save(tmp_path / "scene.png")
        (tmp_path / "scene.qoi").write_bytes(qoi(np.asarray(small)))
        return tmp_path / "scene.qoi"

    def test_hash(self, with_qoi, sample):
        found = with_qoi.hashed(sample)
        assert found["kind"] == "image"
        assert found["notices"] == []
        assert (
            found["hashes"]["pdq"]
            == with_qoi.hashed(sample.with_name("scene.png"))["hashes"]["pdq"]
        )

    def test_doctor(self, with_qoi):
        assert "format, QOI: yes" in with_qoi.hashkit("doctor", "--report").splitlines()

    def test_cut_short(self, with_qoi, sample):
        sample.write_bytes(sample.read_bytes()[:20_000])
        found = with_qoi.hashed(sample)
        codes = {notice["code"] for notice in found["notices"]}
        assert "error" in found or codes & {"truncated", "damaged"}
