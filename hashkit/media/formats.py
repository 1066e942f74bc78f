"""The one table of image formats and containers; and what a file is, from its first bytes.

A file's format never comes from its name. To add one is to add a row: docs/architecture.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from hashkit.errors import IsAnArchive, MediaTruncated, NotMedia, UnsupportedMedia
from hashkit.models import MediaKind

Signature = re.Pattern[bytes] | Callable[[bytes], bool]
"""Says whether the first bytes of a file are of a format."""


class Clock(Enum):
    """What the time stamps of a container's frames are worth."""

    ONE = auto()
    """One clock for the whole file; long gaps are still pictures."""
    BROADCAST = auto()
    """Made to be cut and joined anywhere: the clock may begin again, or wrap."""
    NONE = auto()
    """There are none: a bare stream of pictures."""


@dataclass(frozen=True, slots=True)
class Format:
    """An image format, or a container of videos.

    ``shown`` is the name for people. ``decoder`` is the class that opens it, one of Pillow's or of
    the same interface, by its full name; of videos, FFmpeg's demuxer; empty where hashkit knows the
    format by name only, which helps more than "not a picture". ``feature`` is Pillow's name for
    what some of its builds lack. ``moves``: several pictures in a file are frames of an animation.
    ``parts``: how the file is divided, if its parts say how long they are (see ``truncation``).
    ``clock``: what its times are worth, of videos.
    """

    name: str
    shown: str
    signature: Signature
    decoder: str = ""
    kind: MediaKind = MediaKind.IMAGE
    feature: str | None = None
    moves: bool = False
    parts: str | None = None
    clock: Clock = Clock.ONE


class MediaType(NamedTuple):
    """The kind of a file, and the name of its format (``jpeg``, ``png``, ``heif`` …)."""

    kind: MediaKind
    format: str


def _begins(*beginnings: bytes) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, beginnings)))


def _like(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


_HEIF = {"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1", "mif2"}
_GENERIC = {"mif1", "msf1", "mif2"}
_AVIF = {"avif", "avis"}
_AUDIO = {"M4A ", "M4B ", "M4P "}
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"pnot"}  # before there were brands
_PADDING = {b"skip", b"free", b"udta", b"junk"}  # may stand before them, and are also words
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"PK\5\6", b"\x1f\x8b\x08", b"\xfd7zXZ\0")
_DOCUMENTS = (b"[Content_Types].xml", b"_rels/", b"mimetype", b"META-INF/", b"AndroidManifest.xml")
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}


def _brands(head: bytes) -> list[str]:
    """The brands of an ISO base media file (MP4, MOV, 3GP, HEIF, AVIF), the main one first."""
    if head[4:8] != b"ftyp":
        return []
    length = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))]
    return [brand.decode("latin-1") for brand in brands]


def _image_brand(head: bytes) -> str | None:
    """The first brand that says "picture" decides; a HEIF file may list AVIF's too, and the generic
    mif1 says nothing about the codec."""
    names = _brands(head)
    for known, name in ((_AVIF, "avif"), (_HEIF, "heif")):
        if names and (
            names[0] in known or (names[0] in {"mif1", "msf1"} and known.intersection(names))
        ):
            return name
    return None


def _heif_coded_as(*brands: str) -> Callable[[bytes], bool]:
    """HEIF whose pictures are coded in a way that is not decoded here, by the main brand, or by
    others where that is generic and none of ours is among them."""

    def fits(head: bytes) -> bool:
        names = _brands(head)
        if not names or names[0] not in _GENERIC:
            return bool(names) and names[0] in brands
        return not (_HEIF - _GENERIC | _AVIF).intersection(names) and any(
            each in brands for each in names
        )

    return fits


def _is_archive(head: bytes) -> bool:
    """Documents, programs and books are archives, too, but nobody looks for pictures in them."""
    if head.startswith(b"PK\3\4"):
        first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        return not first.startswith(_DOCUMENTS)
    return head.startswith(_ARCHIVES) or head[257:262] == b"ustar"


def _is_video(head: bytes) -> bool:
    """To be asked last of all that have brands."""
    names = _brands(head)
    return bool(names) and names[0] not in _AUDIO


def _is_old_quicktime(head: bytes) -> bool:
    return head[4:8] in _OLD_QUICKTIME or (head[4:8] in _PADDING and head[:1] == b"\0")


def _is_bitmap(head: bytes) -> bool:
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS


