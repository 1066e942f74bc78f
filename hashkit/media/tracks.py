"""Which of the video tracks of a file is hashed: the one that players show; and its packets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from av.stream import Disposition

_NOT_REAL_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails
_PREVIEW_PART = 0.5  # of the longest track: what is shorter is a preview, or one picture
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")


def shown_track(streams: Any) -> Any | None:
    """The track to hash of a container's video streams, or None if there is no real one.

    Cover art and the thumbnails of a player's time line are no tracks. One that can be decoded goes
    before one that cannot, then those that the file marks as the default, then long ones before
    previews, then the one with the most pixels, then the first.
    """
    real = _real(streams)
    longest = max((length_of(each) or 0.0 for each in real), default=0.0)

    def rank(stream: Any) -> tuple[bool, bool, bool, int]:
        length = length_of(stream)
        return (
            stream.codec_context is not None,
            bool(stream.disposition & Disposition.default),
            length is None or length >= _PREVIEW_PART * longest,
            _pixels_of(stream),
        )

    return max(real, key=rank, default=None)  # of equals, the first


def has_several(streams: Any) -> bool:
    """Whether more than one of a container's video streams is a video. A preview of one picture is
    none, nor what a transport stream announces without a picture."""
    films = [each for each in _real(streams) if each.frames != 1]
    return sum(each.codec_context is None or _pixels_of(each) > 0 for each in films) > 1


def _real(streams: Any) -> list[Any]:
    return [each for each in streams if not each.disposition & _NOT_REAL_VIDEO]


def length_of(stream: Any) -> float | None:
    """The length of this track in seconds, None where the file does not say. Matroska says it in a
    tag, if at all: what FFmpeg says of its tracks is the length of the whole file."""
    found = _CLOCK.match(stream.metadata.get("DURATION", ""))
    if found is not None:
        hours, minutes, seconds = map(float, found.groups())
        return hours * 3600 + minutes * 60 + seconds
    if stream.duration:
        return float(stream.duration * (stream.time_base or 0))
    return None


def _pixels_of(stream: Any) -> int:
    codec = stream.codec_context
    return 0 if codec is None else (codec.width or 0) * (codec.height or 0)


def packets_of(container: Any, *tracks: Any) -> Iterator[Any]:
    """The packets of an open container in the order of the file: of these ``tracks``, or of all.

    A transport stream may name further tracks while it is read. PyAV gives every packet of those
    that it knew before, and then fails where it wants to empty those that it did not know.
    """
    try:
        yield from container.demux(*tracks)
    except IndexError:
        return
