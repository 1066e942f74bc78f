"""WebP: RIFF chunks that say their length (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import ImageFile

from hashkit.media.completeness.finding import Finding, missing_if
from hashkit.media.completeness.zeros import MAX_IN_CODED, has_run

_MAX_IN_LOSSLESS = 512
"""Huffman codes for a plain area may be zeros: 4096 pixels take three codes."""

_LIMITS = {b"VP8 ": MAX_IN_CODED, b"VP8L": _MAX_IN_LOSSLESS}


def check(data: bytes, _header: ImageFile.ImageFile | None = None) -> Finding:
    """Whether the file is shorter than it says, or pixels are zeros."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        return Finding.MISSING
    return missing_if(
        any(
            name == bytes(4) or (name in _LIMITS and has_run(data, begin, stop, _LIMITS[name]))
            for name, begin, stop in _chunks(data, 12, end)
        )
    )


def _chunks(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, and where its content begins and ends; also of those in frames."""
    while place + 8 <= end:
        name, length = (
            data[place : place + 4],
            int.from_bytes(data[place + 4 : place + 8], "little"),
        )
        place += 8
        if name == b"ANMF":
            place += 16  # how the frame is shown; then the chunks of the frame
            continue
        yield name, place, place + length
        place += length + length % 2
