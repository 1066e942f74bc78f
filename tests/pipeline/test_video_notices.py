"""The notices of videos and animations, and where there are none."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

import hashkit
from hashkit.hashes.pdq import QUALITY_THRESHOLD
from hashkit.pipeline.video_hashing import MovingHashes

RATE = 10
WIDTH, HEIGHT = 160, 120


def scene(number):
    """Something to see, another each second."""
    cells = np.random.default_rng(number // RATE).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(cells, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def dark(_number):
    return np.full((HEIGHT, WIDTH, 3), 16, np.uint8)


def soft(_number):
    corners = np.array([[90, 110], [120, 100]], np.uint8)
    grey = cv2.resize(corners, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)


def film(path, pictures, codec="libx264", *, times=None, start=0, sound=0, **options):
    """A video of these pictures, ``RATE`` a second or at these ``times`` in frames, from ``start``
    seconds on; with ``sound`` of so many seconds (WMV)."""
    with av.open(str(path), "w", options=options) as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = RATE
        heard = output.add_stream("wmav2", rate=44100, layout="mono") if sound else None
        if heard is not None:
            heard.bit_rate = 64_000
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = start * RATE + (times[number] if times else number)
            frame.time_base = Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        for second in range(sound):
            noise = np.random.default_rng(second).uniform(-0.1, 0.1, (1, 44100))
            samples = av.AudioFrame.from_ndarray(noise.astype(np.float32), "fltp", "mono")
            samples.sample_rate, samples.pts = 44100, second * 44100
            samples.time_base = Fraction(1, 44100)
            output.mux(heard.encode(samples))
        if heard is not None:
            output.mux(heard.encode())
    return path


def seconds(number, of=scene):
    return [of(each) for each in range(number * RATE)]


def changing(number):
    """So many pictures, each another."""
    return [scene(each * RATE) for each in range(number)]


def codes(path, **options):
    return [each.code for each in hashkit.hash_file(path, "vpdq", **options).notices]


class TestQuality:
    @pytest.mark.parametrize("of", [dark, soft])
    def test_a_video_with_little_to_see(self, tmp_path, of):
        path = film(tmp_path / "a.mp4", seconds(3, of))
        (notice,) = hashkit.hash_file(path, "vpdq").notices
        assert notice.code == "low_quality"
        assert "video" in notice.text
        assert codes(path, sample="keyframes") == ["low_quality"]
        assert hashkit.hash_file(path, "md5").notices == ()  # nothing was looked at

    def test_one_good_frame_is_enough(self, tmp_path):
        path = film(tmp_path / "a.mp4", [*seconds(3, dark), scene(0)])
        assert codes(path, sample="all") == []

    @pytest.mark.parametrize("quality", [0, QUALITY_THRESHOLD - 1, QUALITY_THRESHOLD, 100])
    @pytest.mark.parametrize("variant", ["as-stored", "by-frame-count", "mirrored"])
    def test_of_another_reading_or_edit(self, quality, variant):
        """A good reading is enough, as of a picture; an edit is not."""
        frame = hashkit.FrameHash(0, 0.0, "0" * 64, quality)
        plain = hashkit.FrameHashes(1.0, (hashkit.FrameHash(0, 0.0, "0" * 64, 3),))
        other = hashkit.FrameHashes(1.0, (frame,), variant)
        found = MovingHashes((), plain, (other,)).quality_notes()
        is_low = quality < QUALITY_THRESHOLD or variant == "mirrored"
        assert [each.code for each in found] == (["low_quality"] if is_low else [])

    def test_of_no_frames_nothing_is_said(self):
        assert MovingHashes((), hashkit.FrameHashes(1.0, ())).quality_notes() == ()
        assert MovingHashes().quality_notes() == ()


def animation(path, pictures, **options):
    first, *others = [Image.fromarray(each) for each in pictures]
    first.save(path, save_all=True, append_images=others, **{"duration": 1000, **options})
    return path


class TestAnimations:
    @pytest.mark.parametrize("ending", ["gif", "png", "webp"])
    def test_only_the_first_picture_is_plain(self, tmp_path, ending):
        path = animation(tmp_path / f"a.{ending}", [dark(0), scene(0), scene(10)])
        found = [each.code for each in hashkit.hash_file(path).notices]
        assert found == ["animated"]
        still = [each.code for each in hashkit.hash_file(path, "pdq").notices]
        assert still == ["animated", "low_quality", "flat"]  # then there is nothing else

    def test_all_are_plain(self, tmp_path):
        path = animation(tmp_path / "a.gif", [dark(0), dark(0) + 30, dark(0) + 90])
        found = [each.code for each in hashkit.hash_file(path).notices]
        assert found == ["animated", "low_quality", "flat"]


class TestVariableRate:
    TIMES = (*range(20), *range(40, 60))

    def test_a_rate_that_varies(self, tmp_path):
        path = film(tmp_path / "a.mp4", changing(40), times=self.TIMES)
        assert codes(path) == ["variable_rate"]

    def test_a_hole_in_a_constant_rate(self, tmp_path):
        """Zeros where frames of two seconds were."""
        whole = film(tmp_path / "a.mkv", changing(60))
        data = bytearray(whole.read_bytes())
        assert codes(whole) == []
        data[len(data) // 3 : len(data) * 2 // 3] = bytes(len(data) * 2 // 3 - len(data) // 3)
        holed = tmp_path / "holed.mkv"
        holed.write_bytes(data)
        hashed = hashkit.hash_file(holed, "vpdq")
        assert "by-frame-count" in {each.variant for each in hashed.frame_variants}
        assert [each.code for each in hashed.notices] == ["video_damaged"]

    def test_an_animation_that_is_cut_short(self, tmp_path):
        pictures = changing(40)
        path = animation(tmp_path / "a.gif", pictures, duration=[40, 400, 100, 900] * 10)
        assert "variable_rate" in codes(path)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
        hashed = hashkit.hash_file(path, "vpdq")
        assert "by-frame-count" in {each.variant for each in hashed.frame_variants}
        assert "variable_rate" not in [each.code for each in hashed.notices]
        assert {"truncated", "damaged", "video_truncated"}.intersection(codes(path))


class TestWhole:
    @pytest.mark.parametrize("start", [4, 1000])
    @pytest.mark.parametrize("ending", ["mkv", "webm"])
    def test_a_clock_that_begins_late(self, tmp_path, start, ending):
        codec = "libvpx" if ending == "webm" else "libx264"
        path = film(tmp_path / f"a.{ending}", seconds(4), codec, start=start)
        assert codes(path) == []
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
        assert codes(path) == ["video_truncated"]

    def test_sound_that_goes_on_in_wmv(self, tmp_path):
        path = film(tmp_path / "a.wmv", seconds(3), "wmv2", sound=12)
        assert codes(path) == []
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
        assert "video_truncated" in codes(path) or "video_damaged" in codes(path)


class TestMoreBehind:
    @pytest.mark.parametrize(
        ("ending", "codec", "options"),
        [
            ("mp4", "libx264", {}),
            ("mp4", "libx264", {"movflags": "faststart"}),
            ("mov", "libx264", {}),
            ("flv", "flv1", {}),
            ("wmv", "wmv2", {}),
        ],
    )
    def test_another_recording(self, tmp_path, ending, codec, options):
        one, other, both = (tmp_path / f"{name}.{ending}" for name in ("one", "other", "both"))
        film(one, seconds(2), codec, **options)
        film(other, seconds(3)[RATE:], codec, **options)
        both.write_bytes(one.read_bytes() + other.read_bytes())
        assert codes(one) == codes(other) == []
        assert codes(both) == ["more_behind"]
        assert hashkit.hash_file(both, "vpdq").frames == hashkit.hash_file(one, "vpdq").frames
        # Nor is the first one cut short where the other is.
        both.write_bytes(one.read_bytes() + other.read_bytes()[:-200])
        assert codes(both) == ["more_behind"]

    def test_fragments_that_were_joined_are_one(self, tmp_path):
        """Each with the same header before it, as players of streams save them."""
        path = film(
            tmp_path / "a.mp4", seconds(3), movflags="frag_keyframe+empty_moov+default_base_moof"
        )
        data = path.read_bytes()
        header = data[: data.index(b"moof") - 4]
        second = data.index(b"moof", len(header) + 100) - 4
        path.write_bytes(data[:second] + header + data[second:])
        whole = hashkit.hash_file(path, "vpdq")
        assert len(whole.frames.hashes) == 3
        assert whole.notices == ()
        # Another film's, with fragments of its own, is not shown.
        longer = film(
            tmp_path / "b.mp4",
            seconds(5),
            "mpeg4",
            movflags="frag_keyframe+empty_moov+default_base_moof",
        )
        path.write_bytes(data + longer.read_bytes())
        assert "more_behind" in codes(path)

    def test_boxes_behind_that_are_no_recording(self, tmp_path):
        path = film(tmp_path / "a.mp4", seconds(1))
        data = path.read_bytes()
        for behind in (b"\0\0\0\x10free12345678", b"\0\0\0\x20uuid" + bytes(24)):
            path.write_bytes(data + behind)
            assert codes(path) == []
