"""Signals: the hashes of a submission one by one, as formats hold or leave them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hashkit.hashes.registry import MIN_QUALITY, in_order
from hashkit.models import ORIGINAL, READINGS, FrameHashes, Hash, MediaKind

if TYPE_CHECKING:
    from hashkit.submission.document import Item, Submission


@dataclass(frozen=True, slots=True)
class Signal:
    """One hash of one item: of the original, of another reading of the same file, or of an edit.

    ``item`` is its number in the submission, from 1, and ``kind`` what that item is. ``found`` is
    the hash itself; of vPDQ, all its frames.
    """

    item: int
    kind: MediaKind
    found: Hash | FrameHashes

    @property
    def algorithm(self) -> str:
        """The name of the algorithm, as in ``hashes.registry``."""
        return self.found.algorithm if isinstance(self.found, Hash) else "vpdq"

    @property
    def variant(self) -> str:
        """The reading or the edit that was hashed; ``original`` is the picture as people see it."""
        return self.found.variant

    @property
    def is_original(self) -> bool:
        """Whether this is the hash of the original as people see it."""
        return self.variant == ORIGINAL

    @property
    def is_reading(self) -> bool:
        """Whether this is the hash of another reading of the file itself, which is no edit."""
        return self.variant in READINGS

    @property
    def is_edit(self) -> bool:
        """Whether this is the hash of an edit."""
        return not self.is_original and not self.is_reading

    @property
    def text(self) -> str:
        """The value of a hash that is not vPDQ, as text. TypeError for vPDQ."""
        if isinstance(self.found, FrameHashes):
            raise TypeError("vPDQ is not one value")
        return self.found.text

    @property
    def frames(self) -> FrameHashes:
        """The frames of a vPDQ hash. TypeError for any other."""
        if isinstance(self.found, Hash):
            raise TypeError("only vPDQ has frames")
        return self.found

    @property
    def too_plain(self) -> bool:
        """Whether it shows too little to be matched by. Services that know the quality discard such
        hashes, since different plain pictures have similar ones."""
        if isinstance(self.found, FrameHashes):
            return all(each.quality < MIN_QUALITY for each in self.found.hashes)
        return self.found.quality is not None and self.found.quality < MIN_QUALITY


def signals_of(submission: Submission) -> Iterator[Signal]:
    """Every hash of a submission, item by item: in the order of the registry, and of an algorithm
    the original first. The vPDQ hashes come last."""
    for number, item in enumerate(submission.items, 1):
        yield from _signals_of_item(number, item)


def _signals_of_item(number: int, item: Item) -> Iterator[Signal]:
    for each in in_order(sorted(item.hashes, key=lambda each: each.variant != ORIGINAL)):
        yield Signal(number, item.kind, each)
    moving = () if item.frames is None else (item.frames,)
    for frames in (*moving, *item.frame_variants):
        yield Signal(number, item.kind, frames)
