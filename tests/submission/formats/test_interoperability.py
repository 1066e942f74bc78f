"""What others make of what is written: the threatexchange package, from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hashkit
from hashkit.submission.formats.converting import export_submission, import_submission

pytestmark = pytest.mark.test_all


@pytest.fixture(scope="module")
def submission(samples):
    names = ("scene-1.jpg", "scene-2.jpg", "film-trimmed.mkv", "png-flat.png")
    found = hashkit.hash_files([samples / name for name in names], variants="standard")
    return hashkit.Submission.of(found)


@pytest.fixture
def threatexchange(tmp_path):
    """Their command, with a home of its own, so that nothing of it stays."""
    beside = str(Path(sys.executable).parent)
    command = shutil.which("threatexchange", path=beside) or shutil.which("threatexchange")
    home = tmp_path / "home"
    home.mkdir()

    def run(*arguments):
        done = subprocess.run(
            [command, *map(str, arguments)],
            env={
                **os.environ,
                **dict.fromkeys(("HOME", "USERPROFILE"), str(home)),
                "TMPDIR": str(tmp_path),
            },
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_its_command_finds_copies_by_our_list(submission, threatexchange, samples, tmp_path):
    listed = tmp_path / "ours.txt"
    listed.write_bytes(export_submission(submission, "threatexchange-cli").content)
    threatexchange(
        *("config", "collab", "edit", "local_file", "--create", "ours", "--filename", listed)
    )
    threatexchange("fetch")
    held = dict(line.split(": ") for line in threatexchange("dataset").splitlines())
    assert (held["video_md5"], held["video_sha256"]) == ("1", "1")
    assert int(held["pdq"]) == listed.read_text().count("\npdq ") + 1
    for name in ("scene-1-resized.jpg", "scene-1-recompressed.jpg", "scene-1-mirrored.jpg"):
        assert threatexchange("match", "photo", samples / name).startswith("pdq "), name
    assert threatexchange("match", "photo", samples / "scene-3.png") == ""
    found = threatexchange("match", "video", samples / "film-trimmed.mkv")
    assert {line.split()[0] for line in found.splitlines()} == {"video_md5", "video_sha256"}
    assert threatexchange("match", "video", samples / "film-mpeg4.avi") == ""


def test_what_its_command_prints_can_be_imported(threatexchange, samples):
    printed = threatexchange("hash", "photo", samples / "scene-1.jpg")
    (item,) = import_submission(printed.encode()).submission.items
    assert item.hashes[0].value == hashkit.hash_file(samples / "scene-1.jpg", "pdq")["pdq"].value


STOPNCII = """
import enum, json, sys, dacite
from threatexchange.exchanges.clients.stopncii import api
for record in json.load(sys.stdin)["hashRecords"]:
    # What a service adds before others fetch it.
    record |= {"hashStatus": "Active", "caseNumbers": {}}
    found = dacite.from_dict(
        api.StopNCIIHashRecord, record, config=dacite.Config(cast=[enum.Enum, set])
    )
    print(found.signalType.value, found.hashValue)
"""

NCMEC = """
import io, sys, xml.etree.ElementTree as ET
from threatexchange.exchanges.clients.ncmec import hash_api
it = ET.iterparse(io.BytesIO(sys.stdin.buffer.read()))
for _, element in it:  # as its own client does
    element.tag = element.tag.partition("}")[2]
for group in it.root:  # what NCMEC adds
    group.set("maxTimestamp", "2017-10-24T15:10:00Z")
    for entry in group:
        ET.SubElement(entry, "member", id="42")
for entry in hash_api.GetEntriesResponse.from_xml(hash_api._XMLWrapper(it.root), 0).updates:
    for name, value in entry.fingerprints.items():
        print(entry.entry_type.value, hash_api.FingerprintType[name].name, value)
"""


@pytest.mark.parametrize(
    ("name", "code", "role"),
    [
        (
            "stopncii",
            STOPNCII,
            lambda each: "ImagePDQ" if each.algorithm == "pdq" else "VideoMD5",
        ),
        ("ncmec", NCMEC, lambda each: f"{each.kind} {each.algorithm}"),
    ],
)
def test_its_clients_read_what_is_written(submission, name, code, role):
    exported = export_submission(submission, name)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=exported.content,
        capture_output=True,
        check=True,
        timeout=120,
    )
    expected = {f"{role(each)} {each.text}" for each in exported.held}
    assert set(done.stdout.decode().splitlines()) == expected


def test_its_kinds_of_indicators_are_those_that_are_written(submission):
    code = """
import json
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.sha256 import VideoSHA256Signal
types = PdqSignal, VideoMD5Signal, VideoSHA256Signal
print(json.dumps([[each.INDICATOR_TYPE] if isinstance(each.INDICATOR_TYPE, str)
                  else list(each.INDICATOR_TYPE) for each in types]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, check=True, timeout=120
    )
    theirs = {each for several in json.loads(done.stdout) for each in several}
    bodies = json.loads(export_submission(submission, "threatexchange").content)
    ours = {each["type"] for each in bodies}
    assert {"HASH_PDQ", "HASH_VIDEO_MD5", "HASH_VIDEO_SHA256"} <= ours & theirs
