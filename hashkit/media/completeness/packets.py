"""Zeros in a packet of a video stream where its codec writes none."""

from __future__ import annotations

from hashkit.media.completeness import jpeg
from hashkit.media.completeness.zeros import MAX_IN_CODED, run_end

_NEVER_ZEROS = {
    *("h264", "hevc", "vvc", "vc1", "av1", "mpeg1video", "mpeg2video", "mpeg4", "h263", "flv1"),
}
"""Not of WMV 7 to 9, where a block that stays as it is takes a bit that is zero."""

_ZEROS_IF_PLAIN = {"vp6", "vp6f", "vp8", "vp9"}
_BLOCK = 16 * 16
"""A block of a plain area takes less than a byte, as in ``webp``."""

_START = b"\1"


def has_gap(packet: bytes, codec: str, pixels: int) -> bool:
    """Whether a part of this packet, of a frame of so many pixels, was never written.

    Zeros before a start code and at the end fill up, as encoders for a constant rate write them;
    but not where there is nothing else.
    """
    if codec == "mjpeg":
        return not jpeg.is_whole(packet, 0, len(packet), ended=False)
    if codec not in _NEVER_ZEROS and codec not in _ZEROS_IF_PLAIN:
        return False
    length = MAX_IN_CODED + (pixels // _BLOCK if codec in _ZEROS_IF_PLAIN else 0)
    place, wanted = 0, bytes(length)
    while (begin := packet.find(wanted, place)) != -1:
        place = run_end(packet, begin + length, len(packet))
        if place == len(packet):
            return begin == 0
        if packet[place : place + 1] != _START:
            return True
    return False
