"""Whether a file is cut short, parts of it are lost, or another recording follows behind, by the
lengths that its parts claim.

Durations do not show it: less than a second may be missing, and in whole files too sound and
picture differ by that much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from hashkit.media.completeness.matroska import elements
from hashkit.media.completeness.mpeg import packs, transport_packets
from hashkit.media.completeness.reading import ANOTHER, LOST, Walk, follows_zeros, read_at
from hashkit.media.completeness.streaming import objects, tags
from hashkit.media.formats import FORMATS

_MAX_PARTS = 1_000_000
_PICTURES = {b"mdat", b"moov", b"moof"}
_LISTS = {b"movi", b"rec "}
_NO_NAME = bytes(4)
_MAX_MOVIE = 1 << 24


class Parts(NamedTuple):
    """``cut_short``: a part that holds pictures would end behind the file, or zeros stand where one
    should begin. ``more_behind``: a second recording follows, which players do not show."""

    cut_short: bool
    more_behind: bool


def look_at_parts(untrusted: BinaryIO, size: int, media_format: str) -> Parts:
    """What the parts of a file of ``size`` bytes say.

    Seeks to the beginning at the end. Nothing of formats whose parts do not say their length.
    """
    walk = FORMATS[media_format].parts
    if walk is None:
        return Parts(False, False)
    try:
        for part, _ in zip(_WALKS[walk](untrusted, size), range(_MAX_PARTS), strict=False):
            holds_pictures, end = part
            if holds_pictures and end > size:
                return Parts(True, False)
            if part is ANOTHER:
                return Parts(False, True)
        return Parts(False, False)
    finally:
        untrusted.seek(0)


def is_cut_short(untrusted: BinaryIO, size: int, media_format: str) -> bool:
    """Whether a part that holds pictures is missing, wholly or in part. As ``look_at_parts``."""
    return look_at_parts(untrusted, size, media_format).cut_short


def _boxes(untrusted: BinaryIO, size: int) -> Walk:
    """MP4 (ISO/IEC 14496-12, 4.2): boxes one after the other, each with its size and name."""
    place = 0
    recordings = _Recordings(untrusted, size)
    while len(header := read_at(untrusted, size, place, 16)) >= 8:
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: to the end of the file
            if header[4:8] == _NO_NAME and follows_zeros(untrusted, size, place):
                yield LOST
            return
        if recordings.begins_another(header[4:8], place, length):
            yield ANOTHER
        place += length
        yield header[4:8] in _PICTURES, place


@dataclass
class _Recordings:
    """Tells whether another recording begins among the boxes of an MP4, which players do not show:
    one with a header and a movie box of its own.

    Fragments that were joined repeat both as they were, and are shown as one.
    """

    untrusted: BinaryIO
    size: int
    _seen: set[bytes] = field(default_factory=set)
    _movie: tuple[int, int] = (0, 0)
    _has_header: bool = False

    def begins_another(self, name: bytes, place: int, length: int) -> bool:
        """Whether this box, the next one, belongs to another recording than those before."""
        if name == b"ftyp" and {b"moov", b"mdat"} <= self._seen:
            self._has_header = True
        elif self._has_header and name == b"moov":
            self._has_header = b"moof" not in self._seen or not self._is_same(place, length)
        elif name == b"moov":
            self._movie = place, length
        self._seen.add(name)
        return self._has_header and name in (b"moov", b"mdat")

    def _is_same(self, place: int, length: int) -> bool:
        first = read_at(self.untrusted, self.size, self._movie[0], min(length, _MAX_MOVIE))
        return first == read_at(self.untrusted, self.size, place, min(length, _MAX_MOVIE))


def _chunks(untrusted: BinaryIO, size: int) -> Walk:
    """AVI: chunks inside RIFF chunks, each with its name and size; ``movi`` lists hold pictures and
    sound, in some files in further lists."""
    place = riff_end = 0
    while len(header := read_at(untrusted, size, place, 12)) == 12:
        length = int.from_bytes(header[4:8], "little")
        if header[:4] == b"RIFF":
            riff_end = place + 8 + length
            place += 12
            yield False, 0  # and on inside it
            continue
        if header[:4] == _NO_NAME and place < riff_end:
            yield LOST
        end = place + 8 + length + length % 2
        yield header[8:] == b"movi", end
        place = place + 12 if header[:4] == b"LIST" and header[8:] in _LISTS else end


_WALKS: dict[str, Callable[[BinaryIO, int], Walk]] = {
    "boxes": _boxes,
    "elements": elements,
    "chunks": _chunks,
    "tags": tags,
    "objects": objects,
    "transport packets": transport_packets,
    "packs": packs,
}
