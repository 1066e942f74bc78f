"""Files of every format that are cut, or hold zeros where something else was."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import hashkit
from hashkit import notices
from hashkit.errors import MediaError
from hashkit.media import images
from hashkit.media.completeness import iso, jpeg, png, webp
from hashkit.media.completeness.finding import Finding
from hashkit.media.completeness.packets import has_gap
from hashkit.media.completeness.pictures import CHECKS, look_for_missing
from hashkit.media.completeness.uncompressed import Rows, check_rows
from hashkit.media.completeness.zeros import has_run, run_end, runs, tail_start
from hashkit.media.formats import IMAGES, identify


@pytest.fixture(scope="module")
def bench(root):
    sys.path[:0] = [str(root / "bench"), str(root / "samples_synthetic")]
    import missing_parts

    yield missing_parts
    del sys.path[:2]


def reported(data):
    """The notices that the picture is not whole, or the error."""
    try:
        found = images.decode(data, identify(data[:4096]).format).notices
    except MediaError as error:
        return {error.code}
    incomplete = {notices.TRUNCATED, notices.DAMAGED, notices.MAY_BE_INCOMPLETE}
    return {each.code for each in incomplete.intersection(found)}


def saved(picture, encoder, **options):
    stream = io.BytesIO()
    picture.save(stream, encoder, **options)
    return stream.getvalue()


STILL = [
    *("JPEG", "JPEG, grey", "JPEG, CMYK", "JPEG, own tables", "JPEG, restarts"),
    *("PNG", "PNG, palette", "PNG, animated", "GIF", "GIF, animated"),
    *("WebP", "WebP, lossless", "WebP, animated", "HEIC", "AVIF", "JPEG 2000, lossy"),
    *("TIFF, lzw", "TIFF, deflate", "TIFF, JPEG", "TIFF, PackBits", "TIFF, deflate, tiles"),
    *("icons, PNG", "icons, BMP", "BMP", "TIFF"),
]
MOVING = [
    *("MP4", "MP4, index first", "MP4, fragments", "QuickTime, HEVC", "Matroska", "WebM, VP8"),
    *("WebM, recorded", "AVI, MPEG-4", "AVI, MJPEG", "MPEG-TS", "MPEG", "FLV", "WMV"),
]
UNCOMPRESSED = {"BMP", "BMP, palette", "icons, BMP", "TIFF", "TIFF, tiles"}


def test_every_format_is_measured(bench):
    assert set(STILL + MOVING) <= set(bench.MAKERS)
    formats = {identify(bench.made(name, 0)[:4096]).format for name in STILL}
    assert formats == {each.name for each in IMAGES} == set(CHECKS)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        (name, way)
        for name in STILL + MOVING
        for way in ("cut", "zeros at the end", "hole", "lost blocks")
        if not (name in UNCOMPRESSED and way == "hole")  # nothing in the file can tell
    ],
)
def test_what_is_missing_is_reported(bench, name, way):
    """The rates of docs/incomplete-files.md, of few files."""
    moving = name in MOVING
    found = [*bench.outcomes(name, way, 1 if moving else 2, 4)]
    assert "silent" not in found
    assert found.count("reported") >= len(found) - 1


@pytest.mark.parametrize("name", [name for name in STILL if name not in UNCOMPRESSED])
def test_zeros_behind_the_end_are_no_damage(bench, name):
    data = bench.made(name, 0)
    assert reported(data) == set()
    assert reported(data + bytes(100_000)) == set()
    assert reported(data + bytes(100_000) + b"anything") == set()


@pytest.mark.parametrize("name", MOVING)
def test_zeros_behind_the_end_of_a_video(bench, name):
    data = bench.made(name, 0)
    whole = bench.hashed(data, moving=True)
    assert bench.hashed(data + bytes(9001), moving=True) == whole
    assert not whole.reported


def test_half_of_a_png(samples):
    """The second half was never written; the zeros decode to a picture."""
    data = (samples / "scene-3.png").read_bytes()
    half = len(data) // 2
    assert reported(data[:half] + bytes(len(data) - half)) == {"damaged"}


def test_the_notice_reaches_the_outcome(bench):
    data = bench.made("BMP", 0)
    found = hashkit.hash_file(io.BytesIO(data[:500_001].ljust(len(data), b"\0")))
    assert [each.code for each in found.notices] == ["may_be_incomplete"]
    assert "may be a plain part" in found.notices[0].text


class TestPlainPictures:
    """Black and plain areas are coded as zeros by some encoders."""

    PICTURES = ("black", "below", "above", "beside", "text", "ramp")

    @staticmethod
    def picture(what, width=1024, height=768):
        rng = np.random.default_rng(1)
        noise = Image.fromarray(rng.integers(1, 256, (height, width, 3), np.uint8))
        black = Image.new("RGB", (width, height))
        if what == "ramp":
            row = np.linspace(255, 0, width).astype(np.uint8)
            return Image.fromarray(np.tile(row[:, None], (height, 1, 3)))
        if what == "text":
            draw = ImageDraw.Draw(black)
            for y in range(30, height, 70):
                draw.text((31, y), "white on black " * 4, "white")
        boxes = {"below": (0, 300), "above": (0, -300), "beside": (400, 0)}
        if what in boxes:
            noise.paste(black, boxes[what])
            return noise
        return black

    @pytest.mark.parametrize("what", PICTURES)
    @pytest.mark.parametrize(
        ("encoder", "options"),
        [
            ("JPEG", {"quality": 75, "optimize": True}),
            ("JPEG", {"quality": 60, "progressive": True}),
            ("PNG", {}),
            ("GIF", {}),
            ("WEBP", {"lossless": True}),
            ("WEBP", {}),
            ("AVIF", {"speed": 10}),
            ("JPEG2000", {}),
            *(
                ("TIFF", {"compression": each})
                for each in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
            ),
            ("BMP", {}),
            ("TIFF", {}),
        ],
    )
    def test_nothing_is_reported(self, what, encoder, options):
        assert reported(saved(self.picture(what), encoder, **options)) == set()

    @pytest.mark.parametrize("what", PICTURES)
    def test_at_most_unsure(self, what):
        """The quickest lossless WebP writes plain areas as zeros."""
        data = saved(self.picture(what), "WEBP", lossless=True, method=0)
        assert reported(data) <= {"may_be_incomplete"}

    @pytest.mark.parametrize("encoder", ["BMP", "TIFF", "ICO"])
    def test_shapes_before_nothing(self, encoder):
        """Black, or transparent, on both sides and below; rows end in neither."""
        mask = Image.new("L", (256, 256))
        ImageDraw.Draw(mask).ellipse((20, 60, 236, 190), fill=255)
        clear = Image.new("RGB" if encoder == "BMP" else "RGBA", (256, 256))
        clear.paste(self.picture("beside", 256, 256).crop((0, 0, 256, 256)), mask=mask)
        options = {"bitmap_format": "bmp"} if encoder == "ICO" else {}
        assert reported(saved(clear, encoder, **options)) == set()

    @pytest.mark.parametrize("encoder", ["JPEG", "JPEG grey"])
    def test_slope(self, encoder):
        """Each block a step darker than the one before may be zeros, too."""
        picture = self.picture("ramp", 1024, 1024)
        if encoder.endswith("grey"):
            picture = picture.convert("L")
        data = saved(picture, "JPEG", quality=50, optimize=True, subsampling=0)
        assert reported(data) == set()


class TestUncompressed:
    """Rows of 1000 bytes from byte 54 on."""

    def found(self, kept, *, bits=8, hole=None, size=100_000):
        data = bytearray(b"\x11" * (54 + size))
        data[kept:] = bytes(len(data) - kept)
        if hole:
            data[hole[0] : hole[1]] = bytes(hole[1] - hole[0])
        return check_rows(bytes(data), Rows(54, len(data), 1000, 998, bits))

    def test_zeros_from_within_a_row(self):
        assert self.found(54 + 50_500) is Finding.UNSURE

    def test_black_from_a_row_on(self):
        assert self.found(54 + 50_000) is Finding.NOTHING
        assert self.found(54 + 49_998) is Finding.NOTHING  # bytes that fill up
        assert self.found(54 + 49_997) is Finding.UNSURE

    def test_rows_that_begin_with_a_block_of_the_disk(self):
        assert (54 + 51_658) % 512 == 0
        data = b"\x11" * 51_712 + bytes(51_200)
        assert check_rows(data, Rows(0, len(data), 512, 512, 8)) is Finding.UNSURE

    @pytest.mark.parametrize(("zeros", "found"), [(8191, Finding.NOTHING), (8192, Finding.UNSURE)])
    def test_how_many(self, zeros, found):
        assert self.found(54 + 100_000 - zeros) is found

    def test_all_black(self):
        assert self.found(54) is Finding.NOTHING
        assert check_rows(bytes(90_000), Rows(1024, 90_000, 999, 999, 8)) is Finding.NOTHING

    def test_holes(self):
        end = 54 + 100_000
        assert self.found(end, hole=(5120, 5120 + 4096)) is Finding.UNSURE
        assert self.found(end, hole=(5116, 5120 + 4096)) is Finding.UNSURE
        assert self.found(end, hole=(5115, 5120 + 4096)) is Finding.NOTHING
        assert self.found(end, hole=(5120, 5125 + 4096)) is Finding.NOTHING
        assert self.found(end, hole=(5632, 5120 + 4096)) is Finding.NOTHING  # too small

    def test_margins(self):
        row = b"\1\2\3\xff" * 100
        for margin, found in ((24, Finding.UNSURE), (25, Finding.NOTHING)):
            before = bytes(margin) + row[margin:]
            data = before * 50 + before[:80] + bytes(20_000)
            assert check_rows(data, Rows(0, len(data), 400, 400, 32)) is found


class TestZeros:
    def test_has_run(self):
        data = b"a" + bytes(64) + b"b"
        assert has_run(data, 0, 66)
        assert not has_run(data, 2, 66)
        assert not has_run(data, 0, 64)

    @pytest.mark.parametrize("zeros", [1, 65_535, 65_536, 65_537, 200_000])
    def test_ends(self, zeros):
        data = b"ab" + bytes(zeros) + b"c"
        assert run_end(data, 2, len(data)) == 2 + zeros
        assert run_end(data, 2, 2 + zeros) == 2 + zeros
        assert tail_start(data, 0, len(data) - 1) == 2
        assert tail_start(data, 0, len(data)) == len(data)
        assert tail_start(data, 2, len(data) - 1) == 2

    def test_runs(self):
        data = b"a" + bytes(10) + b"b" + bytes(9) + b"c" + bytes(20)
        assert [*runs(data, 0, len(data), 10)] == [(1, 11), (22, 42)]


class TestPackets:
    @pytest.mark.parametrize(("codec", "most"), [("h264", 63), ("av1", 63), ("vp8", 1263)])
    def test_gap(self, codec, most):
        pixels = 640 * 480
        assert has_gap(b"ab" + bytes(most + 1) + b"cd", codec, pixels)
        assert has_gap(bytes(most + 1), codec, pixels)
        assert not has_gap(b"ab" + bytes(most) + b"cd", codec, pixels)

    def test_zeros_that_fill_up(self):
        assert not has_gap(b"ab" + bytes(100) + b"\1cd", "mpeg2video", 1)
        assert not has_gap(b"ab" + bytes(100), "mpeg2video", 1)
        assert has_gap(b"ab" + bytes(100) + b"\1cd" + bytes(64) + b"e", "mpeg2video", 1)

    @pytest.mark.parametrize("codec", ["rawvideo", "wmv2"])
    def test_codecs_that_write_zeros(self, codec):
        assert not has_gap(bytes(5000), codec, 1)

    def test_jpegs(self, samples):
        data = (samples / "scene-1.jpg").read_bytes()
        assert not has_gap(data, "mjpeg", 1)
        assert not has_gap(data[:-2], "mjpeg", 1)  # as some cameras write them
        assert has_gap(data[:9000] + bytes(500) + data[9500:], "mjpeg", 1)


class TestJpeg:
    def test_the_end_is_missing(self, samples):
        data = (samples / "scene-1.jpg").read_bytes()
        assert jpeg.is_whole(data, 0, len(data))
        assert not jpeg.is_whole(data, 0, len(data) - 2)
        assert jpeg.is_whole(data, 0, len(data) - 2, ended=False)

    def test_plain_area_of_more_blocks_than_there_are(self):
        """With tables of its own, a plain picture is nothing but zeros; but not so many."""
        data = saved(Image.new("L", (4096, 4096), 128), "JPEG", optimize=True)
        scan = data.index(b"\xff\xda") + 10
        assert has_run(data, scan, len(data), 1000)
        assert jpeg.is_whole(data, 0, len(data))
        longer = data[: scan + 20] + bytes(len(data) + 1_000_000) + data[-2:]
        assert not jpeg.is_whole(longer, 0, len(longer))

    @pytest.mark.parametrize(
        ("dc", "ac", "scan", "most"),
        [
            # The standard's tables: zeros are detail.
            ((2, 0), (2, 1), b"\1\1\0\0\x3f\0", 63),
            ((2, 0), (2, 0xF0), b"\1\1\0\0\x3f\0", 63),
            # 512 x 512 blocks, each of a bit for its brightness and one for "no detail".
            ((1, 0), (1, 0), b"\1\1\0\0\x3f\0", 512 * 512 * 2 // 8),
            # At most 2048 steps: three bits for each, and one for "no detail".
            ((2, 1), (1, 0), b"\1\1\0\0\x3f\0", 2048 * 4 // 8),
            # Progressive: brightness alone, detail alone, one more bit.
            ((1, 0), (2, 1), b"\1\1\0\0\0\1", 512 * 512 // 8),
            ((2, 1), (2, 0x10), b"\1\1\0\1\5\1", 512 * 512 * 3 // 8),
            ((2, 1), (2, 1), b"\1\1\0\0\0\x10", 4096 * 4096 // 8),
            # Two components together, one of them with four blocks for each of the other.
            ((1, 0), (1, 0), b"\2\1\0\2\0\0\x3f\0", 256 * 256 * 10 // 8),
        ],
    )
    def test_max_zeros(self, dc, ac, scan, most):
        frame = jpeg._Frame(4096, 4096, {1: (2, 2), 2: (1, 1)}, {0: dc, 0x10: ac})
        assert frame.max_zeros(scan) == most


def test_webp_of_a_byte_less(bench):
    data = bench.made("WebP", 0)
    header = Image.new("L", (640, 480))
    assert webp.check(data, header) is Finding.NOTHING
    assert webp.check(data[:-1], header) is Finding.MISSING


def test_heic_of_a_last_box_without_a_length(samples):
    """Boxes do not tell that it is cut; items do."""
    data = (samples / "heic.heic").read_bytes()
    at = data.index(b"mdat") - 4
    assert at + int.from_bytes(data[at : at + 4], "big") == len(data)
    data = data[:at] + bytes(4) + data[at + 4 :]
    assert iso.check(data) is Finding.NOTHING
    assert iso.check(data[:-100]) is Finding.MISSING


def test_extents_that_take_no_bytes_are_counted_once():
    """Else a file of a megabyte would take hours."""
    item = b"\0\1" + b"\0\0" + b"\xff\xff"  # its number, where its data are, and its extents
    table = bytes(4) + b"\0\0" + b"\0\x03" + 3 * item  # all widths are zero
    assert list(iso._extents(table, 0, {1})) == [(0, 0)] * 3


def test_png_text_may_be_damaged(samples):
    data = bytearray((samples / "scene-3.png").read_bytes())
    data[data.index(b"a comment") + 3] ^= 1
    assert png.is_whole(bytes(data), 0)
    data[data.index(b"IDAT") + 300] ^= 1
    assert not png.is_whole(bytes(data), 0)


@pytest.mark.parametrize("name", CHECKS)
@given(data=st.binary(max_size=300))
def test_any_bytes(name, data):
    beginnings = {
        "jpeg": b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\1\1\x11\0\xff\xda",
        "webp": b"RIFF\0\1\0\0WEBP",
        "jpeg2000": b"\xff\x4f\xff\x51",
        "heif": b"\0\0\0\x0cftypheic\0\0\1\0meta\0\0\0\0\0\0\0\x10iinf",
        "ico": b"\0\0\1\0\1\0",
    }
    found = look_for_missing(Image.new("L", (16, 16)), name, beginnings.get(name, b"") + data)
    assert found in Finding
