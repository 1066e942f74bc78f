"""Matroska and WebM: elements with a name and a length (RFC 8794, RFC 9559)."""

from __future__ import annotations

from typing import BinaryIO

from hashkit.media.completeness.reading import LOST, Walk, follows_zeros, read_at

_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_SIMPLE_BLOCK, _BLOCK_GROUP = b"\xa3", b"\xa0"
_PICTURES = {_CLUSTER, _SIMPLE_BLOCK, _BLOCK_GROUP}


def _names(*names: str) -> set[bytes]:
    return {bytes.fromhex(name) for name in names}


# EBML header, seek head, info, tracks, cues, attachments, chapters, tags, void, CRC-32
_TOP_LEVEL = _names(
    *("1A45DFA3", "114D9B74", "1549A966", "1654AE6B", "1C53BB6B", "1941A469"),
    *("1043A770", "1254C367", "EC", "BF"),
)
# Timestamp, position, size of the cluster before, silent tracks, encrypted block
_IN_CLUSTERS = _names("E7", "A7", "AB", "5854", "AF")
_KNOWN = {_SEGMENT} | _PICTURES | _TOP_LEVEL | _IN_CLUSTERS


def elements(untrusted: BinaryIO, size: int) -> Walk:
    """A header, then a segment, in which clusters hold blocks of pictures and sound."""
    place = segment_end = 0
    while len(start := read_at(untrusted, size, place, 12)) > 4:
        name = start[: 9 - start[0].bit_length()]
        rest = start[len(name) :]
        if name not in _KNOWN or not rest or not rest[0]:
            if not start[0] and (place < segment_end or follows_zeros(untrusted, size, place)):
                yield LOST
            yield True, segment_end  # something is missing before, if it is too short
            return
        width = 9 - rest[0].bit_length()
        limit = 1 << 7 * width
        length = int.from_bytes(rest[:width], "big") % limit
        known = length != limit - 1  # else, it was written as it was recorded
        place += len(name) + width
        if name == _SEGMENT:
            segment_end = place + length if known else 0
            yield False, 0
        elif name == _CLUSTER:
            yield True, place + length if known else 0
        elif not known:
            return
        else:
            place += length
            yield name in _PICTURES, place
