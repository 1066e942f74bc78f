"""What is believed of a video's header."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest

from hashkit.media.formats import FORMATS, Clock
from hashkit.media.video_headers import lengths_of, rates_of, start_of

MICRO = 1_000_000
DAY = 24 * 3600


def stream(**facts):
    usual = {
        "average_rate": Fraction(10),
        "base_rate": Fraction(10),
        "guessed_rate": Fraction(10),
        "duration": None,
        "time_base": Fraction(1, 10),
        "start_time": 0,
        "metadata": {},
    }
    return SimpleNamespace(**(usual | facts))


@pytest.mark.parametrize(
    ("said", "taken"),
    [(Fraction(30000, 1001), 30000 / 1001), (Fraction(1), 1.0), (Fraction(1000), 1000.0)]
    + [(each, 25.0) for each in (Fraction(1, 1000), Fraction(90000), Fraction(0))],
)
def test_the_rate_of_a_stream_without_times(said, taken):
    found = rates_of(stream(guessed_rate=said, average_rate=said), Clock.NONE)
    assert found == (taken, taken, taken)


def test_the_average_where_the_coding_does_not_say():
    found = rates_of(stream(guessed_rate=None, average_rate=Fraction(50)), Clock.NONE)
    assert found == (50.0, 50.0, 50.0)


def test_rates_of_files_with_times():
    assert rates_of(stream(), Clock.ONE) == (10.0, 10.0, 10.0)
    varying = stream(average_rate=Fraction(9), guessed_rate=Fraction(30), base_rate=Fraction(30))
    assert rates_of(varying, Clock.ONE) == (9.0, 30.0, None)


@pytest.mark.parametrize(
    ("name", "seconds", "own", "tag", "expected"),
    [
        ("mp4", 5, 30, "", (5.0, 3.0, False)),
        ("mp4", 5, None, "", (5.0, 5.0, True)),
        ("mp4", None, None, "", (None, None, False)),
        ("mp4", DAY, None, "", (DAY, DAY, True)),
        ("mp4", DAY + 1, None, "", (None, None, False)),
        ("mp4", 5, 10 * (DAY + 1), "", (5.0, 5.0, True)),
        ("matroska", 5, 50, "", (5.0, 5.0, True)),
        ("matroska", 5, 50, "00:00:03", (5.0, 3.0, False)),
        ("matroska", 5, 50, "00:00:09", (5.0, 5.0, False)),
        ("h264", 5, 50, "", (5.0, None, False)),
        ("asf", 5, 50, "", (5.0, 5.0, True)),
    ],
)
def test_lengths(name, seconds, own, tag, expected):
    file = SimpleNamespace(duration=seconds and seconds * MICRO, start_time=None)
    metadata = {"DURATION": tag} if tag else {}
    assert lengths_of(file, stream(duration=own, metadata=metadata), FORMATS[name]) == expected


@pytest.mark.parametrize(
    ("name", "start", "tag", "expected"),
    [
        ("matroska", 4, "00:00:12", (8.0, 8.0, False)),
        ("matroska", 4, "00:00:10", (8.0, 6.0, False)),
        ("matroska", 4, "", (8.0, 8.0, True)),
        ("matroska", -4, "00:00:12", (12.0, 12.0, False)),
        ("matroska", 12, "00:00:12", (12.0, 12.0, False)),  # not counted from zero
        ("mp4", 4, "00:00:12", (12.0, 12.0, False)),
    ],
)
def test_lengths_of_what_begins_late(name, start, tag, expected):
    file = SimpleNamespace(duration=12 * MICRO, start_time=start * MICRO)
    metadata = {"DURATION": tag} if tag else {}
    assert lengths_of(file, stream(metadata=metadata), FORMATS[name]) == expected


def test_a_rate_that_makes_one_picture_last_for_years_counts_for_nothing():
    slow = Fraction(1, 86_401)
    assert rates_of(stream(average_rate=slow, base_rate=slow), Clock.ONE) == (10.0, 10.0, None)
    slow = Fraction(1, 86_400)
    found = rates_of(stream(average_rate=slow, base_rate=slow, guessed_rate=slow), Clock.ONE)
    assert found == (1 / 86_400,) * 3


@pytest.mark.parametrize(
    ("file_start", "picture_start", "expected"),
    [(2.0, 20, 2.0), (0.0, 0, 0.0), (-0.02, 0, 0.0), (-20.0, -200, -20.0), (None, None, 0.0)],
)
def test_where_a_file_begins(file_start, picture_start, expected):
    file = SimpleNamespace(start_time=file_start and int(file_start * MICRO))
    assert start_of(file, stream(start_time=picture_start)) == expected
