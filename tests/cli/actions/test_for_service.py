"""``hashkit hash --for``: what a service does itself, and no hash that it does not use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import typer

import hashkit
from hashkit import notices
from hashkit.cli.actions.for_service import ForService
from hashkit.errors import MediaCorrupt
from hashkit.guide.directory import Handling, all_services, service
from hashkit.models import READINGS, FailedFile, FrameHashes, Hash, HashedFile, MediaKind

SCHEMA = json.loads(hashkit.submission_schema())
UNUSED = ("take-it-down", "report-remove", "meri-trustline")


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def mixed(samples, tmp_path):
    """A picture, one that moves, a plain one, a broken one and a video."""
    names = ("scene-1.jpg", "gif-animated.gif", "png-flat.png", "film-h264.mp4")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(99))
    return [*(samples / name for name in names), broken]


class TestStopncii:
    def test_submission(self, run, samples, mixed, tmp_path):
        done = run("hash", *mixed, "--for", "stopncii", "--out", "s.json")
        assert done.returncode == 1  # for the broken one
        document = json.loads((tmp_path / "s.json").read_text())
        jsonschema.validate(document, SCHEMA)
        found = [(each["kind"], *each["hashes"]) for each in document["items"]]
        assert sorted(found) == [*3 * [("image", "pdq")], ("video", "md5")]
        others = {other["name"] for each in document["items"] for other in each.get("variants", ())}
        assert others <= set(READINGS)  # of the files themselves, and no edits
        photo = hashkit.hash_file(samples / "scene-1.jpg")["pdq"]
        assert {"value": photo.value, "quality": 100} in [
            each["hashes"].get("pdq") for each in document["items"]
        ]
        film = hashkit.hash_file(samples / "film-h264.mp4", "md5")["md5"]
        assert film.value in [each["hashes"].get("md5") for each in document["items"]]

    def test_screen(self, run, mixed):
        done = run("hash", *mixed, "--for", "stopncii")
        explained, failed = done.stderr.splitlines()
        assert explained.startswith(
            "StopNCII: For pictures and videos of a person who was 18 or over when they were "
            "taken. It makes the hashes in your browser"
        )
        assert "It needs no file from here." in explained
        assert explained.endswith("pdq of pictures, md5 of videos.")
        assert "broken.jpg: The file is damaged" in failed
        assert "4 files hashed, 1 could not be opened." in done.stdout
        assert "moves: This picture moves. Its PDQ hash is of the first frame.\n" in done.stdout
        assert "so copies of it may not be found." in done.stdout
        assert "exact copies" not in done.stdout

    def test_one_photo_has_one_value(self, run, samples):
        done = run("hash", samples / "scene-1.jpg", "--for", "StopNCII")
        assert f"pdq             {hashkit.hash_file(samples / 'scene-1.jpg')['pdq'].value}\n" in (
            done.stdout
        )
        for name in ("md5", "sha1", "sha256"):
            assert name not in done.stdout

    def test_json(self, run, mixed):
        done = run("hash", *mixed, "--for", "stopncii", "--json")
        photo, moving, plain, film, broken = lines(done.stdout)
        assert [list(each["hashes"]) for each in (photo, moving, plain)] == 3 * [["pdq"]]
        assert list(film["hashes"]) == ["md5"]
        assert "hashes" not in broken
        assert broken["error"]["code"] == "media_corrupt"
        assert done.stderr.startswith("StopNCII: ")

    def test_quiet(self, run, samples):
        done = run("hash", samples / "bmp.bmp", "--for", "stopncii", "--quiet", "--json")
        assert done.stderr == ""
        assert list(lines(done.stdout)[0]["hashes"]) == ["pdq"]

    def test_variants(self, run, samples, tmp_path):
        files = [samples / name for name in ("scene-1.jpg", "gif-animated.gif", "film-h264.mp4")]
        chosen = ("--for", "stopncii", "--variants", "standard")
        assert run("hash", *files, *chosen, "--out", "s.json").returncode == 0
        items = json.loads((tmp_path / "s.json").read_text())["items"]
        for each in items:
            names = {name for one in each.get("variants", []) for name in one} - {"name"}
            assert names == ({"pdq"} if each["kind"] == "image" else set())

    def test_it_begins_a_new_list(self, run, samples, tmp_path):
        """What an earlier run wrote may hold hashes that the service does not use, or too few."""
        list_ = ("--json", "--out", "l.jsonl")
        assert run("hash", samples / "bmp.bmp", *list_).returncode == 0
        before = (tmp_path / "l.jsonl").read_bytes()
        done = run("hash", samples / "bmp.bmp", "--for", "stopncii", *list_, "--resume")
        assert done.returncode == 2
        assert "leave out --resume" in done.stderr
        assert (tmp_path / "l.jsonl").read_bytes() == before

    def test_tmk_files_are_not_for_it(self, run, samples, tmp_path):
        arguments = ("--for", "stopncii", "--save-tmk", ".")
        done = run("hash", samples / "film-h264.mp4", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "StopNCII does not use TMK hashes.\n"


class TestServicesThatUseNoHashFromHere:
    @pytest.mark.parametrize("id", UNUSED)
    @pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"]])
    def test_say_so_and_hash_nothing(self, run, samples, tmp_path, id, options):
        done = run("hash", samples / "scene-1.jpg", "--for", id, *options)
        assert (done.returncode, done.stdout) == (0, "")
        (line,) = done.stderr.splitlines()
        found = service(id)
        assert line.startswith(f"{found.name}: {found.audience} {found.what_it_does} ")
        assert "so none was made." in line
        assert (f"open {found.page} on this device." in line) == (found.page is not None)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("id", UNUSED)
    @pytest.mark.parametrize(
        "options",
        [["--out", "s.json"], ["--json", "--out", "s.jsonl"], ["--save-tmk", "."]],
    )
    def test_refuse_to_write(self, run, samples, tmp_path, id, options):
        done = run("hash", samples / "scene-1.jpg", "--for", id, *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert "so nothing was written." in done.stderr
        assert service(id).what_it_does in done.stderr
        assert list(tmp_path.iterdir()) == []


class TestWrongUse:
    def test_with_algorithms(self, run, samples):
        for id in ("stopncii", "take-it-down"):
            done = run("hash", samples / "bmp.bmp", "--for", id, "--algorithms", "services")
            assert (done.returncode, done.stdout) == (2, "")
            assert "leave out --algorithms" in done.stderr

    @pytest.mark.parametrize("id", ["nobody", "", "iwf", "ccri"])
    def test_services_that_take_no_pictures(self, run, samples, id):
        done = run("hash", samples / "bmp.bmp", "--for", id)
        assert (done.returncode, done.stdout) == (2, "")
        for each in all_services():
            assert (f"{each.id}," in f"{done.stderr.strip()},") == (
                each.handling is not Handling.NO_FILES
            )

    def test_no_algorithms_at_all_are_still_refused(self, run, samples):
        assert run("hash", samples / "bmp.bmp", "--algorithms", "").returncode == 2


class TestOnly:
    """No hash gets through that the service does not use, whatever a worker answers."""

    HASHES = (
        Hash("md5", 32 * "0"),
        Hash("sha256", 64 * "0"),
        Hash("pdq", 64 * "0", 90),
        Hash("pdq", 64 * "1", 90, "mirrored"),
        Hash("tmk_pdqf", b"x"),
        Hash("phash", 16 * "0"),
    )
    FRAMES = FrameHashes(1.0, ())

    def outcome(self, kind):
        given = (notices.LOW_QUALITY, notices.ANIMATED, notices.SMALL)
        return HashedFile(Path("a"), kind, self.HASHES, given, self.FRAMES, (self.FRAMES,))

    def test_pictures(self):
        found = ForService.named("stopncii").only(self.outcome(MediaKind.IMAGE))
        assert found.hashes == self.HASHES[2:4]
        assert (found.frames, found.frame_variants) == (None, ())
        low, moves, small = found.notices
        assert "exact copies" not in low.text
        assert "video hashes" not in moves.text
        assert small == notices.SMALL

    def test_videos(self):
        found = ForService.named("stopncii").only(self.outcome(MediaKind.VIDEO))
        assert found.hashes == self.HASHES[:1]
        assert (found.frames, found.frame_variants) == (None, ())
        assert found.notices[0] == notices.LOW_QUALITY

    @pytest.mark.parametrize(("quality", "low"), [(49, True), (50, False)])
    def test_an_animation_of_which_only_the_first_picture_is_used(self, quality, low):
        """That its other frames show more does not help there."""
        hashes = (Hash("pdq", 64 * "0", quality),)
        found = HashedFile(Path("a"), MediaKind.IMAGE, hashes, (), self.FRAMES)
        codes = [each.code for each in ForService.named("stopncii").only(found).notices]
        assert codes == (["low_quality"] if low else [])

    def test_what_could_not_be_opened(self):
        given = (notices.EXACT_ONLY,)
        stopncii = ForService.named("stopncii")
        failed = FailedFile(Path("a"), MediaCorrupt(), MediaKind.IMAGE, self.HASHES[:2], given)
        assert stopncii.only(failed) == replace(failed, hashes=(), notices=())
        failed = replace(failed, kind=MediaKind.VIDEO)
        assert stopncii.only(failed) == replace(failed, hashes=self.HASHES[:1])

    def test_it_is_the_directory_that_decides(self):
        other = replace(
            service("stopncii"), image_hashes=("sha256", "vpdq"), video_hashes=("vpdq",)
        )
        assert ForService(other).algorithms == ("sha256", "vpdq")
        found = ForService(other).only(self.outcome(MediaKind.IMAGE))
        assert found.hashes == self.HASHES[1:2]
        assert (found.frames, found.frame_variants) == (self.FRAMES, (self.FRAMES,))
        assert found.notices == (notices.LOW_QUALITY, notices.ANIMATED, notices.SMALL)
        with pytest.raises(typer.Exit):
            ForService(replace(other, image_hashes=(), video_hashes=())).check(None, None)
