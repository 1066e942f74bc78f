"""vPDQ against Meta's C++ on the conformance videos, and what is done with it."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hashkit
from hashkit.hashes import pdq, vpdq
from hashkit.models import FrameHash

CONFORMANCE = Path(__file__).parent.parent / "vectors" / "conformance"
VIDEOS = sorted(path.name for path in (CONFORMANCE / "videos").iterdir())
ROTATED, VARIABLE = "rotated_90_metadata.mp4", "variable_frame_rate.mp4"


def reference(name, which):
    with (CONFORMANCE / "vpdq" / f"{name}.{which}.csv").open() as file:
        return [
            FrameHash(
                int(r["frame_number"]),
                float(r["timestamp_seconds"]),
                r["pdq_hex"],
                int(r["quality"]),
            )
            for r in csv.DictReader(file)
        ]


def hashed(name, sample):
    return hashkit.hash_file(CONFORMANCE / "videos" / name, "vpdq", sample=sample).frames.hashes


def test_there_are_ten():
    assert len(VIDEOS) == 10


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize(("sample", "which"), [("all", "every_frame"), (1.0, "per_second")])
def test_conformance(name, sample, which, monkeypatch):
    if name == ROTATED:
        monkeypatch.setattr("hashkit.media.videos._upright", lambda pixels, native: pixels)
    expected, found = reference(name, which), hashed(name, sample)
    if (name, sample) == (VARIABLE, 1.0):
        # There the reference counts frames; we go by time. Its frames are all in the other file.
        expected = [
            each
            for each in reference(name, "every_frame")
            if each.frame in {frame.frame for frame in found}
        ]
    assert [each.frame for each in found] == [each.frame for each in expected]
    distances = []
    for ours, theirs in zip(found, expected, strict=True):
        assert abs(ours.quality - theirs.quality) <= 2
        if theirs.quality >= 50:
            distances.append(pdq.distance(ours.value, theirs.value))
        if name != VARIABLE:
            assert ours.timestamp == pytest.approx(theirs.timestamp, abs=0.002)
    assert max(distances) <= 8
    assert sum(distances) / len(distances) <= 2


def test_real_timestamps_at_a_variable_rate():
    """The file shows 60 frames at 15 a second, stands still for 3.1 seconds, and goes on at 30."""
    found = hashed(VARIABLE, "all")
    times = [each.timestamp for each in found]
    assert times == sorted(times)
    assert max(b - a for a, b in zip(times, times[1:], strict=False)) == pytest.approx(3.1, abs=0.1)
    sampled = [each.timestamp for each in hashed(VARIABLE, 1.0)]
    end = times[-1] + 1 / 30 - 1e-6
    assert sampled == sorted(
        {max(time for time in times if time <= second) for second in range(int(end) + 1)}
    )


def test_rotation_is_applied():
    """A copy that a platform re-encodes is upright: so is what we hash."""
    ours = hashed(ROTATED, 1.0)
    reference_sideways = reference(ROTATED, "per_second")
    assert all(
        pdq.distance(a.value, b.value) > 60 for a, b in zip(ours, reference_sideways, strict=True)
    )


class TestCompare:
    def brute(self, a, b, distance, quality):
        a, b = ({x.value for x in side if x.quality >= quality} for side in (a, b))
        if not a or not b:
            return 0.0, 0.0
        near = [
            {x for x in one if any(pdq.distance(x, y) <= distance for y in two)}
            for one, two in ((a, b), (b, a))
        ]
        return 100 * len(near[0]) / len(a), 100 * len(near[1]) / len(b)

    @given(st.integers(0, 10**6), st.integers(0, 40), st.integers(0, 100))
    def test_equals_brute_force(self, seed, distance, quality):
        rng = random.Random(seed)
        base = [rng.getrandbits(256) for _ in range(4)]

        def near(value):
            flips = (1 << rng.randrange(256) for _ in range(rng.randrange(30)))
            return value ^ (sum(flips) % 2**256)

        def side():
            return [
                FrameHash(n, float(n), f"{near(rng.choice(base)):064x}", rng.randrange(101))
                for n in range(rng.randrange(6))
            ]

        a, b = side(), side()
        found = vpdq.compare(a, b, distance=distance, quality=quality)
        assert found == pytest.approx(self.brute(a, b, distance, quality))
        assert vpdq.compare(b, a, distance=distance, quality=quality) == found[::-1]

    def test_a_video_with_itself_and_with_another(self):
        one, other = hashed("h264_30fps_cuts.mp4", 1.0), hashed("vp9_24fps.webm", 1.0)
        assert vpdq.compare(one, one) == (100.0, 100.0)
        assert vpdq.compare(one, other) == (0.0, 0.0)
        assert vpdq.compare(one[:4], one) == (100.0, 50.0)
        assert vpdq.compare(one, []) == (0.0, 0.0)


def test_prune_keeps_what_differs():
    frames = hashed("portrait_25fps_gop1s.mp4", "all")
    kept = vpdq.prune(frames, 10)
    assert 0 < len(kept) < len(frames)
    assert kept[0] == frames[0]
    for before, after in zip(kept, kept[1:], strict=False):
        assert pdq.distance(before.value, after.value) > 10
    assert vpdq.prune(frames, 256) == frames[:1]
    assert vpdq.prune([]) == ()


hex_values = st.text("0123456789abcdef", min_size=64, max_size=64)
frame_lists = st.lists(
    st.tuples(st.integers(0, 10**7), hex_values, st.integers(0, 100)), max_size=6
).map(
    lambda rows: tuple(
        FrameHash(number, time / 1000, value, quality)
        for number, (time, value, quality) in enumerate(rows)
    )
)


@given(frame_lists)
def test_text_forms_round_trip(frames):
    assert vpdq.from_text(vpdq.to_text(frames)) == frames
    assert vpdq.from_text(vpdq.to_signal(frames)) == frames
    python_form = "\n".join(f"{f.frame},{f.value},{f.quality},{f.timestamp}" for f in frames)
    assert vpdq.from_text(python_form) == frames


def test_text_forms_are_the_ones_in_use():
    frame = FrameHash(24, 1.0, "ab" * 32, 77)
    assert vpdq.to_text([frame]) == f"24,77,{'ab' * 32},1.000\n"
    assert vpdq.to_signal([frame]) == f'["{"ab" * 32},77,1.000"]'


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3",
        "x",
        "[1]",
        "[[]]",
        "{}",
        '["a,b,c"]',
        "[" * 9999,
        f"0,101,{'0' * 64},1.0",
        f"-1,50,{'0' * 64},1.0",
        f"0,50,{'g' * 64},1.0",
        f"0,50,{'0' * 64},nan",
        f"0,50,{'0' * 64},-1",
        f"0,x,{'0' * 64},1",
    ],
)
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        vpdq.from_text(text)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        found = vpdq.from_text(text)
    except ValueError as refusal:
        assert str(refusal)
    else:
        again = vpdq.from_text(vpdq.to_text(found))
        assert [each.value for each in again] == [each.value for each in found]
