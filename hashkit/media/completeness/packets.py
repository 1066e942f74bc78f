"""Zeros in a packet of a video stream where its codec writes none."""

from __future__ import annotations

from hashkit.media.completeness.zeros import MAX_IN_CODED, run_end

_NEVER_ZEROS = {
    *("h264", "hevc", "vvc", "av1", "vp8", "vp9", "theora", "vc1", "wmv1", "wmv2", "wmv3"),
    *("mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "h263", "flv1"),
    *("vp6", "vp6f", "mjpeg"),
}
_START = b"\1"


def has_gap(packet: bytes, codec: str) -> bool:
    """Whether a part of this packet was never written. Zeros before a start code and at the end
    fill up, as encoders for a constant rate write them; but not where there is nothing else."""
    if codec not in _NEVER_ZEROS:
        return False
    place, wanted = 0, bytes(MAX_IN_CODED)
    while (begin := packet.find(wanted, place)) != -1:
        place = run_end(packet, begin + MAX_IN_CODED, len(packet))
        if place == len(packet):
            return begin == 0
        if packet[place : place + 1] != _START:
            return True
    return False
