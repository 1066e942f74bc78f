"""The frame sampler: every container and codec in common use, upright, on time, and honest about
what could not be read."""

from __future__ import annotations

import io
import os
import random
import struct
import subprocess
import sys
import threading
from fractions import Fraction
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import hashkit
from hashkit.hashes import pdq, vpdq
from hashkit.media import videos
from hashkit.media.animations import Animation
from hashkit.media.sampling import Sampler, check_sample
from hashkit.media.tee import Tee
from hashkit.pipeline.hashing import hash_or_fail
from hashkit.pipeline.options import Options

WIDTH, HEIGHT, RATE = 176, 144, 12  # H.263 knows few sizes; MPEG-1 few rates: it gets 25


def picture(number, width=WIDTH, height=HEIGHT):
    """A scene that moves, and changes every two seconds."""
    rng = np.random.default_rng(number // (2 * RATE))
    cells = rng.integers(0, 256, (18, 24, 3), dtype=np.uint8)
    scene = cv2.resize(cells, (width + 40, height + 40), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(scene[number % 40 :][:height, number % 37 :][:, :width])


def encode(
    path,
    codec="libx264",
    seconds=3.0,
    *,
    rate=RATE,
    gop=None,
    matrix=None,
    times=None,
    pixel_format="yuv420p",
    size=(WIDTH, HEIGHT),
    container=None,
    audio=False,
    title=None,
    **options,
):
    """Write a video; ``times`` are frame times in milliseconds for a variable rate."""
    with av.open(str(path), "w", format=container) as output:
        if title:
            output.metadata["title"] = title
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.options = {key: str(value) for key, value in options.items()}
        if gop:
            stream.codec_context.gop_size = gop
        if matrix:
            stream.set_display_rotation(*matrix)
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        sound = (
            output.add_stream("pcm_s16le" if container == "avi" else "aac", rate=8000)
            if audio
            else None
        )
        for number in range(len(times) if times else int(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), "rgb24")
            if times:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if sound:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
            silence.sample_rate = 8000
            output.mux(sound.encode(silence))
            output.mux(sound.encode())
    return path


def frames_of(path, which=lambda video: video.frames()):
    from hashkit.media.formats import identify
    from hashkit.pipeline.files import open_untrusted

    with open_untrusted(path) as untrusted:
        tee = Tee(untrusted.stream, lambda _: None)
        with videos.open_video(tee, identify(untrusted.head).format) as video:
            return [(f.number, f.timestamp, f.pixels.copy(), f.limited_range) for f in which(video)]


KINDS = {
    "h264.mp4": ("libx264", {}),
    "h264.mov": ("libx264", {}),
    "h264.mkv": ("libx264", {}),
    "h264.flv": ("libx264", {}),
    "h264.ts": ("libx264", {}),
    "h264.3gp": ("libx264", {}),
    "h264-10.mp4": ("libx264", {"pixel_format": "yuv420p10le"}),
    "h264-444.mp4": ("libx264", {"pixel_format": "yuv444p"}),
    "h264-full.mp4": ("libx264", {"pixel_format": "yuvj420p"}),
    "h264-grey.mp4": ("libx264", {"pixel_format": "gray"}),
    "hevc.mp4": ("libx265", {"x265-params": "log-level=none"}),
    "hevc-10.mp4": ("libx265", {"pixel_format": "yuv420p10le", "x265-params": "log-level=none"}),
    "hevc-12.mp4": ("libx265", {"pixel_format": "yuv420p12le", "x265-params": "log-level=none"}),
    "vp8.webm": ("libvpx", {"crf": 10, "b": "1M"}),
    "vp9.webm": ("libvpx-vp9", {"crf": 20, "b": 0}),
    "av1.mp4": ("libsvtav1", {"crf": 25, "preset": 10}),
    "mpeg1.mpg": ("mpeg1video", {"rate": 25, "b": "2M"}),
    "mpeg2.mpg": ("mpeg2video", {"rate": 25, "b": "2M"}),
    "mpeg2.ts": ("mpeg2video", {"rate": 25, "b": "2M"}),
    "mpeg4.avi": ("mpeg4", {"b": "2M"}),
    "h263.3gp": ("h263", {"rate": 25, "b": "2M"}),
    "wmv1.wmv": ("wmv1", {"b": "2M"}),
    "wmv2.wmv": ("wmv2", {"b": "2M"}),
    "prores.mov": ("prores_ks", {"pixel_format": "yuv422p10le"}),
    "mjpeg.avi": ("mjpeg", {"pixel_format": "yuvj420p", "b": "20M"}),
    "mjpeg.mov": ("mjpeg", {"pixel_format": "yuvj420p", "b": "20M"}),
    "rgb.avi": ("rawvideo", {"pixel_format": "bgr24"}),
    "png.mov": ("png", {"pixel_format": "rgb24"}),
    "packed.avi": ("rawvideo", {"pixel_format": "yuyv422"}),
    "ffv1.mkv": ("ffv1", {"pixel_format": "bgr0"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_container_and_codec(tmp_path, name):
    codec, options = KINDS[name]
    path = encode(tmp_path / name, codec, **options)
    rate = options.get("rate", RATE)
    hashed = hashkit.hash_file(path)
    assert hashed.kind == "video"
    assert [each.algorithm for each in hashed.hashes] == ["md5", "sha1", "sha256", "tmk_pdqf"]
    assert hashed.notices == ()
    assert [each.frame for each in hashed.frames.hashes] == [0, rate, 2 * rate]
    for each in hashed.frames.hashes:
        assert each.timestamp == pytest.approx(each.frame / rate, abs=0.1)
        expected = pdq.compute(picture(each.frame))
        assert pdq.distance(each.value, expected.value) <= 24, each.frame
        assert each.quality > 80


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_and_mirroring_are_applied(tmp_path, degrees, mirrored):
    path = encode(tmp_path / "a.mp4", seconds=1, crf=5, matrix=(degrees, mirrored, False))
    pixels = frames_of(path)[0][2]
    stored = cv2.cvtColor(picture(0), cv2.COLOR_RGB2GRAY)
    if degrees == 0 and not mirrored:
        expected = stored
    else:
        # The matrix as ISO 14496-12 defines it, applied by another library:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            matrix = np.frombuffer(frame.side_data["DISPLAYMATRIX"], np.int32)
        a, b, c, d = (float(matrix[i]) / 65536 for i in (0, 1, 3, 4))
        corners = np.array([[0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]], float)
        moved = corners @ np.array([[a, b], [c, d]])
        low = moved.min(0)
        size = (moved.max(0) - low).astype(int)
        affine = np.array([[a, c, -low[0]], [b, d, -low[1]]])
        # Pixel centres are half a pixel in: shift there and back.
        affine[:, 2] += affine[:, :2] @ [0.5, 0.5] - 0.5
        expected = cv2.warpAffine(stored, affine, tuple(int(x) for x in size))
    assert pixels.shape == expected.shape
    stretched = (pixels.astype(float) - 16) * 255 / 219
    assert np.abs(stretched - expected).mean() < 6


def numbers(sampler, times, shown=0.0):
    """The numbers of the frames that are taken; each is shown until the next."""
    frames = [SimpleNamespace(number=n, timestamp=t, duration=shown) for n, t in enumerate(times)]
    taken = [each for frame in frames for each in sampler.take(frame)]
    return [each.number for each in (*taken, *sampler.finish())]


class TestSampling:
    def test_constant_rate_as_the_reference(self):
        assert numbers(Sampler(1.0, 29.97), [n / 29.97 for n in range(100)]) == [0, 29, 58, 87]
        nine = [n / 30 for n in range(9)]
        assert numbers(Sampler(0.001, 30.0), nine) == list(range(9))

    def test_every_frame_of_any_rate(self):
        for rate in (None, 25.0):
            assert numbers(Sampler(0.0, rate), [0.0, 0.04, 7.0]) == [0, 1, 2]

    @given(
        st.integers(0, 100),
        st.lists(st.integers(1, 3000), max_size=50),
        st.integers(1, 50),
        st.integers(0, 5000),
    )
    def test_variable_rate_as_players_show_it(self, start, steps, eighths, shown):
        """Against a plain model: of every time that is sampled, the last frame at or before it."""
        interval = eighths / 8  # sixteenths and eighths: exact in binary
        times = [float(time) / 16 for time in np.cumsum([start, *steps])]
        end = times[-1] + shown / 16
        expected = {0}
        for k in range(int(end / interval) + 1):
            if times[0] <= k * interval and (k * interval < end or k * interval == times[-1]):
                expected.add(max(n for n, time in enumerate(times) if time <= k * interval))
        assert numbers(Sampler(interval, None), times, shown / 16) == sorted(expected)

    def test_a_rate_that_turns_out_to_vary(self):
        """By count until then; the frame that stands still is seen at 2, 3 and 4 seconds."""
        times = [*(n / 10 for n in range(18)), 4.5, 4.6, 4.7, 5.2]
        assert numbers(Sampler(1.0, 10.0), times) == [0, 10, 17, 20]

    def test_what_was_due_while_it_counted_is_not_made_up_for(self):
        """0.966 s stood for the first second. The frames around 1 s are not due any more."""
        times = [*(n / 29.97 for n in range(40)), 1.9, 3.5]
        assert numbers(Sampler(1.0, 29.97), times) == [0, 29, 40]

    @pytest.mark.parametrize("sample", [0, -1, "often", None, True, float("nan"), float("inf")])
    def test_other_samples_are_refused(self, sample, samples):
        with pytest.raises(ValueError, match="a sample is"):
            hashkit.hash_file(samples / "bmp.bmp", sample=sample)
        with pytest.raises(ValueError, match="a sample is"):
            check_sample(sample)

    def test_variable_rate_by_real_time(self, tmp_path):
        times = [0, 40, 80, 900, 1100, 1140, 4050, 4100, 5500]
        path = encode(tmp_path / "a.mkv", times=times)
        every = hashkit.hash_file(path, "vpdq", sample="all").frames.hashes
        assert [round(each.timestamp * 1000) for each in every] == times
        each_second = hashkit.hash_file(path, "vpdq").frames.hashes
        assert [round(each.timestamp * 1000) for each in each_second] == [0, 900, 1140, 4100]
        assert [each.frame for each in each_second] == [0, 3, 5, 7]

    def test_every_frame(self, tmp_path):
        path = encode(tmp_path / "a.mp4")
        frames = hashkit.hash_file(path, "vpdq", sample="all").frames
        assert frames.interval == "all"
        assert [each.frame for each in frames.hashes] == list(range(36))

    @pytest.mark.parametrize("seconds", [1 / RATE, 0.25, 0.9])
    @pytest.mark.parametrize("sample", [1.0, 10.0, "all", "keyframes"])
    def test_short_clips_give_at_least_one(self, tmp_path, seconds, sample):
        path = encode(tmp_path / "a.mp4", seconds=seconds)
        hashed = hashkit.hash_file(path, sample=sample)
        assert hashed.frames.hashes
        assert ("tmk_pdqf" in [h.algorithm for h in hashed.hashes]) == (sample != "keyframes")


class TestKeyframes:
    def test_only_they_are_decoded(self, tmp_path, monkeypatch):
        path = encode(tmp_path / "a.mp4", seconds=8, gop=RATE, sc_threshold=0, bf=0)
        whole = {f.frame: f for f in hashkit.hash_file(path, "vpdq", sample="all").frames.hashes}
        decoded = []
        real = videos._decoded

        def counting(video, packets):
            packets = list(packets)
            decoded.extend(packets)
            return real(video, packets)

        monkeypatch.setattr(videos, "_decoded", counting)
        found = hashkit.hash_file(path, "vpdq", sample="keyframes")
        assert [f.frame for f in found.frames.hashes] == list(range(0, 8 * RATE, RATE))
        for each in found.frames.hashes:
            assert each == whole[each.frame]
        assert len(decoded) == 8
        assert [notice.code for notice in found.notices] == []

    def test_gaps_are_filled(self, tmp_path):
        path = encode(tmp_path / "a.mp4", seconds=10, gop=1000, sc_threshold=0)
        whole = {f.frame: f for f in hashkit.hash_file(path, "vpdq", sample="all").frames.hashes}
        found = hashkit.hash_file(path, "vpdq", sample="keyframes").frames.hashes
        times = [each.timestamp for each in found]
        assert times[0] == 0
        assert len(times) >= 10
        assert max(b - a for a, b in zip(times, [*times[1:], 10], strict=True)) <= 1.1
        for each in found:
            assert each == whole[each.frame]

    def test_every_number_is_of_one_frame(self, tmp_path):
        """Two seconds apart, then one: by the average rate, two would be the tenth."""
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=1, options={"g": "1"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.codec_context.time_base = Fraction(1, 10)
            for number, time in enumerate([*range(0, 400, 40), *range(401, 421, 2)]):
                frame = av.VideoFrame.from_ndarray(picture(2 * RATE * number), "rgb24")
                frame.pts, frame.time_base = time, Fraction(1, 10)
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
        found = hashkit.hash_file(path, "vpdq", sample="keyframes")
        numbers = [each.frame for each in found.frames.hashes]
        assert len(numbers) == 20
        assert numbers == sorted({*numbers})
        assert len({each.value for each in found.frames.hashes}) == 20
        hashkit.Submission.from_json(hashkit.Submission.of([found]).to_json())

    def test_memory_is_bounded_within_a_gap(self, tmp_path):
        path = encode(tmp_path / "a.mp4", seconds=10, gop=1000, sc_threshold=0)
        held = 0
        with av.open(str(path)) as container:
            packets = (p for p in container.demux(video=0) if p.size)
            for group in videos._groups(packets):
                first, is_gap = videos._up_to_gap(
                    group, 1.0 / float(container.streams.video[0].time_base)
                )
                assert is_gap
                held = max(held, sum(1 for _ in first))
        assert held == 10 * RATE  # all of them pass through

    def test_tmk_is_left_out_and_it_is_said(self, tmp_path):
        hashed = hashkit.hash_file(encode(tmp_path / "a.mp4"), sample="keyframes")
        assert [h.algorithm for h in hashed.hashes] == ["md5", "sha1", "sha256"]
        assert [notice.code for notice in hashed.notices] == ["tmk_left_out"]


class TestWhatIsNoVideo:
    def test_sound_only(self, tmp_path):
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w") as output:
            sound = output.add_stream("aac", rate=8000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
            frame.sample_rate = 8000
            output.mux(sound.encode(frame))
            output.mux(sound.encode())
        (outcome,) = hashkit.hash_files([path])
        assert outcome.error.code == "no_video"
        assert [each.algorithm for each in outcome.hashes] == ["md5", "sha1", "sha256"]

    @pytest.mark.parametrize(
        "content",
        [b"", bytes(5000), random.Random(1).randbytes(5000)],
        ids=["nothing", "zeros", "noise"],  # the same in every process of a parallel run
    )
    @pytest.mark.parametrize(
        "head",
        [
            b"\0\0\0\x14ftypisom\0\0\0\0isom",
            b"\x1a\x45\xdf\xa3",
            b"RIFF\0\1\0\0AVI LIST",
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
            b"FLV\x01",
            b"\0\0\1\xba",
            b"\0\0\1\xb3",
            (b"\x47" + bytes(187)) * 6,
        ],
    )
    def test_only_the_beginning_of_one(self, tmp_path, head, content, capfd):
        path = tmp_path / "a"
        path.write_bytes(head + content)
        (outcome,) = hashkit.hash_files([path])
        assert outcome.error.code in ("media_corrupt", "no_video", "unsupported_media")
        assert [each.algorithm for each in outcome.hashes] == ["md5", "sha1", "sha256"]
        assert capfd.readouterr().err == ""


class TestDamage:
    @pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.avi", "a.mp4"])
    @pytest.mark.parametrize("part", [0.3, 0.6])
    def test_cut_short(self, tmp_path, name, part, capfd):
        codec = "mpeg4" if name.endswith("avi") else "libx264"
        whole = encode(tmp_path / name, codec, seconds=6, gop=RATE)
        if name == "a.mp4":  # with its index in front, as files for the web have it
            with (
                av.open(str(whole)) as source,
                av.open(str(tmp_path / "b.mp4"), "w", options={"movflags": "faststart"}) as target,
            ):
                stream = target.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.dts is not None:
                        packet.stream = stream
                        target.mux(packet)
            whole = tmp_path / "b.mp4"
        every = hashkit.hash_file(whole, "vpdq", sample="all").frames.hashes
        cut = tmp_path / f"cut-{name}"
        cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * part)])
        (outcome,) = hashkit.hash_files([cut], sample="all")
        assert getattr(outcome, "error", None) is None
        found = outcome.frames.hashes
        assert 0 < len(found) < len(every)
        if name != "a.ts":  # a transport stream does not say how long it is
            # AVI without its index: FFmpeg guesses its length from what is left of it.
            codes = ["video_damaged", "video_truncated"] if name == "a.avi" else ["video_truncated"]
            assert outcome.notices[0].code in codes
            assert "from 0:00.0 to 0:0" in outcome.notices[0].text
            assert name == "a.avi" or "of 0:0" in outcome.notices[0].text
        assert sum(a == b for a, b in zip(found, every, strict=False)) >= len(found) - 2
        assert capfd.readouterr().err == ""

    def test_without_its_index_it_cannot_be_read(self, tmp_path):
        whole = encode(tmp_path / "a.mp4", seconds=2)
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        outcome = hash_or_fail(cut, Options())
        assert outcome.error.code == "media_corrupt"
        assert isinstance(outcome.error.__cause__, av.FFmpegError)
        assert outcome.hashes

    def test_a_hole_in_the_middle(self, tmp_path, capfd):
        path = encode(tmp_path / "a.mkv", seconds=6, gop=RATE)
        whole = path.read_bytes()
        middle = len(whole) // 2
        found = []
        for seed in range(12):
            noise = np.random.default_rng(seed).bytes(20_000)  # a third of it
            path.write_bytes(whole[:middle] + noise + whole[middle + len(noise) :])
            hashed = hashkit.hash_file(path, sample="all")
            found.append([notice.code for notice in hashed.notices])
            assert hashed.frames.hashes
        # What is there instead decides whether a decoder reports it: about every second time.
        assert all(codes in ([], ["video_damaged"]) for codes in found)
        assert ["video_damaged"] in found
        assert capfd.readouterr().err == ""

    def test_flipped_bytes_never_crash(self, tmp_path, capfd):
        rng = np.random.default_rng(1)
        for name, codec in (("a.mp4", "libx264"), ("a.webm", "libvpx"), ("a.avi", "mpeg4")):
            whole = encode(tmp_path / name, codec, seconds=1).read_bytes()
            for _ in range(15):
                broken = bytearray(whole)
                for position in rng.integers(0, len(whole), 8):
                    broken[position] = rng.integers(256)
                hash_or_fail(_written(tmp_path / f"b-{name}", broken), Options())
        assert capfd.readouterr().err == ""


def _written(path, data):
    path.write_bytes(data)
    return path


class TestLimits:
    def test_frame_size(self, tmp_path, monkeypatch):
        path = encode(tmp_path / "a.mp4")
        monkeypatch.setattr(videos, "MAX_FRAME_PIXELS", WIDTH * HEIGHT - 1)
        outcome = hash_or_fail(path, Options())
        assert outcome.error.code == "too_many_pixels"

    def test_length(self, tmp_path, monkeypatch):
        path = encode(tmp_path / "a.mp4")
        monkeypatch.setattr(videos, "MAX_SECONDS", 2)
        outcome = hash_or_fail(path, Options())
        assert outcome.error.code == "too_long"

    def test_a_frame_that_claims_to_come_after_a_year(self, tmp_path):
        """The clock is wrong, the pictures are there."""
        path = tmp_path / "a.mkv"
        with av.open(path, "w") as container:
            stream = container.add_stream("mjpeg", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
            for number in (0, 1, 2, 366 * 24 * 3600 * RATE):
                frame = av.VideoFrame(64, 64, "yuvj420p")
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        frames = hash_or_fail(path, Options(sample="all")).frames.hashes
        assert [each.timestamp for each in frames] == pytest.approx(
            [number / RATE for number in range(4)], abs=0.002
        )

    def test_streams(self, tmp_path, monkeypatch):
        path = encode(tmp_path / "a.mp4", audio=True)
        monkeypatch.setattr(videos, "MAX_STREAMS", 1)
        outcome = hash_or_fail(path, Options())
        assert outcome.error.code == "media_corrupt"


class _Counting(io.BytesIO):
    def __init__(self, data):
        super().__init__(data)
        self.count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data


class TestOneRead:
    @pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
    def test_hashes_of_the_bytes_are_right(self, tmp_path, name):
        path = encode(tmp_path / name, "mpeg4", seconds=4)
        hashed = hashkit.hash_file(path)
        exact = hashkit.hash_file(path, ["md5", "sha1", "sha256"])
        assert hashed.hashes[:3] == exact.hashes

    def test_the_disk_is_read_once(self, tmp_path):
        path = encode(tmp_path / "a.mp4", "mpeg4", seconds=60, b="3M")
        stream = _Counting(path.read_bytes())
        hashkit.hash_file(stream)
        assert stream.count < path.stat().st_size * 1.1 + 1_000_000

    @given(st.binary(max_size=3000), st.lists(st.tuples(st.integers(0, 3200), st.integers(0, 999))))
    def test_every_byte_once_and_in_order(self, data, jumps):
        passed = bytearray()
        tee = Tee(io.BytesIO(data), passed.extend)
        for position, size in jumps:
            assert tee.seek(position) == position
            assert tee.read(size) == data[position : position + size]
            assert tee.tell() == min(position, max(len(data), position)) + len(
                data[position : position + size]
            )
        assert tee.finish() == len(data)
        assert passed == data


class TestAnimations:
    @pytest.mark.parametrize("name", ["gif-animated.gif", "webp-animated.webp", "png-animated.png"])
    def test_are_videos_as_well(self, samples, name):
        hashed = hashkit.hash_file(samples / name, sample="all")
        assert hashed.kind == "image"
        assert "animated" in [notice.code for notice in hashed.notices]
        readings = ["pdq"] if name.startswith("gif") else []  # its palette
        assert [h.algorithm for h in hashed.hashes] == [
            *("md5", "sha1", "sha256", "pdq", *readings, "tmk_pdqf")
        ]
        assert [each.frame for each in hashed.frames.hashes] == [0, 1, 2]
        assert hashed.frames.hashes[0].value == hashed["pdq"].value
        assert len({each.value for each in hashed.frames.hashes}) == 3

    @pytest.mark.parametrize(("ending", "counted"), [("gif", True), ("png", True), ("webp", False)])
    def test_frames_are_counted_as_other_tools_do(self, tmp_path, ending, counted):
        """40 frames in 14.4 seconds: they take every second one."""
        path = tmp_path / f"a.{ending}"
        pictures = [Image.fromarray(picture(n)) for n in range(40)]
        pictures[0].save(
            path, save_all=True, append_images=pictures[1:], duration=[40, 400, 100, 900] * 10
        )
        hashed = hashkit.hash_file(path, "vpdq")
        found = {each.variant: [one.frame for one in each.hashes] for each in hashed.frame_variants}
        assert found == ({"by-frame-count": list(range(0, 40, 2))} if counted else {})
        assert ("variable_rate" in [each.code for each in hashed.notices]) == counted
        assert not hashkit.hash_file(path, "vpdq", variants="none").frame_variants

    @pytest.mark.parametrize("ending", ["gif", "png"])
    def test_times_that_ffmpeg_cannot_read_are_not_counted(self, tmp_path, ending):
        path = tmp_path / f"a.{ending}"
        Image.fromarray(picture(0)).save(path)
        assert Animation(path.read_bytes()[:40], ending).counted_rate is None

    def test_a_gif_matches_the_video_it_was_made_from(self, tmp_path):
        clip = encode(tmp_path / "a.mp4", seconds=4)
        frames = [Image.fromarray(picture(n)) for n in range(0, 48, 2)]
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=167)
        one, two = (
            hashkit.hash_file(path, sample="all").frames.hashes
            for path in (clip, tmp_path / "a.gif")
        )
        assert min(vpdq.compare(one, two)) >= 50


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_memory_does_not_grow_with_duration(tmp_path):
    """Frames must not wait for the garbage collector: each is megabytes."""

    def peak(path):
        code = (
            "import hashkit, sys; hashkit.hash_file(sys.argv[1]);"
            "print([line for line in open('/proc/self/status') if 'VmHWM' in line][0])"
        )
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return int(done.stdout.split()[1]) / 1024

    size = (1280, 720)
    short = encode(tmp_path / "a.mp4", seconds=2, size=size, preset="ultrafast")
    long = encode(tmp_path / "b.mp4", seconds=20, size=size, preset="ultrafast")
    assert peak(long) < peak(short) + 60


def test_an_interrupt_stops_it_at_the_next_frame(tmp_path):
    path = encode(tmp_path / "a.mp4", seconds=5)
    calls, threads = [], threading.active_count()

    def interrupt(part):
        calls.append(part)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hashkit.hash_file(path, on_progress=interrupt)
    assert len(calls) == 1
    assert threading.active_count() == threads
    assert [each.name for each in tmp_path.iterdir()] == ["a.mp4"]


def test_palettes_become_colours():
    palette = np.zeros((256, 4), np.uint8)
    palette[:, 0] = 255  # alpha first
    palette[7, 1:] = (10, 200, 90)
    indices = np.full((64, 80), 7, np.uint8)
    native = av.VideoFrame.from_ndarray((indices, palette), "pal8")
    pixels = videos._luma_plane(native)
    assert pixels.shape == (64, 80, 3)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == 1
    assert sorted(pixels[0, 0].tolist()) == pytest.approx([10, 90, 200], abs=2)


def test_progress_is_reported(tmp_path):
    reported = []
    hashkit.hash_file(encode(tmp_path / "a.mp4"), on_progress=reported.append)
    assert reported == sorted(reported)
    assert reported[0] < 0.1
    assert 0.9 < reported[-1] <= 1


def test_a_title_that_is_no_text(tmp_path):
    """Old programs write titles in the alphabets of their countries. What PyAV does with them
    depends on its version: the pictures are hashed either way."""
    path = encode(tmp_path / "a.mkv", seconds=1, title="summertime")
    expected = hashkit.hash_file(path, "vpdq").frames
    whole = path.read_bytes()
    assert whole.count(b"summertime") == 1
    path.write_bytes(whole.replace(b"summertime", b"\xe9t\xe9\xff\x80" + b"-" * 5))
    found = hashkit.hash_file(path, "vpdq")
    assert found.frames == expected
    assert found.notices == ()


@pytest.mark.parametrize("years", [0.001, 5])
def test_a_picture_that_is_said_to_last_for_years(tmp_path, years):
    """By the header of an AVI; found by fuzzing. TMK would repeat it 2.4 thousand million times."""
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0, 64, 64), "rgb24")))
        output.mux(stream.encode())
    data = bytearray(path.read_bytes())
    place = data.index(b"strh") + 8 + 20  # dwScale and dwRate of AVISTREAMHEADER
    data[place : place + 8] = struct.pack("<II", int(years * 31_557_600), 1)
    path.write_bytes(data)
    hashed = hashkit.hash_file(path, "vpdq,tmk_pdqf")
    frames = struct.unpack_from("<i", hashed["tmk_pdqf"].value, 28)[0]
    assert frames == (1 if years > 1 else 15 * 31_557)
