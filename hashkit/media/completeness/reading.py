"""What the walks through the parts of a video share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

Part = tuple[bool, int]
"""Whether a part holds pictures, and where it ends."""

Walk = Iterator[Part]

LOST: Part = (True, 1 << 64)
"""Something is missing here: as if a part ended behind every file."""

ANOTHER: Part = (False, -1)
"""Here begins another recording. Its parts are not those of this one."""

_ENOUGH = 16


def read_at(untrusted: BinaryIO, size: int, place: int, count: int) -> bytes:
    """Up to ``count`` bytes from ``place`` on; fewer where the file ends."""
    if place >= size:  # a system may refuse to look so far away
        return b""
    untrusted.seek(place)
    return untrusted.read(count)


def follows_zeros(untrusted: BinaryIO, size: int, place: int) -> bool:
    """Whether the bytes before ``place`` are zeros. If so, zeros from there on are what is left of
    a part that was never written; if not, they are padding behind the end."""
    before = max(0, place - _ENOUGH)
    return not read_at(untrusted, size, before, place - before).strip(b"\0")
