"""``hashkit hash`` as its users run it: a process of its own, its output and its exit code."""

from __future__ import annotations

import base64
import errno
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

import hashkit
from hashkit.cli.output.terminal import reader_left

LAST_LINE = "The pictures and videos themselves did not leave this computer."
SCHEMA = json.loads(hashkit.submission_schema())


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_photo(run, samples):
    done = run("hash", samples / "scene-1.jpg")
    assert done.returncode == 0
    assert done.stderr == ""
    hashed = hashkit.hash_file(samples / "scene-1.jpg")
    for each in hashed.hashes:
        assert f"{each.algorithm:<15} {each.value}\n" in done.stdout
    assert "good (100)" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last == LAST_LINE


def test_a_folder(run, samples, tmp_path):
    done = run("hash", "-r", samples, "--out", "s.json")
    assert done.returncode == 0
    assert "58 files hashed, 1 other file skipped: 1 text." in done.stdout
    assert "Written: s.json, with the hashes of 58 files." in done.stdout
    assert "cut short: This file is cut short." in done.stdout
    document = json.loads((tmp_path / "s.json").read_text())
    jsonschema.validate(document, SCHEMA)
    assert len(document["items"]) == 58
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_a_folder_without_r(run, samples):
    done = run("hash", samples)
    assert done.returncode == 1
    assert "This is a folder. Add -r to hash the pictures in it." in done.stderr


def test_json_lines(run, samples, tmp_path):
    (tmp_path / "words.jpg").write_text("words")
    names = "md5,sha1,sha256,pdq"
    animated = samples / "gif-animated.gif"
    done = run("hash", animated, "words.jpg", "--json", "--algorithms", names)
    assert done.returncode == 1
    first, second = lines(done)
    hashed = hashkit.hash_file(samples / "gif-animated.gif")
    assert first == {
        "path": str(samples / "gif-animated.gif"),
        "kind": "image",
        "hashes": {
            "md5": hashed["md5"].value,
            "sha1": hashed["sha1"].value,
            "sha256": hashed["sha256"].value,
            "pdq": {"value": hashed["pdq"].value, "quality": 100},
        },
        "variants": [
            {"name": each.variant, "pdq": {"value": each.value, "quality": each.quality}}
            for each in hashed.hashes
            if each.variant == "palette-indices"
        ],
        "notices": [{"code": "animated", "text": hashed.notices[0].text}],
    }
    assert second == {
        "path": "words.jpg",
        "error": {"code": "not_media", "text": "This is text, not a picture."},
    }


def test_a_broken_picture_in_json(run, samples, tmp_path):
    (tmp_path / "a.png").write_bytes((samples / "scene-3.png").read_bytes()[:300])
    (line,) = lines(run("hash", "a.png", "--json", "--out", "s.json"))
    assert line["error"]["code"] == "media_truncated"
    assert set(line["hashes"]) == {"md5", "sha1", "sha256"}
    assert [notice["code"] for notice in line["notices"]] == ["exact_only"]
    (item,) = json.loads((tmp_path / "s.json").read_text())["items"]
    assert item["hashes"] == line["hashes"]


def test_some_fail_and_the_rest_is_written(run, samples, tmp_path):
    (tmp_path / "empty.jpg").touch()
    done = run("hash", "none.jpg", "empty.jpg", samples / "scene-1.jpg", "--out", "s.json")
    assert done.returncode == 1
    assert "none.jpg: There is no file with this name here." in done.stderr
    assert "empty.jpg: The file is empty." in done.stderr
    assert "1 file hashed, 2 could not be opened." in done.stdout
    assert len(json.loads((tmp_path / "s.json").read_text())["items"]) == 1


