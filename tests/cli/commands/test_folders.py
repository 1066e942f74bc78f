"""What ``hashkit hash -r`` and ``hashkit find`` say of the files in a folder that give no hash."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

CASES = Path(__file__).parents[2] / "cases"
PLACEHOLDER = b"bplist00\xd1\x01\x02" + bytes(range(60))
ZIP = b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(range(80))
UNKNOWN = bytes(range(3, 250))  # as a camera's own format, or encrypted
CODE = "export const one: number = 1;\n"


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def folder(samples, tmp_path):
    """One picture."""
    place = tmp_path / "media"
    place.mkdir()
    shutil.copy(samples / "scene-2.jpg", place)
    return place


def fill(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {
                "snap.jpg": (CASES / "snap.jpg").read_bytes(),
                "album.png": ZIP,
                "burst.HEIC": ZIP,
                "film.mp4": ZIP,
            },
            "This is an archive (such as a ZIP file), which may hold pictures. Unpack it first.",
        ),
        (
            {"one.cr3": UNKNOWN, "two.qoi": b"qoif\0\0\1\0", "sub/three.JPG": UNKNOWN},
            "This is named like a picture, but hashkit does not know what it is. If it should",
        ),
        (
            {"one.MOV": UNKNOWN, "two.r3d": UNKNOWN, "three.mp4.crdownload": UNKNOWN},
            "This is named like a video, but hashkit does not know what it is. If it should",
        ),
        (
            {
                ".IMG_0001.HEIC.icloud": PLACEHOLDER,
                "sub/.clip.mov.icloud": PLACEHOLDER,
                "beach.jpg.cloud": b"",
                "party.mp4.nextcloud": b" ",
                "old.png.owncloud": b"\0",
            },
            "This is in a cloud, and not on this device. Open it in the cloud's app or folder",
        ),
        (
            {"one.jpg": "words", "two.webp": "w\u00f6rter".encode("utf-16"), "three.avi": b"\xe4h"},
            "This is text, not a ",
        ),
        (
            {"one.jpg": "<!DOCTYPE html><p>", "two.mp4": "\n<html>", "three.gif": "<HTML>"},
            "This is a web page, not a ",
        ),
        (
            {"one.jpg": bytes(9000), "two.mp4": bytes(200), "three.dng": bytes(5000)},
            "The file begins with nothing but zeros: perhaps it was never written completely. If ",
        ),
        (
            {"one.jpg": b"", "two.mp4": b"", "three.heic": b""},
            "The file is empty. If it is in a cloud, open it there and download it first.",
        ),
        (
            {"one.png": b"%PDF-1.7\n\xe2\xe3", "two.tif": b"%PDF-1.4", "three.jpg": b"%PDF-2.0"},
            "This is a PDF document. Save each picture in it as a file, and hash those.",
        ),
        (
            {"one.mp4": b"ID3\4\0\0\0", "two.mov": b"RIFF\0\0\0\0WAVE", "three.mkv": b"fLaC\0"},
            "This is sound, without a video.",
        ),
        (
            {
                "one.jpg": b"7z\xbc\xaf\x27\x1c\0",
                "two.png": b"Rar!\x1a\7\1",
                "3.mp4": b"\x1f\x8b\x08",
            },
            "This is an archive (such as a ZIP file), which may hold pictures. Unpack it first.",
        ),
    ],
    ids=[
        "zip",
        "picture",
        "video",
        "cloud",
        "text",
        "page",
        "zeros",
        "empty",
        "pdf",
        "sound",
        "archive",
    ],
)
def test_what_is_named_like_a_picture_is_listed(run, folder, files, said):
    fill(folder, files)
    done = run("hash", "-r", folder)
    assert done.returncode == 1
    for name in files:
        assert f"{Path(folder, name)}: {said}" in done.stderr
    assert len(done.stderr.splitlines()) == len(files)
    what = "only for exact copies" if "archive" in said else "could not be opened"
    assert f"1 file hashed, {len(files)} {what}.\n" in done.stdout
    assert "skipped" not in done.stdout
    listed = run("hash", "-r", folder, "--json")
    assert listed.returncode == 1
    failed = {each["path"]: each for each in lines(listed) if "error" in each}
    assert {*failed} == {str(folder / name) for name in files}
    for each in failed.values():
        assert {"path", "error"} <= set(each) <= {"path", "error", "kind", "hashes", "notices"}
        assert set(each["error"]) == {"code", "text"}
        assert each["error"]["text"].startswith(said.split(". ")[0])
    assert len({each["error"]["code"] for each in failed.values()}) == 1


def test_the_kind_from_the_field(run, folder):
    """JPEG XR: whether its name is known or not, it is listed."""
    shutil.copy(CASES / "photo.jxr", folder)
    done = run("hash", "-r", folder, "--json")
    (failed,) = [each for each in lines(done) if "error" in each]
    assert done.returncode == 1
    assert failed["path"] == str(folder / "photo.jxr")
    assert failed["error"]["code"] in {"not_media", "unsupported_media"}


OTHERS = {
    "notes.txt": "words",
    "a.py": "",
    "list.csv": "a;b\n1;2\n",
    "latin.srt": b"caf\xe9\n",
    "backup.zip": ZIP,
    "old.tar.gz": b"\x1f\x8b\x08",
    "letter.docx": ZIP,
    "song.mp3": b"ID3\4\0\0\0",
    "thing.bin": UNKNOWN,
    ".notes.txt.icloud": PLACEHOLDER,
    ".hidden.jpg": UNKNOWN,
}


def test_others_are_counted_by_kind(run, folder):
    fill(folder, OTHERS)
    done = run("hash", "-r", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "1 file hashed, 9 other files skipped: 3 text, 2 archives, 1 document, 1 sound, 1 empty, "
        "1 other.\n"
    ) in done.stdout
    assert "Archives were not looked into" in done.stdout
    assert len(lines(run("hash", "-r", folder, "--json"))) == 1


def test_ts_that_is_text_and_ts_that_is_none(run, folder):
    """TypeScript, a Qt translation, modules of Go and JavaScript; and what nothing knows."""
    code = {
        "app.ts": CODE,
        "index.d.ts": CODE,
        "de.ts": '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS></TS>\n',
        "empty.ts": "",
        "module.mts": CODE,
        "go.mod": "module example.org/one\n",
        "scene.hdr": "ENVI\nsamples = 3\n",
    }
    fill(folder, code)
    shutil.copy(CASES / "ts_concat_jump.ts", folder)
    done = run("hash", "-r", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 files hashed, 7 other files skipped: 6 text, 1 empty.\n" in done.stdout
    unknown = {"film.ts": UNKNOWN, "card.MTS": UNKNOWN, "camera.mod": UNKNOWN, "light.hdr": UNKNOWN}
    fill(folder, unknown)
    done = run("hash", "-r", folder)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 4
    for name in unknown:
        assert f"{folder / name}: This is named like a " in done.stderr


def test_a_transport_stream_that_begins_in_a_packet(run, folder):
    """Whether it is recognised or not, it is not passed over as a text."""
    shutil.copy(CASES / "ts_midpacket.ts", folder)
    done = run("hash", "-r", folder, "--json")
    assert str(folder / "ts_midpacket.ts") in {each["path"] for each in lines(done)}


def test_a_folder_with_only_code(run, tmp_path):
    fill(
        tmp_path / "code",
        {
            "pkg/__init__.py": "",
            "pkg/py.typed": "",
            "pkg/main.ts": CODE,
            "README": "words",
            "Makefile": "all:\n\ttrue\n",
            "logo.svg": "<svg/>",
        },
    )
    done = run("hash", "-r", "code")
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 files hashed, 6 other files skipped: 4 text, 2 empty." in done.stdout


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ([".a.jpg"], "1 hidden file was not looked at."),
        ([".a.jpg", "sub/.b.mp4"], "2 hidden files were not looked at."),
        ([".DS_Store", "._c.jpg", ".git/d.jpg", ".trash/.e.jpg", ".notes.txt"], ""),
    ],
)
def test_hidden_files_are_counted(run, tmp_path, hidden, said):
    (tmp_path / "place").mkdir()
    fill(tmp_path / "place", dict.fromkeys(hidden, UNKNOWN))
    done = run("hash", "-r", "place")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"0 files hashed.\n{said}")
    assert ("hidden" in done.stdout) == bool(said)


def test_named_by_path_as_before(run, tmp_path):
    fill(tmp_path, {"snap.jpg": ZIP, "notes.txt": "words", "app.ts": CODE, "none.txt": ""})
    done = run("hash", "snap.jpg", "notes.txt", "app.ts", "none.txt")
    assert done.returncode == 1
    assert "snap.jpg: This is an archive (such as a ZIP file)" in done.stderr
    assert done.stderr.count("This is not a picture or a video.") == 2
    assert "none.txt: The file is empty. If it was copied or downloaded" in done.stderr
    assert "0 files hashed, 1 only for exact copies, 3 could not be opened.\n" in done.stdout


@pytest.mark.parametrize(
    ("name", "content", "said", "code"),
    [
        ("html.mp4", "<!DOCTYPE html><p>", "This is a web page, not a video. Open it", "not_media"),
        ("text.jpg", "words", "This is text, not a picture. If it was", "not_media"),
        ("one.mp4", b"%PDF-1.7\n\xe2\xe3", "This is a PDF document. Save each video", "not_media"),
        ("song.mp4", b"ID3\4\0\0\0", "This is sound, without a video.", "not_media"),
        ("two.r3d", UNKNOWN, "This is named like a video, but hashkit does not", "not_media"),
        ("none.mp4", b"", "The file is empty. If it is in a cloud, open it there", "file_empty"),
        (".IMG_0001.HEIC.icloud", PLACEHOLDER, "This is in a cloud, and not on", "not_downloaded"),
        ("photo.jpg.cloud", b"", "This is in a cloud, and not on this", "not_downloaded"),
        ("notes", "words", "This is not a picture or a video. If it should", "not_media"),
        (
            "submission.json",
            '{\n "format": "hashkit-submission", "version": 1, "items": []}',
            "This is a file of hashes already, as hashkit wrote it. To see what is in it, use: "
            "hashkit inspect",
            "not_media",
        ),
    ],
)
def test_named_by_path_with_its_reason(run, tmp_path, name, content, said, code):
    """As in a folder."""
    fill(tmp_path, {name: content})
    done = run("hash", name)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: {said}")
    assert "0 files hashed, 1 could not be opened.\n" in done.stdout
    (line,) = lines(run("hash", name, "--json"))
    assert line["error"]["code"] == code
    assert line["error"]["text"].startswith(said.split(". ")[0])


def test_quiet_names_them_too(run, folder):
    fill(folder, {"film.mp4": UNKNOWN, "notes.txt": "words"})
    done = run("hash", "-r", folder, "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{folder / 'film.mp4'}: This is named like a video")
    assert len(done.stderr.splitlines()) == 1


def test_a_submission_is_written_all_the_same(run, folder, tmp_path):
    fill(folder, {"film.mp4": UNKNOWN, ".IMG_1.HEIC.icloud": PLACEHOLDER, "notes.txt": "words"})
    done = run("hash", "-r", folder, "--out", "s.json")
    assert done.returncode == 1
    assert (
        "1 file hashed, 2 could not be opened, 1 other file skipped: 1 text.\n"
        "Written: s.json, with the hashes of 1 file."
    ) in done.stdout
    assert len(json.loads((tmp_path / "s.json").read_text())["items"]) == 1


def test_resumed(run, samples, folder):
    """What is in a cloud is tried again; what nothing knows is not, and still counts."""
    fill(folder, {"film.mp4": UNKNOWN, "beach.jpg.cloud": b"", "notes.txt": "words"})
    given = ("hash", "-r", folder, "--json", "--out", "list.jsonl")
    assert run(*given).returncode == 1
    again = run(*given, "--resume")
    assert again.returncode == 1
    assert (
        "0 files hashed, 1 could not be opened, 2 done before, 1 other file skipped: 1 text."
        in again.stderr
    )
    (folder / "film.mp4").unlink()
    (folder / "beach.jpg.cloud").unlink()
    shutil.copy(samples / "scene-1.jpg", folder / "beach.jpg")
    assert run(*given, "--resume").returncode == 1  # the list says that film.mp4 failed


def test_find(run, samples, folder):
    fill(folder, {**OTHERS, "film.mp4": UNKNOWN, "snap.jpg": ZIP, ".a.png.icloud": PLACEHOLDER})
    done = run("find", samples / "scene-2.jpg", "--in", folder)
    assert done.returncode == 1
    assert f"{folder / 'film.mp4'}: This is named like a video" in done.stderr
    assert f"{folder / 'snap.jpg'}: This is an archive (such as a ZIP file)" in done.stderr
    assert f"{folder / '.a.png.icloud'}: This is in a cloud, and not on" in done.stderr
    assert len(done.stderr.splitlines()) == 3
    assert (
        "1 copy found in 4 files, 3 of them could not be opened, 9 other files skipped: 3 text, "
        "2 archives, 1 document, 1 sound, 1 empty, 1 other.\nArchives were not looked into"
    ) in done.stdout
