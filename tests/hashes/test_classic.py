"""The imagehash family is what the library itself says of the oriented picture."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

import hashkit
from hashkit.hashes import classic

LIBRARY = {
    "ahash": imagehash.average_hash,
    "phash": imagehash.phash,
    "dhash": imagehash.dhash,
    "whash": imagehash.whash,
    "colorhash": imagehash.colorhash,
    "crop_resistant": imagehash.crop_resistant_hash,
}
# Of these, Pillow and hashkit see the same 8-bit pixels, without transparency.
PLAIN = [
    "scene-1.jpg",
    "scene-3.png",
    "jpeg-progressive.jpg",
    "jpeg-grey.jpg",
    "jpeg-cmyk.jpg",
    "jpeg-mpo.jpg",
    "png-grey.png",
    "png-1-bit.png",
    "png-palette.png",
    "png-animated.png",
    "gif.gif",
    "webp.webp",
    "tiff-pages.tiff",
    "bmp.bmp",
    "avif.avif",
    "jpeg2000.jp2",
    "icon.ico",
    "orientation-3.png",
    "orientation-6.png",
]


@pytest.mark.parametrize("sample", PLAIN)
def test_equals_the_library(samples, sample):
    hashed = hashkit.hash_file(samples / sample, LIBRARY)
    with Image.open(samples / sample) as file:
        picture = ImageOps.exif_transpose(file)
        expected = {name: str(function(picture)) for name, function in LIBRARY.items()}
    assert {name: hashed[name].value for name in LIBRARY} == expected


@pytest.mark.parametrize("name", LIBRARY)
def test_of_an_array(name):
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    (found,) = classic.compute(pixels, [name])
    assert found.algorithm == name
    assert found.value == str(LIBRARY[name](Image.fromarray(pixels)))


def test_transparency_lies_on_white(samples):
    hashed = hashkit.hash_file(samples / "png-rgba.png", "phash")
    with Image.open(samples / "png-rgba.png") as file:
        picture = file.copy()
    white = Image.new("RGBA", picture.size, "white")
    on_white = Image.alpha_composite(white, picture).convert("RGB")
    assert hashed["phash"].value == str(imagehash.phash(on_white))
    assert hashed["phash"].value != str(imagehash.phash(picture.convert("RGB")))
