"""Pictures as people have them: what browsers show is hashed, and what cannot be is named."""

from __future__ import annotations

import io
import struct
import tomllib
import zlib
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from hashkit import hash_file, notices
from hashkit.errors import IsAnArchive, MediaError, NotMedia, TooManyPixels, UnsupportedMedia
from hashkit.media import animations, apng, clean_aperture, formats, images, opening
from hashkit.models import FailedFile
from hashkit.pipeline.hashing import hash_or_fail
from hashkit.pipeline.options import Options
from hashkit.sandbox.protocol import outcome_from_json, outcome_to_json

CASES = Path(__file__).parents[1] / "cases"
EXPECTED = tomllib.loads((CASES / "expected.toml").read_text())
BASE = EXPECTED["base_jpg"]["pdq"]
OPTIONS = Options.checked("services", 1.0, 200_000_000, "none")


def scene(height=96, width=144, seed=1):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    return cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)


PICTURE = Image.fromarray(scene())


def saved(picture, encoder, **options):
    stream = io.BytesIO()
    picture.save(stream, encoder, **options)
    return stream.getvalue()


def decoded(data):
    return images.decode(data, formats.identify(data).format)


def codes(picture):
    return [each.code for each in picture.notices]


def chunk(name, content, *, damage=0):
    checksum = zlib.crc32(name + content) ^ damage
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


class TestCases:
    @pytest.mark.parametrize(
        ("file", "value"),
        [
            *((each["file"], each["pdq"]) for each in EXPECTED.values() if "pdq" in each),
            *((EXPECTED[key]["file"], BASE) for key in ("png_text_cut", "png_text_crc")),
            ("apng_hidden.png", BASE),  # measured with Chromium 156
            ("a_clap.avif", "0e5ee57a…ab91"),
            ("gif_small_first.gif", "93e45a69…f87b"),
        ],
    )
    def test_what_browsers_show_is_hashed(self, file, value):
        begin, _, end = value.partition("…")
        found = hash_file(CASES / file, "pdq").hashes[0].text
        assert found.startswith(begin)
        assert found.endswith(end)

    @pytest.mark.parametrize("key", ["gif_padded", "gain_map", "preview"])
    def test_no_untrue_notice(self, key):
        found = hash_file(CASES / EXPECTED[key]["file"], "all", sample="all")
        assert [each.code for each in found.notices] == EXPECTED[key]["notices"]

    def test_size(self):
        assert decoded((CASES / "a_clap.avif").read_bytes()).pixels.shape == (200, 200, 3)

    def test_hidden_picture_is_no_frame(self):
        found = hash_file(CASES / "apng_hidden.png", ["pdq", "vpdq"], sample="all")
        assert len(found.frames.hashes) == EXPECTED["apng_hidden"]["frames"]
        assert found.frames.hashes[0].value == found.hashes[0].text

    @pytest.mark.parametrize(
        ("file", "kind"),
        [
            ("jpeg12.jpg", "a JPEG picture with 12 bits a colour"),
            ("photo.jxr", "a JPEG XR picture"),
            ("cgbi.png", "a PNG picture of an iPhone app"),
            ("burst_msf1.heics", "a burst of HEIC pictures"),
            ("photo.avci", "a HEIF picture coded as AVC"),
            ("heif_jpeg_brand.heif", "a HEIF picture coded as JPEG"),
        ],
    )
    def test_what_cannot_be_opened_is_named(self, file, kind):
        assert file in EXPECTED["unsupported"]["files"]
        outcome = through_protocol(CASES / file)
        assert str(outcome.error) == f"This is {kind}, which cannot be opened here."
        assert type(outcome.error) is UnsupportedMedia
        assert exact_names(outcome) == {"md5", "sha1", "sha256"}

    def test_archive(self):
        outcome = through_protocol(CASES / "snap.jpg")
        assert outcome.error.code == "is_an_archive"
        assert "Unpack it first" in outcome.error.advice
        assert exact_names(outcome) == {"md5", "sha1", "sha256"}


def through_protocol(path):
    """What the parent of a worker makes of its answer."""
    outcome = outcome_from_json(outcome_to_json(hash_or_fail(path, OPTIONS)), path)
    assert isinstance(outcome, FailedFile)
    return outcome


def exact_names(outcome):
    return {each.algorithm for each in outcome.hashes}


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found.tobytes()


class TestOrientation:
    @pytest.mark.parametrize("encoder", ["PNG", "WEBP", "TIFF", "JPEG", "AVIF", "JPEG2000"])
    def test_xmp_does_not_turn(self, encoder):
        found = decoded(with_xmp(encoder))
        assert found.pixels.shape[:2] == (96, 144)

    @pytest.mark.parametrize("encoder", ["PNG", "WEBP", "TIFF", "JPEG"])
    def test_exif_decides_where_both_say_something(self, encoder):
        upside_down = decoded(with_xmp(encoder, exif=exif(3))).pixels
        upright = decoded(with_xmp(encoder)).pixels
        assert upside_down.shape == upright.shape
        assert np.array_equal(upside_down, upright[::-1, ::-1])

    def test_png_text_does_not_turn(self):
        text = b"Raw profile type exif\0\nexif\n%8d\n" % len(exif(6)) + exif(6).hex().encode()
        plain = saved(PICTURE, "PNG")
        data = plain[:33] + chunk(b"tEXt", text) + plain[33:]
        assert decoded(data).pixels.shape[:2] == (96, 144)

    def test_png_exif_behind_the_pixels_turns(self):
        plain = saved(PICTURE, "PNG")
        data = plain[:-12] + chunk(b"eXIf", exif(6)[6:]) + plain[-12:]
        assert decoded(data).pixels.shape[:2] == (144, 96)


