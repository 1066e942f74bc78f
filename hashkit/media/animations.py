"""The frames of a picture that moves (GIF, WebP, APNG), as those of a video.

FFmpeg does not decode all of these formats; Pillow does, and composes partial frames.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from PIL import Image, ImageFile

from hashkit.hashes.arrays import Pixels
from hashkit.media.decoder_messages import decoder_messages
from hashkit.media.limits import MAX_SECONDS
from hashkit.media.opening import clear_instead_of_background, open_frames, open_header
from hashkit.media.pixels import to_8_bit
from hashkit.media.video_headers import LENIENT
from hashkit.media.videos import Frame, Turn

_DEMUXERS = {"gif": "gif", "png": "apng"}
_MANY = 1 << 31
_SHOWN_AT_LEAST = 0.02
_SHOWN_INSTEAD = 0.1  # what browsers make of frames that claim to be shorter


@dataclass
class Animation:
    """The frames of an animated picture. ``end`` (seconds) and ``cut_short`` are known after."""

    data: bytes
    image_format: str
    end: float = 0.0
    cut_short: bool = False

    def frames(self) -> Iterator[Frame]:
        """Every frame, whole, in order. Ends early where the file does."""
        picture, first = self._open()
        reformatter = VideoReformatter()
        declared = _count_frames(picture)
        for number in range((declared or _MANY) - first):
            try:
                with decoder_messages():
                    picture.seek(first + number)
                    pixels = to_8_bit(picture)
                    clear_instead_of_background(picture)
            except MemoryError:
                raise
            except Exception:  # a decoder may raise anything on hostile bytes
                self.cut_short = True
                return
            duration = _duration(picture)
            yield Frame(number, self.end, duration, _native(pixels), reformatter, Turn())
            self.end += duration
            if self.end > MAX_SECONDS:
                return

    @property
    def rate(self) -> float:
        """Frames a second, by how long the first is shown."""
        picture, first = self._open()
        picture.seek(first)
        return 1.0 / _duration(picture)

    @property
    def counted_rate(self) -> float | None:
        """Frames a second on average, as tools know it that count frames, from FFmpeg. None of a
        format whose times it does not read."""
        demuxer = _DEMUXERS.get(self.image_format)
        if demuxer is None:
            return None
        options = {"protocol_whitelist": "none"}
        try:
            with av.open(
                io.BytesIO(self.data), "r", format=demuxer, container_options=options, **LENIENT
            ) as container:
                return float(container.streams.video[0].average_rate or 0) or None
        except (FFmpegError, ValueError, IndexError):
            return None

    def _open(self) -> tuple[ImageFile.ImageFile, int]:
        return open_frames(self.data, open_header(self.data, self.image_format))


def _count_frames(picture: ImageFile.ImageFile) -> int | None:
    """How many frames there are. None where counting them comes upon damage: they are then as many
    as can be read."""
    try:
        return getattr(picture, "n_frames", 1)
    except Exception:  # as above
        return None


def _duration(picture: Image.Image) -> float:
    seconds = float(picture.info.get("duration", 0)) / 1000
    return seconds if seconds >= _SHOWN_AT_LEAST else _SHOWN_INSTEAD


def _native(pixels: Pixels) -> av.VideoFrame:
    colours = pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, axis=2)
    return av.VideoFrame.from_ndarray(colours, "rgb24")
