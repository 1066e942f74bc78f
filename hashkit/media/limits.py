"""Sizes that are checked before anything is allocated for what a file claims to be."""

from __future__ import annotations

from hashkit.errors import FileTooBig, MediaCorrupt, TooManyPixels

MAX_PIXELS = 200_000_000
"""Default limit of a picture, in pixels: what the largest phone cameras make today."""

MAX_IMAGE_BYTES = 1 << 30
"""Limit of an image file, in bytes. Images are held in memory once."""

MAX_FRAME_PIXELS = 36_000_000
"""Limit of a frame of a video, in pixels: a little more than 8K. A decoder holds many at once."""

MAX_SECONDS = 24 * 60 * 60
"""Limit of the length that a video may claim, in seconds."""

MAX_STREAMS = 100
"""Limit of the streams (video, sound, subtitles) in a file."""


def check_bytes(untrusted_size: int) -> None:
    """Raise FileTooBig for an image file of more bytes than will be held in memory."""
    if untrusted_size > MAX_IMAGE_BYTES:
        raise FileTooBig


def check_pixels(untrusted_width: int, untrusted_height: int, max_pixels: int) -> None:
    """Raise TooManyPixels for a picture over the limit, MediaCorrupt for one without any."""
    if untrusted_width < 1 or untrusted_height < 1:
        raise MediaCorrupt
    if untrusted_width * untrusted_height > max_pixels:
        raise TooManyPixels(
            f"The picture has {untrusted_width * untrusted_height:,} pixels. "
            f"The limit is {max_pixels:,}."
        )
