"""What is printed below the table of the files that were hashed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hashkit import notices
from hashkit.cli.output.outcome_table import print_table
from hashkit.models import Hash, HashedFile, MediaKind


def hashed(name, *notes):
    return HashedFile(Path(name), MediaKind.VIDEO, (Hash("md5", "0" * 32),), notes)


def cut(end):
    return notices.with_span(notices.VIDEO_TRUNCATED, 0.0, end, 9.0)


@pytest.fixture
def printed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")

    def lines(*outcomes):
        print_table(outcomes)
        return capsys.readouterr().out.splitlines()

    return lines


def test_one_meaning_is_printed_once(printed):
    lines = printed(hashed("a.mp4", notices.SMALL), hashed("b.mp4", notices.SMALL))
    assert [each for each in lines if each.startswith("small")] == [f"small: {notices.SMALL.text}"]


def test_times_are_those_of_each_file(printed):
    lines = printed(hashed("a.mp4", cut(1.0)), hashed("b.mp4", cut(2.0)), hashed("c.mp4", cut(1.0)))
    assert [each for each in lines if each.startswith("cut short")] == [
        f"cut short (a.mp4, c.mp4): {cut(1.0).text}",
        f"cut short (b.mp4): {cut(2.0).text}",
    ]


def test_a_picture_and_a_video_are_kept_apart(printed):
    lines = printed(hashed("a.jpg", notices.TRUNCATED), hashed("b.mp4", cut(2.0)))
    assert [each for each in lines if each.startswith("cut short")] == [
        f"cut short (a.jpg): {notices.TRUNCATED.text}",
        f"cut short (b.mp4): {cut(2.0).text}",
    ]


def test_an_animation_that_is_both(printed):
    lines = printed(hashed("a.gif", notices.TRUNCATED, cut(2.0)))
    assert [each for each in lines if "cut short" in each and "a.gif" in each] == [
        each for each in lines if "a.gif" in each
    ]
    assert "cut short, cut short" not in "".join(lines)
    assert f"cut short: {notices.TRUNCATED.text}" in lines
    assert f"cut short: {cut(2.0).text}" in lines


@pytest.mark.parametrize(("files", "more"), [(8, 0), (9, 1), (1008, 1000)])
def test_not_more_lines_than_can_be_read(printed, files, more):
    lines = printed(*(hashed(f"{number}.mp4", cut(number / 10)) for number in range(files)))
    found = [each for each in lines if each.startswith("cut short")]
    assert len(found) == 8 + bool(more)
    assert (found[-1] == f"cut short: and {more:,} more: --json shows all") == bool(more)
