"""Whatever a file's clock says, all of its frames are hashed, on one timeline."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import hashkit
from hashkit.hashes import tmk
from hashkit.media.timeline import StampChooser, Timeline

CASES = Path(__file__).parents[1] / "cases"
RATE = 10


def broadcast(rate=RATE):
    return Timeline(rate, max_gap=10.0, back=0.1)


def places(timeline, stamps):
    return [timeline.place(stamp) for stamp in stamps]


def seconds(expected):
    return pytest.approx(expected, abs=1e-6)


class TestTimeline:
    def test_stamps_in_order_stay_exactly_as_they_are(self):
        stamps = [0.1, 0.3, 0.30000000000000004, 5.0, 15.0, 15.1]
        timeline = broadcast()
        assert places(timeline, stamps) == stamps
        assert not timeline.is_mended

    def test_a_clock_that_begins_again(self):
        timeline = broadcast()
        assert places(timeline, [0.0, 0.1, 0.2, 0.0, 0.1, 0.2]) == seconds(
            [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
        )
        assert timeline.is_mended

    def test_a_jump_is_a_new_clock_only_where_files_are_joined_anywhere(self):
        stamps = [0.0, 0.1, 10.25, 10.35]
        assert places(broadcast(), stamps) == seconds([0.0, 0.1, 0.2, 0.3])
        assert places(Timeline(RATE, 86400, 1.0), stamps) == stamps
        assert places(broadcast(), [0.0, 0.1, 10.15]) == [0.0, 0.1, 10.15]

    def test_the_border_of_a_gap(self):
        timeline = Timeline(1, max_gap=10, back=1)
        assert places(timeline, [0, 11, 23]) == [0, 11, 12]

    def test_a_first_stamp_below_zero(self):
        assert places(broadcast(), [-20.0, -19.9, -19.5]) == seconds([0.0, 0.1, 0.5])

    def test_rounded_below_zero(self):
        """What begins there by less than a file can say keeps its other times."""
        assert places(broadcast(), [-4e-7, 0.1, 0.2]) == [0.0, 0.1, 0.2]

    def test_a_first_stamp_far_ahead(self):
        assert places(broadcast(), [30.0, 30.1]) == seconds([0.0, 0.1])
        assert places(broadcast(), [3.0, 3.1]) == [3.0, 3.1]

    def test_stamps_that_repeat(self):
        assert places(broadcast(), [5.0] * 300) == seconds([5 + i / RATE for i in range(300)])
        assert places(broadcast(), [0.0, 0.1, 0.1, 0.2, 0.5, 0.6]) == seconds(
            [0.0, 0.1, 0.2, 0.3, 0.5, 0.6]
        )

    def test_a_repeat_within_a_burst_does_not_delay_what_follows(self):
        timeline = Timeline(2, 86400, 1.0)  # few frames on average, and a burst of many
        assert places(timeline, [0.0, 0.01, 0.01, 0.03, 0.04]) == seconds(
            [0.0, 0.01, 0.02, 0.03, 0.04]
        )

    def test_a_wrong_order_within_one_clock(self):
        timeline = Timeline(RATE, 86400, 1.0)
        assert places(timeline, [0.0, 0.3, 0.1, 0.2, 0.6, 0.4, 0.5, 0.9]) == seconds(
            [0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
        )
        assert not timeline.is_mended

    def test_how_far_back_is_a_new_clock(self):
        for back, mended in ((0.9, False), (1.1, True)):
            timeline = Timeline(RATE, 86400, 1.0)
            places(timeline, [2.0, 2.0 - back])
            assert timeline.is_mended is mended

    def test_no_stamps_at_all(self):
        assert places(broadcast(), [None] * 4) == seconds([0.0, 0.1, 0.2, 0.3])

    def test_credible_durations_say_when_the_next_one_comes(self):
        for duration, expected in ((0.25, 0.25), (0.4, 0.4), (0.5, 0.1), (0.0, 0.1)):
            timeline = broadcast()
            timeline.place(None, duration)
            assert timeline.place(None) == seconds(expected)

    def test_frames_that_are_not_decoded(self):
        timeline = broadcast()
        timeline.place(0.0)
        timeline.pass_by(3.9)
        assert timeline.place(0.0) == seconds(4.0)
        timeline.pass_by(2.0)  # of the new clock
        timeline.pass_by(-5.0)
        timeline.pass_by(100.0)
        assert timeline.place(0.0) == seconds(6.1)

    @given(st.lists(st.floats(0.001, 10), max_size=60), st.floats(0, 5))
    def test_any_order_forward_is_kept(self, steps, first):
        stamps = [first]
        for step in steps:
            stamps.append(stamps[-1] + step)
        assert places(broadcast(), stamps) == stamps

    @given(
        st.lists(st.none() | st.floats(-1e5, 1e5), min_size=1, max_size=80),
        st.floats(1, 240),
        st.sampled_from([(10.0, 0.1), (86400.0, 1.0)]),
        st.lists(st.floats(0, 1e3), min_size=80, max_size=80),
    )
    def test_every_frame_gets_a_later_time_than_the_one_before(
        self, stamps, rate, limits, durations
    ):
        timeline = Timeline(rate, *limits)
        times = [timeline.place(*each) for each in zip(stamps, durations, strict=False)]
        assert len(times) == len(stamps)
        assert times[0] >= 0
        gaps = np.diff(times)
        assert np.all(gaps > 0)
        assert np.all(gaps <= limits[0] + 4 / rate + 1e-6)

    @given(
        st.lists(st.tuples(st.integers(-1000, 10_000), st.integers(1, 30)), min_size=1, max_size=8),
        st.integers(5, 60),
    )
    def test_joined_recordings_play_as_one(self, parts, rate):
        """The plain model: however the parts' clocks begin, frame i of all is shown at i / rate."""
        expected, stamps = 0.0, []
        for start, length in parts:
            ahead = start - (stamps[-1] + 1 / rate if stamps else 0)
            assume(not -0.2 < ahead + 1 / rate < 10.1)
            stamps += [start + number / rate for number in range(length)]
        assume(not 0 <= parts[0][0] <= 10)
        expected = [number / rate for number in range(len(stamps))]
        assert places(broadcast(rate), stamps) == seconds(expected)