def with_xmp(encoder, **options):
    if encoder == "PNG":
        plain = saved(PICTURE, "PNG", **options)
        text = b"XML:com.adobe.xmp\0\0\0\0\0" + XMP
        return plain[:33] + chunk(b"iTXt", text) + plain[33:]
    if encoder == "TIFF":
        tags = {700: XMP}
        if options:
            tags[0x0112] = 3
        return saved(PICTURE, "TIFF", tiffinfo=tags)
    return saved(PICTURE, encoder, xmp=XMP, **options)


def jpeg_segment(marker, content, length=None):
    length = len(content) + 2 if length is None else length
    return bytes([0xFF, marker]) + struct.pack(">H", length) + content


class TestJpegMetadata:
    plain = saved(PICTURE, "JPEG", exif=exif(6))

    @pytest.mark.parametrize(
        "segment",
        [
            jpeg_segment(0xE0, b"JFIF\0"),
            jpeg_segment(0xE0, b"JFIF\0\1"),
            jpeg_segment(0xE2, b"ICC_PROFILE\0"),
            jpeg_segment(0xE2, b"ICC_PROFILE\0\1"),
            jpeg_segment(0xEE, b"Adobe\0"),
            jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\4\4"),
            jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"x" * 9, 12),
            jpeg_segment(0xE1, b"", 1),
            jpeg_segment(0xE2, b"MPF\0MM\0"),
            jpeg_segment(0xFE, b"a comment that is longer than it says", 5),
        ],
    )
    @pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
    def test_pixels_and_orientation_stay(self, segment, mode):
        plain = saved(PICTURE.convert(mode), "JPEG", exif=exif(6))
        found = decoded(plain[:2] + segment + plain[2:])
        assert np.array_equal(found.pixels, decoded(plain).pixels)
        assert found.pixels.shape[:2] == (144, 96)
        assert codes(found) == []

    @pytest.mark.parametrize("marker", [b"\xff\xdb", b"\xff\xc0", b"\xff\xe1"])
    def test_bytes_between_segments_are_no_damage(self, marker):
        at = self.plain.index(marker)
        found = decoded(self.plain[:at] + b"stray bytes" + self.plain[at:])
        assert np.array_equal(found.pixels, decoded(self.plain).pixels)
        assert codes(found) == []

    def test_damage_is_reported_all_the_same(self):
        broken = (
            self.plain[:2] + jpeg_segment(0xE0, b"JFIF\0") + self.plain[2 : len(self.plain) // 2]
        )
        assert codes(decoded(broken)) == ["truncated"]

    @pytest.mark.parametrize("data", [b"", b"\xff\xd9", b"\xff\xda\0\x0c" + bytes(10)])
    def test_without_a_picture_there_is_none(self, data):
        with pytest.raises(MediaError):
            decoded(b"\xff\xd8" + jpeg_segment(0xE0, b"JFIF\0") + data)

    def test_limit_of_pixels_holds(self):
        data = self.plain[:2] + jpeg_segment(0xE0, b"JFIF\0") + self.plain[2:]
        with pytest.raises(TooManyPixels):
            images.decode(data, "jpeg", 96 * 144 - 1)


class TestPngMetadata:
    plain = saved(PICTURE, "PNG")

    @pytest.mark.parametrize(
        "broken",
        [
            chunk(b"tEXt", b"Title\0x", damage=1),
            chunk(b"iCCP", b"name\0\0" + b"no deflate", damage=1),
            chunk(b"iCCP", b"name\0\1", damage=0),
            chunk(b"gAMA", b"\0"),
            chunk(b"pHYs", b"\0\0"),
            chunk(b"cHRM", b"", damage=7),
            chunk(b"zTXt", b"Title\0\1no deflate"),
            chunk(b"iTXt", b"Title\0\1\0\0\0no deflate"),
        ],
    )
    @pytest.mark.parametrize("place", ["before", "behind"])
    def test_pixels_stay(self, broken, place):
        at = 33 if place == "before" else len(self.plain) - 12
        found = decoded(self.plain[:at] + broken + self.plain[at:])
        assert np.array_equal(found.pixels, scene())
        assert codes(found) == []

    @pytest.mark.parametrize("cut", [8, 9, 20])
    def test_file_that_ends_in_text_has_its_picture(self, cut):
        text = chunk(b"tEXt", b"Title\0" + b"x" * 60)
        found = decoded(self.plain[:-12] + text[:cut])
        assert np.array_equal(found.pixels, scene())
        assert "damaged" not in codes(found)

    def test_exif_that_is_damaged_does_not_turn(self):
        data = self.plain[:33] + chunk(b"eXIf", exif(6)[6:], damage=1) + self.plain[33:]
        assert np.array_equal(decoded(data).pixels, scene())

    def test_whole_exif_beside_broken_text_turns(self):
        extra = chunk(b"eXIf", exif(6)[6:]) + chunk(b"tEXt", b"Title\0x", damage=1)
        data = self.plain[:33] + extra + self.plain[33:]
        assert decoded(data).pixels.shape[:2] == (144, 96)

    def test_broken_pixels_are_reported_all_the_same(self):
        noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        plain = saved(Image.fromarray(noise), "PNG")
        text = chunk(b"tEXt", b"Title\0x", damage=1)
        cut = decoded(plain[:33] + text + plain[33 : len(plain) // 2])
        assert codes(cut) == ["truncated"]

    def test_animation_beside_broken_text_moves(self):
        frames = [Image.fromarray(scene(seed=each)) for each in range(3)]
        plain = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
        data = plain[:33] + chunk(b"tEXt", b"Title\0x", damage=1) + plain[33:]
        found = hash_file(io.BytesIO(data), ["pdq", "vpdq"], sample="all")
        assert [each.code for each in found.notices] == ["animated"]
        assert len(found.frames.hashes) == len(frames)


class TestWebpMetadata:
    @pytest.mark.parametrize("lossless", [False, True])
    def test_file_that_ends_in_metadata_has_its_picture(self, lossless):
        whole = saved(PICTURE, "WEBP", lossless=lossless, exif=exif(3), xmp=XMP)
        found = decoded(whole[: -len(XMP) // 2])
        assert np.array_equal(found.pixels, decoded(whole).pixels)


def with_aperture(*numbers, subsampling="4:2:0", mode="RGB", size=(96, 144), turned=None):
    """An AVIF whose only item has a clean aperture; ``turned``: and is turned then."""
    picture = Image.fromarray(scene(*size)).convert(mode)
    options = {} if turned is None else {"exif": exif(turned)}
    data = saved(picture, "AVIF", quality=95, subsampling=subsampling, **options)
    return add_property(data, b"clap", struct.pack(">8i", *numbers))


def add_property(data, name, content, item=1):
    """The AVIF with one more property, the first of the item."""
    box = struct.pack(">I", len(content) + 8) + name + content
    at = data.index(b"ipco") - 4
    kinds_end = at + int.from_bytes(data[at : at + 4], "big")
    ipma = data.index(b"ipma") - 4
    count_at = ipma + 18
    assert data[ipma + 8 : ipma + 18] == bytes(7) + b"\1" + struct.pack(">H", item)
    kinds, place = 0, at + 8
    while place < kinds_end:
        place += int.from_bytes(data[place : place + 4], "big")
        kinds += 1
    changed = bytearray(data)
    changed[count_at] += 1
    used = data[count_at]
    turns = 0  # properties that turn go last
    for index in data[count_at + 1 : count_at + 1 + used]:
        turns += property_name(data, at + 8, index & 127) in (b"irot", b"imir")
    changed.insert(count_at + 1 + used - turns, (kinds + 1) | 0x80)
    changed[kinds_end:kinds_end] = box
    for box_name, grown in ((b"ipma", 1), (b"ipco", len(box))):
        grow(changed, box_name, grown)
    for box_name in (b"iprp", b"meta"):
        grow(changed, box_name, len(box) + 1)
    iloc = changed.index(b"iloc")
    assert changed[iloc + 8] == 0x44, "offsets and lengths of four bytes"
    move_extents(changed, iloc, len(box) + 1)
    return bytes(changed)


def property_name(data, place, index):
    for _ in range(index - 1):
        place += int.from_bytes(data[place : place + 4], "big")
    return data[place + 4 : place + 8]


def grow(data, name, by):
    at = data.index(name) - 4
    data[at : at + 4] = struct.pack(">I", int.from_bytes(data[at : at + 4], "big") + by)


def move_extents(data, iloc, by):
    count = int.from_bytes(data[iloc + 10 : iloc + 12], "big")
    place = iloc + 12
    for _ in range(count):
        # The item, how and where its bytes are, a base, the number of its extents: one.
        place += 6 + 2 * (data[iloc + 4] > 0) + (data[iloc + 9] >> 4)
        at = int.from_bytes(data[place : place + 4], "big") + by
        data[place : place + 4] = struct.pack(">I", at)
        place += 8


class TestCleanAperture:
    def test_centre(self):
        whole, found = (
            decoded(saved(PICTURE, "AVIF", quality=95)),
            decoded(with_aperture(100, 1, 60, 1, 0, 1, 0, 1)),
        )
        assert found.pixels.shape == (60, 100, 3)
        assert np.array_equal(found.pixels, whole.pixels[18:78, 22:122])

    @pytest.mark.parametrize(
        ("numbers", "rows", "columns"),
        [
            ((100, 1, 60, 1, -22, 1, -18, 1), (0, 60), (0, 100)),
            ((100, 1, 60, 1, 22, 1, 18, 1), (36, 96), (44, 144)),
            ((200, 2, 180, 3, -20, 2, 6, 3), (20, 80), (12, 112)),
            ((101, 1, 61, 1, -3, 2, 1, 2), (18, 79), (20, 121)),
            ((144, 1, 2, 1, 0, 1, -47, 1), (0, 2), (0, 144)),
        ],
    )
    def test_offset(self, numbers, rows, columns):
        whole = decoded(saved(PICTURE, "AVIF", quality=95)).pixels
        found = decoded(with_aperture(*numbers)).pixels
        assert np.array_equal(found, whole[slice(*rows), slice(*columns)])

    @pytest.mark.parametrize(
        "numbers",
        [
            (100, 1, 60, 1, -23, 1, 0, 1),  # out of the picture
            (100, 1, 60, 1, 0, 1, 19, 1),
            (146, 1, 96, 1, 0, 1, 0, 1),
            (201, 2, 60, 1, 0, 1, 0, 1),  # half a pixel
            (100, 1, 60, 1, 1, 2, 0, 1),
            (100, 0, 60, 1, 0, 1, 0, 1),
            (100, 1, 60, 1, 0, 0, 0, 1),
            (0, 1, 60, 1, 0, 1, 0, 1),
            (100, 1, -60, 1, 0, 1, 0, 1),
            (100, 1, 60, 1, 1, 1, 0, 1),  # between two pixels of colour, as Chromium 156 has it
            (100, 1, 60, 1, 0, 1, 1, 1),
        ],
    )
    def test_what_browsers_ignore(self, numbers):
        assert decoded(with_aperture(*numbers)).pixels.shape == (96, 144, 3)

    @pytest.mark.parametrize(
        ("subsampling", "shape"),
        [("4:4:4", (60, 100)), ("4:2:2", (96, 144)), ("4:2:0", (96, 144)), ("4:0:0", (60, 100))],
    )
    def test_odd_start(self, subsampling, shape):
        mode = "L" if subsampling == "4:0:0" else "RGB"
        options = {"subsampling": subsampling, "mode": mode}
        found = decoded(with_aperture(100, 1, 60, 1, 1, 1, 0, 1, **options))
        assert found.pixels.shape[:2] == shape

    @pytest.mark.parametrize("turned", [3, 5, 6, 8])
    def test_it_is_cut_before_it_is_turned(self, turned):
        numbers = (100, 1, 60, 1, -22, 1, 18, 1)
        upright = decoded(with_aperture(*numbers)).pixels
        found = decoded(with_aperture(*numbers, turned=turned)).pixels
        assert np.array_equal(found, images._upright(upright, turned))

    def test_only_that_of_the_primary_item(self):
        data = with_aperture(100, 1, 60, 1, 0, 1, 0, 1)
        other = bytearray(data)
        ipma = data.index(b"ipma") - 4
        other[ipma + 17] = 2  # another item's properties
        assert clean_aperture.crop_of(data, 144, 96) is not None
        assert clean_aperture.crop_of(bytes(other), 144, 96) is None

    def test_libheif_cuts_it_off_heic_by_itself(self):
        stream = io.BytesIO()
        pillow_heif.from_pillow(PICTURE).save(stream, quality=95)
        whole = stream.getvalue()
        part = add_property(whole, b"clap", struct.pack(">8i", 100, 1, 60, 1, -22, 1, 18, 1))
        found = decoded(part).pixels
        assert found.shape == (60, 100, 3)
        assert near(found, decoded(whole).pixels[36:, :100].astype(int), 40)

    def test_any_cut_or_changed_byte_is_borne(self):
        data = with_aperture(100, 1, 60, 1, 0, 1, 0, 1)[:500]
        for at in range(len(data)):
            clean_aperture.crop_of(data[:at], 144, 96)
            for value in (0, 255, data[at] ^ 1):
                crop = clean_aperture.crop_of(data[:at] + bytes([value]) + data[at + 1 :], 144, 96)
                assert crop is None or np.zeros((96, 144))[crop].size


def hidden_apng(frames, boxes, *, mode="RGB", hidden=None, size=(144, 96), interlaced=False):
    """An APNG whose own picture is not a frame. ``frames`` are drawn in ``boxes``."""
    hidden = hidden or Image.new("RGB", size, "red").convert(mode)
    first = saved(hidden.convert(mode), "PNG")
    header = bytearray(first[16:29])
    header[12] = interlaced
    chunks = [
        first[:8],
        chunk(b"IHDR", bytes(header)),
        chunk(b"acTL", struct.pack(">II", len(frames), 0)),
    ]
    chunks += [
        chunk(name, content) for name, content in contents(first) if name in (b"PLTE", b"tRNS")
    ]
    chunks.append(
        chunk(
            b"IDAT", zlib.compress(b"".join(idat(first)) and zlib.decompress(b"".join(idat(first))))
        )
    )
    number = 0
    for frame, (left, top) in zip(frames, boxes, strict=True):
        control = struct.pack(">IIIIIHHBB", number, *frame.size, left, top, 1, 10, 0, 1)
        data = struct.pack(">I", number + 1) + b"".join(idat(saved(frame.convert(mode), "PNG")))
        chunks += [chunk(b"fcTL", control), chunk(b"fdAT", data)]
        number += 2
    return b"".join((*chunks, chunk(b"IEND", b"")))


def contents(data):
    place = 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def idat(data):
    return [content for name, content in contents(data) if name == b"IDAT"]


def on_white(picture, size, box):
    canvas = Image.new("RGBA", size, "white")
    canvas.alpha_composite(picture.convert("RGBA"), box)
    return np.asarray(canvas.convert("RGB"))


class TestHiddenPicture:
    @pytest.mark.parametrize("size", [(144, 96), (37, 53), (1, 1), (7, 300)])
    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L"])
    def test_frames_are_those_of_the_animation(self, size, mode):
        frames = [Image.fromarray(scene(*size[::-1], seed=each)) for each in range(3)]
        data = hidden_apng(frames, [(0, 0)] * 3, mode=mode, size=size)
        found = decoded(data)
        wanted = frames[0].convert(mode).convert("RGB")
        assert np.array_equal(
            np.dstack([found.pixels] * 3)[..., :3] if found.pixels.ndim == 2 else found.pixels,
            np.asarray(wanted),
        )
        assert codes(found) == ["animated"]
        assert len([*animations.Animation(data, "png").frames()]) == 3

    @pytest.mark.parametrize("mode", ["RGB", "RGBA"])
    def test_what_a_small_frame_leaves_free_is_white(self, mode):
        frames = [Image.fromarray(scene(31, 45, seed=each)) for each in range(2)]
        data = hidden_apng(frames, [(10, 20), (60, 50)], mode=mode)
        assert np.array_equal(decoded(data).pixels, on_white(frames[0], (144, 96), (10, 20)))
        second = [*animations.Animation(data, "png").frames()][1]
        both = on_white(frames[0], (144, 96), (10, 20)).copy()
        both[50:81, 60:105] = np.asarray(frames[1])
        assert np.array_equal(second._native.to_ndarray(format="rgb24"), both)

    @pytest.mark.parametrize("colours", [2, 5, 16, 200])
    def test_palette(self, colours):
        small = Image.fromarray(scene(31, 45)).quantize(colours)
        small.putpalette(small.getpalette()[: 3 * colours])
        hidden = small.resize((144, 96))
        data = hidden_apng([small, small], [(10, 20), (10, 20)], mode="P", hidden=hidden)
        found = decoded(data).pixels
        frame = np.asarray(small.convert("RGB"))
        assert np.array_equal(found[20:51, 10:55], frame)
        free = np.delete(found.reshape(-1, 3), np.flatnonzero(inside((96, 144), 20, 51, 10, 55)), 0)
        assert len(np.unique(free, axis=0)) == 1
        if colours not in (2, 16):  # else the palette is full
            assert free.min() == 255

    def test_one_frame_does_not_move(self):
        data = hidden_apng([PICTURE], [(0, 0)])
        assert codes(decoded(data)) == []
        assert np.array_equal(decoded(data).pixels, scene())

    @pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 9), (16, 16), (33, 7)])
    @pytest.mark.parametrize("mode", ["RGB", "LA", "1"])
    def test_empty_picture_of_interlaced_ones(self, size, mode):
        data = hidden_apng([Image.new(mode, size)], [(0, 0)], mode=mode, size=size, interlaced=True)
        picture = Image.open(io.BytesIO(apng.with_empty_picture(data)))
        picture.load()
        nothing = picture.convert("RGBA") if mode == "LA" else picture.convert("RGB")
        assert np.unique(np.asarray(nothing)).tolist() == [0 if mode == "LA" else 255]

    def test_still_picture_stays(self):
        assert not apng.has_hidden_picture(saved(PICTURE, "PNG"))

    def test_picture_that_is_a_frame_stays(self):
        frames = [Image.fromarray(scene(seed=each)) for each in range(3)]
        data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
        assert not apng.has_hidden_picture(data)
        assert np.array_equal(decoded(data).pixels, scene(seed=0))


def inside(shape, top, bottom, left, right):
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def gif(size, frames, *, global_palette=True):
    """A GIF of ``frames``: grey value, box, disposal, and whether value 0 is transparent."""
    table = bytes(each for value in (0, 85, 170, 254) for each in (value, value // 2, 0))
    flags = 0x81 if global_palette else 0
    out = [b"GIF89a" + struct.pack("<HHBBB", *size, flags, 1, 0), table if global_palette else b""]
    for value, (left, top, width, height), disposal, clear in frames:
        out.append(b"\x21\xf9\4" + struct.pack("<BHBB", disposal << 2 | clear, 10, 0, 0))
        local = b"" if global_palette else table
        out.append(
            b"," + struct.pack("<HHHHB", left, top, width, height, 0x81 if local else 0) + local
        )
        out.append(b"\2" + lzw([value] * (width * height)) + b"\0")
    return b"".join((*out, b";"))


def lzw(values):
    """Codes of three bits, cleared before they grow."""
    bits = "".join(f"{code:03b}"[::-1] for value in values for code in (4, value)) + "101"
    data = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    return b"".join(
        bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255)
    )


def colour(value):
    level = (0, 85, 170, 254)[value]
    return [level, level // 2, 0]


def gif_frames(data):
    found = animations.Animation(data, "gif").frames()
    return [each._native.to_ndarray(format="rgb24") for each in found]


WHITE = [255, 255, 255]


class TestGif:
    @pytest.mark.parametrize("global_palette", [True, False])
    @pytest.mark.parametrize("box", [(3, 2, 5, 4), (0, 0, 19, 16), (0, 0, 20, 15), (19, 15, 1, 1)])
    @pytest.mark.parametrize("clear", [False, True])
    def test_what_the_first_frame_leaves_free_is_white(self, global_palette, box, clear):
        data = gif((20, 16), [(2, box, 0, clear)], global_palette=global_palette)
        found = decoded(data)
        wanted = np.full((16, 20, 3), WHITE)
        left, top, width, height = box
        wanted[top : top + height, left : left + width] = colour(2)
        assert np.array_equal(found.pixels, wanted)
        assert codes(found) == []

    @pytest.mark.parametrize(("box", "first"), [((0, 0, 20, 16), 0), ((0, 0, 20, 15), 1)])
    def test_frame_that_covers_all_is_taken_as_it_is(self, box, first):
        data = gif((20, 16), [(2, box, 0, False)])
        assert opening.open_frames(data, opening.open_header(data, "gif"))[1] == first

    def test_later_frames_are_laid_on_it(self):
        data = gif((20, 16), [(2, (3, 2, 5, 4), 1, False), (1, (10, 8, 5, 4), 1, False)])
        _, second = gif_frames(data)
        wanted = np.full((16, 20, 3), WHITE)
        wanted[2:6, 3:8] = colour(2)
        wanted[8:12, 10:15] = colour(1)
        assert np.array_equal(second, wanted)

    @pytest.mark.parametrize("first", [(0, 0, 20, 16), (3, 2, 5, 4)])
    @pytest.mark.parametrize("clear", [False, True])
    @pytest.mark.parametrize("disposal", [2, 3])
    def test_before_the_first_frame_is_nothing(self, first, clear, disposal):
        """Compared with the frames of Chromium's ImageDecoder."""
        frames = [
            (2, first, disposal, clear),
            (1, (10, 8, 5, 4), disposal, clear),
            (3, (0, 0, 2, 2), 1, clear),
        ]
        found = gif_frames(gif((20, 16), frames))
        second, third = np.full((2, 16, 20, 3), WHITE)
        second[8:12, 10:15] = colour(1)
        third[:2, :2] = colour(3)
        assert np.array_equal(found[1], second)
        assert np.array_equal(found[2], third)

    def test_value_that_is_transparent(self):
        data = gif((20, 16), [(0, (0, 0, 20, 16), 1, True), (2, (4, 4, 2, 2), 1, True)])
        first, second = gif_frames(data)
        assert (first == 255).all()
        assert second[5, 5].tolist() == colour(2)
        assert second[0, 0].tolist() == WHITE


def bmp(rows, width, height, *, bits, coding=0, header=40, masks=(), palette=b"", extra=b""):
    """``header``: its length. ``masks``: within it, or behind 40 bytes."""
    info = struct.pack("<iiHHIIiiII", width, height, 1, bits, coding, len(rows), 0, 0, 0, 0)
    info += struct.pack(f"<{len(masks)}I", *masks)
    info = info[: header - 4] if header < 40 else info.ljust(header - 4, b"\0")
    body = struct.pack("<I", header) + info + palette
    return (
        b"BM" + struct.pack("<IHHI", 14 + len(body) + len(rows), 0, 0, 14 + len(body)) + body + rows
    )


def packed(pixels, masks, alpha=None):
    """Each colour in the bits of its mask."""
    whole = np.zeros(pixels.shape[:2], np.uint64)
    parts = [*np.moveaxis(pixels, 2, 0), *([] if alpha is None else [alpha])]
    for part, mask in zip(parts, masks, strict=False):
        shift = (mask & -mask).bit_length() - 1
        top = mask >> shift
        whole |= (part.astype(np.uint64) * top + 127) // 255 << np.uint64(shift)
    return whole


def near(pixels, wanted, most):
    return pixels.shape == wanted.shape and np.abs(pixels.astype(int) - wanted).max() <= most


class TestBmp:
    @pytest.mark.parametrize("top_down", [False, True])
    @pytest.mark.parametrize("header", [40, 52, 56, 108, 124])
    @pytest.mark.parametrize(
        ("bits", "masks", "most"),
        [
            (16, (0xF800, 0x7E0, 0x1F), 8),
            (16, (0x7C00, 0x3E0, 0x1F), 8),
            (16, (0xF00, 0xF0, 0xF), 9),
            (32, (0xFF0000, 0xFF00, 0xFF), 0),
            (32, (0xFF, 0xFF00, 0xFF0000), 0),
            (32, (0x3FF00000, 0xFFC00, 0x3FF), 1),
            (32, (0xFF000000, 0xFF0000, 0xFF00), 0),
        ],
    )
    def test_masks(self, bits, masks, most, header, top_down):
        wanted = scene(30, 42)
        stored = packed(wanted if top_down else wanted[::-1], masks).astype(f"<u{bits // 8}")
        height = -30 if top_down else 30
        data = bmp(
            stored.tobytes(),
            42,
            height,
            bits=bits,
            coding=3,
            masks=masks if header > 40 else (),
            header=header,
        )
        if header == 40:
            data = masks_behind(data, masks)
        found = decoded(data)
        assert near(found.pixels, wanted, most)
        assert codes(found) == []

    def test_bits_beyond_the_pixel_do_not_count(self):
        masks = (0xF00, 0xF0, 0xF)
        rows = packed(scene(30, 42)[::-1], masks).astype("<u2").tobytes()
        plain = bmp(rows, 42, 30, bits=16, coding=3)
        beyond = decoded(masks_behind(plain, (0x10F00, *masks[1:]))).pixels
        assert np.array_equal(beyond, decoded(masks_behind(plain, masks)).pixels)

    def test_alpha_is_laid_on_white(self):
        masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        alpha = np.zeros((30, 42), np.uint8)
        alpha[:10], alpha[10:20] = 255, 128
        wanted = scene(30, 42)
        rows = packed(wanted[::-1], masks, alpha[::-1]).astype("<u4").tobytes()
        found = decoded(bmp(rows, 42, 30, bits=32, coding=3, masks=masks, header=124)).pixels
        assert np.array_equal(found[:10], wanted[:10])
        assert near(found[10:20], (wanted[10:20] * (128 / 255) + 127).round(), 1)
        assert (found[20:] == 255).all()

    def test_alpha_that_is_nowhere_is_none(self):
        masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        wanted = scene(30, 42)
        rows = packed(wanted[::-1], masks[:3]).astype("<u4").tobytes()
        found = decoded(bmp(rows, 42, 30, bits=32, coding=3, masks=masks, header=124)).pixels
        assert np.array_equal(found, wanted)

    @pytest.mark.parametrize("header", [12, 16, 40, 64])
    def test_headers_of_os2(self, header):
        wanted = scene(30, 44)
        rows = wanted[::-1, :, ::-1].tobytes()
        if header == 12:
            body = struct.pack("<IHHHH", 12, 44, 30, 1, 24)
            data = b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + body + rows
        else:
            data = bmp(rows, 44, 30, bits=24, header=header)
        assert np.array_equal(decoded(data).pixels, wanted)

    @pytest.mark.parametrize("coding", [1, 2])
    def test_run_lengths(self, coding):
        palette = bytes(each for value in range(16) for each in (value * 16, value * 8, value, 0))
        palette += bytes(4 * 240) if coding == 1 else b""
        row = (
            b"".join(bytes([8, value * (17 if coding == 2 else 1)]) for value in range(5)) + b"\0\0"
        )
        bits = 8 if coding == 1 else 4
        data = bmp(row * 6 + b"\0\1", 40, 6, bits=bits, coding=coding, palette=palette)
        found = decoded(data)
        wanted = np.repeat([[value, value * 8, value * 16] for value in range(5)], 8, axis=0)
        assert np.array_equal(found.pixels, np.tile(wanted, (6, 1, 1)))
        assert np.array_equal(
            cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1], found.pixels
        )

    @pytest.mark.parametrize(("coding", "header"), [(4, 40), (5, 40), (3, 64), (4, 64), (9, 40)])
    def test_rare_ones_are_named(self, coding, header):
        with pytest.raises(UnsupportedMedia, match="BMP picture of a rare kind"):
            decoded(bmp(bytes(400), 10, 10, bits=32, coding=coding, header=header))

    def test_cut_short(self):
        masks = (0xF00, 0xF0, 0xF)
        rows = packed(scene(30, 42)[::-1], masks).astype("<u2").tobytes()
        data = masks_behind(bmp(rows, 42, 30, bits=16, coding=3), masks)
        assert codes(decoded(data[: -len(rows) // 2])) == ["damaged"]
        with pytest.raises(MediaError):
            decoded(data[:70])

    def test_limit_of_pixels_holds(self):
        data = masks_behind(bmp(bytes(80), 10, -4, bits=16, coding=3), (0xF00, 0xF0, 0xF))
        with pytest.raises(TooManyPixels):
            images.decode(data, "bmp", 39)
        assert images.decode(data, "bmp", 40).pixels.shape == (4, 10, 3)


def masks_behind(data, masks):
    """Of a header of 40 bytes, the masks come behind it."""
    behind = struct.pack(f"<{len(masks)}I", *masks)
    offset = struct.pack("<I", 54 + len(behind))
    return data[:10] + offset + data[14:54] + behind + data[54:]


def mpf(*kinds, order=">"):
    """An index of pictures, the first of which is the file's own."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    entries = b"".join(struct.pack(f"{order}IIIHH", kind, 9, 9, 0, 0) for kind in (0x30000, *kinds))
    tags = struct.pack(f"{order}HHHIII", 1, 0xB002, 7, len(entries), 26, 0)
    return b"MPF\0" + mark + struct.pack(f"{order}I", 8) + tags + entries


class TestSeveralPictures:
    @pytest.mark.parametrize("order", "<>")
    @pytest.mark.parametrize(
        ("kinds", "several"),
        [
            ([0x10001], False),
            ([0x10002], False),
            ([0x10001, 0x10002], False),
            ([0x80010001], False),
            ([0], True),
            ([0x20002], True),
            ([0x10002, 0x20003], True),
            ([], False),
        ],
    )
    def test_previews_do_not_count(self, kinds, several, order):
        plain = saved(PICTURE, "JPEG")
        found = decoded(plain[:2] + jpeg_segment(0xE2, mpf(*kinds, order=order)) + plain[2:])
        assert (notices.SEVERAL_IMAGES in found.notices) is several

    @pytest.mark.parametrize(
        "mark", [b"urn:iso:std:iso:ts:21496:-1\0", b"http://ns.adobe.com/hdr-gain-map/1.0/"]
    )
    def test_gain_maps_do_not_count(self, mark):
        plain = saved(PICTURE, "JPEG")
        extra = jpeg_segment(0xE2, mpf(0)) + jpeg_segment(0xE2, mark)
        assert codes(decoded(plain[:2] + extra + plain[2:])) == []


class TestKindsThatCannotBeOpened:
    @pytest.mark.parametrize(
        ("marker", "kind"),
        [
            (0xC3, "a lossless JPEG picture"),
            (0xC5, "a hierarchical JPEG picture"),
            (0xCB, "a lossless JPEG picture"),
            (0xF7, "a JPEG-LS picture"),
        ],
    )
    @pytest.mark.parametrize("jfif", [b"", jpeg_segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")])
    def test_jpeg(self, marker, kind, jfif):
        frame = jpeg_segment(marker, b"\x08\0\x20\0\x20\1\1\x11\0")
        with pytest.raises(UnsupportedMedia, match=f"This is {kind}, which"):
            decoded(b"\xff\xd8" + jfif + frame + b"\xff\xda\0\x08\1\1\0\0\0\0" + b"x" * 99)

    @pytest.mark.parametrize("bits", [2, 12, 16])
    def test_jpeg_of_other_bits(self, bits):
        data = bytearray(saved(PICTURE, "JPEG"))
        data[data.index(b"\xff\xc0") + 4] = bits
        with pytest.raises(UnsupportedMedia, match=f"with {bits} bits a colour"):
            decoded(bytes(data))

    @pytest.mark.parametrize("bits", [0, 1, 8, 17, 255])
    def test_damaged_jpeg_is_damaged(self, bits):
        data = bytearray(saved(PICTURE, "JPEG"))
        data[data.index(b"\xff\xc0") + 4] = bits
        with pytest.raises(MediaError) as failure:
            decoded(bytes(data[: data.index(b"\xff\xda")]))
        assert not isinstance(failure.value, UnsupportedMedia)

    @pytest.mark.parametrize(
        ("brands", "kind"),
        [
            (b"avci\0\0\0\0mif1", "AVC"),
            (b"avcs\0\0\0\0msf1", "AVC"),
            (b"mif1\0\0\0\0avci", "AVC"),
            (b"mif1\0\0\0\0jpeg", "JPEG"),
            (b"jpgs\0\0\0\0jpeg", "JPEG"),
            (b"vvic\0\0\0\0mif1", "of a rare kind"),
        ],
    )
    def test_heif(self, brands, kind):
        head = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands
        with pytest.raises(UnsupportedMedia, match=kind):
            formats.identify(head + bytes(99))

    @pytest.mark.parametrize(
        ("brands", "name"),
        [
            (b"mif1\0\0\0\0heicavci", "heif"),
            (b"heic\0\0\0\0mif1jpeg", "heif"),
            (b"mif1\0\0\0\0mif1", "heif"),
            (b"mif1\0\0\0\0avifjpeg", "avif"),
            (b"isom\0\0\0\0avc1jpeg", "mp4"),
        ],
    )
    def test_heif_that_can_be(self, brands, name):
        head = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands
        assert formats.identify(head + bytes(99)).format == name

    @pytest.mark.parametrize(
        "head",
        [
            b"PK\3\4" + bytes(22) + struct.pack("<HH", 9, 0) + b"photo.jpg",
            b"PK\3\4" + bytes(22) + struct.pack("<HH", 7, 0) + b"photos/",
            b"PK\5\6" + bytes(18),
            b"Rar!\x1a\x07\1\0",
            b"7z\xbc\xaf\x27\x1c\0\4",
            b"photos/a.jpg".ljust(257, b"\0") + b"ustar\0",
        ],
    )
    def test_archives(self, head):
        with pytest.raises(IsAnArchive):
            formats.identify(head)

    @pytest.mark.parametrize("name", [b"[Content_Types].xml", b"mimetype", b"META-INF/MANIFEST.MF"])
    def test_documents_are_no_archives_of_pictures(self, name):
        head = b"PK\3\4" + bytes(22) + struct.pack("<HH", len(name), 0) + name
        with pytest.raises(NotMedia) as refusal:
            formats.identify(head)
        assert not isinstance(refusal.value, IsAnArchive)


def test_many_fill_bytes_take_no_time():
    """With a look from each of them on to the last, hours."""
    data = b"\xff\xd8\xff\xe0\0\x04aa" + b"\xff" * 2_000_000 + b"\0"
    outcome = hash_or_fail(io.BytesIO(data), OPTIONS)
    assert isinstance(outcome.error, MediaError)
