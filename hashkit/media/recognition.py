"""What a file is where its first bytes do not say.

FFmpeg recognises it, but may choose only among the containers of our own table, which open no
further files: never lists of other files (concat, HLS), series of pictures, or pipes. It is given
no name and no protocol either. A video is what gives pictures that can be decoded: a beginning that
looks like one is not enough.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, BinaryIO

import av
from av.error import FFmpegError

from hashkit.errors import NotMedia
from hashkit.media.formats import FORMATS, Clock, MediaType
from hashkit.media.limits import MAX_FRAME_PIXELS, MAX_STREAMS
from hashkit.media.tee import Tee
from hashkit.media.tracks import packets_of, shown_track
from hashkit.media.video_headers import LENIENT
from hashkit.models import MediaKind

_VIDEOS = [each for each in FORMATS.values() if each.kind is MediaKind.VIDEO]
_BY_DEMUXER = {each.decoder: each for each in _VIDEOS}
_OPTIONS = {
    "format_whitelist": ",".join(_BY_DEMUXER),
    "protocol_whitelist": "none",
    "max_streams": str(MAX_STREAMS),
}
_MAX_PACKETS = 2000  # of sound and pictures: more do not make a video more likely
_FRAMES_OF_BARE_STREAMS = 2  # noise may hold one; a film holds more

_NO_TEXT = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_OTHERS = re.compile(
    rb"PK\x03\x04|PK\x05\x06|\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd|MSCF|!<arch>"
    rb"|\x7fELF|MZ|\xfe\xed\xfa|[\xcf\xce]\xfa\xed\xfe|\xca\xfe\xba\xbe|\0asm|..\r\n[\0-\x03]\0\0\0"
    rb"|%PDF|\xd0\xcf\x11\xe0|SQLite format|\x93NUMPY|\x89HDF|\xde\x12\x04\x95|\x95\x04\x12\xde"
    rb"|wOF[F2]|OTTO|\x00\x01\x00\x00\x00|ttcf|ID3|fLaC|JM\x01\0|\x80[\x02-\x05]|RIFF....WAVE|\xff\xfe|\xfe\xff|\xef\xbb\xbf",
    re.DOTALL,
)
"""How archives, programs, documents, data, fonts, sound, and texts with a byte order mark begin."""


def recognise(untrusted: BinaryIO, untrusted_head: bytes) -> MediaType:
    """Say which video a file is that ``formats.identify`` does not know. NotMedia if it is none.

    To be called within the isolation: it decodes. Seeks to the beginning at the end.
    """
    if is_plainly_other(untrusted_head):
        raise NotMedia
    try:
        stream = Tee(untrusted, _ignore)
        with av.open(stream, "r", container_options=_OPTIONS, **LENIENT) as container:
            found = _BY_DEMUXER[container.format.name.partition(",")[0]]
            wanted = _FRAMES_OF_BARE_STREAMS if found.clock is Clock.NONE else 1
            if not _gives_frames(container, wanted):
                raise NotMedia
    except MemoryError:
        raise
    except (FFmpegError, ValueError) as error:
        raise NotMedia from error
    finally:
        untrusted.seek(0)
    return MediaType(found.kind, found.name)


def is_plainly_other(untrusted_head: bytes) -> bool:
    """Whether these first bytes are of a text, an archive, a program or another known kind of file.
    Most files in a folder that holds other things are, so they cost nothing."""
    if _OTHERS.match(untrusted_head):
        return True
    return len(untrusted_head.translate(None, _NO_TEXT)) == len(untrusted_head)


def _ignore(_: bytes) -> None:
    """The digests are made when the file is hashed."""


def _gives_frames(container: Any, wanted: int) -> bool:
    """Whether so many pictures can be decoded from the track that players show."""
    stream = shown_track(container.streams.video)
    if stream is None or stream.codec_context is None:
        return False
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    frames = 0
    for packet in islice(packets_of(container), _MAX_PACKETS):
        try:
            if packet.stream.index == stream.index:
                frames += len(stream.codec_context.decode(packet))
        except MemoryError:
            raise
        except (FFmpegError, ValueError):
            continue
        if frames >= wanted:
            return True
    return False


_START, _END = b"\xff\xd8", b"\xff\xd9"
_NEXT_MARKER = re.compile(rb"\xff[^\0\xd0-\xd7\xff]")
_SIZE_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA
_FRAMES_OF_MOTION_JPEG = 3


def is_motion_jpeg(untrusted_data: bytes) -> bool:
    """Whether a file that begins as a JPEG is a stream of them: several of one size, each directly
    behind the other, and no list of pictures (MPF), which cameras write into one of several."""
    if _END + _START not in untrusted_data:
        return False
    place, sizes = 0, set()
    for _ in range(_FRAMES_OF_MOTION_JPEG):
        found = _walk_jpeg(untrusted_data, place)
        if found is None:
            return False
        place, size = found
        sizes.add(size)
    return len(sizes) == 1 and b"MPF\0" not in untrusted_data[:place]


def _walk_jpeg(data: bytes, place: int) -> tuple[int, bytes] | None:
    """Where the JPEG that begins at ``place`` ends, and its size as it is written. None if there is
    no whole one."""
    size = b""
    if data[place : place + 2] != _START:
        return None
    place += 2
    while (marker := data[place : place + 2]) != _END:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if marker[:1] != b"\xff" or length < 2:
            return None
        if marker[1] in _SIZE_MARKERS:
            size = data[place + 5 : place + 9]
        place += 2 + length
        if marker[1] == _SCAN:
            found = _NEXT_MARKER.search(data, place)
            if found is None:
                return None
            place = found.start()
    return place + 2, size
