"""TMK+PDQF against Meta's C++ on the conformance videos."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashkit
from hashkit.hashes import tmk

CONFORMANCE = Path(__file__).parent.parent / "vectors" / "conformance"
GOOD = (CONFORMANCE / "tmk" / "av1_24fps.mp4.tmk").read_bytes()
VIDEOS = sorted(path.name for path in (CONFORMANCE / "videos").iterdir())


def reference(name):
    return (CONFORMANCE / "tmk" / f"{name}.tmk").read_bytes()


def cosine(a, b):
    a, b = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    return a @ b / np.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize("name", VIDEOS)
def test_conformance(name):
    data = hashkit.hash_file(CONFORMANCE / "videos" / name, "tmk_pdqf")["tmk_pdqf"].value
    expected = reference(name)
    assert len(data) == len(expected) == tmk.SIZE == 263_344
    header = 32 + 4 * (4 + 32)
    assert data[:header] == expected[:header]
    ours, theirs = tmk.Signature.from_bytes(data), tmk.Signature.from_bytes(expected)
    assert ours.frames == theirs.frames
    for part in ("mean", "cosines", "sines"):
        assert cosine(getattr(ours, part), getattr(theirs, part)) >= 0.9999, part
    score = tmk.score(ours, theirs)
    assert score.match
    assert min(score) >= 0.9999


def test_files_are_read_and_written_as_they_are():
    for name in VIDEOS:
        assert tmk.Signature.from_bytes(reference(name)).to_bytes() == reference(name)


def test_scores_are_the_references():
    with (CONFORMANCE / "tmk_pair_scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 40
    signatures = {
        name: tmk.Signature.from_bytes((CONFORMANCE / "tmk" / name).read_bytes())
        for row in rows
        for name in (row["a"], row["b"])
    }
    for row in rows:
        found = tmk.score(signatures[row["a"]], signatures[row["b"]])
        assert found.level1 == pytest.approx(float(row["level1"]), abs=2e-5)
        assert found.level2 == pytest.approx(float(row["level2"]), abs=2e-4)


def test_best_shift_equals_the_plain_sum():
    """The FFT against the formula, term by term, for a period and some shifts."""
    a, b = (tmk.Signature.from_bytes(reference(name)) for name in VIDEOS[:2])
    period = tmk.PERIODS[0]
    j = np.arange(32)
    products = {
        key: (getattr(a, key[0])[0] * getattr(b, key[1])[0]).sum(1)
        for key in [
            ("cosines", "cosines"),
            ("sines", "sines"),
            ("sines", "cosines"),
            ("cosines", "sines"),
        ]
    }
    best = -np.inf
    for shift in range(period):
        angles = 2 * np.pi * j * shift / period
        even = products["cosines", "cosines"] + products["sines", "sines"]
        odd = products["sines", "cosines"] - products["cosines", "sines"]
        terms = np.cos(angles) * even + np.sin(angles) * odd
        best = max(best, products["cosines", "cosines"][0] + terms[1:].sum())
    assert tmk._best_shift(a, b, 0) == pytest.approx(best, rel=1e-6)


def test_a_shifted_copy_is_found():
    rng = np.random.default_rng(0)
    features = np.cumsum(rng.normal(size=(900, 256)), axis=0).astype(np.float32)
    whole, later = tmk.Accumulator(), tmk.Accumulator()
    for each in features:
        whole.add(each)
    for each in features[150:]:
        later.add(each)
    other = tmk.Accumulator()
    for each in rng.normal(size=(900, 256)).astype(np.float32):
        other.add(each)
    assert tmk.score(whole.signature(), later.signature()).level2 > 0.7
    assert not tmk.score(whole.signature(), other.signature()).match


@settings(max_examples=20)
@given(st.integers(1, 1200), st.integers(0, 10**6))
def test_blocks_make_no_difference(length, seed):
    features = np.random.default_rng(seed).normal(size=(length, 256)).astype(np.float32)
    accumulator = tmk.Accumulator()
    for each in features:
        accumulator.add(each)
    found = accumulator.signature()
    assert found.frames == length
    np.testing.assert_allclose(found.mean, features.mean(0), atol=1e-5)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    times = np.arange(length)
    for period in (0, 3):
        for coefficient in (0, 1, 31):
            angles = 2 * np.pi * coefficient * times / tmk.PERIODS[period]
            for sums, function in ((found.cosines, np.cos), (found.sines, np.sin)):
                plain = function(angles) @ unit
                norm = np.linalg.norm(plain)
                if norm > 1e-6:
                    plain = plain / norm * np.sqrt(tmk.COEFFICIENTS[coefficient])
                    np.testing.assert_allclose(sums[period, coefficient], plain, atol=1e-5)


@pytest.mark.parametrize("length", [1, 511, 512, 2731, 9_000])
def test_a_picture_that_stands_still(length):
    """Counting how often each place of a wave is passed equals going through them all."""
    rng = np.random.default_rng(length)
    at_once, one_by_one = tmk.Accumulator(), tmk.Accumulator()
    for _ in range(3):
        for features, times in ((rng.normal(size=256), 7), (rng.normal(size=256), length)):
            at_once.add(features.astype(np.float32), times)
            for _ in range(times):
                one_by_one.add(features.astype(np.float32))
    got, expected = at_once.signature(), one_by_one.signature()
    assert got.frames == expected.frames
    for name in ("mean", "cosines", "sines"):
        np.testing.assert_allclose(getattr(got, name), getattr(expected, name), atol=1e-6)


def test_scores_of_absurd_numbers_are_finite():
    good = tmk.Signature.from_bytes(GOOD)
    huge = {name: np.full_like(getattr(good, name), 3e38) for name in ("mean", "cosines", "sines")}
    absurd = dataclasses.replace(good, **huge)
    assert np.isfinite(tmk.score(absurd, absurd)).all()


def test_a_signature_needs_a_frame():
    with pytest.raises(ValueError, match="at least one frame"):
        tmk.Accumulator().signature()


class TestClock:
    def kept(self, times, rate, durations=None):
        clock = tmk.FrameClock(rate)
        shown, last = [], None
        for number, time in enumerate(times):
            before, now = clock.ticks(time, durations[number] if durations else 1 / rate)
            shown += [last] * before + [number] * now
            last = number
        return shown + [last] * clock.ticks_at_end()

    def test_thirty_frames_a_second(self):
        shown = self.kept([n / 30 for n in range(300)], 30)
        assert shown[:7] == [0, 1, 2, 3, 5, 7, 9]

    def test_fifty_frames_a_second(self):
        """Every third or fourth, where the exact sum is on the border (from ffmpeg -r 15)."""
        shown = self.kept([n / 50 for n in range(64)], 50)
        assert shown[:12] == [0, 1, 2, 6, 9, 12, 16, 19, 22, 26, 29, 32]

    @pytest.mark.parametrize("rate", [5, 12, 15, 23.976, 24, 25, 29.97, 30, 50, 60, 120])
    def test_fifteen_come_out_whatever_goes_in(self, rate):
        seconds = 20
        shown = self.kept([n / rate for n in range(int(seconds * rate))], rate)
        assert abs(len(shown) - 15 * seconds) <= 2
        assert shown == sorted(shown)

    def test_a_long_pause_is_filled(self):
        times = [n / 15 for n in range(30)] + [10 + n / 15 for n in range(30)]
        assert abs(len(self.kept(times, 15)) - 180) <= 2

    def test_misreported_durations_are_ignored(self):
        times = [n / 30 for n in range(90)]
        assert self.kept(times, 30, [3.0] * 90) == self.kept(times, 30, [0.0] * 90)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        b"TMK2" + GOOD[4:],
        GOOD[:12] + b"\1" + GOOD[13:],
        GOOD[:28] + b"\xff\xff\xff\xff" + GOOD[32:],
        GOOD[:32] + b"\0" + GOOD[33:],
        GOOD[:50] + b"\xff" + GOOD[51:],
        GOOD[:-4] + b"\0\0\xc0\x7f",
    ],
)
def test_other_files_are_refused(data):
    with pytest.raises(ValueError, match="not a TMK"):
        tmk.Signature.from_bytes(data)