def _is_icon(head: bytes) -> bool:
    """Four bytes that many files begin with, and a directory that makes sense."""
    count = int.from_bytes(head[4:6], "little")
    first = head[6:22]
    if head[:4] != b"\0\0\1\0" or not 0 < count <= 256 or len(first) < 16 or first[3]:
        return False
    size, offset = (int.from_bytes(first[at : at + 4], "little") for at in (8, 12))
    return size > 0 and offset >= 6 + 16 * count


def _is_transport_stream(head: bytes) -> bool:
    """MPEG transport streams repeat a byte every packet."""
    packets = (head[first::length][:5] for length, first in ((188, 0), (192, 4)))
    return b"\x47" * 5 in packets


def _is_theora(head: bytes) -> bool:
    """Ogg may be sound only."""
    return head[:4] == b"OggS" and b"theora" in head[:512]


_NEVER = _like(rb"(?!)")
_VIDEO = MediaKind.VIDEO
_RAW = rb"FUJIFILMCCD-RAW|IIU\0|IIRO|IIRS|II\*\0....CR"
_CGBI = b"\x89PNG\r\n\x1a\n\0\0\0\4CgBI"
_JXL = b"\0\0\0\x0cJXL \r\n\x87\n"
_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"

# fmt: off
_TABLE = (
    Format("psd", "Photoshop document", _begins(b"8BPS")),
    Format("jxl", "JPEG XL picture", _begins(b"\xff\x0a", _JXL)),
    Format("exr", "OpenEXR picture", _begins(b"\x76\x2f\x31\x01")),
    Format("raw", "camera raw file", _like(_RAW)),
    Format("cr3", "camera raw file", lambda head: _brands(head)[:1] == ["crx "]),

    Format("jxr", "JPEG XR picture", _begins(b"II\xbc\0", b"II\xbc\1")),
    Format("jpegls", "JPEG-LS picture", _begins(b"\xff\xd8\xff\xf7")),
    Format("cgbi", "PNG picture of an iPhone app", _begins(_CGBI)),
    Format("avci", "HEIF picture coded as AVC", _heif_coded_as("avci", "avcs")),
    Format("heif-jpeg", "HEIF picture coded as JPEG", _heif_coded_as("jpeg", "jpgs")),
    Format("heif-rare", "HEIF picture of a rare kind",
           _heif_coded_as("evbi", "evbs", "vvic", "vvis", "j2ki", "j2is")),

    Format("jpeg", "JPEG", _begins(b"\xff\xd8\xff"), "PIL.JpegImagePlugin.JpegImageFile"),
    Format("png", "PNG", _begins(b"\x89PNG\r\n\x1a\n"), "PIL.PngImagePlugin.PngImageFile",
           moves=True),
    Format("gif", "GIF", _begins(b"GIF87a", b"GIF89a"), "PIL.GifImagePlugin.GifImageFile",
           moves=True),
    Format("bmp", "BMP", _is_bitmap, "PIL.BmpImagePlugin.BmpImageFile"),
    Format("ico", "icons", _is_icon, "PIL.IcoImagePlugin.IcoImageFile"),
    Format("heif", "HEIC", lambda head: _image_brand(head) == "heif", "pillow_heif.HeifImageFile",
           parts="boxes"),
    Format("webp", "WebP", _like(rb"RIFF....WEBP"), "PIL.WebPImagePlugin.WebPImageFile",
           feature="webp", moves=True),
    Format("avif", "AVIF", lambda head: _image_brand(head) == "avif",
           "PIL.AvifImagePlugin.AvifImageFile", feature="avif", parts="boxes"),
    Format("jpeg2000", "JPEG 2000", _begins(_JP2, b"\xff\x4f\xff\x51"),
           "PIL.Jpeg2KImagePlugin.Jpeg2KImageFile", feature="jpg_2000"),
    Format("tiff", "TIFF", _begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
           "PIL.TiffImagePlugin.TiffImageFile", feature="libtiff"),

    Format("matroska", "Matroska", _begins(b"\x1a\x45\xdf\xa3"), "matroska", _VIDEO,
           parts="elements"),
    Format("asf", "WMV", _begins(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "asf", _VIDEO,
           parts="objects"),
    Format("flv", "FLV", _begins(b"FLV\x01"), "flv", _VIDEO, parts="tags"),
    Format("mpeg", "MPEG", _begins(b"\0\0\1\xba"), "mpeg", _VIDEO, clock=Clock.BROADCAST,
           parts="packs"),
    Format("avi", "AVI", _like(rb"RIFF....AVI "), "avi", _VIDEO, parts="chunks"),
    Format("mov", "QuickTime", _is_old_quicktime, "mov", _VIDEO, parts="boxes"),
    Format("mp4", "MP4", _is_video, "mov", _VIDEO, parts="boxes"),
    Format("mpegts", "MPEG-TS", _is_transport_stream, "mpegts", _VIDEO, clock=Clock.BROADCAST,
           parts="transport packets"),
    Format("ogg", "Ogg", _is_theora, "ogg", _VIDEO, clock=Clock.BROADCAST),
    Format("ivf", "IVF", _begins(b"DKIF\0\0"), "ivf", _VIDEO),
    Format("mxf", "MXF", _begins(b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"), "mxf", _VIDEO),
    Format("nut", "NUT", _begins(b"nut/multimedia container\0"), "nut", _VIDEO),
    Format("rm", "RealMedia", _begins(b".RMF\0\0", b".RM\xfd\0"), "rm", _VIDEO),
    Format("mpegvideo", "MPEG video", _begins(b"\0\0\1\xb3"), "mpegvideo", _VIDEO,
           clock=Clock.NONE),

    # These have no beginning that is theirs alone: see ``recognition``.
    Format("dv", "DV", _NEVER, "dv", _VIDEO),
    Format("m4v", "MPEG-4 video", _NEVER, "m4v", _VIDEO, clock=Clock.NONE),
    Format("h264", "H.264 video", _NEVER, "h264", _VIDEO, clock=Clock.NONE),
    Format("hevc", "HEVC video", _NEVER, "hevc", _VIDEO, clock=Clock.NONE),
    Format("obu", "AV1 video", _NEVER, "obu", _VIDEO, clock=Clock.NONE),
    Format("mjpeg", "Motion JPEG", _NEVER, "mjpeg", _VIDEO, clock=Clock.NONE),
)
# fmt: on

FORMATS = {each.name: each for each in _TABLE}
"""All formats by name."""

IMAGES = [each for each in _TABLE if each.decoder and each.kind is MediaKind.IMAGE]
"""The image formats that hashkit reads, in the order in which they are listed to people."""

# Fixed beginnings first: they are surer than what functions look for.
_AS_ASKED = sorted(_TABLE, key=lambda each: not isinstance(each.signature, re.Pattern))


def identify(untrusted_head: bytes) -> MediaType:
    """Say what a file is from its first bytes (4 kB are enough).

    NotMedia where it is neither picture nor video (IsAnArchive where it may hold some),
    UnsupportedMedia where it is a picture that cannot be decoded here.
    """
    for each in _AS_ASKED:
        if _fits(each.signature, untrusted_head):
            if not each.decoder:
                raise unsupported(each.shown)
            return MediaType(each.kind, each.name)
    raise IsAnArchive if _is_archive(untrusted_head) else NotMedia


def _fits(signature: Signature, head: bytes) -> bool:
    if isinstance(signature, re.Pattern):
        return signature.match(head) is not None
    return signature(head)


# Kinds of a format that its decoder does not open.
RARE_BMP = "BMP picture of a rare kind"
RARE_TIFF = "TIFF picture of a rare kind"
SEPARATE_TIFF = "TIFF picture with separate 16-bit colours"
HEIC_BURST = "burst of HEIC pictures"
JPEG_LS = "JPEG-LS picture"
LOSSLESS_JPEG = "lossless JPEG picture"
HIERARCHICAL_JPEG = "hierarchical JPEG picture"
DEEP_JPEG = "JPEG picture with {} bits a colour"
NOT_OPENED = {
    *(each.shown for each in _TABLE if not each.decoder),
    *(RARE_BMP, RARE_TIFF, SEPARATE_TIFF, HEIC_BURST, JPEG_LS, LOSSLESS_JPEG, HIERARCHICAL_JPEG),
    *(DEEP_JPEG.format(bits) for bits in range(256)),
}
"""All names that ``unsupported`` is given."""


def unsupported(name: str) -> UnsupportedMedia:
    """The error for a format that is known by name only, one of ``NOT_OPENED``."""
    article = "an" if name[0] in "AEIOU" else "a"
    return UnsupportedMedia(f"This is {article} {name}, which cannot be opened here.")


def unsupported_video() -> UnsupportedMedia:
    """The error for a video that no decoder here takes."""
    return UnsupportedMedia(
        "This video is coded in a way that cannot be opened here.",
        advice="Hash the version of it that would be shared, such as an MP4 file.",
    )


def truncated_video() -> MediaTruncated:
    """The error for a video that ends before anything in it could be opened."""
    return MediaTruncated("The file is cut short, and no part of the video could be read.")


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
