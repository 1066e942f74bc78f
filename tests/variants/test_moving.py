"""The variants of videos: turned frames, and frames without bars."""

from __future__ import annotations

import numpy as np
import pytest

import hashkit
from hashkit.hashes import vpdq
from hashkit.models import ORIENTATIONS
from hashkit.variants.moving import _TURNS, MovingVariants


def by_name(found):
    return {each.variant: each.hashes for each in found}


def frames(scene, count=20, bars=(40, 40, 0, 0)):
    """A camera that moves over a scene, with black bars: top, bottom, left, right."""
    wide = np.asarray(scene(9, 500, 300))
    top, bottom, left, right = bars
    for number in range(count):
        x, y = 3 * number, 2 * number
        shown = wide[y : y + 240, x : x + 400]
        yield shown, np.pad(shown, ((top, bottom), (left, right), (0, 0)))


def variants_of(pictures, level="standard", limited=False):
    moving = MovingVariants(level)
    for number, pixels in enumerate(pictures):
        moving.add(number, number / 2, pixels, limited)
    return by_name(moving.finish(0.5))


def assert_near(found, pictures, limit=4):
    expected = [vpdq.compute(0, 0.0, np.ascontiguousarray(each), False) for each in pictures]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert vpdq.pdq.distance(one.value, other.value) <= limit
        assert abs(one.quality - other.quality) <= 3


@pytest.mark.parametrize("count", [1, 5, 16, 17, 40])
@pytest.mark.parametrize("bars", [(40, 40, 0, 0), (0, 0, 60, 60), (30, 50, 20, 0)])
def test_bars_are_taken_away(scene, count, bars):
    both = list(frames(scene, min(count, 29), bars))
    found = variants_of(barred for _, barred in both)
    assert set(found) == {"mirrored", "bars-removed", "bars-removed+mirrored"}
    assert_near(found["bars-removed"], [inner for inner, _ in both])
    assert_near(found["bars-removed+mirrored"], [inner[:, ::-1] for inner, _ in both])
    assert_near(found["mirrored"], [barred[:, ::-1] for _, barred in both])
    assert [each.frame for each in found["bars-removed"]] == list(range(len(both)))


@pytest.mark.parametrize("level", ["standard", "wide"])
def test_without_bars_there_is_only_the_mirrored(scene, level):
    assert set(variants_of((inner for inner, _ in frames(scene)), level)) == {"mirrored"}


def test_thin_bars_are_left(scene):
    thin = (barred for _, barred in frames(scene, bars=(2, 2, 0, 0)))
    assert set(variants_of(thin)) == {"mirrored"}


def test_what_is_left_is_worth_hashing(scene):
    """A small bright sign in the dark is no film with bars."""
    inner = np.asarray(scene(9, 60, 300))
    sign = [np.pad(inner, ((0, 0), (150, 150 + n % 2), (0, 0)))[:, :360] for n in range(5)]
    assert set(variants_of(sign)) == {"mirrored"}


def test_a_line_of_dirt_in_a_bar_is_no_picture(scene):
    """A bright line or two beside the picture, for a moment: where it was encoded badly."""
    both = list(frames(scene, 20))
    dirty = both[18][1].copy()
    dirty[38:40] = 90
    pictures = [*(barred for _, barred in both[:18]), dirty]
    assert len(variants_of(pictures)["bars-removed"]) == 19
    dirty[20:40] = 90
    assert set(variants_of(pictures)) == {"mirrored"}


def test_bars_that_do_not_stay_are_none(scene):
    """A film that begins in the dark."""
    both = list(frames(scene, 20))
    later = [np.pad(inner, ((40, 40), (0, 0), (0, 0)), mode="reflect") for inner, _ in both[:2]]
    assert set(variants_of([barred for _, barred in both] + later)) == {"mirrored"}


def test_dark_frames_between_change_nothing(scene):
    both = list(frames(scene, 6))
    dark = np.zeros_like(both[0][1])
    found = variants_of([*[dark] * 40, *(barred for _, barred in both), dark])["bars-removed"]
    assert len(found) == 47
    assert {each.quality for each in (*found[:40], found[46])} == {0}
    assert_near(found[40:46], [inner for inner, _ in both])


def test_nothing_but_dark_has_no_bars():
    assert set(variants_of([np.zeros((90, 160), np.uint8)] * 20)) == {"mirrored"}


def test_limited_range(scene):
    """16 is black there: bars too."""
    both = list(frames(scene, 4))
    luma = [np.uint8(16 + each[..., 1].astype(float) * 219 / 255) for _, each in both]
    assert "bars-removed" in variants_of(luma, limited=True)


def test_orientations(scene):
    pictures = [inner for inner, _ in frames(scene, 3)]
    found = variants_of(pictures, "orientations")
    assert list(found) == list(ORIENTATIONS[1:])
    for name, hashes in found.items():
        assert_near(hashes, [_TURNS[name](each) for each in pictures])


def test_frames_of_changing_size(scene):
    pictures = [barred for _, barred in frames(scene, 10)]
    for later in ([each[::2, ::2] for each in pictures], [pictures[0][:, :-9]]):
        assert set(variants_of([*pictures, *later])) == {"mirrored"}
        assert set(variants_of([*pictures * 2, *later])) == {"mirrored"}


def test_tiny_frames():
    assert set(variants_of([np.zeros((3, 3), np.uint8)])) == {"mirrored"}


def test_none(scene):
    assert variants_of((inner for inner, _ in frames(scene, 2)), "none") == {}


def test_the_letterboxed_sample(samples):
    """Without its bars, it is the film."""
    plain = hashkit.hash_file(samples / "film-h264.mp4", "vpdq")
    boxed = hashkit.hash_file(samples / "film-letterboxed.mp4", "vpdq", variants="standard")
    assert vpdq.compare(plain.frames.hashes, boxed.frames.hashes).first < 20
    found = by_name(boxed.frame_variants)
    assert vpdq.compare(plain.frames.hashes, found["bars-removed"]) == (100.0, 100.0)
    mirrored = by_name(
        hashkit.hash_file(samples / "film-h264.mp4", "vpdq", variants="orientations").frame_variants
    )["mirrored"]
    assert vpdq.compare(mirrored, found["bars-removed+mirrored"]) == (100.0, 100.0)


def test_animated_pictures(samples):
    hashed = hashkit.hash_file(samples / "gif-animated.gif", variants="standard")
    assert [each.variant for each in hashed.frame_variants] == ["mirrored"]
    assert len(hashed.frame_variants[0].hashes) == len(hashed.frames.hashes)
    assert any(each.variant == "crop-2.5" for each in hashed.hashes)
