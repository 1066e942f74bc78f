"""Whether an MPEG transport stream is scrambled, as pay television is (ISO/IEC 13818-1, 2.4.3.3).

FFmpeg decodes what it gets and calls it damaged.
"""

from __future__ import annotations

from typing import BinaryIO

_SYNC = 0x47
_LENGTHS = ((0, 188), (4, 192))
_TABLES, _PADDING = 0x20, 0x1FFF  # packet identifiers below, and at, which nothing is shown
_SCRAMBLED = 0x80  # with the even key or with the odd one
_LOOKED_AT = 1 << 20  # bytes: some 5,000 packets


def is_scrambled(untrusted: BinaryIO) -> bool:
    """Whether most packets of pictures and sound at the beginning are scrambled."""
    untrusted.seek(0)
    head = untrusted.read(_LOOKED_AT)
    for start, length in _LENGTHS:
        packets = [head[place : place + 4] for place in range(start, len(head) - 187, length)]
        if packets and all(each[0] == _SYNC for each in packets):
            break
    else:
        return False
    shown = [each[3] for each in packets if _TABLES <= _identifier(each) < _PADDING]
    return 2 * sum(flags & _SCRAMBLED != 0 for flags in shown) > len(shown)


def _identifier(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF
