"""The hashes of edits, held against edits that are drawn on the pixels."""

from __future__ import annotations

from math import cos, radians, sin

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

import hashkit
from hashkit.hashes import pdq
from hashkit.models import ORIENTATIONS
from hashkit.variants import computing
from hashkit.variants.computing import SmallCopy, compute
from hashkit.variants.sets import BY_COVERAGE, LEVELS, MAX_HASHES

SIZES = [(1512, 2016), (2016, 1512), (1080, 1920), (800, 600), (300, 400), (512, 384), (701, 333)]
SIZES += [(500, 4000), (3000, 400)]  # a page that was scrolled through, a panorama


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "x".join(map(str, size)))
def picture(request, scene):
    return scene(request.param[0], *request.param)


def drawn(picture, name):  # noqa: PLR0911, PLR0912 (one case an edit)
    """The edit of this name, drawn at full resolution by other means."""
    width, height = picture.size
    match name:
        case "crop-5":
            x, y = round(0.05 * width), round(0.05 * height)
            return picture.crop((x, y, width - x, height - y))
        case "crop-left-10":
            return picture.crop((round(0.1 * width), 0, width, height))
        case "crop-ends-12":
            return picture.crop((0, round(0.12 * height), width, height - round(0.12 * height)))
        case "crop-top-right-8":
            return picture.crop((0, round(0.08 * height), round(0.92 * width), height))
        case "square":
            side = min(picture.size)
            return ImageOps.fit(picture, (side, side), Image.Resampling.NEAREST)
        case "square-at-0":
            side = min(picture.size)
            return picture.crop((0, 0, side, side))
        case "padded-9x16-black":
            return padded(picture, 9 / 16, "black")
        case "screenshot-light":
            return padded(picture, 9 / 19.5, "white")
        case "bordered-white-6":
            return ImageOps.expand(picture, round(0.06 * min(picture.size)), "white")
        case "caption-top-18":
            return ImageOps.expand(picture, (0, round(0.18 * height), 0, 0), "white")
        case "caption-bottom-18":
            return ImageOps.expand(picture, (0, 0, 0, round(0.18 * height)), "white")
        case "crop-left-10+padded-1x1-white+mirrored":
            return ImageOps.mirror(padded(drawn(picture, "crop-left-10"), 1.0, "white"))
        case "rotated-3-black" | "rotated-357-white":
            angle, fill = name.split("-")[1:]
            return rotated(picture, float(angle), fill)
        case "rotated-3":
            part = 1 / max(
                cos(radians(3)) + sin(radians(3)) * height / width,
                cos(radians(3)) + sin(radians(3)) * width / height,
            )
            whole = rotated(picture, 3, "black")
            x, y = whole.width / 2, whole.height / 2
            half = part * width / 2, part * height / 2
            return whole.crop(
                tuple(map(round, (x - half[0], y - half[1], x + half[0], y + half[1])))
            )
    turns = dict(zip(ORIENTATIONS[1:], (2, 3, 4, 1, 0, 5, 6), strict=True))
    return picture.transpose(Image.Transpose(turns[name]))


def padded(picture, shape, fill):
    width, height = picture.size
    size = (
        (width, round(width / shape)) if width / height > shape else (round(height * shape), height)
    )
    canvas = Image.new("RGB", size, fill)
    canvas.paste(picture, ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


def rotated(picture, degrees, fill):
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=fill)


def away(one, other):
    return pdq.distance(one.text, other.text)


# The bits by which an edit may differ from the drawn one: its edges fall on whole pixels, and small
# rotations are drawn by another filter.
DRAWN = {
    **dict.fromkeys(ORIENTATIONS[1:], 4),
    **dict.fromkeys(["crop-5", "crop-left-10", "crop-ends-12", "crop-top-right-8", "square"], 8),
    **dict.fromkeys(["square-at-0", "padded-9x16-black", "screenshot-light"], 8),
    **dict.fromkeys(["bordered-white-6", "caption-top-18", "caption-bottom-18"], 8),
    "crop-left-10+padded-1x1-white+mirrored": 10,
    **dict.fromkeys(["rotated-3", "rotated-3-black", "rotated-357-white"], 14),
}


@pytest.mark.parametrize("name", DRAWN)
def test_as_if_drawn(picture, name):
    found = compute(SmallCopy.of(np.asarray(picture)), name)
    expected = pdq.compute(np.asarray(drawn(picture, name)))
    assert found.variant == name
    assert away(found, expected) <= DRAWN[name]
    assert abs(found.quality - expected.quality) <= 3


def test_reducing_costs_at_most_two_bits(picture):
    """Every edit of the sets, of the small copy and of the picture itself."""
    pixels = np.asarray(picture)
    whole = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    small, large = SmallCopy.of(pixels), SmallCopy(whole, picture.size)
    assert max(away(*(compute(each, name) for each in (small, large))) for name in BY_COVERAGE) <= 2


@pytest.mark.parametrize("turn", range(8))
def test_any_view_of_the_pixels(scene, turn):
    """A picture that EXIF turns is a view of what is stored."""
    stored = np.asarray(scene(5, 240, 320))
    view = stored.swapaxes(0, 1) if turn & 4 else stored
    view = view[:: -1 if turn & 2 else 1, :: -1 if turn & 1 else 1]
    copy = np.ascontiguousarray(view)
    assert np.allclose(SmallCopy.of(view).luma, SmallCopy.of(copy).luma, atol=1e-3)
    assert SmallCopy.of(view).size == SmallCopy.of(copy).size == (view.shape[1], view.shape[0])


@pytest.mark.parametrize("shape", [(90, 120), (90, 120, 3), (5, 5), (6, 2000), (513, 511, 3)])
@pytest.mark.parametrize("level", LEVELS)
def test_any_picture(shape, level):
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    found = computing.hash_variants(pixels, level, pdq.compute(pixels))
    assert len(found) < MAX_HASHES.get(level, 8)
    assert len({each.variant for each in found}) == len(found)
    for each in found:
        assert each.algorithm == "pdq"
        assert each.quality >= 50
        assert each.variant != "original"


def test_how_many(scene):
    pixels = np.asarray(scene(3, 480, 640))
    original = pdq.compute(pixels)
    found = {level: computing.hash_variants(pixels, level, original) for level in LEVELS}
    assert {level: len(each) for level, each in found.items()} == {
        "none": 0,
        "readings": 0,
        "orientations": 7,
        "standard": 15,
        "wide": 47,
    }
    assert found["wide"][:15] == found["standard"]
    with pytest.raises(ValueError, match="wider"):
        computing.hash_variants(pixels, "wider", original)


def test_all_are_apart(scene):
    """A square picture is not also cropped to a square: another edit takes its place."""
    pixels = np.asarray(scene(4, 512, 512))
    original = pdq.compute(pixels)
    found = (original, *computing.hash_variants(pixels, "wide", original))
    pairs = [(a, b) for i, a in enumerate(found) for b in found[:i]]
    assert min(away(a, b) for a, b in pairs) > computing.APART
    assert len(found) == 48
    assert "square" not in {each.variant for each in found}


def test_plain_pictures_have_none():
    flat = np.full((200, 300, 3), 90, np.uint8)
    assert computing.hash_variants(flat, "wide", pdq.compute(flat)) == ()


def test_a_frame_does_not_make_a_plain_picture_worth_hashing(scene):
    """Its edges would count as detail, and its hash would match any plain picture in a frame."""
    faint = cv2.GaussianBlur(np.asarray(scene(1, 300, 300)), (0, 0), 12) // 4 + 90
    original = pdq.compute(faint)
    framed = compute(SmallCopy.of(faint), "bordered-white-6")
    assert original.quality < 50 <= framed.quality
    assert computing.hash_variants(faint, "wide", original) == ()


def test_a_border_takes_the_colour_that_it_is_named_for(scene):
    copy = SmallCopy.of(np.asarray(scene(6, 400, 300)))
    black, grey, white = (
        compute(copy, f"bordered-{fill}-8") for fill in ("black", "grey", "white")
    )
    assert away(black, white) > away(black, grey)
    assert away(black, white) > away(white, grey)


@given(st.integers(5, 700), st.integers(5, 700), st.sampled_from(BY_COVERAGE))
def test_the_places_count_every_pixel_once(width, height, name):
    """Of a picture of one grey on that grey, every edit without anything around is that grey."""
    copy = SmallCopy.of(np.full((height, width), 77, np.uint8))
    layout = computing.layout_of(name, width / height)
    if layout.fill is not None or layout.angle:
        return
    seen = computing._seen(copy, layout)
    assert np.allclose(seen, 77, atol=0.01)


def test_in_the_library(samples):
    hashed = hashkit.hash_file(samples / "scene-1.jpg", variants="wide")
    plain = hashkit.hash_file(samples / "scene-1.jpg")
    assert [each for each in hashed.hashes if each.variant == "original"] == list(plain.hashes)
    assert sum(each.variant != "original" for each in hashed.hashes) == 47
    assert hashed["pdq"] == plain["pdq"]
    assert list(hashkit.hash_files([samples / "scene-1.jpg"], variants="wide")) == [hashed]
    with pytest.raises(ValueError, match="variants are one of"):
        hashkit.hash_file(samples / "scene-1.jpg", variants="all")
    only_exact = hashkit.hash_file(samples / "scene-1.jpg", "md5", variants="wide")
    assert [each.variant for each in only_exact.hashes] == ["original"]
