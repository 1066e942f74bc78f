"""Files that end in the middle of their pictures."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit.media.formats import FORMATS
from hashkit.media.truncation import _MAX_PARTS, is_cut_short

CASES = {
    "film-h264.mp4": "mp4",
    "film-hevc-10-bit.mov": "mov",
    "film-trimmed.mkv": "matroska",
    "film-reencoded.webm": "matroska",
    "film-mpeg4.avi": "avi",
    "heic.heic": "heif",
    "avif.avif": "avif",
}


def cut_short(data, media_format):
    stream = io.BytesIO(data)
    found = is_cut_short(stream, len(data), media_format)
    assert stream.tell() == 0
    return found


@pytest.mark.parametrize("name", CASES)
def test_whole_and_half(name, samples):
    data = (samples / name).read_bytes()
    assert not cut_short(data, CASES[name])
    assert not cut_short(data + b"\0\0\0\x10free12345678", CASES[name])
    assert cut_short(data[: len(data) // 2], CASES[name])


@pytest.mark.parametrize("name", ["film-trimmed.mkv", "heic.heic", "avif.avif"])
def test_a_hole_in_the_middle(name, samples):
    data = (samples / name).read_bytes()
    middle = len(data) * 2 // 3
    assert cut_short(data[:middle] + data[middle + 200 :], CASES[name])


@pytest.mark.parametrize("length", [2**63 - 1, 2**64 - 1, 2**62])
def test_a_part_that_claims_to_be_endless(length, tmp_path):
    box = b"\0\0\0\x01mdat" + length.to_bytes(8, "big")
    assert cut_short(box + bytes(100), "mp4")
    path = tmp_path / "a.mp4"
    path.write_bytes(box + bytes(100))
    with path.open("rb") as stream:
        assert is_cut_short(stream, 116, "mp4")
    assert cut_short(
        b"\x18\x53\x80\x67\x80\x1f\x43\xb6\x75\x01" + b"\xff" * 6 + b"\xfe", "matroska"
    )


def test_kinds_that_do_not_say():
    assert not cut_short(b"GIF89a", "gif")
    assert not cut_short(b"\x47" * 188, "mpegts")


@pytest.mark.parametrize("media_format", [each.name for each in FORMATS.values() if each.parts])
@given(data=st.binary(max_size=200))
def test_any_bytes(media_format, data):
    for beginning in (b"", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67", b"RIFF\0\0\0\0AVI "):
        assert cut_short(beginning + data, media_format) in (True, False)


class Counting(io.BytesIO):
    """Counts how often it is read from."""

    count = 0

    def read(self, size=-1):
        self.count += 1
        return super().read(size)


@pytest.mark.parametrize(
    ("part", "media_format"),
    [
        (b"\x18\x53\x80\x67\x80", "matroska"),
        (b"\xec\x80", "matroska"),
        (b"RIFF\0\0\0\0AVI ", "avi"),
        (b"junk\0\0\0\0", "avi"),
        (b"\0\0\0\x08free", "mp4"),
    ],
)
def test_endless_parts_come_to_an_end(part, media_format):
    read = Counting(part * 1_000_000)
    assert not is_cut_short(read, 1 << 40, media_format)
    assert read.count <= _MAX_PARTS + 2
