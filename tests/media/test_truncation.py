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
    assert not cut_short(b"OggS", "ogg")


class TestTransportStream:
    """Ten packets."""

    DATA = (b"\x47" + b"a" * 187) * 10
    DISC = (b"abcd\x47" + b"a" * 187) * 10

    @pytest.mark.parametrize("data", [DATA, DISC])
    def test_whole(self, data):
        assert not cut_short(data, "mpegts")
        assert not cut_short(data + bytes(5000), "mpegts")
        assert cut_short(data[:-1], "mpegts")

    @pytest.mark.parametrize("data", [DATA, DISC])
    @pytest.mark.parametrize("kept", [1000, 1600])
    def test_cut(self, data, kept):
        assert cut_short(data[:kept], "mpegts")
        assert cut_short(data[:kept].ljust(len(data), b"\0"), "mpegts")


class TestProgramStream:
    PACK = b"\0\0\1\xba\x44" + b"a" * 8 + b"\xf8"  # stuffing of no bytes
    OLD_PACK = b"\0\0\1\xba\x21" + b"a" * 7
    PICTURE = b"\0\0\1\xe0\0\x40" + b"a" * 64

    @pytest.mark.parametrize("pack", [PACK, OLD_PACK, PACK[:-1] + b"\xfd12345"])
    def test_parts(self, pack):
        whole = (pack + self.PICTURE) * 5
        assert not cut_short(whole, "mpeg")
        assert not cut_short(whole + bytes(5000), "mpeg")
        assert not cut_short(whole + b"\0\0\1\xb9", "mpeg")
        assert cut_short(whole[:-1], "mpeg")
        assert cut_short(whole[:-20] + bytes(5000), "mpeg")

    def test_sound_may_be_cut(self):
        sound = b"\0\0\1\xc0" + self.PICTURE[4:]
        assert not cut_short((self.PACK + self.PICTURE + sound)[:-1], "mpeg")

    def test_a_bare_stream_says_nothing(self):
        assert not cut_short(b"\0\0\1\xb3" + b"a" * 100, "mpeg")


class TestFlash:
    HEADER = b"FLV\1\1\0\0\0\x09\0\0\0\0"
    TAG = b"\x09\0\0\x20" + b"a" * 7 + b"b" * 32 + b"\0\0\0\x2b"

    def test_parts(self):
        whole = self.HEADER + self.TAG * 5
        assert not cut_short(whole, "flv")
        assert not cut_short(whole[:-4], "flv")
        assert not cut_short(whole + bytes(100), "flv")
        assert cut_short(whole[:-5], "flv")
        assert cut_short(whole[:-20] + bytes(100), "flv")


class TestRiff:
    def avi(self, *chunks):
        movi = b"movi" + b"".join(chunks)
        content = b"AVI LIST" + len(movi).to_bytes(4, "little") + movi + b"idx1\4\0\0\0abcd"
        return b"RIFF" + len(content).to_bytes(4, "little") + content

    def test_zeros_between_chunks(self):
        chunk = b"00dc\4\0\0\0abcd"
        assert not cut_short(self.avi(chunk, chunk), "avi")
        assert not cut_short(self.avi(chunk, chunk) + bytes(500), "avi")
        assert cut_short(self.avi(chunk, bytes(12), chunk), "avi")


def test_lost_fragment():
    """A box of zeros behind one that ends in zeros, and padding behind a whole one."""
    box = b"\0\0\0\x28mdat"
    assert cut_short(box + b"a" * 10 + bytes(22) + bytes(100), "mp4")
    assert not cut_short(box + b"a" * 32 + bytes(100), "mp4")


def test_recorded_webm():
    """Neither the segment nor its clusters say how long they are; blocks do."""
    head = b"\x18\x53\x80\x67\xff\x1f\x43\xb6\x75\xff"
    block = b"\xa3\xa0" + b"a" * 32
    assert not cut_short(head + block * 3, "matroska")
    assert not cut_short(head + block * 3 + bytes(100), "matroska")
    assert cut_short((head + block * 3)[:-1], "matroska")
    assert cut_short((head + block * 3)[:-20] + bytes(100), "matroska")


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
        (b"\0\0\1\xb9", "mpeg"),
        (b"\x12" + bytes(14), "flv"),
        (b"a" * 16 + b"\x18" + bytes(7), "asf"),
        (b"\x47" + b"a" * 187, "mpegts"),
    ],
)
def test_endless_parts_come_to_an_end(part, media_format):
    read = Counting(part * 1_000_000)
    assert not is_cut_short(read, 1 << 40, media_format)
    assert read.count <= _MAX_PARTS + 2


def test_zeros_between_blocks():
    block = b"\xa3\xa0" + b"a" * 32
    clusters = b"\x1f\x43\xb6\x75\xff" + block + bytes(34) + block
    segment = b"\x18\x53\x80\x67" + bytes([0x80 | len(clusters)])
    assert cut_short(segment + clusters, "matroska")
    assert not cut_short(segment + clusters.replace(bytes(34), block) + bytes(99), "matroska")
