"""Copies among many files, found by real workers."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

import hashkit
from hashkit.errors import FileMissing, MediaCorrupt
from hashkit.matching.comparing import Verdict
from hashkit.matching.search import compare, find
from hashkit.models import FailedFile
from hashkit.submission.document import Submission

SCENE_1 = {"recompressed", "resized", "cropped", "mirrored", "captioned"}


def names(search):
    return [copy.path.name for copy in search.copies]


@pytest.fixture(scope="module")
def everything(samples):
    return list(hashkit.files_in(samples))


def test_each_edited_sample_and_nothing_else(samples, everything):
    search = find([samples / "scene-1.jpg"], everything)
    expected = {f"scene-1-{name}.jpg" for name in SCENE_1}
    expected |= {f"orientation-{n}.png" for n in range(1, 9)}  # the same scene, smaller
    assert set(names(search)) == expected
    assert len(search.copies) == len(expected)
    assert search.searched == len(everything) - 1 - search.skipped
    assert search.skipped == sum(path.suffix in (".py", ".pyc") for path in everything)
    verdicts = [copy.comparison.verdict for copy in search.copies]
    assert verdicts == sorted(verdicts, key=list(Verdict).index)
    assert names(search)[:2] == ["scene-1-recompressed.jpg", "scene-1-resized.jpg"]
    assert search.failed == ()


@pytest.mark.parametrize("name", ["scene-2.jpg", "scene-3.png", "avif.avif"])
def test_what_has_no_copies(samples, everything, name):
    assert find([samples / name], everything).copies == ()


def test_films(samples, everything):
    search = find([samples / "film-h264.mp4"], everything)
    assert set(names(search)) == {
        path.name for path in everything if path.name.startswith("film-")
    } - {"film-h264.mp4"}
    assert names(search)[0] == "film-reencoded.webm"


def test_several_originals(samples, everything):
    search = find([samples / "scene-2.jpg", samples / "film-h264.mp4"], everything)
    assert {copy.original for copy in search.copies} == {1}


def test_a_picture_in_a_video_and_a_video_by_its_pictures(samples, scene, tmp_path):
    """Frame 30 of the film, at 2.5 seconds, mirrored and saved as a picture."""
    still = scene(51, 256 + 80, 192 + 60).crop((18, 12, 18 + 256, 12 + 192))
    ImageOps.mirror(still).save(tmp_path / "still.jpg", quality=90)
    (copy,) = find([tmp_path / "still.jpg"], [samples / "film-h264.mp4"]).copies
    assert copy.comparison.verdict is Verdict.IN_THE_VIDEO
    assert copy.comparison.on.variant == "mirrored"
    assert copy.comparison.on.timestamp == pytest.approx(2.5, abs=0.25)
    (copy,) = find([samples / "film-h264.mp4"], [tmp_path / "still.jpg"]).copies
    assert copy.comparison.verdict is Verdict.IN_THE_VIDEO


def test_exact_copies_of_what_is_too_plain(samples, tmp_path):
    shutil.copy(samples / "png-flat.png", tmp_path / "copy.dat")
    Image.new("RGB", (300, 200), (90, 120, 200)).save(tmp_path / "other.png")
    search = find([samples / "png-flat.png"], hashkit.files_in(tmp_path))
    assert names(search) == ["copy.dat"]
    assert search.copies[0].comparison.verdict is Verdict.SAME_FILE
    assert search.exact_only == (0,)


def test_a_damaged_original_still_finds_its_exact_copies(tmp_path):
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(300))
    shutil.copy(tmp_path / "damaged.jpg", tmp_path / "again.jpg")
    search = find([tmp_path / "damaged.jpg"], hashkit.files_in(tmp_path))
    assert names(search) == ["again.jpg"]
    assert [type(each) for each in search.failed] == [FailedFile]
    assert search.exact_only == (0,)


def test_an_original_that_is_not_there(tmp_path):
    with pytest.raises(FileMissing):
        find([tmp_path / "none.jpg"], [])


def test_an_original_by_other_names(samples, tmp_path):
    """A link to it, or a longer path, is no copy of it."""
    among = [samples / ".." / samples.name / "scene-1.jpg"]
    if os.name == "posix":  # on Windows, not everybody may make a link
        (tmp_path / "link.jpg").symlink_to(samples / "scene-1.jpg")
        among.append(tmp_path / "link.jpg")
    search = find([samples / "scene-1.jpg"], among)
    assert (search.copies, search.searched) == ((), 0)


def test_what_was_hashed_before(samples, everything):
    """The items of a submission: with variants, as with the file; without, less."""
    one = hashkit.hash_file(samples / "scene-1.jpg", variants="wide")
    again = Submission.from_json(Submission.of([one]).to_json())
    found = names(find(again.items, everything))
    assert set(found) >= {"scene-1.jpg", "scene-1-cropped.jpg", "scene-1-captioned.jpg"}
    bare = Submission.of([hashkit.hash_file(samples / "scene-1.jpg")])
    assert "scene-1-cropped.jpg" not in names(find(bare.items, everything))
    by_md5 = Submission.of([hashkit.hash_file(samples / "scene-1.jpg", "md5")])
    assert names(find(by_md5.items, everything)) == ["scene-1.jpg"]


def test_threshold(samples, everything):
    strict = names(find([samples / "scene-1.jpg"], everything, threshold=3))
    assert strict == ["scene-1-mirrored.jpg"]
    for wrong in (-1, 257):
        with pytest.raises(ValueError, match="threshold"):
            find([samples / "scene-1.jpg"], everything, threshold=wrong)


def test_among_may_be_a_generator(samples):
    seen = []
    paths = (samples / f"scene-1-{name}.jpg" for name in sorted(SCENE_1))
    search = find([samples / "scene-1.jpg"], paths, workers=1, on_progress=seen.append)
    assert len(search.copies) == len(SCENE_1)
    assert seen[-1] == len(SCENE_1)


def test_compare_paths(samples, tmp_path):
    comparison = compare(samples / "scene-1.jpg", samples / "scene-1-cropped.jpg")
    assert comparison.verdict is Verdict.EDITED_COPY
    assert {"phash", "pdq", "sha256"} <= {each.algorithm for each in comparison.findings}
    hashed = hashkit.hash_file(samples / "scene-1-cropped.jpg")
    mixed = compare(samples / "scene-1.jpg", hashed, algorithms="pdq")
    assert mixed.on == comparison.on
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(b"\xff\xd8\xff\xe0" + bytes(300))
    assert compare(damaged, damaged).verdict is Verdict.SAME_FILE
    with pytest.raises(MediaCorrupt):
        compare(damaged, samples / "scene-1.jpg")
    with pytest.raises(ValueError, match="threshold"):
        compare(damaged, damaged, threshold=300)


def test_noise_finds_nothing(samples, tmp_path):
    rng = np.random.default_rng(5)
    for number in range(20):
        noise = rng.integers(0, 256, (60 + number, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
    search = find([samples / "scene-1.jpg", tmp_path / "0.png"], hashkit.files_in(tmp_path))
    assert search.copies == ()


def test_wrong_arguments(samples):
    one = samples / "scene-1.jpg"
    for originals, among in (([one], str(one)), (str(one), [one]), ([one], one), ([b"x"], [one])):
        with pytest.raises(TypeError):
            find(originals, among)
    with pytest.raises(TypeError, match="bytes"):
        compare(one, b"x")
    assert find([], [one]).searched == 0


def test_the_nearest_of_many(samples, everything):
    """Each copy is named with the original that it is closest to, whatever their order."""
    originals = [samples / "scene-1-cropped.jpg", samples / "scene-1.jpg"]
    for order in (originals, originals[::-1]):
        (copy,) = find(order, [samples / "scene-1-resized.jpg"]).copies
        assert order[copy.original].name == "scene-1.jpg"
