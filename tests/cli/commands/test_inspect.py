"""``hashkit inspect`` and ``hashkit schema``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import hashkit

CONFORMANCE = Path(__file__).parent.parent.parent / "vectors" / "conformance"


def test_inspect_shows_all_there_is(run, samples, tmp_path):
    run("hash", samples / "scene-1.jpg", samples / "heic.heic", "--out", "s.json")
    clip = CONFORMANCE / "videos" / "mpeg4_15fps.avi"
    run("hash", clip, samples / "bmp.bmp", "--algorithms", "all", "--out", "t.json")
    for name, counts in (("s.json", "2 images"), ("t.json", "1 image and 1 video")):
        done = run("inspect", name)
        assert done.returncode == 0
        assert f"What is in it: the hashes of {counts}." in done.stdout
        for item in hashkit.read_submission(tmp_path / name).items:
            for each in item.hashes:
                assert f"   {each.algorithm:<15} {each.text}" in done.stdout
            for each in item.frames.hashes if item.frames else ():
                assert each.value in done.stdout
                assert f"frame {each.frame}, {each.timestamp:.3f} s" in done.stdout
        assert "(quality 100 of 100)" in done.stdout
        assert "No file names, no folders." in done.stdout
        assert "blurred" in done.stdout


def test_inspect_refuses_what_does_not_belong(run, tmp_path):
    (tmp_path / "s.json").write_text(
        '{"format": "hashkit-submission", "version": 1, "items": [], "by": "me"}'
    )
    done = run("inspect", "s.json")
    assert done.returncode == 1
    assert "Do not send this file." in done.stderr
    assert done.stdout == ""


def test_inspect_of_other_files(run, samples, tmp_path):
    assert "not a hashkit submission" in run("inspect", samples / "scene-1.jpg").stderr
    assert "There is no file with this name here." in run("inspect", "none").stderr
    assert run("inspect").returncode == 2
    folder = run("inspect", ".")
    assert folder.stderr == ".: This is a folder.\n"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert "This is a device or a pipe" in run("inspect", "pipe").stderr


def test_schema(run):
    done = run("schema")
    assert done.returncode == 0
    assert done.stdout == hashkit.submission_schema()
    assert json.loads(done.stdout)["title"] == "hashkit submission, version 1 or 2"


HELP = {
    "hash": "Hash pictures. They stay where they are and are not changed.",
    "inspect": "Say in plain words what is in a submission, all of it, and what is not.",
    "schema": "Print the JSON Schema of the submission.",
}


def test_version_and_help(run, unwrapped, commands):
    assert run("--version").stdout == f"hashkit {hashkit.__version__}\n"
    for option in ("--help", "-h"):
        done = run(option)
        assert done.returncode == 0
        shown = unwrapped(done.stdout)
        assert "Make hashes of pictures on this computer." in shown
        assert "130 interrupted" in shown
        assert set(commands) <= set(shown.split())
    for name, what_it_does in HELP.items():
        shown = run(name, "-h")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert commands[name] <= set(re.findall(r"--[a-z-]+", shown.stdout))
        assert what_it_does in unwrapped(shown.stdout)
