"""``hashkit compare`` as a person runs it."""

from __future__ import annotations

import json

import pytest

from hashkit import Comparison, Finding, MediaKind, Verdict
from hashkit.cli.output.comparisons import edit_in_words, verdict_in_words
from hashkit.models import ORIENTATIONS
from hashkit.variants.sets import BY_COVERAGE, moving_names_at


@pytest.mark.parametrize(
    ("one", "other", "first_line"),
    [
        ("scene-1.jpg", "scene-1.jpg", "The same file: every byte is the same."),
        ("scene-1.jpg", "scene-1-resized.jpg", "The same picture. It may have been saved again"),
        ("scene-1.jpg", "scene-1-mirrored.jpg", "the second shows the first, mirrored."),
        ("scene-1-cropped.jpg", "scene-1.jpg", "the first shows the second, cropped."),
        ("scene-1.jpg", "scene-1-captioned.jpg", "the first, with a bar above it."),
        ("scene-1.jpg", "orientation-6.png", "An edited copy: a little was changed."),
        ("scene-1.jpg", "scene-2.jpg", "Not the same, as far as these hashes can tell."),
        ("scene-1.jpg", "png-flat.png", "hashkit cannot tell."),
        ("film-h264.mp4", "film-reencoded.webm", "The same video."),
        ("film-trimmed.mkv", "film-h264.mp4", "the first is a part of the second."),
        ("film-h264.mp4", "film-trimmed.mkv", "the second is a part of the first."),
        ("gif-animated.gif", "tiff-pages.tiff", "in the moving picture, at 0:00.0."),
        ("film-h264.mp4", "film-letterboxed.mp4", "the second is the first, with bars around it."),
    ],
)
def test_verdict_first(run, samples, one, other, first_line):
    done = run("compare", samples / one, samples / other)
    assert (done.returncode, done.stderr) == (0, "")
    assert first_line in done.stdout.splitlines()[0]
    assert "did not leave this computer" in done.stdout


def test_every_algorithm_has_a_line(run, samples):
    shown = run("compare", samples / "scene-1.jpg", samples / "scene-1-cropped.jpg").stdout
    for name in ("md5", "sha256", "pdq", "ahash", "phash", "colorhash", "crop_resistant"):
        assert f"\n{name} " in shown
    assert "pdq, crop-8.5 of the first" in shown
    assert "of 256 bits differ (at most 31)" in shown
    film = run("compare", samples / "film-h264.mp4", samples / "film-trimmed.mkv").stdout
    assert "vpdq " in film
    assert "(both at least 0.7)" in film


def test_json(run, samples):
    done = run("compare", samples / "scene-1.jpg", samples / "scene-1-mirrored.jpg", "--json")
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "edited_copy"
    assert answer["on"]["variant"] == "mirrored"
    assert answer["on"] in answer["findings"]
    assert answer["first"].endswith("scene-1.jpg")


def test_threshold(run, samples):
    pair = samples / "scene-1.jpg", samples / "scene-1-cropped.jpg"
    done = run("compare", *pair, "--threshold", "9", "--json")
    assert json.loads(done.stdout)["verdict"] == "perhaps_cropped"  # not edited_copy
    assert run("compare", *pair, "--threshold", "257").returncode == 2


@pytest.fixture
def submission(run, samples, tmp_path):
    names = [samples / "scene-1.jpg", samples / "film-h264.mp4"]
    run("hash", *names, "--variants", "wide", "--out", "s.json")
    return tmp_path / "s.json"


@pytest.mark.parametrize("turned", [False, True])
def test_is_this_covered(run, samples, submission, turned):
    def compare(name):
        pair = [submission, samples / name]
        return run("compare", *(pair[::-1] if turned else pair))

    for name in ("scene-1-cropped.jpg", "film-trimmed.mkv", "scene-1.jpg"):
        done = compare(name)
        assert done.stdout.startswith("Covered: item ")
        assert done.returncode == 0
    done = compare("scene-2.jpg")
    assert done.stdout.startswith("Not covered: nothing in the submission matches")
    assert "first: item " in done.stdout


def test_covered_as_json(run, samples, submission):
    answer = json.loads(run("compare", submission, samples / "film-trimmed.mkv", "--json").stdout)
    assert answer["verdict"] == "edited_copy"
    assert answer["item"] in (1, 2)


def test_two_submissions(run, samples, submission):
    names = [samples / "scene-1-cropped.jpg", samples / "scene-2.jpg"]
    run("hash", *names, "--out", "other.json")
    done = run("compare", submission, "other.json")
    assert "1 of 2 items of the second are covered by the first." in done.stdout
    rows = json.loads(run("compare", submission, "other.json", "--json").stdout)["items"]
    assert sorted(row["verdict"] for row in rows) == ["edited_copy", "not_the_same"]


def test_an_empty_submission(run, samples, tmp_path):
    empty = tmp_path / "empty.json"
    empty.write_text('{"format": "hashkit-submission", "version": 1, "items": []}')
    assert "nothing in this submission" in run("compare", empty, samples / "scene-1.jpg").stdout
    answer = json.loads(run("compare", empty, samples / "scene-1.jpg", "--json").stdout)
    assert (answer["verdict"], answer["item"]) == ("not_the_same", None)


def test_what_cannot_be_compared(run, samples, tmp_path):
    (tmp_path / "broken.json").write_text('{"format": "hashkit-submission"')
    (tmp_path / "other.json").write_text('{"format": "another"}')
    (tmp_path / "folder").mkdir()
    for name, printed in (
        ("none.jpg", "There is no file with this name here."),
        ("folder", "This is a folder.\n"),
        ("broken.json", "This is not a hashkit submission."),
        ("other.json", "This is not a picture or a video."),
        (samples / "generate.py", "This is not a picture or a video."),
    ):
        done = run("compare", samples / "scene-1.jpg", name)
        assert (done.returncode, done.stdout) == (1, "")
        assert printed in done.stderr
        assert "Traceback" not in done.stderr


def test_every_edit_has_words():
    for name in (*BY_COVERAGE, *ORIENTATIONS[1:], *moving_names_at("wide")):
        words = edit_in_words(name)
        assert not any(char.isdigit() for char in words), name
    assert edit_in_words("crop-5+mirrored") == "cropped and mirrored"
    assert edit_in_words("something-new") == "something-new"


def test_what_cannot_be_opened_is_said(run, samples, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(99))
    done = run("compare", "broken.jpg", samples / "scene-1.jpg")
    assert done.returncode == 1
    assert "broken.jpg: The file is damaged" in done.stderr
    assert done.stdout.startswith("hashkit cannot tell.")
    assert run("compare", "broken.jpg", "broken.jpg").stdout.startswith("The same file")


def test_a_plain_file_is_neither_covered_nor_not(run, samples, submission):
    done = run("compare", submission, samples / "png-flat.png")
    assert done.stdout.startswith("hashkit cannot tell whether the submission covers")
    run("hash", samples / "png-flat.png", "--out", "plain.json")
    both = run("compare", submission, "plain.json")
    assert "item 1: hashkit cannot tell. It has too little detail." in both.stdout


def test_perhaps_cropped_asks_a_person_to_look():
    on = Finding("crop_resistant", True, 16, 3)
    words = verdict_in_words(Comparison(Verdict.PERHAPS_CROPPED, on, (on,)), MediaKind.IMAGE)
    assert words.startswith("Perhaps a cropped copy")
    assert "Please look yourself" in words
