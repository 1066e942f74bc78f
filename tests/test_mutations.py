"""2,000 damaged copies of the samples, through real workers.

None takes this process down, hangs, or gives a hash without a notice where less than the whole
picture was read. Whether all of it was read can be told from outside where bytes are missing at the
end: the hashes are then those of the whole picture, or a notice says that they are not. A byte that
was changed can be another colour as well as damage, so of those the outcome is checked to be one.
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

TOLD = {"truncated", "damaged", "video_truncated", "video_damaged"}
"""Notices that less than the whole was read."""


def flip(data, chance):
    """Change up to eight bytes."""
    broken = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        broken[chance.randrange(len(data))] ^= chance.randint(1, 255)
    return bytes(broken)


def cut(data, chance):
    """Leave out the end."""
    return data[: chance.randrange(1, len(data))]


def hole(data, chance):
    """Leave out a piece in the middle."""
    begin = chance.randrange(1, len(data) - 1)
    return data[:begin] + data[begin + chance.randint(1, max(1, len(data) // 4)) :]


def splice(data, chance):
    """Put a piece of another sample in the middle, or go on as that."""
    other = chance.choice(SAMPLES).read_bytes()
    begin, end = sorted(chance.randrange(len(other)) for _ in range(2))
    place = chance.randrange(len(data))
    return data[:place] + other[begin:end] + (data[place:] if chance.random() < 0.5 else b"")


WAYS = {"flip": flip, "cut": cut, "hole": hole, "splice": splice}


def perceptual(outcome):
    """What shows the picture: all but the hashes of the bytes."""
    shown = tuple(each for each in outcome.hashes if each.algorithm in ("pdq", "tmk_pdqf"))
    return shown, outcome.frames


def check(outcome, whole, way):
    """None, or what is wrong."""
    if isinstance(outcome, FailedFile):
        assert outcome.error.code not in ("worker_lost", "worker_unavailable", "error")
        assert str(outcome.error)
        return None
    assert isinstance(outcome, HashedFile)
    assert outcome.kind in MediaKind
    if way != "cut" or perceptual(outcome) == perceptual(whole):
        return None
    told = {notice.code for notice in outcome.notices}
    return None if told & TOLD else f"{sorted(told)}, and nothing says that a part is missing"


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
