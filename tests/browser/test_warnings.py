"""What a person should know of a picture, at the limits where it begins to hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from hashkit import hash_file
from hashkit.cli.output.outcomes import json_line
from hashkit.hashes import pdq

pytestmark = pytest.mark.test_all

HASH = """
    const { hashFile } = await load("hashkit.js");
    return hashFile(given.file, given.options);
"""


def pictures():
    """Pictures beside the limits of size, of flatness and of quality, by name."""
    noise = np.random.default_rng(24)
    for width, height in ((63, 90), (64, 64), (90, 64), (90, 63), (4, 90), (5, 5), (1, 1)):
        yield f"{width}x{height}", noise.integers(0, 256, (height, width, 3), np.uint8)
    for spread in (0, 8, 9):
        for channel in range(3):
            flat = np.full((80, 100, 3), 100, np.uint8)
            flat[41:, :, channel] += spread
            yield f"spread {spread} of {channel}", flat
    slope = np.linspace(0, 255, 128)[None, :, None] * np.ones((128, 1, 3))
    grain = noise.normal(0, 1, slope.shape)
    around = {}
    for strength in np.linspace(0, 25, 500):
        drawn = (slope + strength * grain).clip(0, 255).astype(np.uint8)
        around.setdefault(pdq.compute(drawn).quality, drawn)
    for quality in (min(around), 49, 50, 51, max(around)):
        yield f"quality {quality}", around[quality]


@pytest.mark.parametrize("variants", ["none", "readings", "orientations"])
def test_notices_and_hashes_at_the_limits_are_pythons(each_browser, tmp_path, variants):
    seen = set()
    for name, pixels in pictures():
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels).save(path)
        wanted = json.loads(json_line(hash_file(path, "md5,pdq", variants=variants)))
        del wanted["path"]
        options = {"algorithms": "md5,pdq", "variants": variants}
        found = each_browser.run(HASH, {"file": path, "options": options})
        assert found == wanted, name
        seen |= {each["code"] for each in found["notices"]}
        seen.add(found["hashes"]["pdq"]["quality"])
    assert {"small", "flat", "low_quality", 49, 50, 51} <= seen


@pytest.mark.parametrize("variants", ["none", "readings", "orientations"])
def test_transparent_and_turned_pictures_are_pythons(chromium, tmp_path, scene, variants):
    chance = np.random.default_rng(7)
    for number in range(8):
        picture = scene(number % 4, 120, 90).convert("RGBA")
        mask = np.full((90, 120), 255, np.uint8)
        if number % 3:
            left, top = chance.integers(0, 80, 2)
            mask[top : top + 60, left : left + 90] = [0, 128, 30][number % 3]
        picture.putalpha(Image.fromarray(mask))
        if number % 2:
            plain = Image.new("RGBA", picture.size, (255, 255, 255, 0))
            picture = Image.composite(picture, plain, Image.fromarray(mask))
        path = tmp_path / f"{number}.png"
        exif = Image.Exif()
        exif[0x0112] = number % 8 + 1
        picture.save(path, exif=exif)
        wanted = json.loads(json_line(hash_file(path, "pdq", variants=variants)))
        del wanted["path"]
        found = chromium.run(
            HASH, {"file": path, "options": {"algorithms": "pdq"} | ({"variants": variants})}
        )
        assert found == wanted, number
