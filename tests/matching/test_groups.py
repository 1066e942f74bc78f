"""Which pictures are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hashkit
from hashkit.matching.groups import same_pictures
from hashkit.models import FailedFile, Hash, HashedFile, MediaKind


def picture(number, value, quality=100):
    found = Hash("pdq", f"{value:064x}", quality)
    return HashedFile(Path(str(number)), MediaKind.IMAGE, (found,))


def names(groups):
    return [[int(str(each.path)) for each in group] for group in groups]


def by_brute_force(values, distance):
    """Components of the graph, the slow and plain way."""
    groups = []
    for index, value in enumerate(values):
        near = [g for g in groups if any((value ^ values[i]).bit_count() <= distance for i in g)]
        joined = [index, *(each for group in near for each in group)]
        groups = [*(g for g in groups if g not in near), joined]
    return sorted(sorted(group) for group in groups if len(group) > 1)


@pytest.mark.parametrize("distance", [0, 1, 10, 31])
@pytest.mark.parametrize("seed", range(5))
def test_against_brute_force(distance, seed):
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(40):
        start = int.from_bytes(rng.bytes(32), "big")
        values.append(start)
        for _ in range(rng.integers(3)):  # some near, some at the limit, some just over
            flips = rng.choice(256, rng.integers(0, distance + 3), replace=False)
            values.append(start ^ sum(1 << int(bit) for bit in flips))
    rng.shuffle(values)
    found = names(same_pictures([picture(i, v) for i, v in enumerate(values)], distance))
    assert sorted(sorted(group) for group in found) == by_brute_force(values, distance)


def test_the_limit_is_ten_bits():
    assert names(same_pictures([picture(0, 0), picture(1, 2**10 - 1)])) == [[0, 1]]
    assert names(same_pictures([picture(0, 0), picture(1, 2**11 - 1)])) == []


def test_order_is_kept_and_equal_hashes_count():
    found = same_pictures([picture(3, 5), picture(9, 2**256 - 1), picture(1, 5), picture(2, 7)])
    assert names(found) == [[3, 1, 2]]


def test_plain_pictures_and_what_failed_are_left_out():
    failed = FailedFile(Path("0"), hashkit.HashkitError())
    video = HashedFile(Path("0"), MediaKind.VIDEO, ())
    assert same_pictures([failed, video, picture(1, 0, 49), picture(2, 0, 49), failed]) == []


def test_copies_among_the_samples(samples):
    wanted = ["scene-1.jpg", "scene-1-recompressed.jpg", "scene-1-resized.jpg", "scene-2.jpg"]
    outcomes = hashkit.hash_files([samples / name for name in wanted])
    (group,) = same_pictures(outcomes)
    assert [each.path.name for each in group] == wanted[:3]
