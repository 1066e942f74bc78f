"""What a file is, from its first bytes, never from its name."""

from __future__ import annotations

from typing import NamedTuple

from hashkit.errors import NotMedia, UnsupportedMedia
from hashkit.models import MediaKind


class MediaType(NamedTuple):
    """The kind of a file, and the name of its format (``jpeg``, ``png``, ``heif`` …)."""

    kind: MediaKind
    format: str


_HEIF = {"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1", "mif2"}
_AVIF = {"avif", "avis"}
_AUDIO = {"M4A ", "M4B ", "M4P "}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}

_IMAGES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
)
_VIDEOS = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"FLV\x01", "flv"),
    (b"\0\0\1\xba", "mpeg"),
    (b"\0\0\1\xb3", "mpeg"),
)
# Pictures that are known by name only: it helps to be told so instead of "not a picture".
_UNSUPPORTED = (
    (b"8BPS", "Photoshop document"),
    (b"\xff\x0a", "JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL picture"),
    (b"FUJIFILMCCD-RAW", "camera raw file"),
    (b"IIU\0", "camera raw file"),
    (b"IIRO", "camera raw file"),
    (b"IIRS", "camera raw file"),
    (b"\x76\x2f\x31\x01", "OpenEXR picture"),
)


def identify(untrusted_head: bytes) -> MediaType:
    """Say what a file is from its first bytes (4 kB are enough).

    NotMedia where it is neither picture nor video, UnsupportedMedia where it is a picture that
    cannot be decoded here.
    """
    head = untrusted_head
    for magic, name in _UNSUPPORTED:
        if head.startswith(magic):
            raise unsupported(name)
    if head[:4] == b"II*\0" and head[8:10] == b"CR":
        raise unsupported("camera raw file")
    for magic, name in _IMAGES:
        if head.startswith(magic):
            return MediaType(MediaKind.IMAGE, name)
    for magic, name in _VIDEOS:
        if head.startswith(magic):
            return MediaType(MediaKind.VIDEO, name)
    found = _riff(head) or _iso_media(head) or _bitmap(head) or _icon(head) or _stream(head)
    if found is None:
        raise NotMedia
    return found


def unsupported(name: str) -> UnsupportedMedia:
    """The error for a kind of picture that is known by name only."""
    article = "an" if name[0] in "AEIOU" else "a"
    return UnsupportedMedia(f"This is {article} {name}, which cannot be opened here.")


def _riff(head: bytes) -> MediaType | None:
    if head[:4] != b"RIFF":
        return None
    if head[8:12] == b"WEBP":
        return MediaType(MediaKind.IMAGE, "webp")
    return MediaType(MediaKind.VIDEO, "avi") if head[8:12] == b"AVI " else None


def _iso_media(head: bytes) -> MediaType | None:
    """ISO base media (MP4, MOV, 3GP, HEIF, AVIF): the brands say which."""
    box = head[4:8]
    if box in {b"moov", b"mdat", b"wide", b"pnot"}:  # QuickTime before there were brands
        return MediaType(MediaKind.VIDEO, "mov")
    if box != b"ftyp":
        return None
    length = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))]
    names = [brand.decode("latin-1") for brand in brands]
    if names[0] == "crx ":
        raise unsupported("camera raw file")
    if names[0] in _AUDIO:
        return None
    # The first brand that says "picture" decides; a HEIF file may list AVIF's too, and the
    # generic mif1 says nothing about the codec.
    for known, name in ((_AVIF, "avif"), (_HEIF, "heif")):
        if names[0] in known or (names[0] in {"mif1", "msf1"} and known.intersection(names)):
            return MediaType(MediaKind.IMAGE, name)
    return MediaType(MediaKind.VIDEO, "mp4")


def _bitmap(head: bytes) -> MediaType | None:
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return MediaType(MediaKind.IMAGE, "bmp")
    return None


def _icon(head: bytes) -> MediaType | None:
    """Four bytes that many files begin with, and a directory that makes sense."""
    count = int.from_bytes(head[4:6], "little")
    first = head[6:22]
    if head[:4] != b"\0\0\1\0" or not 0 < count <= 256 or len(first) < 16 or first[3]:
        return None
    size, offset = (int.from_bytes(first[at : at + 4], "little") for at in (8, 12))
    fits = size and offset >= 6 + 16 * count
    return MediaType(MediaKind.IMAGE, "ico") if fits else None


def _stream(head: bytes) -> MediaType | None:
    """MPEG transport streams repeat a byte every packet; Ogg may be sound only."""
    for packet, first in ((188, 0), (192, 4)):
        marks = head[first::packet][:5]
        if len(marks) == 5 and set(marks) == {0x47}:
            return MediaType(MediaKind.VIDEO, "mpegts")
    if head[:4] == b"OggS" and b"theora" in head[:512]:
        return MediaType(MediaKind.VIDEO, "ogg")
    return None


_VIDEO_BRANDS = {b"mp41", b"mp42", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"qt  "}


def find_video(untrusted_data: bytes) -> int | None:
    """Where in this picture file an MP4 or MOV begins (a motion photo), if there is one.

    Looks for the first box of one, behind the file's own beginning.
    """
    position = untrusted_data.find(b"ftyp", 32)
    while position != -1:
        size = int.from_bytes(untrusted_data[position - 4 : position], "big")
        brand = untrusted_data[position + 4 : position + 8]
        if 16 <= size <= 256 and brand in _VIDEO_BRANDS:
            return position - 4
        position = untrusted_data.find(b"ftyp", position + 4)
    return None
