"""FLV: tags (Adobe Flash Video File Format 10.1, annex E); WMV: packets of one length in an object
(Advanced Systems Format 1.2, 3 and 5)."""

from __future__ import annotations

from typing import BinaryIO

from hashkit.media.completeness.reading import ANOTHER, LOST, Walk, follows_zeros, read_at

_FILE = bytes.fromhex("A1DCAB8C47A9CF118EE400C00C205365")
_DATA = bytes.fromhex("3626B2758E66CF11A6D900AA0062CE6C")
_HEADER = bytes.fromhex("3026B2758E66CF11A6D900AA0062CE6C")
_MAX_HEADER = 1 << 20
_SIGNATURE = b"FLV\1"
_SOUND, _VIDEO, _SCRIPT = 8, 9, 18


def tags(untrusted: BinaryIO, size: int) -> Walk:
    """FLV tags, each followed by its length."""
    place = int.from_bytes(read_at(untrusted, size, 5, 4), "big") + 4
    while len(head := read_at(untrusted, size, place, 11)) == 11:
        if head[0] & 0x1F not in (_SOUND, _VIDEO, _SCRIPT):
            if not head.strip(b"\0") and follows_zeros(untrusted, size, place):
                yield LOST
            if head.startswith(_SIGNATURE):
                yield ANOTHER
            return
        place += 11 + int.from_bytes(head[1:4], "big") + 4
        yield head[0] & 0x1F == _VIDEO, place - 4  # the last one's length may be left out


def objects(untrusted: BinaryIO, size: int) -> Walk:
    """WMV objects, each with its name and length; and the packets of the one with the pictures."""
    place = packet = 0
    while len(head := read_at(untrusted, size, place, 24)) == 24:
        name, length = head[:16], int.from_bytes(head[16:24], "little")
        if length < 24:
            if name == bytes(16) and follows_zeros(untrusted, size, place):
                yield LOST
            return
        end = place + length
        if name == _HEADER:
            if place:
                yield ANOTHER
            content = read_at(untrusted, size, place, min(length, _MAX_HEADER))
            at = content.find(_FILE)
            packet = int.from_bytes(content[at + 92 : at + 96], "little") if at > 0 else 0
        yield name == _DATA, end
        if name == _DATA and packet:
            for start in range(place + 50, min(end, size), packet):
                if read_at(untrusted, size, start, 8) == bytes(8):
                    yield LOST
                yield False, 0
        place = end
