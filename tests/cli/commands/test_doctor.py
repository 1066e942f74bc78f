"""``hashkit doctor``: what it says is so, and can be passed on."""

from __future__ import annotations

import _json
import getpass
import os
import platform
import shutil
import sys
from pathlib import Path

import pytest

from hashkit.sandbox import lockdown


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "hashkit", "doctor", "--report"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path_factory.mktemp("somewhere"),
    )
    return done


def test_all_restrictions_are_active_here(report):
    if sys.platform == "linux":
        assert report.returncode == 0, report.stdout
        assert report.stdout.count("wall, ") == report.stdout.count(": stands") == 10
        assert "not refused" not in report.stdout


def test_versions_and_formats(report):
    lines = dict(line.split(": ", 1) for line in report.stdout.splitlines())
    assert lines["Python"] == platform.python_version()
    for name in ("hashkit", "numpy", "Pillow", "pillow-heif", "opencv-python-headless", "av"):
        assert lines[name][0].isdigit()
    assert "libavcodec" in lines["FFmpeg"]
    formats = ("JPEG", "PNG", "HEIC", "AVIF", "WebP", "H.264", "HEVC", "AV1", "VP9")
    assert {lines[f"format, {name}"] for name in formats} == {"yes"}


def test_a_report_holds_no_path_and_no_name(report):
    printed = report.stdout
    for secret in (str(Path.home()), sys.prefix, str(Path.cwd()), platform.node(), "/", "\\"):
        assert secret not in printed.replace("tcp://", "")
    user = getpass.getuser()
    assert f" {user}" not in printed
    assert f"{user}:" not in printed


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_report_of_what_is_missing_holds_no_path_either(run, tmp_path):
    """A library that is not the right one: the error of the system names where it is."""
    folder = tmp_path / "alice"
    folder.mkdir()
    shutil.copy(_json.__file__, folder / "libseccomp.so.2")
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder)}
    done = run("doctor", "--report", env=environment)
    assert done.returncode == 1
    for process in ("worker", "network"):
        missing = f"{process} wall, system calls: libseccomp does not fit the package pyseccomp"
        assert missing in done.stdout
    for text in ("alice", "/", "\\"):
        assert text not in done.stdout + done.stderr


def test_reasons_hold_no_path():
    for error in (
        FileNotFoundError(2, "No such file", "/home/alice"),
        AttributeError("/home/alice:"),
    ):

        def step(error=error):
            raise error

        reason = lockdown._apply("files", step).reason
        assert reason
        assert "alice" not in reason


def test_in_words(run):
    done = run("doctor")
    assert "Such a process has just tried to get out:" in done.stdout
    if sys.platform == "linux":
        assert done.stdout.rstrip().endswith("nor write them down.")
        assert "NOT THERE" not in done.stdout
