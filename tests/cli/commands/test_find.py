"""``hashkit find`` as a person runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(samples, tmp_path):
    """Copies of scene 1 among others, one of them a folder deeper."""
    below = tmp_path / "pictures" / "below"
    below.mkdir(parents=True)
    for name in ("scene-1-mirrored.jpg", "scene-2.jpg", "scene-3.png"):
        shutil.copy(samples / name, below.parent / name)
    shutil.copy(samples / "scene-1-cropped.jpg", below)
    (below / "notes.txt").write_text("no picture")
    return below.parent


def test_in_a_folder_and_below(run, samples, folder):
    done = run("find", samples / "scene-1.jpg", "--in", folder, "-r")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split()[:1] == ["File"]
    assert "scene-1-mirrored.jpg" in lines[1]
    assert "an edited copy: mirrored" in lines[1]
    assert "scene-1-cropped.jpg" in lines[2]
    assert lines[3] == "2 copies found in 4 files, 1 other file skipped: 1 text."
    assert "did not leave this computer" in lines[4]
    above = run("find", samples / "scene-1.jpg", "--in", folder)
    assert "1 copy found in 3 files.\n" in above.stdout
    assert "The folders in it were not looked into. To do so, add -r." in above.stdout


def test_json(run, samples, folder):
    done = run("find", samples / "scene-1.jpg", "--in", folder, "-r", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["on"]["variant"] for each in found] == ["mirrored", "crop-8.5"]
    assert {each["verdict"] for each in found} == {"edited_copy"}
    assert "2 copies found" in done.stderr


def test_quiet(run, samples, folder):
    done = run("find", samples / "scene-2.jpg", "--in", folder, "-q", "--threshold", "0")
    assert len(done.stdout.splitlines()) == 2
    assert "the same file" in done.stdout
    assert run("find", samples / "bmp.bmp", "--in", folder, "-q").stdout == ""


def test_nothing_found_is_reported_with_the_threshold(run, samples, folder):
    done = run("find", samples / "bmp.bmp", "--in", folder)
    assert done.returncode == 0
    assert "No copies found in 3 files.\n" in done.stdout
    assert "A copy that was changed a lot" in done.stdout


def test_several_originals_and_files(run, samples, folder):
    done = run(
        *("find", samples / "scene-1.jpg", samples / "scene-2.jpg"),
        *("--in", folder / "scene-2.jpg", "--in", folder, "--in", folder),
    )
    rows = {Path(line.split()[0]).name: line for line in done.stdout.splitlines()[1:3]}
    assert rows["scene-2.jpg"].rstrip().endswith("scene-2.jpg")
    assert rows["scene-1-mirrored.jpg"].rstrip().endswith("scene-1.jpg")
    assert "2 copies found in 3 files." in done.stdout


def test_from_a_submission(run, samples, folder):
    run("hash", samples / "scene-1.jpg", "--variants", "standard", "--out", "s.json")
    done = run("find", "s.json", "--in", folder, "-r", "--json")
    (found,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (found["original"], found["item"]) == ("s.json", 1)
    assert found["path"].endswith("scene-1-mirrored.jpg")


def test_too_plain(run, samples, folder):
    done = run("find", samples / "png-flat.png", "--in", folder)
    assert "Only exact copies of it can be found." in done.stderr


def test_what_cannot_be_opened(run, samples, folder):
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(99))
    done = run("find", samples / "scene-1.jpg", "--in", folder)
    assert done.returncode == 1
    assert "broken.jpg: The file is damaged" in done.stderr
    assert "1 copy found in 4 files, 1 of them could not be opened." in done.stdout
    for wrong, printed in (
        ("none.jpg", "none.jpg: There is no file"),
        (folder, "This is a folder.\n"),
        (samples / "generate.py", "generate.py: This is not a picture"),
    ):
        done = run("find", wrong, "--in", folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert printed in done.stderr
    assert run("find", samples / "scene-1.jpg").returncode == 2


def test_nothing_is_changed(run, samples, folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    run("find", samples / "scene-1.jpg", "--in", folder, "-r")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_original_that_is_damaged(run, tmp_path):
    for name in ("broken.jpg", "copy.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0" + bytes(99))
    done = run("find", "broken.jpg", "--in", ".")
    assert done.returncode == 1
    assert "broken.jpg: The file is damaged" in done.stderr
    assert "Only exact copies of it can be found." in done.stderr
    assert "the same file" in done.stdout
    assert "1 copy found in 1 file, 1 of them could not be opened." in done.stdout


def test_an_empty_submission(run, samples, tmp_path):
    empty = '{"format": "hashkit-submission", "version": 1, "items": []}'
    (tmp_path / "empty.json").write_text(empty)
    done = run("find", "empty.json", "--in", samples)
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is nothing in this submission." in done.stderr


def test_one_file_by_two_names_is_one_copy(run, samples, folder):
    names = [folder / "scene-2.jpg", folder / ".." / folder.name / "scene-2.jpg"]
    done = run("find", samples / "scene-2.jpg", "--in", names[0], "--in", names[1])
    assert "1 copy found in 1 file." in done.stdout
