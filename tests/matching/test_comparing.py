"""Two things compared: distances, verdicts, and that neither side is favoured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hashkit
from hashkit.hashes import pdq, tmk, vpdq
from hashkit.matching.comparing import Verdict, closest, compare
from hashkit.models import FrameHash, FrameHashes, Hash, HashedFile, MediaKind
from hashkit.submission.document import Submission

hex64 = st.integers(0, 2**256 - 1).map(lambda value: f"{value:064x}")


def picture(value, quality=100, *more, **exact):
    hashes = [Hash(name, text) for name, text in exact.items()]
    hashes.append(Hash("pdq", f"{value:064x}", quality))
    return HashedFile(None, MediaKind.IMAGE, (*hashes, *more))


def video(*values, quality=100, variants=()):
    frames = tuple(FrameHash(n, n / 4, f"{value:064x}", quality) for n, value in enumerate(values))
    return HashedFile(None, MediaKind.VIDEO, (), (), FrameHashes(0.25, frames), variants)


def flipped(value, bits):
    return value ^ ((1 << bits) - 1)


A = int("5a" * 32, 16)
B = int("c3" * 16 + "99" * 16, 16)


@given(st.lists(hex64, max_size=9), st.lists(hex64, max_size=9))
def test_distances_are_those_of_plain_python(first, second):
    found = pdq.distances(first, second)
    assert found.shape == (len(first), len(second))
    for one, row in zip(first, found, strict=True):
        for other, away in zip(second, row, strict=True):
            expected = sum(
                (int(a, 16) ^ int(b, 16)).bit_count() for a, b in zip(one, other, strict=True)
            )
            assert away == expected == pdq.distance(one, other)


@pytest.mark.parametrize("value", ["", "0" * 63, "0" * 65, "x" * 64])
def test_distances_of_what_is_no_hash(value):
    with pytest.raises(ValueError, match=r"."):
        pdq.distances(["0" * 64], [value])


@pytest.mark.parametrize(
    ("bits", "verdict"),
    [
        *((0, Verdict.SAME_PICTURE), (10, Verdict.SAME_PICTURE), (11, Verdict.EDITED_COPY)),
        *((31, Verdict.EDITED_COPY), (32, Verdict.NOT_THE_SAME), (256, Verdict.NOT_THE_SAME)),
    ],
)
def test_by_distance(bits, verdict):
    comparison = compare(picture(A), picture(flipped(A, bits)))
    assert comparison.verdict is verdict
    assert comparison.findings[0].distance == bits
    assert comparison.findings[0].threshold == 31


def test_another_threshold():
    assert compare(picture(A), picture(flipped(A, 40)), threshold=40).verdict.is_copy
    assert not compare(picture(A), picture(flipped(A, 20)), threshold=19).verdict.is_copy


def test_the_same_file_whatever_it_shows():
    one, other = picture(A, 3, sha256="a" * 64), picture(B, 100, sha256="a" * 64)
    assert compare(one, other).verdict is Verdict.SAME_FILE


def test_the_strongest_hash_decides():
    """Files with one MD5 can be made; none with one SHA-256 are known."""
    one = picture(A, md5="a" * 32, sha256="a" * 64)
    other = picture(B, md5="a" * 32, sha256="b" * 64)
    assert compare(one, other).verdict is Verdict.NOT_THE_SAME
    assert compare(picture(A, md5="a" * 32), other).verdict is Verdict.SAME_FILE


@pytest.mark.parametrize("qualities", [(49, 100), (100, 49), (0, 0)])
def test_plain_pictures_cannot_be_distinguished(qualities):
    one, other = (picture(A, quality) for quality in qualities)
    assert compare(one, other).verdict is Verdict.CANNOT_TELL
    assert compare(picture(A, 50), picture(A, 50)).verdict is Verdict.SAME_PICTURE


def test_nothing_in_common():
    exact = HashedFile(None, MediaKind.IMAGE, (Hash("md5", "a" * 32),))
    assert compare(exact, picture(A)).verdict is Verdict.CANNOT_TELL
    assert compare(exact, replace(exact, hashes=())).findings == ()


def test_variants_of_either_side():
    edited = picture(A, 100, Hash("pdq", f"{B:064x}", 90, "crop-5"))
    for first, second, whose in ((edited, picture(B), "first"), (picture(B), edited, "second")):
        comparison = compare(first, second)
        assert comparison.verdict is Verdict.EDITED_COPY
        assert (comparison.on.variant, comparison.on.variant_of) == ("crop-5", whose)
        assert comparison.on.distance == 0


def test_variants_are_not_held_against_a_plain_original():
    edited = picture(A, 100, Hash("pdq", f"{B:064x}", 90, "crop-5"))
    assert compare(edited, picture(B, 20)).verdict is Verdict.CANNOT_TELL


def test_videos():
    whole = video(*range(0, 10 << 60, 1 << 60))
    apart = [int.from_bytes(np.random.default_rng(n).bytes(32), "big") for n in range(20)]
    film = video(*apart[:10])
    assert compare(film, video(*apart[:10])).verdict is Verdict.SAME_PICTURE
    assert compare(film, video(*apart[:8], *apart[10:12])).verdict is Verdict.SAME_PICTURE
    part = compare(film, video(*apart[:2]))
    assert (part.verdict, part.on.scores) == (Verdict.EDITED_COPY, (20.0, 100.0))
    assert compare(film, video(*apart[10:])).verdict is Verdict.NOT_THE_SAME
    assert compare(film, video(*apart[:10], quality=10)).verdict is Verdict.CANNOT_TELL
    assert compare(whole, whole).verdict is Verdict.SAME_PICTURE


def test_a_mirrored_video():
    turned = FrameHashes(1.0, (FrameHash(0, 0.0, f"{B:064x}", 100),), "mirrored")
    comparison = compare(video(A, variants=(turned,)), video(B))
    assert comparison.verdict is Verdict.EDITED_COPY
    assert (comparison.on.variant, comparison.on.variant_of) == ("mirrored", "first")


def test_a_picture_in_a_video():
    comparison = compare(picture(B), video(A, flipped(B, 9), flipped(B, 3), A))
    assert comparison.verdict is Verdict.IN_THE_VIDEO
    assert (comparison.on.distance, comparison.on.timestamp) == (3, 0.5)
    again = compare(video(A, flipped(B, 9), flipped(B, 3), A), picture(B))
    assert again.on == comparison.on
    assert compare(picture(B), video(A)).verdict is Verdict.NOT_THE_SAME
    assert compare(picture(B, 10), video(B)).verdict is Verdict.CANNOT_TELL
    assert compare(picture(B), video(B, quality=10)).verdict is Verdict.CANNOT_TELL


def test_an_edited_picture_in_a_video():
    edited = picture(A, 100, Hash("pdq", f"{B:064x}", 90, "mirrored"))
    on = compare(edited, video(flipped(B, 5))).on
    assert (on.variant, on.variant_of, on.distance) == ("mirrored", "first", 5)
    bars = FrameHashes(1.0, (FrameHash(7, 3.5, f"{A:064x}", 100),), "bars-removed")
    on = compare(picture(A), video(flipped(A, 99), variants=(bars,))).on
    assert (on.variant, on.variant_of, on.timestamp) == ("bars-removed", "second", 3.5)


def test_tmk_that_is_none():
    """A submission that somebody else wrote: of the right size, and no signature."""
    wrong = HashedFile(None, MediaKind.VIDEO, (Hash("tmk_pdqf", bytes(263_344)),))
    assert compare(wrong, wrong).verdict is Verdict.CANNOT_TELL


def test_classic_hashes_are_shown_and_decide_nothing():
    one = picture(
        A, 100, Hash("phash", "0" * 16), Hash("crop_resistant", "0" * 16 + "," + "f" * 16)
    )
    other = picture(B, 100, Hash("phash", "0" * 16), Hash("crop_resistant", "f" * 13 + "000"))
    comparison = compare(one, other)
    by_name = {each.algorithm: each for each in comparison.findings}
    assert (by_name["phash"].distance, by_name["phash"].match) == (0, True)
    assert (by_name["crop_resistant"].distance, by_name["crop_resistant"].match) == (12, True)
    assert comparison.verdict is Verdict.NOT_THE_SAME


@pytest.mark.parametrize(
    ("segment", "verdict"),
    [
        *(("0" * 16, Verdict.PERHAPS_CROPPED), ("0" * 14 + "ff", Verdict.PERHAPS_CROPPED)),
        ("0" * 13 + "1ff", Verdict.NOT_THE_SAME),
    ],
)
def test_a_segment_of_one_picture_in_another(segment, verdict):
    one = picture(A, 100, Hash("crop_resistant", "0" * 16 + "," + "f" * 16))
    for value, quality, expected in ((B, 100, verdict), (B, 20, Verdict.CANNOT_TELL)):
        other = picture(value, quality, Hash("crop_resistant", "0f" * 8 + "," + segment))
        comparison = compare(one, other)
        assert comparison.verdict is compare(other, one).verdict is expected
        assert not comparison.verdict.is_copy
        on = "crop_resistant" if expected is Verdict.PERHAPS_CROPPED else None
        assert (comparison.on and comparison.on.algorithm) == on
    near = picture(flipped(A, 31), 100, Hash("crop_resistant", segment))
    assert compare(one, near).verdict is Verdict.EDITED_COPY
    assert compare(one, replace(near, frames=video(B).frames)).verdict is Verdict.NOT_THE_SAME


def test_the_nearest_finding_counts():
    """An edit at 3 bits tells more than the original at 25."""
    edited = picture(A, 100, Hash("pdq", f"{flipped(A, 28):064x}", 90, "crop-2.5"))
    on = compare(edited, picture(flipped(A, 25))).on
    assert (on.variant, on.distance) == ("crop-2.5", 3)


def test_plain_edits_match_nothing():
    edited = picture(A, 100, Hash("pdq", f"{B:064x}", 10, "crop-5"))
    assert compare(edited, picture(B)).verdict is Verdict.NOT_THE_SAME


def test_moving_pictures_are_compared_as_what_they_are():
    """Two that begin with the same picture, and go on differently."""
    apart = [int.from_bytes(np.random.default_rng(n).bytes(32), "big") for n in range(20)]
    one, other = (
        replace(video(A, *some), kind=MediaKind.IMAGE, hashes=picture(A).hashes)
        for some in (apart[:9], apart[9:18])
    )
    assert compare(one, other).verdict is Verdict.NOT_THE_SAME
    comparison = compare(picture(A), one)
    assert (comparison.verdict, comparison.on.timestamp) == (Verdict.IN_THE_VIDEO, 0.0)


def test_an_edit_of_the_first_picture_of_what_moves():
    """A still that was cropped out of an animation."""
    edit = Hash("pdq", f"{B:064x}", 90, "crop-5")
    moving = replace(video(A, A >> 1), kind=MediaKind.IMAGE, hashes=picture(A, 100, edit).hashes)
    comparison = compare(moving, picture(flipped(B, 4)))
    assert comparison.verdict is Verdict.EDITED_COPY
    assert (comparison.on.variant, comparison.on.distance) == ("crop-5", 4)
    assert compare(moving, picture(flipped(B, 40))).verdict is Verdict.NOT_THE_SAME


def test_ranks():
    """The closest first: of verdicts, of bits, of shares; and of what is no copy."""
    apart = [int.from_bytes(np.random.default_rng(n).bytes(32), "big") for n in range(20)]
    film = video(*apart[:10])
    ranked = [
        compare(picture(A), picture(A)),
        compare(picture(A), picture(flipped(A, 9))),
        compare(film, video(*apart[:5], *apart[10:15])),
        compare(film, video(*apart[:3], *apart[10:17])),
        compare(picture(A), picture(flipped(A, 50))),
        compare(picture(A), picture(flipped(A, 90))),
    ]
    assert sorted(ranked, key=lambda each: each.rank) == ranked
    assert [each.rank for each in ranked] == sorted({each.rank for each in ranked})


def test_tmk_of_darkness_tells_nothing():
    def film(mean):
        shape = (4, 32, 256)
        signature = tmk.Signature(9, np.float32(mean), *(np.full(shape, mean[0], np.float32),) * 2)
        hashes = (Hash("tmk_pdqf", signature.to_bytes()),)
        return HashedFile(None, MediaKind.VIDEO, hashes, (), FrameHashes(1.0, ()))

    dark, bright = film(np.zeros(256)), film(np.arange(256) - 100.0)
    assert compare(dark, dark).verdict is Verdict.CANNOT_TELL
    assert compare(dark, bright).verdict is Verdict.CANNOT_TELL
    absurd = film(np.full(256, 3e38))
    assert compare(absurd, bright).findings[-1].match is None


def test_closest():
    among = [picture(B), picture(flipped(A, 20)), picture(flipped(A, 5)), picture(flipped(A, 30))]
    number, comparison = closest(among, picture(A))
    assert (number, comparison.verdict) == (2, Verdict.SAME_PICTURE)
    assert closest([], picture(A)) is None


@given(st.lists(hex64, min_size=1, max_size=30), st.lists(hex64, min_size=1, max_size=30))
def test_vpdq_against_brute_force_in_blocks(first, second):
    sides = [
        tuple(FrameHash(n, float(n), value, 100) for n, value in enumerate(side))
        for side in (first, second + first[:3])
    ]
    one, other = (sorted({each.value for each in side}) for side in sides)

    def share(these, those):
        hits = [any(pdq.distance(a, b) <= 31 for b in those) for a in these]
        return 100 * sum(hits) / len(hits)

    whole = vpdq.compare(*sides)
    assert whole == pytest.approx((share(one, other), share(other, one)))
    before, vpdq._BLOCK = vpdq._BLOCK, 4
    try:
        assert vpdq.compare(*sides) == whole
    finally:
        vpdq._BLOCK = before


@pytest.fixture(scope="module")
def hashed(samples):
    paths = [path for path in hashkit.files_in(samples) if path.suffix not in (".py", ".pyc")]
    found = hashkit.hash_files(paths, variants="wide", sample=0.25)
    return {outcome.path.name: outcome for outcome in found}


SCENE_1 = {"scene-1.jpg", "scene-1-resized.jpg", "scene-1-recompressed.jpg"}
SCENE_1_SMALL = {f"orientation-{n}.png" for n in range(1, 9)}
EDITED = {
    "scene-1-cropped.jpg": "crop-8.5",
    "scene-1-mirrored.jpg": "mirrored",
    "scene-1-captioned.jpg": "caption-top-16",
}
WHOLE_FILM = {"film-h264.mp4", "film-reencoded.webm", "film-variable-rate.mp4"}
FIRST_SECONDS = {"film-hevc-10-bit.mov", "film-portrait-turned.mp4", "film-mpeg4.avi"}
FILM = WHOLE_FILM | FIRST_SECONDS
FILM |= {"film-letterboxed.mp4", "film-trimmed.mkv"}
MOVING = {"gif-animated.gif", "webp-animated.webp", "png-animated.png"}
SAME = [SCENE_1, SCENE_1_SMALL, WHOLE_FILM, FIRST_SECONDS, MOVING]


def documented(one, other):  # noqa: PLR0911 (one line a rule)
    """The verdict for every pair of samples (docs/comparing.md)."""
    pair = {one, other}
    if "png-flat.png" in pair:
        return Verdict.CANNOT_TELL
    if any(pair <= family for family in SAME):
        return Verdict.SAME_PICTURE
    if pair <= FILM or pair == {"png-palette-alpha.png", "png-palette.png"}:
        return Verdict.EDITED_COPY  # the one palette picture is the other, but for transparency
    if "tiff-pages.tiff" in pair and pair <= MOVING | {"tiff-pages.tiff"}:
        return Verdict.IN_THE_VIDEO  # they begin with it
    originals = SCENE_1 | SCENE_1_SMALL
    if pair <= originals:
        return Verdict.EDITED_COPY
    if len(pair & originals) == 1 and pair & EDITED.keys():
        # Drawn anew at half the size, the scene is a little different: too much for the crop.
        small_crop = "scene-1-cropped.jpg" in pair and pair & SCENE_1_SMALL
        return Verdict.NOT_THE_SAME if small_crop else Verdict.EDITED_COPY
    return Verdict.NOT_THE_SAME  # also of two edits: each is held against originals only


def test_the_verdict_for_every_pair_of_samples(hashed):
    names = sorted(hashed)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            comparison = compare(hashed[one], hashed[other])
            back = compare(hashed[other], hashed[one])
            assert comparison.verdict is documented(one, other), (one, other, comparison.on)
            assert back.verdict is comparison.verdict
            if comparison.on is not None:
                assert back.on.distance == comparison.on.distance
                assert back.on.variant == comparison.on.variant
                if comparison.on.scores is not None:
                    assert back.on.scores == comparison.on.scores[::-1]


def test_each_sample_is_itself(hashed):
    for each in hashed.values():
        assert compare(each, each).verdict is Verdict.SAME_FILE
        nameless = replace(
            each, hashes=tuple(h for h in each.hashes if len(h.text) > 128 or h.quality is not None)
        )
        for finding in compare(nameless, nameless).findings:
            assert finding.distance in (0, None) or finding.variant != "original"


@pytest.mark.parametrize("name", EDITED)
def test_which_edit_it_was(hashed, name):
    on = compare(hashed["scene-1.jpg"], hashed[name]).on
    assert (on.variant, on.variant_of) == (EDITED[name], "first")


def test_a_submission_covers_what_its_variants_cover(hashed):
    submission = Submission.of([hashed["scene-1.jpg"], hashed["film-h264.mp4"]])
    again = Submission.from_json(submission.to_json())
    for name in ("scene-1-cropped.jpg", "scene-1-mirrored.jpg", "film-trimmed.mkv"):
        plain = hashkit.hash_file(Path(hashed[name].path), sample=0.25)
        assert closest(again.items, plain)[1].verdict is Verdict.EDITED_COPY
    assert closest(again.items, hashed["scene-2.jpg"])[1].verdict is Verdict.NOT_THE_SAME