class TestChoosingStamps:
    def chosen(self, *stamps):
        chooser = StampChooser()
        return [chooser.choose(*each) for each in stamps]

    def test_when_shown(self):
        assert self.chosen((5, 1), (7, 2), (9, None), (11, 4)) == [5, 7, 9, 11]

    def test_when_decoded_where_those_are_in_a_wrong_order(self):
        stamps = [(1, 2), (4, 3), (3, 4), (5, 5), (2, 6), (8, 7), (7, 8), (9, None)]
        assert self.chosen(*stamps) == [1, 4, 4, 5, 6, 7, 8, 9]

    def test_the_better_of_two_bad_ones(self):
        assert self.chosen((1, 1), (1, 1), (0, 0), (2, 0)) == [1, 1, 0, 2]
        assert self.chosen((1, 1), (1, 2), (2, 2), (2, 3)) == [1, 2, 2, 3]

    def test_the_only_one(self):
        assert self.chosen((None, 3), (None, None), (2, None)) == [3, None, 2]


def picture(number):
    """A scene that moves, and another one every second."""
    cells = np.random.default_rng(number // RATE).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    scene = cv2.resize(cells, (200, 160), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(scene[number % 10 :, number % 7 :][:144, :176])


def film(path, numbers, codec="libx264", first=0.0, container=None, rate=RATE):
    """Write these pictures. ``first``: the time of the first one, in seconds."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
        stream.bit_rate = 2_000_000
        for packet in _packets_of(stream, numbers):
            ahead = round(first / float(packet.time_base))
            packet.pts, packet.dts = packet.pts + ahead, packet.dts + ahead
            output.mux(packet)
    return path


def _packets_of(stream, numbers):
    for number in numbers:
        yield from stream.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24"))
    yield from stream.encode()


def joined(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Six seconds as one proper recording."""
    return hashkit.hash_file(film(tmp_path_factory.mktemp("whole") / "a.mp4", range(60)))


def check_same_film(path, whole, frames=60, cosine=0.99):
    """All frames of a file have their place, and it is the whole film to all algorithms."""
    hashed = hashkit.hash_file(path, sample="all")
    assert hashed.notices == ()
    times = [each.timestamp for each in hashed.frames.hashes]
    assert times == pytest.approx([i / RATE for i in range(frames)], abs=0.02)
    signatures = (tmk.Signature.from_bytes(each["tmk_pdqf"].value) for each in (hashed, whole))
    score = tmk.score(*signatures)
    assert min(score.level1, score.level2) >= cosine
    return hashed


WRAP = 2**33 / 90000


class TestJoinedRecordings:
    def test_two_parts_that_begin_at_the_same_time(self, tmp_path, whole):
        parts = (
            film(tmp_path / "a.ts", range(40)),
            film(tmp_path / "b.ts", range(40, 60)),
        )
        check_same_film(joined(tmp_path / "joined.ts", *parts), whole)

    def test_three_parts_each_a_day_or_an_hour_apart(self, tmp_path, whole):
        parts = [
            film(tmp_path / f"{at}.ts", range(at, at + 20), first=first)
            for at, first in ((0, 5000.0), (20, 86000.0), (40, 3600.0))
        ]
        check_same_film(joined(tmp_path / "joined.ts", *parts), whole)

    def test_program_streams(self, tmp_path):
        film(tmp_path / "whole.mpg", range(60), "mpeg2video", rate=25)
        parts = (
            film(tmp_path / "a.mpg", range(30), "mpeg2video", first=100.0, rate=25),
            film(tmp_path / "b.mpg", range(30, 60), "mpeg2video", rate=25),
        )
        path = joined(tmp_path / "joined.mpg", *parts)
        hashed = hashkit.hash_file(path, sample="all")
        times = [each.timestamp for each in hashed.frames.hashes]
        assert times == pytest.approx([number / 25 for number in range(60)], abs=0.05)
        assert hashed.notices == ()

    def test_keyframes_only(self, tmp_path):
        parts = [film(tmp_path / f"{at}.ts", range(at, at + 20)) for at in (0, 20, 40)]
        path = joined(tmp_path / "joined.ts", *parts)
        found = hashkit.hash_file(path, sample="keyframes").frames.hashes
        times = [each.timestamp for each in found]
        assert {0.0, 2.0, 4.0} <= {round(each, 2) for each in times}
        assert max(times) < 6
        assert [each.frame for each in found] == [round(each * RATE) for each in times]

    def test_the_second_half_is_found_in_it(self, tmp_path):
        parts = (
            film(tmp_path / "a.ts", range(40), first=7000),
            film(tmp_path / "b.ts", range(40, 80)),
        )
        both = hashkit.hash_file(joined(tmp_path / "joined.ts", *parts))
        half = hashkit.hash_file(film(tmp_path / "half.mp4", range(40, 80)))
        assert hashkit.compare(half, both).verdict.is_copy

    def test_a_long_pause_in_a_recording_stays(self, tmp_path):
        """A show of slides is no joined file: long still pictures are shown for that long."""
        path = tmp_path / "slides.mkv"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
            stream.codec_context.time_base = Fraction(1, 1000)
            for number, at in enumerate((0, 12_000, 24_000, 60_000)):
                frame = av.VideoFrame.from_ndarray(picture(10 * number), "rgb24")
                frame.pts, frame.time_base = at, Fraction(1, 1000)
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
        found = hashkit.hash_file(path).frames.hashes
        assert [each.timestamp for each in found] == pytest.approx([0, 12, 24, 60], abs=0.01)


class TestClocks:
    @pytest.mark.parametrize("before", [0.5, 2.0, 5.0, 40.0])
    def test_one_that_wraps(self, tmp_path, whole, before):
        path = film(tmp_path / "a.ts", range(60), first=WRAP - before)
        check_same_film(path, whole)

    @pytest.mark.parametrize(
        "times",
        [
            [0] * 60,
            [*range(0, 3000, 100), *range(0, 3000, 100)],
            [*range(5000, 8000, 100), *range(0, 3000, 100)],
        ],
        ids=["stopped", "again", "back"],
    )
    def test_odd_stamps_in_matroska(self, tmp_path, whole, times):
        path = tmp_path / "a.mkv"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("mjpeg", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = 176, 144, "yuvj420p"
            for number, packet in enumerate(_packets_of(stream, range(60))):
                packet.time_base = Fraction(1, 1000)  # only the stamps of display are written
                packet.pts, packet.dts, packet.duration = times[number], -200 + number, 0
                output.mux(packet)
        hashed = hashkit.hash_file(path, sample="all")
        first = hashed.frames.hashes[0].timestamp
        steps = np.diff([each.timestamp for each in hashed.frames.hashes])
        assert len(steps) == 59
        assert np.all(steps > 0)
        assert hashed.frames.hashes[-1].timestamp - first < 10
        signatures = (tmk.Signature.from_bytes(each["tmk_pdqf"].value) for each in (hashed, whole))
        assert tmk.score(*signatures).level1 > 0.95


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_frames_shown_in_another_order_than_they_are_stored(tmp_path, frames):
    """AVI says only when they are decoded. FFmpeg's output has them in order, one after another."""
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
        stream.options = {"bf": str(frames)}
        for packet in _packets_of(stream, range(60)):
            output.mux(packet)
    found = hashkit.hash_file(path, sample="all").frames.hashes
    times = np.array([each.timestamp for each in found])
    assert len(times) == 60
    assert np.all(np.abs(times - times[0] - np.arange(60) / RATE) < 1.01 / RATE)
    assert np.all(np.diff(times) > 0)


class TestLength:
    def test_sound_that_goes_on_is_not_the_picture(self, tmp_path):
        for name in ("a.mkv", "a.webm", "a.flv"):
            codecs = ("libvpx", "libopus", 48000) if name == "a.webm" else ("libx264", "aac", 44100)
            path = with_sound(tmp_path / name, 10, 8.0, *codecs)
            assert hashkit.hash_file(path).notices == (), name

    def test_a_file_that_ends_early_is_still_cut_short(self, tmp_path):
        path = with_sound(tmp_path / "a.flv", 80, 8.0, "libx264", "aac", 44100)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        (notice, *_) = hashkit.hash_file(path).notices
        assert notice.code == "video_truncated"


def with_sound(path, frames, length, codec, sound_codec, sound_rate):
    """Pictures, and ``length`` seconds of noise, in turn as players read them."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
        sound = output.add_stream(sound_codec, rate=sound_rate, layout="mono")
        packets = [*_packets_of(stream, range(frames))]
        noise = np.random.default_rng(1).integers(-9000, 9000, (1, int(length * sound_rate)))
        frame = av.AudioFrame.from_ndarray(noise.astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = sound_rate, 0, Fraction(1, sound_rate)
        packets += [*sound.encode(frame), *sound.encode()]
        packets = [each for each in packets if each.dts is not None]  # not the marks of the end
        for packet in sorted(packets, key=lambda each: each.dts * each.time_base):
            output.mux(packet)
    return path


class TestFilesFromTheField:
    @pytest.mark.parametrize("name", ["ts_concat_reset.ts", "ts_concat_jump.ts"])
    def test_joined(self, name):
        proper = hashkit.hash_file(CASES / "joined.mp4")
        hashed = check_same_film(CASES / name, proper)
        assert hashkit.compare(hashed, proper).verdict.is_copy

    def test_wrapped(self):
        hashed = hashkit.hash_file(CASES / "wrap_late.ts")
        assert hashed.notices == ()
        times = [each.timestamp for each in hashed.frames.hashes]
        assert times == pytest.approx([float(second) for second in range(30)], abs=1e-5)
        assert len(hashkit.hash_file(CASES / "wrap_late.ts", sample="all").frames.hashes) == 300

    def test_a_last_picture_that_stays(self):
        hashed = hashkit.hash_file(CASES / "still_end.webm", sample="all")
        assert (len(hashed.frames.hashes), hashed.notices) == (4, ())
