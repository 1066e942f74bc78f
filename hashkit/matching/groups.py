"""Groups of pictures that are the same, by their hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from hashkit.hashes.registry import ALGORITHMS, MIN_QUALITY
from hashkit.models import FailedFile, HashedFile, original_of

SAME_PICTURE = 10
"""PDQ distance, of 256 bits, up to which two hashes are of one picture, re-encoded or resized. (31
is the distance in common use for finding copies; that finds edited ones as well.)"""

_BITS = ALGORITHMS["pdq"].bits


def same_pictures(
    outcomes: Iterable[HashedFile | FailedFile], distance: int = SAME_PICTURE
) -> list[list[HashedFile]]:
    """Groups of at least two pictures that are the same, each in the order given.

    Two are in one group where their PDQ hashes differ in at most ``distance`` bits, or where others
    lead from one to the other in such steps. Hashes of a quality below 50 are left out.
    """
    by_value: defaultdict[int, list[HashedFile]] = defaultdict(list)
    for outcome in outcomes:
        found = original_of(outcome.hashes, "pdq")
        if isinstance(outcome, HashedFile) and found and (found.quality or 0) >= MIN_QUALITY:
            by_value[int(found.text, 16)].append(outcome)
    values = [*by_value]
    groups = [
        [each for index in group for each in by_value[values[index]]]
        for group in _components(values, distance)
    ]
    return [group for group in groups if len(group) > 1]


def _components(values: Sequence[int], distance: int) -> list[list[int]]:
    """Indices of connected values, where steps have at most ``distance`` bits.

    Cut into ``distance + 1`` parts, two values that differ in fewer bits than there are parts have
    at least one part in common. So only values that share a part are compared.
    """
    leader = [*range(len(values))]

    def leader_of(index: int) -> int:
        while leader[index] != index:
            leader[index] = index = leader[leader[index]]
        return index

    cuts = [_BITS * part // (distance + 1) for part in range(distance + 2)]
    for begin, end in pairwise(cuts):
        sharing: defaultdict[int, list[int]] = defaultdict(list)
        for index, value in enumerate(values):
            alike = sharing[(value >> begin) & ((1 << (end - begin)) - 1)]
            for other in alike:
                if (value ^ values[other]).bit_count() <= distance:
                    # The lower one leads: groups stay in the order of their first.
                    low, high = sorted((leader_of(index), leader_of(other)))
                    leader[high] = low
            alike.append(index)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for index in range(len(values)):
        groups[leader_of(index)].append(index)
    return [*groups.values()]
