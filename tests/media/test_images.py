"""Pixels: upright, 8 bits, on white, and the same from both JPEG decoders."""

from __future__ import annotations

import io
import os

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hashkit import notices
from hashkit.errors import MediaCorrupt, MediaError, MediaTruncated, TooManyPixels
from hashkit.hashes import pdq
from hashkit.media import images, opening

heard = pytest.mark.skipif(os.name != "posix", reason="on Windows, decoders are not heard")

SUFFIXES = {".jpg": "jpeg", ".tiff": "tiff", ".heic": "heif", ".jp2": "jpeg2000"}
UNDO = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def scene(seed=0, height=150, width=200):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)


def saved(picture, encoder, **options):
    stream = io.BytesIO()
    picture.save(stream, encoder, **options)
    return stream.getvalue()


class TestJpeg:
    @settings(max_examples=60)
    @given(
        seed=st.integers(0, 1000),
        height=st.integers(1, 300),
        width=st.integers(1, 300),
        quality=st.integers(5, 100),
        subsampling=st.sampled_from(["420", "422", "440", "444"]),
        progressive=st.booleans(),
        grey=st.booleans(),
        noisy=st.booleans(),
    )
    def test_opencv_and_pillow_give_the_same_pixels(
        self, seed, height, width, quality, subsampling, progressive, grey, noisy
    ):
        pixels = scene(seed, height, width)
        if noisy:
            pixels = np.random.default_rng(seed).integers(0, 256, pixels.shape, dtype=np.uint8)
        options = {
            cv2.IMWRITE_JPEG_QUALITY: quality,
            cv2.IMWRITE_JPEG_PROGRESSIVE: int(progressive),
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR: getattr(
                cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{subsampling}"
            ),
        }
        flat_options = [value for pair in options.items() for value in pair]
        data = cv2.imencode(".jpg", pixels[..., 0] if grey else pixels, flat_options)[1].tobytes()
        decoded = images.decode(data, "jpeg")
        assert decoded.notices == ()
        assert decoded.pixels.ndim == (2 if grey else 3)
        assert np.array_equal(decoded.pixels, np.asarray(Image.open(io.BytesIO(data))))

    @pytest.mark.parametrize("name", ["scene-1.jpg", "jpeg-progressive.jpg", "jpeg-grey.jpg"])
    def test_samples_too(self, samples, name):
        data = (samples / name).read_bytes()
        decoded = images.decode(data, "jpeg").pixels
        assert np.array_equal(decoded, np.asarray(Image.open(io.BytesIO(data))))

    def test_cmyk_is_pillows(self, samples):
        data = (samples / "jpeg-cmyk.jpg").read_bytes()
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        assert np.array_equal(images.decode(data, "jpeg").pixels, expected)

    def test_cut_short_shows_what_there_is(self):
        data = saved(Image.fromarray(scene()), "JPEG", quality=95)
        decoded = images.decode(data[: len(data) // 2], "jpeg")
        assert decoded.notices == (notices.TRUNCATED,)
        whole = images.decode(data, "jpeg").pixels
        assert np.array_equal(decoded.pixels[:40], whole[:40])
        assert not np.array_equal(decoded.pixels, whole)

    def test_nothing_left_to_show(self):
        data = saved(Image.fromarray(scene()), "JPEG")
        start_of_scan = data.index(b"\xff\xda")
        with pytest.raises(MediaTruncated):
            images.decode(data[: start_of_scan + 14], "jpeg")

    @heard
    def test_a_piece_missing_in_the_middle_is_reported(self, capfd):
        """libjpeg repairs this without an error; only its message says so."""
        data = saved(Image.fromarray(scene(1, 600, 800)), "JPEG", quality=95)
        third = len(data) // 3
        decoded = images.decode(data[:third] + data[2 * third :], "jpeg")
        assert decoded.notices == (notices.DAMAGED,)
        assert capfd.readouterr().err == ""

    def test_trailing_bytes_are_no_damage(self):
        data = saved(Image.fromarray(scene()), "JPEG") + b"\0" * 5000
        assert images.decode(data, "jpeg").notices == ()

    def test_maps_of_brightness_are_no_second_picture(self, samples):
        data = (samples / "jpeg-mpo.jpg").read_bytes()
        assert images.decode(data, "jpeg").notices == (notices.SEVERAL_IMAGES,)
        with_map = data + b"http://ns.adobe.com/hdr-gain-map/1.0/"
        assert images.decode(with_map, "jpeg").notices == ()

    @heard
    def test_damage_to_cmyk_is_reported_too(self, samples):
        data = (samples / "jpeg-cmyk.jpg").read_bytes()
        third = len(data) // 3
        decoded = images.decode(data[: 2 * third - 500] + data[2 * third :], "jpeg")
        assert decoded.notices == (notices.DAMAGED,)

    def test_endless_scans_are_refused(self, samples):
        data = (samples / "jpeg-progressive.jpg").read_bytes()
        scan = data[data.rindex(b"\xff\xda") : -2]
        with pytest.raises(MediaCorrupt):
            images.decode(data[:-2] + scan * 200 + data[-2:], "jpeg")


@pytest.mark.parametrize("name", ["heic.heic", "avif.avif", "webp.webp"])
@pytest.mark.parametrize("part", [0.6, 0.9])
def test_files_whose_end_never_arrived(samples, name, part):
    data = (samples / name).read_bytes()
    kept = int(len(data) * part)
    data = data[:kept] + bytes(len(data) - kept)
    try:
        codes = images.decode(data, SUFFIXES.get(name[-5:], name.split(".")[1])).notices
    except MediaError:
        return
    assert notices.DAMAGED in codes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_cut_short_shows_what_there_is(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(scene()), "TIFF", exif=exif.tobytes())
    decoded = images.decode(data[: len(data) * 2 // 3], "tiff")
    assert decoded.notices == (notices.TRUNCATED,)
    assert decoded.pixels.shape == ((150, 200, 3) if orientation < 5 else (200, 150, 3))


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_cut_short_shows_what_there_is(encoder):
    data = saved(Image.fromarray(scene()), encoder)
    assert images.decode(data[: len(data) * 2 // 3], encoder.lower()).notices == (
        notices.TRUNCATED,
    )


def test_moving_avif_moves():
    frames = [Image.fromarray(scene(n)) for n in range(3)]
    data = saved(frames[0], "AVIF", save_all=True, append_images=frames[1:])
    assert images.decode(data, "avif").notices == (notices.ANIMATED,)


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize(
        ("encoder", "name", "options"),
        [
            ("JPEG", "jpeg", {"quality": 95}),
            ("PNG", "png", {}),
            ("WEBP", "webp", {"lossless": True}),
            ("TIFF", "tiff", {}),
            ("AVIF", "avif", {"quality": 95}),
            ("HEIF", "heif", {"quality": 95}),
        ],
    )
    def test_all_eight_show_the_same_picture(self, encoder, name, options, orientation):
        upright = Image.fromarray(scene(3, 192, 256))
        stored = upright if orientation == 1 else upright.transpose(UNDO[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        if encoder == "HEIF":
            pillow_heif.register_heif_opener()
        data = saved(stored, encoder, exif=exif.tobytes(), **options)
        pixels = images.decode(data, name).pixels
        assert pixels.shape == (192, 256, 3)
        assert np.abs(pixels.astype(int) - np.asarray(upright)).mean() < 4
        found, expected = pdq.compute(pixels), pdq.compute(np.asarray(upright))
        assert pdq.distance(found.value, expected.value) <= 4

    @pytest.mark.parametrize("value", [0, 9, 65535])
    def test_senseless_values_change_nothing(self, value):
        exif = Image.Exif()
        exif[0x0112] = value
        data = saved(Image.fromarray(scene()), "JPEG", exif=exif.tobytes())
        assert images.decode(data, "jpeg").pixels.shape == (150, 200, 3)

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    def test_broken_exif_changes_nothing(self):
        data = saved(Image.fromarray(scene()), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01")
        assert images.decode(data, "jpeg").pixels.shape == (150, 200, 3)


class TestColour:
    def test_alpha_lies_on_white(self):
        pixels = np.dstack([scene(), np.tile(np.arange(200, dtype=np.uint8), (150, 1))])
        decoded = images.decode(saved(Image.fromarray(pixels), "PNG"), "png").pixels
        alpha = pixels[..., 3:] / 255.0
        expected = pixels[..., :3] * alpha + 255 * (1 - alpha)
        assert np.abs(decoded - expected).max() <= 1

    def test_wholly_transparent_is_white(self):
        data = saved(Image.new("RGBA", (70, 70), (9, 9, 9, 0)), "PNG")
        assert (images.decode(data, "png").pixels == 255).all()

    def test_transparent_palette_entry_lies_on_white(self):
        picture = Image.new("P", (80, 80))
        picture.putpalette([10, 20, 30, 200, 100, 50])
        picture.paste(1, (40, 0, 80, 80))
        pixels = images.decode(saved(picture, "PNG", transparency=0), "png").pixels
        assert tuple(pixels[0, 0]) == (255, 255, 255)
        assert tuple(pixels[0, 79]) == (200, 100, 50)

    def test_one_transparent_colour_lies_on_white(self):
        picture = Image.new("RGB", (80, 80), (1, 2, 3))
        data = saved(picture, "PNG", transparency=(1, 2, 3))
        assert (images.decode(data, "png").pixels == 255).all()

    @pytest.mark.parametrize("encoder", ["PNG", "TIFF", "JPEG2000"])
    def test_sixteen_bits_are_scaled(self, encoder):
        values = np.linspace(0, 65535, 100 * 100).reshape(100, 100).astype(np.uint16)
        pixels = images.decode(saved(Image.fromarray(values), encoder), encoder.lower()).pixels
        assert pixels.dtype == np.uint8
        assert np.abs(pixels.astype(int) - values // 256).max() <= 1

    def test_big_endian_sixteen_bits(self):
        values = np.linspace(0, 65535, 100 * 100).reshape(100, 100).astype(">u2")
        picture = Image.frombytes("I;16B", (100, 100), values.tobytes())
        pixels = images.decode(saved(picture, "TIFF"), "tiff").pixels
        assert np.array_equal(pixels, values // 256)

    @pytest.mark.parametrize("top", [1.0, 255.0, 65535.0, 1e6])
    def test_floats_are_scaled(self, top):
        values = np.linspace(0, top, 100 * 100).reshape(100, 100).astype(np.float32)
        pixels = images.decode(saved(Image.fromarray(values), "TIFF"), "tiff").pixels
        assert np.abs(pixels - values * (255.0 / top)).max() <= 0.51

    def test_floats_that_are_no_numbers(self):
        values = np.full((70, 70), 0.5, np.float32)
        values[0, :3] = np.nan, np.inf, -np.inf
        pixels = images.decode(saved(Image.fromarray(values), "TIFF"), "tiff").pixels
        assert pixels[0, 0] == 0
        assert pixels[5, 5] == 128

    def test_one_transparent_value_of_sixteen_bits(self):
        values = np.linspace(0, 65535, 100 * 100).reshape(100, 100).astype(np.uint16)
        data = saved(Image.fromarray(values), "PNG", transparency=int(values[0, 50]))
        pixels = images.decode(data, "png").pixels
        assert pixels[0, 50] == 255
        assert pixels[50, 50] == values[50, 50] >> 8

    def test_sixteen_bit_negatives_are_turned(self):
        values = np.linspace(0, 65535, 100 * 100).reshape(100, 100).astype(np.uint16)
        data = saved(Image.fromarray(values), "TIFF", tiffinfo={262: 0})
        assert np.array_equal(images.decode(data, "tiff").pixels, 255 - (values >> 8))

    @pytest.mark.parametrize("top", [200, 60_000, 2**31 - 1])
    def test_long_integers_are_scaled(self, top):
        values = np.linspace(0, top, 100 * 100).reshape(100, 100).astype(np.int32)
        pixels = images.decode(saved(Image.fromarray(values), "TIFF"), "tiff").pixels
        assert pixels.max() > 190
        assert (np.diff(pixels.ravel().astype(int)) >= 0).all()


class TestLimits:
    def test_icons_that_hold_more_than_they_say(self, monkeypatch):
        inner = saved(Image.new("RGB", (2000, 1000)), "PNG")
        directory = b"\0\0\1\0\1\0" + bytes([32, 32, 0, 0, 1, 0, 32, 0])
        data = directory + len(inner).to_bytes(4, "little") + (22).to_bytes(4, "little") + inner
        monkeypatch.setattr(images, "open_header", lambda *_: pytest.fail("decoded"))
        with pytest.raises(TooManyPixels):
            images.decode(data, "ico", max_pixels=1_000_000)

    @pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
    def test_pixels(self, encoder):
        data = saved(Image.fromarray(scene()), encoder)
        name = encoder.lower()
        assert images.decode(data, name, max_pixels=30_000).pixels.shape == (150, 200, 3)
        with pytest.raises(TooManyPixels):
            images.decode(data, name, max_pixels=29_999)

    def test_more_than_pillows_own_limit(self, monkeypatch):
        """Pillow's limit is the process's; ours is the caller's, and can be higher."""
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
        for encoder in ("JPEG", "PNG", "BMP"):
            data = saved(Image.fromarray(scene()), encoder)
            assert images.decode(data, encoder.lower()).pixels.shape == (150, 200, 3)
        tiff = saved(Image.fromarray(scene()), "TIFF")
        with pytest.raises(TooManyPixels):
            images.decode(tiff, "tiff")
        images.lift_pillows_limit()
        assert images.decode(tiff, "tiff").pixels.shape == (150, 200, 3)


@pytest.mark.parametrize("name", sorted(opening._PLUGINS))
@given(junk=st.binary(max_size=200))
@settings(max_examples=20)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_junk_is_an_error_of_ours(name, junk):
    with pytest.raises(MediaError):
        images.decode(junk, name)


@heard
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_sample_cut_and_flipped(samples, capfd):
    """Whatever is done to a file, the outcome is a picture or an error of ours, in silence; and a
    picture of a file that is cut short says so."""
    rng = np.random.default_rng(0)
    for path in sorted(samples.iterdir()):
        name = SUFFIXES.get(path.suffix, path.suffix[1:])
        if name not in opening._PLUGINS or path.name == "really-a-png.jpg":
            continue
        whole = path.read_bytes()
        for _ in range(12):
            broken = bytearray(whole)
            for position in rng.integers(0, len(whole), 3):
                broken[position] = rng.integers(256)
            _decode_or_fail(bytes(broken), name)
        picture = images.decode(whole, name)
        for cut in rng.integers(1, len(whole), 25):
            part = _decode_or_fail(whole[:cut], name)
            if part is not None and not np.array_equal(part.pixels, picture.pixels):
                codes = {notices.TRUNCATED, notices.DAMAGED}.intersection(part.notices)
                assert codes, (path.name, cut, len(whole))
    assert capfd.readouterr().err == ""


def _decode_or_fail(data, name):
    """The picture, or None; anything but a picture or an error of ours fails the test."""
    try:
        return images.decode(data, name, max_pixels=5_000_000)
    except MediaError:
        return None


@pytest.mark.parametrize("name", ["heic.heic", "avif.avif"])
def test_nothing_of_a_cut_picture_in_boxes(samples, name):
    """Its boxes say that the rest is missing; where none is, it is damaged."""
    data = (samples / name).read_bytes()
    image_format = name.split(".")[1].replace("heic", "heif")
    for part in (0.3, 0.9):
        with pytest.raises(MediaTruncated) as caught:
            images.decode(data[: int(len(data) * part)], image_format)
        assert "copy it again" in caught.value.advice
    with pytest.raises(MediaCorrupt):
        images.decode(data.replace(b"pitm", b"pitt").replace(b"iloc", b"ilot"), image_format)