def test_nothing_to_write(run, tmp_path):
    done = run("hash", "none.jpg", "--out", "s.json")
    assert done.returncode == 1
    assert "Nothing was written" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_quiet(run, samples, tmp_path):
    done = run("hash", samples / "scene-1.jpg", "none.jpg", "--quiet", "--out", "s.json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("none.jpg: There is no file")
    assert (tmp_path / "s.json").exists()


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ([], "PATH…"),
        (["a.jpg", "--algorithms", "photodna"], "There is no hash called 'photodna'"),
        (["a.jpg", "--max-pixels", "0"], "--max-pixels"),
        (["a.jpg", "--no-such-option"], "--no-such-option"),
        (["a.jpg", "--out", "none/s.json"], "Check that the folder exists"),
        (["a.jpg", "--out", "."], "There is a folder with this name."),
    ],
)
def test_wrong_use(run, unwrapped, arguments, printed):
    """The message is ours, or one of Typer that names the option."""
    done = run("hash", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert printed in unwrapped(done.stderr)
    assert "Traceback" not in done.stderr


class TestOut:
    def test_is_not_overwritten(self, run, samples, tmp_path):
        (tmp_path / "s.json").write_text("mine")
        done = run("hash", samples / "scene-1.jpg", "--out", "s.json")
        assert done.returncode == 2
        assert "It was left as it is." in done.stderr
        assert (tmp_path / "s.json").read_text() == "mine"

    def test_is_replaced_by_force(self, run, samples, tmp_path):
        (tmp_path / "s.json").write_text("mine")
        assert run("hash", samples / "scene-1.jpg", "--out", "s.json", "--force").returncode == 0
        assert json.loads((tmp_path / "s.json").read_text())["items"]

    @pytest.mark.parametrize("head", [b"\xff\x0a", b"8BPS\0\1", b"II*\0\x10\0\0\0CR\2\0"])
    def test_never_replaces_what_may_be_one(self, run, samples, tmp_path, head):
        (tmp_path / "mine").write_bytes(head + b"original")
        done = run("hash", samples / "bmp.bmp", "--out", "mine", "--force")
        assert done.returncode == 2
        assert (tmp_path / "mine").read_bytes() == head + b"original"

    def test_never_replaces_its_input(self, run, tmp_path):
        (tmp_path / "mine").write_bytes(b"of a kind that nobody knows")
        done = run("hash", "mine", "--out", "./mine", "--force")
        assert done.returncode == 2
        assert (tmp_path / "mine").read_bytes() == b"of a kind that nobody knows"

    @pytest.mark.skipif(os.name != "posix", reason="needs pipes")
    def test_never_replaces_a_pipe(self, run, samples, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        done = run("hash", samples / "bmp.bmp", "--out", "pipe", "--force")
        assert done.returncode == 2
        assert (tmp_path / "pipe").is_fifo()

    def test_is_written_though_the_reader_left(self, samples, tmp_path):
        for number in range(60):
            (tmp_path / f"{number}.bmp").write_bytes((samples / "bmp.bmp").read_bytes())
        command = [sys.executable, "-m", "hashkit", "hash", "-r", ".", "--json", "--out", "s.json"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
        process.stdout.readline()
        process.stdout.close()
        assert "Written: s.json" in process.stderr.read()
        process.stderr.close()
        assert process.wait(30) == 0
        assert json.loads((tmp_path / "s.json").read_text())["items"]

    @pytest.mark.parametrize("sample", ["scene-1.jpg", "heic.heic"])
    def test_never_replaces_a_picture(self, run, samples, tmp_path, sample):
        data = (samples / sample).read_bytes()
        (tmp_path / "mine").write_bytes(data)
        done = run("hash", "mine", "--out", "mine", "--force")
        assert done.returncode == 2
        assert "It was left as it is. Choose another name." in done.stderr
        assert (tmp_path / "mine").read_bytes() == data


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are any bytes")
def test_strange_names_are_shown_escaped(run, samples, tmp_path):
    names = [
        b"red\x1b[31m.jpg",
        b"not-utf8-\xff.jpg",
        b"line\nbreak.jpg",
        "tur\u202egpj.exe".encode(),
    ]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes((samples / "bmp.bmp").read_bytes())
    (tmp_path / "plain é.jpg").write_bytes(b"words")
    (tmp_path / ".red\x1b[31m.jpg.icloud").write_bytes(b"bplist00\0")
    done = run("hash", "-r", ".")
    assert done.returncode == 1
    assert done.stderr.startswith(r".red\x1b[31m.jpg.icloud: This is in a cloud")
    assert "\x1b" not in done.stderr
    for shown in (
        r"red\x1b[31m.jpg",
        r"not-utf8-\xff.jpg",
        r"line\nbreak.jpg",
        r"tur\u202egpj.exe",
    ):
        assert shown in done.stdout
    assert "\x1b" not in done.stdout
    parsed = lines(run("hash", "-r", ".", "--json"))
    assert {each["path"] for each in parsed} == {
        "red\x1b[31m.jpg",
        "not-utf8-\\xff.jpg",
        "line\nbreak.jpg",
        "tur\u202egpj.exe",
        "plain \u00e9.jpg",
        ".red\x1b[31m.jpg.icloud",
    }
    printed = run("hash", "plain é.jpg", os.fsdecode(b"none\xff\x07.jpg"))
    assert "plain é.jpg: This is text, not a picture" in printed.stderr
    assert r"none\xff\x07.jpg: There is no file" in printed.stderr


def test_the_same_file_twice_is_hashed_once(run, samples):
    path = samples / "scene-1.jpg"
    assert len(lines(run("hash", path, path, "-r", samples, "--json"))) == 58


@pytest.mark.skipif(os.name != "posix", reason="needs descriptors to close")
@pytest.mark.parametrize(
    "closed",
    [
        *(">&-", "2>&-", ">&- 2>&-"),
        pytest.param(
            "> /dev/full",
            marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full"),
        ),
    ],
)
def test_closed_streams(samples, tmp_path, closed):
    command = f"{sys.executable} -m hashkit hash {samples / 'bmp.bmp'} --out s.json {closed}"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if "full" in closed else 0)
    assert json.loads((tmp_path / "s.json").read_text())["items"]


def test_the_pixel_limit(run, samples):
    path = samples / "scene-1.jpg"
    assert run("hash", path, "--max-pixels", 512 * 384, "--quiet").returncode == 0
    done = run("hash", path, "--max-pixels", 512 * 384 - 1, "--json")
    assert done.returncode == 1
    assert lines(done)[0]["error"]["code"] == "too_many_pixels"
    assert "196,608 pixels. The limit is 196,607." in lines(done)[0]["error"]["text"]


def test_the_table_has_the_columns_that_matter(run, samples):
    value = hashkit.hash_file(samples / "jpeg-truncated.jpg")["pdq"].value
    table = run("hash", samples / "jpeg-truncated.jpg", samples / "bmp.bmp").stdout.splitlines()
    assert table[0].split() == ["File", "Kind", "Hash", "Quality", "Notes"]
    assert f"{value[:12]}…" in table[1]
    assert value[:13] not in table[1]
    assert table[1].rstrip().endswith("cut short")


def test_names_too_long_do_not_stop_the_rest(run, samples):
    done = run("hash", "-r", "x" * 5000, samples / "bmp.bmp", "--json")
    assert done.returncode == 1
    assert [line.get("error", {}).get("code") for line in lines(done)] == ["file_missing", None]


def test_hashes_that_do_not_apply(run, samples):
    done = run("hash", samples / "bmp.bmp", "--algorithms", "vpdq")
    assert done.returncode == 0
    assert "0 files hashed, 1 without a hash of this kind." in done.stdout
    assert "no hash of this kind" in done.stdout


def test_samples_of_a_video(run, root):
    clip = root / "tests" / "vectors" / "conformance" / "videos" / "mpeg4_15fps.avi"
    for sample, count in (("1", 6), ("2", 3), ("all", 90), ("keyframes", None)):
        (line,) = lines(run("hash", clip, "--json", "--sample", sample))
        frames = line["hashes"]["vpdq"]["frames"]
        assert count is None or len(frames) == count
        assert set(frames[0]) == {"frame", "timestamp", "value", "quality"}
        assert line["hashes"]["vpdq"]["interval"] == (float(sample) if sample.isdigit() else sample)
        assert ("tmk_pdqf" in line["hashes"]) == (sample != "keyframes")
    assert line["notices"][0]["code"] == "tmk_left_out"
    assert "and 60 more frames: --json shows all" in run("hash", clip, "--sample", "all").stdout
    for wrong in ("0", "-1", "nan", "often"):
        assert run("hash", clip, "--sample", wrong).returncode == 2


def test_saving_tmk(run, root, tmp_path):
    clip = root / "tests" / "vectors" / "conformance" / "videos" / "mpeg4_15fps.avi"
    (tmp_path / "tmk").mkdir()
    (line,) = lines(run("hash", clip, "--json", "--save-tmk", "tmk"))
    saved = (tmp_path / "tmk" / "mpeg4_15fps.avi.tmk").read_bytes()
    assert line["hashes"]["tmk_pdqf"] == {
        "encoding": "base64",
        "value": base64.b64encode(saved).decode(),
    }
    again = run("hash", clip, "--save-tmk", "tmk")
    assert again.returncode == 1
    assert "It was left as it is." in again.stderr
    assert run("hash", clip, "--save-tmk", "none").returncode == 2


def test_all_algorithms(run, samples):
    (line,) = lines(run("hash", samples / "scene-1.jpg", "--json", "--algorithms", "all"))
    assert set(line["hashes"]) == set(hashkit.ALGORITHMS) - {"vpdq", "tmk_pdqf"}
    (line,) = lines(run("hash", samples / "webp-animated.webp", "--json", "--algorithms", "all"))
    assert set(line["hashes"]) == set(hashkit.ALGORITHMS)


def test_from_a_checkout(root, samples, tmp_path):
    done = subprocess.run(
        [sys.executable, root / "cli.py", "hash", samples / "scene-1.jpg"],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert hashkit.hash_file(samples / "scene-1.jpg")["pdq"].value in done.stdout


def test_nothing_from_native_libraries_reaches_the_terminal(run, samples, tmp_path):
    data = (samples / "scene-1.jpg").read_bytes()
    third = len(data) // 3
    (tmp_path / "a.jpg").write_bytes(data[:third] + data[2 * third :])
    (tmp_path / "b.tiff").write_bytes((samples / "tiff.tiff").read_bytes()[:-3000])
    (tmp_path / "c.jpg").write_bytes(
        data[:2] + b"\xff\xe1\x00\x10Exif\0\0MM\0*\xff\xff\xff\xff" + data[2:]
    )
    done = run("hash", "-r", ".", "--json")
    assert done.stderr.splitlines()[-1] == LAST_LINE
    assert len(done.stderr.splitlines()) == 2
    assert len(lines(done)) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are any bytes")
@pytest.mark.parametrize("colours", ["", "1"])
def test_names_in_what_was_typed_wrong_are_shown_escaped(colours, tmp_path):
    """As where a pattern stands for more files than the command takes."""
    typed = ["inspect", "a.json", "tur\u202egpj.json", "red\x1b[31m.json", "line\nbreak.json"]
    environment = {"NO_COLOR": colours} if colours else {}
    printed = in_a_terminal(typed, tmp_path, code=2, **environment)
    for raw in ("\u202e", "\x1b[31m.", "line\r\nbreak"):
        assert raw not in printed
    for shown in (r"tur\u202egpj.json", r"red\x1b[31m.json"):
        assert shown in printed


def in_a_terminal(arguments, cwd, stdout=None, code=0, **environment):
    """Run hashkit with its streams on a terminal (stdout not, where a file is given for it); all
    that the terminal showed."""
    pty = pytest.importorskip("pty", reason="needs terminals of POSIX")
    parent, child = pty.openpty()
    environment = {
        **{key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "CI")},
        "TERM": "xterm-256color",
        "COLUMNS": "120",
        **environment,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "hashkit", *map(str, arguments)],
        stdin=child,
        stdout=stdout or child,
        stderr=child,
        cwd=cwd,
        env=environment,
    )
    os.close(child)
    printed = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([parent], [], [], 0.1)[0]:
            try:
                piece = os.read(parent, 65536)
            except OSError:
                break
            if not piece:
                break
            printed += piece
    os.close(parent)
    assert process.wait(10) == code
    return printed.decode()


class TestTerminal:
    def test_a_table_with_boxes(self, samples, tmp_path):
        printed = in_a_terminal(["hash", samples / "scene-1.jpg"], tmp_path)
        assert re.search(r"[\u2500-\u257f]", printed)
        assert re.search(r"\x1b\[[\d;]*m", printed)

    def test_no_colour_no_boxes(self, samples, tmp_path):
        printed = in_a_terminal(["hash", samples / "scene-1.jpg"], tmp_path, NO_COLOR="1")
        assert not re.search(r"[\u2500\u2502-\u257f]", printed)  # a bar of progress is no box
        assert not re.search(r"\x1b\[([\d;]*;)?[349]\d", printed)  # a colour, of letters or ground
        assert "good (100)" in printed

    @pytest.mark.test_all
    def test_a_bar_for_long_work(self, samples, tmp_path):
        many(25, samples / "scene-3.png", tmp_path)
        arguments = ["hash", "-r", ".", "--algorithms", "all"]
        assert "Hashing" in in_a_terminal(arguments, tmp_path)
        with (tmp_path / "out.jsonl").open("w") as out:
            assert "Hashing" in in_a_terminal([*arguments, "--json"], tmp_path, stdout=out)
        written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert len(written) == 25
        assert "Hashing" not in in_a_terminal([*arguments, "--quiet"], tmp_path)
        assert "Hashing" not in in_a_terminal(["hash", "0.png"], tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the system holds it on Linux only")
def test_the_command_gives_up_the_network_itself(samples):
    code = """
import contextlib, ctypes, io, sys
from hashkit.cli import app
connect = ctypes.CDLL(None, use_errno=True).socket
def can():
    return connect(2, 1, 0) >= 0
assert can()
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    app(["--version"])
assert can()
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    app(["hash", sys.argv[1]])
assert not can()
import socket
try:
    socket.socket()
except PermissionError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(samples / "bmp.bmp")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "hashkit does not use the network" in done.stdout


def test_the_same_pictures_are_named_together(run, samples):
    names = ("scene-1.jpg", "scene-2.jpg", "scene-1-resized.jpg", "scene-1-recompressed.jpg")
    printed = run("hash", *(samples / name for name in names)).stdout
    group = ", ".join(str(samples / names[number]) for number in (0, 2, 3))
    assert f"These 3 are the same picture: {group}\n" in printed
    assert "same picture" not in run("hash", samples / names[0], samples / names[1]).stdout


def test_many_names_are_cut_short(run, samples, tmp_path):
    many(12, samples / "scene-1.jpg", tmp_path)
    printed = run("hash", "-r", ".").stdout
    assert "These 12 are the same picture: 0.jpg, 1.jpg, 10.jpg" in printed
    assert "and 5 more\n" in printed


def many(count, picture, folder):
    """The same picture in so many files, no two of them byte for byte the same."""
    for number in range(count):
        target = folder / f"{number}{picture.suffix}"
        target.write_bytes(picture.read_bytes() + b"%d" % number)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_interrupted(samples, tmp_path):
    many(400, samples / "scene-3.png", tmp_path)
    command = [sys.executable, "-m", "hashkit", "hash", "-r", ".", "--json", "--out", "s.json"]
    process = subprocess.Popen(
        [*command, "--algorithms", "all"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    process.stdout.readline()  # it is at work
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=30)
    assert process.returncode == 130
    assert printed == "Stopped. Nothing was written.\n"
    assert {path.suffix for path in tmp_path.iterdir()} == {".png"}


def test_a_reader_that_leaves_early(samples, tmp_path):
    many(100, samples / "bmp.bmp", tmp_path)
    command = [sys.executable, "-m", "hashkit", "hash", "-r", ".", "--json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    process.stdout.readline()
    process.stdout.close()
    printed = process.stderr.read()
    process.wait(30)
    process.stderr.close()
    assert "Traceback" not in printed


@pytest.mark.parametrize(("system", "left"), [("posix", False), ("nt", True)])
def test_windows_has_another_word_for_a_reader_that_left(monkeypatch, system, left):
    assert reader_left(BrokenPipeError())
    with monkeypatch.context() as here:
        here.setattr(os, "name", system)
        found = [reader_left(OSError(each, "")) for each in (errno.EINVAL, errno.ENOSPC)]
    assert found == [left, False]


def test_variants(run, samples, tmp_path):
    done = run("hash", samples / "scene-1.jpg", "--variants", "standard", "--out", "s.json")
    assert done.stdout.count("\npdq ") == 16
    assert "(mirrored)" in done.stdout
    assert "good (100)  + 15 edits" in done.stdout
    plain = run("hash", samples / "png-flat.png", "--variants", "wide")
    assert " edits" not in plain.stdout
    (item,) = json.loads((tmp_path / "s.json").read_text())["items"]
    assert len(item["variants"]) == 15
    assert item["variants"][0]["name"] == "mirrored"
    assert item["variants"][0]["pdq"].keys() == {"value", "quality"}
    inspected = run("inspect", "s.json").stdout
    assert inspected.count("of an edit: ") == 15
    line = json.loads(run("hash", samples / "scene-1.jpg", "--variants", "wide", "--json").stdout)
    assert len(line["variants"]) == 47
    film = run("hash", samples / "film-letterboxed.mp4", "--variants", "standard", "--json").stdout
    assert [each["name"] for each in json.loads(film)["variants"]] == [
        *("mirrored", "bars-removed", "bars-removed+mirrored")
    ]
    assert "variants" not in json.loads(run("hash", samples / "scene-1.jpg", "--json").stdout)
    wrong = run("hash", samples / "scene-1.jpg", "--variants", "unframed")
    assert wrong.returncode == 2
    assert "none, readings, orientations, standard, wide" in wrong.stderr
