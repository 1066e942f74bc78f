"""Whether a file is cut short, by the lengths that its parts claim.

Durations do not show it: less than a second may be missing, and in whole files too sound and
picture differ by that much.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from hashkit.media.formats import FORMATS

_MAX_PARTS = 100_000
_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_TOP_LEVEL = {
    *(_SEGMENT, _CLUSTER),
    *(
        bytes.fromhex(name)
        for name in ("1A45DFA3", "114D9B74", "1549A966", "1654AE6B", "1C53BB6B", "1941A469")
    ),
    *(bytes.fromhex(name) for name in ("1043A770", "1254C367", "EC", "BF")),
}
"""Also: EBML header, seek head, info, tracks, cues, attachments, chapters, tags, void, CRC-32."""


def is_cut_short(untrusted: BinaryIO, size: int, media_format: str) -> bool:
    """Whether a part that holds pictures would end after the ``size`` bytes that the file has.

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


def _read_at(untrusted: BinaryIO, size: int, place: int, count: int) -> bytes:
    if place >= size:  # a system may refuse to look so far away
        return b""
    untrusted.seek(place)
    return untrusted.read(count)


def _boxes(untrusted: BinaryIO, size: int) -> Iterator[tuple[bool, int]]:
    """MP4 (ISO/IEC 14496-12, 4.2): boxes one after the other, each with its size and name."""
    place = 0
    while len(header := _read_at(untrusted, size, place, 16)) >= 8:
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: to the end of the file
            return
        place += length
        yield header[4:8] == b"mdat", place


def _elements(untrusted: BinaryIO, size: int) -> Iterator[tuple[bool, int]]:
    """Matroska (RFC 8794, RFC 9559): a header, then a segment, in which clusters hold pictures."""
    place = segment_end = 0
    while len(start := _read_at(untrusted, size, place, 12)) > 4:
        name = start[: 9 - start[0].bit_length()]
        rest = start[len(name) :]
        if name not in _TOP_LEVEL or not rest or not rest[0]:
            yield True, segment_end  # lost: something is missing before, if it is too short
            return
        width = 9 - rest[0].bit_length()
        limit = 1 << 7 * width
        length = int.from_bytes(rest[:width], "big") % limit
        known = length != limit - 1  # else, it was written as it was recorded
        place += len(name) + width
        if name == _SEGMENT:
            segment_end = place + length if known else 0
            yield False, 0  # and on inside it
            continue
        if not known:
            return
        place += length
        yield name == _CLUSTER, place


def _chunks(untrusted: BinaryIO, size: int) -> Iterator[tuple[bool, int]]:
    """AVI: chunks inside RIFF chunks, each with its name and size; ``movi`` lists hold pictures."""
    place = 0
    while len(header := _read_at(untrusted, size, place, 12)) == 12:
        if header[:4] == b"RIFF":
            place += 12
            yield False, 0  # and on inside it
            continue
        length = int.from_bytes(header[4:8], "little")
        place += 8 + length + length % 2
        yield header[8:] == b"movi", place


_WALKS = {"boxes": _boxes, "elements": _elements, "chunks": _chunks}
