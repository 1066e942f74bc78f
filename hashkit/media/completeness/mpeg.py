"""MPEG: transport streams in packets of one length, and program streams in packs
(ISO/IEC 13818-1, 2.4.3 and 2.5.3)."""

from __future__ import annotations

from typing import BinaryIO

from hashkit.media.completeness.reading import LOST, Walk, follows_zeros, read_at

_SYNC = b"\x47"
_START = b"\0\0\1"
_END, _PACK, _FIRST_VIDEO, _LAST_VIDEO = 0xB9, 0xBA, 0xE0, 0xEF


def transport_packets(untrusted: BinaryIO, size: int) -> Walk:
    """The last packet there is. Those that miss before it, the demuxer reports."""
    head = read_at(untrusted, size, 0, 5 * 204)
    for start, length in ((0, 188), (4, 192)):
        if head[start::length][:5] == _SYNC * 5:
            break
    else:
        return

    def is_packet(number: int) -> bool:
        return read_at(untrusted, size, start + number * length, 1) == _SYNC

    count = (size - start + length - 1) // length
    if is_packet(count - 1):
        yield True, start + (count - 1) * length + 188
        return
    first, last = 0, count - 1  # somewhere between them packets end, and what follows begins
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (middle, last) if is_packet(middle) else (first, middle)
    end = start + last * length
    if follows_zeros(untrusted, size, end):
        yield LOST


def packs(untrusted: BinaryIO, size: int) -> Walk:
    """Packs, of packets that say their length. A bare video stream has none."""
    place = 0
    while len(head := read_at(untrusted, size, place, 14)) > 5:
        code = head[3]
        if head[:3] != _START or code < _END:
            if not head.strip(b"\0") and place and follows_zeros(untrusted, size, place):
                yield LOST
            return
        if code == _END:
            place += 4
        elif code == _PACK:  # of MPEG-2, or of MPEG-1
            place += 14 + (head[13:14] or b"\0")[0] % 8 if head[4] >> 6 == 1 else 12
        else:
            place += 6 + int.from_bytes(head[4:6], "big")
        yield _FIRST_VIDEO <= code <= _LAST_VIDEO, place
