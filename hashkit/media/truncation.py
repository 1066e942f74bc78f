"""Whether a file is cut short, or parts of it are lost, by the lengths that its parts claim.

Durations do not show it: less than a second may be missing, and in whole files too sound and
picture differ by that much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from hashkit.media.completeness.matroska import elements
from hashkit.media.completeness.mpeg import packs, transport_packets
from hashkit.media.completeness.reading import LOST, Walk, follows_zeros, read_at
from hashkit.media.completeness.streaming import objects, tags
from hashkit.media.formats import FORMATS

_MAX_PARTS = 1_000_000
_PICTURES = {b"mdat", b"moov", b"moof"}
_LISTS = {b"movi", b"rec "}
_NO_NAME = bytes(4)


def is_cut_short(untrusted: BinaryIO, size: int, media_format: str) -> bool:
    """Whether a part that holds pictures would end after the ``size`` bytes that the file has, or
    zeros stand where a part should begin.

    Seeks to the beginning at the end. False for formats whose parts do not say their length.
    """
    walk = FORMATS[media_format].parts
    if walk is None:
        return False
    try:
        parts = zip(_WALKS[walk](untrusted, size), range(_MAX_PARTS), strict=False)
        return any(holds_pictures and end > size for (holds_pictures, end), _ in parts)
    finally:
        untrusted.seek(0)


def _boxes(untrusted: BinaryIO, size: int) -> Walk:
    """MP4 (ISO/IEC 14496-12, 4.2): boxes one after the other, each with its size and name."""
    place = 0
    while len(header := read_at(untrusted, size, place, 16)) >= 8:
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: to the end of the file
            if header[4:8] == _NO_NAME and follows_zeros(untrusted, size, place):
                yield LOST
            return
        place += length
        yield header[4:8] in _PICTURES, place


def _chunks(untrusted: BinaryIO, size: int) -> Walk:
    """AVI: chunks inside RIFF chunks, each with its name and size; ``movi`` lists hold pictures and
    sound, in some files in further lists."""
    place = riff_end = 0
    while len(header := read_at(untrusted, size, place, 12)) == 12:
        length = int.from_bytes(header[4:8], "little")
        if header[:4] == b"RIFF":
            riff_end = place + 8 + length
            place += 12
            yield False, 0  # and on inside it
            continue
        if header[:4] == _NO_NAME and place < riff_end:
            yield LOST
        end = place + 8 + length + length % 2
        yield header[8:] == b"movi", end
        place = place + 12 if header[:4] == b"LIST" and header[8:] in _LISTS else end


_WALKS: dict[str, Callable[[BinaryIO, int], Walk]] = {
    "boxes": _boxes,
    "elements": elements,
    "chunks": _chunks,
    "tags": tags,
    "objects": objects,
    "transport packets": transport_packets,
    "packs": packs,
}
