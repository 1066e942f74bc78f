"""JSON Lines in a file, and going on after an interruption of any kind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-m", "hashkit", "hash", "-r", "pictures", "--json"]


@pytest.fixture
def pictures(samples, tmp_path):
    """A folder of 300 pictures, no two of them the same file."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    data = (samples / "scene-3.png").read_bytes()
    for number in range(300):
        (folder / f"{number:03}.png").write_bytes(data + b"%d" % number)
    (folder / "notes.txt").write_text("no picture")
    return folder


def paths_in(lines):
    return [json.loads(line)["path"] for line in lines.read_text().splitlines()]


def test_lines_go_to_a_file(run, samples, tmp_path):
    done = run("hash", samples / "bmp.bmp", samples / "gif.gif", "--json", "--out", "a.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "The list holds the names of your files: it is not for sending." in done.stderr
    printed = run("hash", samples / "bmp.bmp", samples / "gif.gif", "--json").stdout
    assert (tmp_path / "a.jsonl").read_text() == printed
    if os.name == "posix":
        assert (tmp_path / "a.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_list_is_not_a_submission(run, samples):
    run("hash", samples / "bmp.bmp", "--json", "--out", "a.jsonl")
    assert run("inspect", "a.jsonl").returncode == 1


def test_a_submission_is_still_written_under_other_names(run, samples):
    done = run("hash", samples / "bmp.bmp", "--json", "--out", "a.json")
    assert done.stdout.startswith('{"path"')
    assert run("inspect", "a.json").returncode == 0


class TestResume:
    @pytest.mark.skipif(os.name != "posix", reason="sends a signal")
    @pytest.mark.parametrize("sent", ["SIGKILL", "SIGINT", "SIGTERM"])  # Windows has not the first
    def test_after_an_interruption(self, sent, pictures, tmp_path, run):
        lines = tmp_path / "a.jsonl"
        command = [*COMMAND, "--out", "a.jsonl"]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background processes would ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        deadline = time.monotonic() + 60
        while not (lines.exists() and lines.stat().st_size > 2_000):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(getattr(signal, sent))
        _, printed = process.communicate(timeout=60)
        if sent == "SIGINT":
            assert process.returncode == 130
            assert printed == "Stopped. What was done is kept. To go on later, add --resume.\n"
        before = lines.read_bytes()
        assert 0 < before.count(b"\n") < 300
        whole_lines = before[: before.rindex(b"\n") + 1]

        done = run(*command[3:], "--resume")
        assert done.returncode == 0, done.stderr
        after = lines.read_bytes()
        assert after.startswith(whole_lines)  # nothing was lost, or done twice
        expected = [f"pictures/{number:03}.png" for number in range(300)]
        assert paths_in(lines) == expected

        assert "0 files hashed" in run(*command[3:], "--resume").stderr
        assert lines.read_bytes() == after

    @pytest.mark.parametrize("rest", [b"", b"{", b'{"path": "pict', b"\0" * 5000])
    def test_the_end_that_a_killed_run_leaves_is_cut_off(self, rest, run, samples, tmp_path):
        lines = tmp_path / "a.jsonl"
        pair = [samples / "bmp.bmp", samples / "gif.gif"]
        run("hash", *pair, "--json", "--out", "a.jsonl")
        whole = lines.read_bytes()
        first = whole[: whole.index(b"\n") + 1]
        lines.write_bytes(first + rest)
        done = run("hash", *pair, "--json", "--out", "a.jsonl", "--resume")
        assert "1 file hashed, 1 done before." in done.stderr
        assert lines.read_bytes() == whole

    @pytest.mark.parametrize(
        "content",
        [
            *(b"my diary\n" * 9999, b"my diary", b"my\ndiary", b'{"path": "a"}\n', b"\0\0"),
            b'{"path": "a", "hashes": {}}\nnot a line\n',
            b'{"path": "a", "hashes": {}}\nnot a line',
            b'{"path": "a", "hashes": {}}\nnot a line\n{"path": "b", "hashes": {}}\n',
        ],
    )
    def test_another_file_is_left_as_it_is(self, content, run, samples, tmp_path):
        other = tmp_path / "a.jsonl"
        other.write_bytes(content)
        done = run("hash", samples / "bmp.bmp", "--json", "--out", "a.jsonl", "--resume")
        assert done.returncode == 2
        assert "not a list that hashkit wrote" in done.stderr
        assert other.read_bytes() == content

    def test_a_list_is_not_replaced_unasked(self, run, samples, tmp_path):
        lines = tmp_path / "a.jsonl"
        lines.write_text('{"path": "a", "hashes": {}}\n')
        again = ("hash", samples / "bmp.bmp", "--json", "--out", "a.jsonl")
        assert run(*again).returncode == 2
        assert lines.read_text() == '{"path": "a", "hashes": {}}\n'
        assert run(*again, "--force").returncode == 0
        assert paths_in(lines) == [str(samples / "bmp.bmp")]

    def test_what_failed_for_the_time_being_is_tried_again(self, run, samples, tmp_path):
        arguments = ("hash", "a.bmp", "b.bmp", "--json", "--out", "a.jsonl")
        (tmp_path / "b.bmp").write_bytes(b"no picture at all")
        assert run(*arguments).returncode == 1
        (tmp_path / "a.bmp").write_bytes((samples / "bmp.bmp").read_bytes())
        done = run(*arguments, "--resume")
        assert "1 file hashed, 1 done before." in done.stderr
        assert done.returncode == 1  # since the other one is still no picture
        found = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
        assert [line["path"] for line in found] == ["a.bmp", "b.bmp", "a.bmp"]
        assert "hashes" in found[-1]

    def test_what_was_a_matter_of_the_machine_is_tried_again(self, run, samples, tmp_path):
        codes = ("too_much_memory", "took_too_long", "worker_lost", "decoder_crashed", "too_long")
        before = ""
        for code in codes:
            (tmp_path / f"{code}.bmp").write_bytes((samples / "bmp.bmp").read_bytes())
            line = {"path": f"{code}.bmp", "error": {"code": code, "text": ""}}
            before += json.dumps(line) + "\n"
        (tmp_path / "a.jsonl").write_text(before)
        names = [f"{code}.bmp" for code in codes]
        done = run("hash", *names, "--json", "--out", "a.jsonl", "--resume")
        assert "3 files hashed, 2 done before." in done.stderr
        assert done.returncode == 1
        assert paths_in(tmp_path / "a.jsonl") == [*names, *names[:3]]

    def test_in_the_folder_that_is_hashed(self, run, samples, tmp_path):
        (tmp_path / "a.bmp").write_bytes((samples / "bmp.bmp").read_bytes())
        arguments = ("hash", "-r", ".", "--json", "--out", "a.jsonl")
        assert run(*arguments).returncode == 0
        assert run(*arguments, "--resume").returncode == 0
        assert paths_in(tmp_path / "a.jsonl") == ["a.bmp"]

    @pytest.mark.skipif(os.name != "posix", reason="locks")
    def test_one_run_at_a_time(self, run, samples, tmp_path):
        import fcntl

        with (tmp_path / "a.jsonl").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            done = run("hash", samples / "bmp.bmp", "--json", "--out", "a.jsonl", "--resume")
        assert done.returncode == 2
        assert done.stderr == "a.jsonl: Another run is writing to this list.\n"

    def test_begins_where_nothing_was_done(self, run, samples, tmp_path):
        arguments = ("hash", samples / "bmp.bmp", "--json", "--out", "new.jsonl", "--resume")
        assert run(*arguments).returncode == 0
        assert len(paths_in(tmp_path / "new.jsonl")) == 1

    @pytest.mark.parametrize(
        "arguments", [(), ("--json",), ("--out", "a.jsonl"), ("--json", "--out", "a.json")]
    )
    def test_what_it_needs(self, arguments, run, samples):
        done = run("hash", samples / "bmp.bmp", "--resume", *arguments)
        assert done.returncode == 2
        assert "--out with a name that ends in .jsonl" in " ".join(done.stderr.split())

    def test_a_picture_is_never_written_to(self, run, samples, tmp_path):
        picture = tmp_path / "a.jsonl"
        picture.write_bytes((samples / "bmp.bmp").read_bytes())
        arguments = ("hash", samples / "gif.gif", "--json", "--out", "a.jsonl")
        for more in (("--resume",), ("--force",), ()):
            assert run(*arguments, *more).returncode == 2
        assert picture.read_bytes() == (samples / "bmp.bmp").read_bytes()
