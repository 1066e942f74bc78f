"""One file, from its bytes to its hashes, kind and hostile ones alike."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

import hashkit
from hashkit.media import images
from hashkit.models import FailedFile, MediaKind
from hashkit.pipeline.hashing import hash_or_fail
from hashkit.pipeline.options import Options

SERVICES = ("md5", "sha1", "sha256", "pdq")


def codes(hashed):
    return [notice.code for notice in hashed.notices]


def png(pixels, tmp_path, name="a.png"):
    path = tmp_path / name
    Image.fromarray(pixels).save(path)
    return path


def bomb(width=60_000, height=60_000):
    """A PNG of a few bytes that claims to be enormous."""

    def chunk(kind, data):
        content = kind + data
        return struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def test_default_hashes(samples):
    path = samples / "scene-1.jpg"
    hashed = hashkit.hash_file(path)
    assert hashed.path == path
    assert hashed.kind is MediaKind.IMAGE
    assert tuple(each.algorithm for each in hashed.hashes) == SERVICES
    assert hashed["md5"].value == hashlib.md5(path.read_bytes()).hexdigest()
    assert hashed["pdq"].quality == 100
    with pytest.raises(KeyError):
        hashed["phash"]


def test_paths_and_file_objects_alike(samples):
    path = samples / "heic.heic"
    from_path = hashkit.hash_file(os.fspath(path), "all")
    with path.open("rb") as stream:
        from_stream = hashkit.hash_file(stream, "all")
    from_memory = hashkit.hash_file(io.BytesIO(path.read_bytes()), "all")
    assert from_path.hashes == from_stream.hashes == from_memory.hashes
    assert from_memory.path is None


def test_a_wrong_name_makes_no_difference(samples, tmp_path):
    for name in ("scene-1.jpg", "webp.webp", "heic.heic"):
        wrong = tmp_path / "a.gif"
        wrong.write_bytes((samples / name).read_bytes())
        assert hashkit.hash_file(wrong).hashes == hashkit.hash_file(samples / name).hashes


def test_one_read_and_one_decode(samples, monkeypatch):
    reads, decodes = [], []

    class Counting(io.BytesIO):
        def read(self, size=-1):
            data = super().read(size)
            reads.append(len(data))
            return data

    decode = images.decode
    monkeypatch.setattr(images, "decode", lambda *a: decodes.append(1) or decode(*a))
    data = (samples / "scene-1.jpg").read_bytes()
    hashkit.hash_file(Counting(data), "all")
    assert sum(reads) <= len(data) + 4096  # the head is looked at first
    assert decodes == [1]


def test_without_perceptual_hashes_nothing_is_decoded(samples, monkeypatch):
    monkeypatch.setattr(images, "decode", lambda *_: pytest.fail("decoded"))
    hashed = hashkit.hash_file(samples / "scene-1.jpg", ["sha512", "md5"])
    assert [each.algorithm for each in hashed.hashes] == ["md5", "sha512"]


def huge(path, head, size):
    """A sparse file: takes no space, and would take minutes to read."""
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(size)
    return path


class TestNotices:
    def test_little_detail(self, tmp_path):
        soft = cv2.resize(
            np.array([[90, 110], [120, 100]], np.uint8), (300, 300), interpolation=cv2.INTER_CUBIC
        )
        hashed = hashkit.hash_file(png(soft, tmp_path))
        assert hashed["pdq"].quality < 50
        assert codes(hashed) == ["low_quality"]

    @pytest.mark.parametrize("algorithms", ["services", "phash"])
    def test_plain(self, tmp_path, algorithms):
        pixels = np.full((300, 300, 3), (10, 200, 90), np.uint8)
        pixels[5, 5] = (12, 198, 91)
        assert "flat" in codes(hashkit.hash_file(png(pixels, tmp_path), algorithms))
        pixels[200, 100] = (60, 200, 90)
        assert "flat" not in codes(hashkit.hash_file(png(pixels, tmp_path), algorithms))

    def test_small(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 256, (64, 63, 3), dtype=np.uint8)
        assert codes(hashkit.hash_file(png(noise, tmp_path))) == ["small"]
        assert codes(hashkit.hash_file(png(noise[:3, :3], tmp_path))) == ["small", "low_quality"]

    def test_nothing_to_say(self, samples):
        assert hashkit.hash_file(samples / "scene-1.jpg").notices == ()


class TestWhatCannotBeHashed:
    def outcome(self, path, **options):
        (outcome,) = hashkit.hash_files([path], **options)
        assert isinstance(outcome, FailedFile)
        assert outcome.path == path
        with pytest.raises(type(outcome.error)):
            hashkit.hash_file(path, **options)
        return outcome

    def test_not_a_picture(self, tmp_path):
        path = tmp_path / "notes.jpg"
        path.write_text("these are only words")
        outcome = self.outcome(path)
        assert outcome.error.code == "not_media"
        assert outcome.hashes == ()

    @pytest.mark.parametrize(
        ("name", "change", "code"),
        [
            ("scene-3.png", lambda data: data[:300], "media_truncated"),
            ("scene-1.jpg", lambda data: data[:300], "media_truncated"),
            ("scene-1.jpg", lambda data: data[:2] + b"\xff\xc0\xff\xff" * 20, "media_truncated"),
            ("heic.heic", lambda data: data[:2000], "media_truncated"),
            ("avif.avif", lambda data: data[:500], "media_truncated"),
            ("webp.webp", lambda data: data[:200] + bytes(500), "media_corrupt"),
            ("gif.gif", lambda data: data[:14], "media_corrupt"),
        ],
    )
    def test_broken_pictures_keep_their_exact_hashes(self, samples, tmp_path, name, change, code):
        path = tmp_path / name
        path.write_bytes(change((samples / name).read_bytes()))
        outcome = self.outcome(path)
        assert outcome.error.code == code
        assert outcome.kind is MediaKind.IMAGE
        assert [each.algorithm for each in outcome.hashes] == ["md5", "sha1", "sha256"]
        assert outcome.hashes[0].value == hashlib.md5(path.read_bytes()).hexdigest()
        assert codes(outcome) == ["exact_only"]
        error = hash_or_fail(path, Options()).error
        assert error.__cause__ is not None or code == "media_truncated"

    def test_without_exact_hashes_there_is_nothing_to_keep(self, samples, tmp_path):
        path = tmp_path / "a.png"
        path.write_bytes((samples / "scene-3.png").read_bytes()[:40])
        outcome = self.outcome(path, algorithms="pdq")
        assert outcome.hashes == outcome.notices == ()

    def test_bombs_are_not_lit(self, tmp_path, monkeypatch):
        path = tmp_path / "bomb.png"
        path.write_bytes(bomb())
        monkeypatch.setattr(images, "_decode_with_pillow", lambda *_: pytest.fail("decoded"))
        outcome = self.outcome(path)
        assert outcome.error.code == "too_many_pixels"
        assert "3,600,000,000 pixels" in str(outcome.error)
        assert [each.algorithm for each in outcome.hashes] == ["md5", "sha1", "sha256"]

    def test_the_limit_can_be_chosen(self, samples):
        path = samples / "scene-1.jpg"
        assert self.outcome(path, max_pixels=512 * 384 - 1).error.code == "too_many_pixels"
        assert hashkit.hash_file(path, max_pixels=512 * 384)["pdq"].quality == 100

    @pytest.mark.test_all
    def test_too_many_bytes(self, tmp_path, monkeypatch):
        path = tmp_path / "huge.jpg"
        with path.open("wb") as stream:
            stream.write(b"\xff\xd8\xff\xe0")
            stream.truncate((1 << 30) + 1)  # a hole: takes no space
        outcome = self.outcome(path, algorithms=["md5", "pdq"])
        assert outcome.error.code == "file_too_big"
        assert [each.algorithm for each in outcome.hashes] == ["md5"]

    @pytest.mark.parametrize("head", [b"\xff\xd8\xff\xe0", b"\0\0\0\x18ftypisom\0\0\2\0isommp42"])
    @pytest.mark.parametrize("algorithms", ["md5", "services"])
    def test_more_bytes_than_any_file_may_have(self, tmp_path, head, algorithms):
        path = huge(tmp_path / "huge", head, (64 << 30) + 1)
        outcome = self.outcome(path, algorithms=[algorithms])
        assert outcome.error.code == "file_too_big"
        assert outcome.hashes == ()
        with pytest.raises(hashkit.errors.FileTooBig):
            hashkit.hash_file(path, [algorithms])

    def test_what_is_no_media_is_that_first(self, tmp_path):
        """A disk image in a folder is passed over, however big."""
        assert self.outcome(huge(tmp_path / "disk", b"", 100 << 30)).error.code == "not_media"

    @pytest.mark.parametrize(
        "head", [b"\xff\x0a", b"8BPS\0\1", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"]
    )
    def test_pictures_known_by_name_keep_their_exact_hashes(self, tmp_path, head):
        path = tmp_path / "a"
        path.write_bytes(head + bytes(5000))
        outcome = self.outcome(path)
        assert outcome.error.code == "unsupported_media"
        assert outcome.hashes[0].value == hashlib.md5(path.read_bytes()).hexdigest()
        assert codes(outcome) == ["exact_only"]

    def test_raw_files_are_not_taken_for_their_thumbnails(self, tmp_path):
        path = tmp_path / "a.dng"
        Image.new("RGB", (80, 60)).save(path, "TIFF", tiffinfo={50706: b"\1\4\0\0"})
        assert self.outcome(path).error.code == "unsupported_media"
        Image.new("RGB", (80, 60)).save(path, "TIFF", tiffinfo={254: 1})  # how NEF and ARW begin
        assert self.outcome(path).error.code == "unsupported_media"

    def test_errors_name_no_file(self, tmp_path):
        path = tmp_path / "a-very-private-name.jpg"
        for make in (lambda: None, path.touch, lambda: path.write_bytes(b"words")):
            make()
            outcome = self.outcome(path)
            assert "private" not in str(outcome.error)


def test_one_bad_file_does_not_stop_the_rest(samples, tmp_path):
    (tmp_path / "empty.jpg").touch()
    good = samples / "scene-1.jpg"
    outcomes = list(
        hashkit.hash_files([good, tmp_path / "empty.jpg", tmp_path / "none", tmp_path, good])
    )
    assert [getattr(each, "error", None) and each.error.code for each in outcomes] == [
        None,
        "file_empty",
        "file_missing",
        "is_a_folder",
        None,
    ]
    assert outcomes[0] == outcomes[-1]


def test_one_path_is_not_many(samples):
    with pytest.raises(TypeError, match="hash_file"):
        hashkit.hash_files(str(samples / "bmp.bmp"))


def test_streams_that_give_little_at_a_time(samples):
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 8000) if size > 0 else 8000)

    data = (samples / "scene-1.jpg").read_bytes()
    assert hashkit.hash_file(Slow(data)).hashes == hashkit.hash_file(io.BytesIO(data)).hashes


NOBODY = """
import os, sys
from hashkit.pipeline.hashing import Options, hash_or_fail
hash_or_fail("good.bmp", Options())  # all is imported while it may be
if os.getuid() == 0:
    os.setuid(65534)
print(hash_or_fail("private.bmp", Options()).error.code)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs permissions")
def test_an_unreadable_file(samples, tmp_path):
    (tmp_path / "private.bmp").write_bytes(b"BM")
    (tmp_path / "private.bmp").chmod(0)
    (tmp_path / "good.bmp").write_bytes((samples / "bmp.bmp").read_bytes())
    tmp_path.chmod(0o755)
    command = [sys.executable, "-c", NOBODY]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "file_unreadable"


@pytest.mark.parametrize(
    ("limit", "error"),
    [(None, TypeError), ("9", TypeError), (1e6, TypeError), (True, TypeError), (0, ValueError)],
)
def test_a_wrong_limit_is_not_blamed_on_the_file(samples, limit, error):
    with pytest.raises(error, match="max_pixels"):
        hashkit.hash_file(samples / "scene-1.jpg", max_pixels=limit)
    with pytest.raises(error, match="max_pixels"):
        list(hashkit.hash_files([samples / "scene-1.jpg"], max_pixels=limit))
