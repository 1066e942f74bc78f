"""2,000 damaged copies of the samples, hashed by real workers.

None crashes this process, hangs, or gives a hash without a notice if less than the whole picture
was read. For copies that miss bytes at the end this is checked: the hashes are those of the whole
picture, or a notice says otherwise. A changed byte may be another colour as well as damage, so for
those only the form of the outcome is checked.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import hashkit
from hashkit.models import FailedFile, HashedFile, MediaKind

SAMPLES = sorted(
    path
    for path in (Path(__file__).parent.parent / "samples_synthetic").iterdir()
    if path.suffix != ".py"
)
EACH = 2000 // len(SAMPLES) + 1

INCOMPLETE = {"truncated", "damaged", "may_be_incomplete", "video_truncated", "video_damaged"}
"""Notices that the picture was not read completely."""


def flip(data, chance):
    """Change up to eight bytes."""
    broken = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        broken[chance.randrange(len(data))] ^= chance.randint(1, 255)
    return bytes(broken)


def cut(data, chance):
    """Drop the end."""
    return data[: chance.randrange(1, len(data))]


def hole(data, chance):
    """Drop a part in the middle."""
    begin = chance.randrange(1, len(data) - 1)
    return data[:begin] + data[begin + chance.randint(1, max(1, len(data) // 4)) :]


def splice(data, chance):
    """Insert a part of another sample, or continue with it."""
    other = chance.choice(SAMPLES).read_bytes()
    begin, end = sorted(chance.randrange(len(other)) for _ in range(2))
    place = chance.randrange(len(data))
    return data[:place] + other[begin:end] + (data[place:] if chance.random() < 0.5 else b"")


WAYS = {"flip": flip, "cut": cut, "hole": hole, "splice": splice}


def perceptual(outcome):
    """The perceptual hashes and frames, without the cryptographic hashes."""
    shown = tuple(each for each in outcome.hashes if each.algorithm in ("pdq", "tmk_pdqf"))
    return shown, outcome.frames


def check(outcome, whole, way):
    """None, or the error."""
    if isinstance(outcome, FailedFile):
        assert outcome.error.code not in ("worker_lost", "worker_unavailable", "error")
        assert str(outcome.error)
        return None
    assert isinstance(outcome, HashedFile)
    assert outcome.kind in MediaKind
    if way != "cut" or perceptual(outcome) == perceptual(whole):
        return None
    codes = {notice.code for notice in outcome.notices}
    return (
        None if codes & INCOMPLETE else f"{sorted(codes)}, and nothing says that a part is missing"
    )


@pytest.mark.test_all
@pytest.mark.skipif(os.name != "posix", reason="on Windows, decoders are not heard")
@pytest.mark.parametrize("seed", range(8))
def test_damaged_copies(seed, tmp_path):
    chance = random.Random(seed)
    expected = []
    for sample in SAMPLES[seed::8]:
        data = sample.read_bytes()
        (whole,) = hashkit.hash_files([sample])
        for number in range(EACH):
            way = chance.choice([*WAYS])
            path = tmp_path / f"{sample.stem}-{number}-{way}{sample.suffix}"
            path.write_bytes(WAYS[way](data, chance))
            expected.append((path, whole, way))
    wrong = []
    outcomes = hashkit.hash_files((path for path, _, _ in expected), time_limit=60)
    for outcome, (path, whole, way) in zip(outcomes, expected, strict=True):
        assert outcome.path == path
        problem = check(outcome, whole, way)
        if problem:
            wrong.append(f"{path.name}: {problem}")
    assert wrong == []
