"""Pictures that move: their frames are hashed as Python does, and at the same times."""

from __future__ import annotations

import random

import pytest
from PIL import ImageDraw

from hashkit import hash_file
from hashkit.variants.json_codec import hashes_to_json, variants_to_json

pytestmark = pytest.mark.test_all

HASH = """
    const { hashFile } = await load("hashkit.js");
    return hashFile(given.file, given.options);
"""
FORMATS = {"gif": "GIF", "png": "PNG", "webp": "WEBP"}


def drawn(chance, number, ending, scene):
    """The frames of an animation, and what to save them with."""
    size = chance.randint(70, 200), chance.randint(70, 200)
    frames = [scene(number, *size).convert("RGB")]
    for _ in range(chance.randint(1, 12)):
        frame = frames[-1].copy()
        corner = [chance.randrange(side) for side in size]
        box = (*corner, corner[0] + chance.randint(5, 90), corner[1] + chance.randint(5, 90))
        colour = tuple(chance.randrange(256) for _ in range(3))
        ImageDraw.Draw(frame).rectangle(box, fill=colour)
        frames.append(frame)
    durations = [chance.choice([0, 10, 20, 50, 130, 500, 990, 1000, 2100]) for _ in frames]
    options = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    if ending == "webp":
        options |= {"lossless": chance.random() < 0.5, "quality": 80}
    if ending == "png":
        options |= {"default_image": chance.random() < 0.3}
    if options.get("default_image"):
        options["duration"] = durations[1:]
    if ending == "gif":
        options |= {"disposal": chance.choice([0, 1, 2])}
    return frames, options


def same(found, expected):
    """Whether two vPDQ hashes have the same frames, and no hash is more than two bits off."""
    times = [[(each["frame"], each["timestamp"]) for each in side] for side in (found, expected)]
    away = [
        (int(one["value"], 16) ^ int(other["value"], 16)).bit_count()
        for one, other in zip(found, expected, strict=False)
    ]
    return times[0] == times[1] and max(away) <= 2


@pytest.mark.parametrize("name", ["chromium", "firefox"])
@pytest.mark.parametrize("ending", FORMATS)
def test_frames_and_times_are_pythons(browser_named, name, ending, scene, tmp_path):
    browser = browser_named(name)
    chance = random.Random(f"{ending} 24")
    exact = total = 0
    for number in range(6):
        frames, saved = drawn(chance, number, ending, scene)
        path = tmp_path / f"{number}.{ending}"
        frames[0].save(path, FORMATS[ending], **saved)
        sample = chance.choice([1.0, 0.3, "all", "keyframes"])
        level = chance.choice(["readings", "orientations", "none"])
        expected = hash_file(path, "vpdq", sample=sample, variants=level)
        options = {"algorithms": "vpdq", "sample": sample, "variants": level}
        found = browser.run(HASH, {"file": path, "options": options})
        assert "notices" in found, found
        context = f"{path.name}, {sample}, {level}, {saved['duration']}"
        codes = [each.code for each in expected.notices]
        variants = variants_to_json((), expected.frame_variants)
        if ending == "png":  # FFmpeg's rate of these is not known here
            codes = [each for each in codes if each != "variable_rate"]
            variants = [each for each in variants if each["name"] != "by-frame-count"]
        assert [each["code"] for each in found["notices"]] == codes, context
        wanted = hashes_to_json((), expected.frames)["vpdq"]
        assert found["hashes"]["vpdq"]["interval"] == wanted["interval"]
        assert same(found["hashes"]["vpdq"]["frames"], wanted["frames"]), context
        assert [each["name"] for each in found.get("variants", ())] == [
            each["name"] for each in variants
        ]
        for one, other in zip(found.get("variants", ()), variants, strict=True):
            assert same(one["vpdq"]["frames"], other["vpdq"]["frames"]), context
        exact += sum(
            one == other
            for one, other in zip(found["hashes"]["vpdq"]["frames"], wanted["frames"], strict=True)
        )
        total += len(wanted["frames"])
    assert exact > 0.9 * total


def test_where_no_frames_are_given_the_notice_says_so(browser_named, samples):
    hashing = """
        const { hashBlob } = await load("hashing.js");
        const { checkedOptions } = await load("options.js");
        const kept = globalThis.ImageDecoder;
        delete globalThis.ImageDecoder;
        try {
          return await hashBlob(given, checkedOptions({}));
        } finally {
          if (kept) globalThis.ImageDecoder = kept;
        }
    """
    for name in ("chromium", "webkit"):
        found = browser_named(name).run(hashing, samples / "gif-animated.gif")
        assert "vpdq" not in found["hashes"]
        assert "pdq" in found["hashes"]
        (notice,) = found["notices"]
        assert notice["code"] == "animated"
        assert "no video hashes were made" in notice["text"]
