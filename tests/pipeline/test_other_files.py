"""Which files of a folder are listed though they are no pictures, and how the others count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

import hashkit
from hashkit.errors import FileEmpty, FileUnreadable, NotDownloaded, NotMedia, UnsupportedMedia
from hashkit.media import names
from hashkit.media.formats import IMAGES
from hashkit.models import FailedFile, HashedFile, MediaKind
from hashkit.pipeline.other_files import as_listed, kind_of_other

UNKNOWN = bytes(range(3, 250))
TAR = bytes(257) + b"ustar\0" + bytes(40)
UNPACK = "Unpack it, and hash what is in it."


def listed(path, content, error=None):
    path.write_bytes(content)
    return as_listed(FailedFile(path, error or NotMedia()))


@pytest.mark.parametrize(
    "outcome",
    [
        HashedFile(Path("a.txt"), MediaKind.IMAGE, ()),
        FailedFile(Path("a.txt"), FileUnreadable()),
        FailedFile(Path("a.txt"), UnsupportedMedia()),
        FailedFile(None, NotMedia()),
    ],
)
def test_other_outcomes_stay_as_they_are(outcome):
    assert as_listed(outcome) is outcome


def test_the_rest_of_the_outcome_stays(tmp_path):
    found = listed(tmp_path / "a.jpg", UNKNOWN)
    assert (found.path, found.kind, found.hashes) == (tmp_path / "a.jpg", None, ())
    assert found.error.code == "not_media"


def test_what_was_said_of_the_content_already_is_kept(tmp_path):
    said = NotMedia("This is something else.", advice="Do this.")
    assert listed(tmp_path / "a.jpg", UNKNOWN, said).error is said
    assert listed(tmp_path / "a.txt", UNKNOWN, said) is None


@pytest.mark.parametrize("name", ["a.txt", "a", "a.py", ".jpg", "jpg", "a.jpg.txt", "a.txt.part"])
def test_names_that_say_nothing(tmp_path, name):
    assert listed(tmp_path / name, UNKNOWN) is None
    assert listed(tmp_path / name, b"", FileEmpty()) is None


@pytest.mark.parametrize(
    ("name", "noun"),
    [
        ("a.JPG", "picture"),
        ("a.b.heic", "picture"),
        ("a.png.crdownload", "picture"),
        ("a.Mov", "video"),
        ("a.dvr-ms", "video"),
        ("a.mp4.part", "video"),
        ("a.ts", "video"),
    ],
)
def test_names_that_promise_something(tmp_path, name, noun):
    found = listed(tmp_path / name, UNKNOWN)
    assert str(found.error).startswith(f"This is named like a {noun}, but")
    assert found.error.advice == NotMedia.advice


@pytest.mark.parametrize(
    ("content", "text", "advice"),
    [
        (b"PK\5\6" + bytes(18), "This is a ZIP archive.", UNPACK),
        (b"PK\7\x08PK\3\4", "This is a ZIP archive.", UNPACK),
        (TAR, "This is an archive.", UNPACK),
        (b"\xfd7zXZ\0\0\4", "This is an archive.", UNPACK),
        (b"BZh91AY\1", "This is an archive.", UNPACK),
        (b"\x28\xb5\x2f\xfd\0", "This is an archive.", UNPACK),
        (b"\xff\xf1\x50\x80\0\0", "This is sound, without a picture.", NotMedia.advice),
        (b"\0\0\0\x20ftypM4A \0", "This is sound, without a picture.", NotMedia.advice),
        (b"FORM\0\0\1\0AIFF", "This is sound, without a picture.", NotMedia.advice),
        (b"caf\xe9", "This is text, not a picture.", "If it was downloaded or exported, do that"),
        ("wörter".encode("utf-16-be"), "This is named like a picture", NotMedia.advice),
        (b"\xfe\xff" + "wörter".encode("utf-16-be"), "This is text", "If it was downloaded"),
        (b"\xff\xfe" * 2048, "This is text", "If it was downloaded"),
        (b"\xff\xfe\0", "This is named like a picture", NotMedia.advice),
        (b"OggS\0\2", "This is named like a picture", NotMedia.advice),
        (b"\x1b[1mwords", "This is text, not a picture.", "If it was downloaded"),
        (b"\xef\xbb\xbfwords\t\f\r\n", "This is text, not a picture.", "If it was downloaded"),
        (b"words\x01", "This is named like a picture", NotMedia.advice),
        (b"words\x1f", "This is named like a picture", NotMedia.advice),
        (b"words\x0e", "This is named like a picture", NotMedia.advice),
        (bytes(16), "The file begins with nothing but zeros", "If it was copied or downloaded"),
        (bytes(15), "This is named like a picture", NotMedia.advice),
        (bytes(4000) + b"\1", "This is named like a picture", NotMedia.advice),
    ],
)
def test_the_reason_is_what_the_content_says(tmp_path, content, text, advice):
    error = listed(tmp_path / "a.png", content).error
    assert isinstance(error, NotMedia)
    assert error.text.startswith(text)
    assert error.advice.startswith(advice)
    assert "{" not in error.text + error.advice


def test_empty_files(tmp_path):
    error = listed(tmp_path / "a.png", b"", FileEmpty()).error
    assert error.code == "file_empty"
    assert "in a cloud" in error.advice
    assert listed(tmp_path / "a.ts", b"", FileEmpty()) is None


@pytest.mark.parametrize("name", [".a.HEIC.icloud", "a.mp4.cloud", "a.nextcloud", ".a.ts.icloud"])
@pytest.mark.parametrize("error", [NotMedia(), FileEmpty()])
def test_placeholders(tmp_path, name, error):
    assert isinstance(listed(tmp_path / name, b" ", error).error, NotDownloaded)


@pytest.mark.parametrize(
    "name", [".a.txt.icloud", "b.docx.cloud", ".icloud", "icloud", "a.icloudx"]
)
def test_no_placeholders_of_pictures(tmp_path, name):
    assert listed(tmp_path / name, b" ") is None


def test_a_file_that_cannot_be_read_from_here(tmp_path):
    """As on a cluster that has the files under its own paths. The name alone is known."""
    for name in ("a.jpg", "a.ts"):
        found = as_listed(FailedFile(tmp_path / name, NotMedia()))
        assert str(found.error).startswith("This is named like a ")
    assert as_listed(FailedFile(tmp_path / "a.txt", NotMedia())) is None
    assert kind_of_other(tmp_path / "a") == "other"
    assert kind_of_other(tmp_path / "a.PDF") == "document"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.txt", b"words", "text"),
        ("a", b"#!/bin/sh\n", "text"),
        ("a.html", b"<html>", "text"),
        ("a.docx", b"PK\3\4", "document"),
        ("a.unknown", b"%PDF-1.4", "document"),
        ("a.unknown", b"PK\3\4", "archive"),
        ("a.TGZ", b"", "archive"),
        ("a.unknown", b"ID3\3", "sound"),
        ("a.wav", b"", "sound"),
        ("a.unknown", b"", "empty"),
        ("a.bin", UNKNOWN, "other"),
        ("a.bin", bytes(100), "other"),
    ],
)
def test_the_kind_of_others(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    assert kind_of_other(tmp_path / name) == kind


def test_a_loop_over_a_folder(tmp_path, samples):
    """As the library is used."""
    (tmp_path / "a.jpg").write_bytes((samples / "scene-1.jpg").read_bytes())
    (tmp_path / "b.jpg").write_bytes(UNKNOWN)
    (tmp_path / "c.txt").write_text("words")
    (tmp_path / ".d.mov.icloud").write_bytes(b"bplist00\0")
    outcomes = map(hashkit.as_listed, hashkit.hash_files(hashkit.files_in(tmp_path)))
    found = {each.path.name: each for each in outcomes if each is not None}
    assert isinstance(found.pop("a.jpg"), HashedFile)
    assert {name: each.error.code for name, each in found.items()} == {
        "b.jpg": "not_media",
        ".d.mov.icloud": "not_downloaded",
    }


def test_every_format_that_is_read_has_its_endings():
    """Pillow knows the endings of its formats."""
    Image.init()
    read = {each.decoder.rpartition(".")[2] for each in IMAGES}
    for ending, name in Image.registered_extensions().items():
        if name in Image.OPEN and Image.OPEN[name][0].__name__ in read:
            assert names.kind_from(f"a{ending}") is MediaKind.IMAGE, ending


def test_the_endings_are_of_one_kind_and_in_the_docs(root):
    page = (root / "docs" / "folders.md").read_text("utf-8")
    for title, endings in (("Pictures", names.PICTURES), ("Videos", names.VIDEOS)):
        block = page.partition(f"**{title}:**\n")[2].partition("\n\n")[0]
        assert re.findall(r"`\.([\w-]+)`", block) == sorted(endings)
    assert not names.PICTURES & names.VIDEOS
    assert names.ALSO_TEXT < names.PICTURES | names.VIDEOS
    placeholders = page.partition("## Placeholders")[2]
    assert all(f".{each}`" in placeholders for each in names.PLACEHOLDERS)
    unfinished = page.partition("## Names")[2].partition("**")[0]
    assert {*re.findall(r"`\.(\w+)`", unfinished)} == names.UNFINISHED
