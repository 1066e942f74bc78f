"""WebP: RIFF chunks that say their length (RFC 9649).

Their codes allow for zeros: those of a plain area, which the limits here are measured on.
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import ImageFile

from hashkit.media.completeness.finding import Finding
from hashkit.media.completeness.zeros import has_run

_LOSSY, _LOSSLESS, _FRAME, _NO_NAME = b"VP8 ", b"VP8L", b"ANMF", bytes(4)


def check(data: bytes, header: ImageFile.ImageFile) -> Finding:
    """Whether the file is shorter than it says, or there are more zeros than plain areas take."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        return Finding.MISSING
    pixels = header.width * header.height
    limits = {
        # Blocks of 16x16: one takes up to 1/8 byte, or 3/4 where quality is to be best.
        _LOSSY: (64 + pixels // 256 // 4, 64 + pixels // 256),
        # The quickest method writes a bit or more for each pixel, others next to nothing.
        _LOSSLESS: (512, 512 + pixels // 2),
    }
    found = Finding.NOTHING
    for name, begin, stop in _chunks(data, 12, end):
        unsure, certain = limits.get(name, (0, 0))
        if name == _NO_NAME or (certain and has_run(data, begin, stop, certain)):
            return Finding.MISSING
        if unsure and has_run(data, begin, stop, unsure):
            found = Finding.UNSURE
    return found


def _chunks(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, and where its content begins and ends; also of those in frames."""
    while place + 8 <= end:
        name, length = (
            data[place : place + 4],
            int.from_bytes(data[place + 4 : place + 8], "little"),
        )
        place += 8
        if name == _FRAME:
            place += 16  # how the frame is shown; then the chunks of the frame
            continue
        yield name, place, place + length
        place += length + length % 2
