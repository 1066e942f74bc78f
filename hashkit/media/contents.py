"""Checks of a picture file before it is decoded, and what it holds beside the picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import ImageFile

from hashkit import notices
from hashkit.errors import MediaCorrupt
from hashkit.media import apng
from hashkit.media.formats import (
    DEEP_JPEG,
    FORMATS,
    HEIC_BURST,
    HIERARCHICAL_JPEG,
    JPEG_LS,
    LOSSLESS_JPEG,
    SEPARATE_TIFF,
    find_video,
    unsupported,
)
from hashkit.media.limits import check_pixels
from hashkit.media.metadata import jpeg_segments
from hashkit.models import Notice

_DNG_VERSION_TAG = 0xC612
_SUBFILE_TYPE_TAG, _THUMBNAIL = 0x00FE, 1
_PLANES_TAG, _SEPARATE_PLANES = 0x011C, 2
_BITS_TAG = 0x0102

_MPF_ENTRIES, _MPF_PREVIEW = 0xB002, 0x010000
_GAIN_MAPS = (
    b"hdrgainmap",
    b"http://ns.adobe.com/hdr-gain-map",
    b"urn:iso:std:iso:ts:21496:-1",
)

_SEQUENCES = (b"msf1", b"hevc", b"hevx", b"hevm", b"hevs")
_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_FRAME_HEADER = 6
_OTHER_BITS = {*range(2, 17)} - {8}
_RARE_FRAMES = {
    **{0xC3: LOSSLESS_JPEG, 0xCB: LOSSLESS_JPEG, 0xF7: JPEG_LS},
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), HIERARCHICAL_JPEG),
}

_HIDDEN_AND_ONE = 2
_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN = b"\xff\xda"
_MAX_SCANS = 100
"""A progressive JPEG of a camera or a program has about ten; each takes the time of a picture."""


def refuse(header: ImageFile.ImageFile, image_format: str, data: bytes) -> None:
    """Refuse what the header's size does not show. Raises an error of the MediaError branch."""
    if image_format == "tiff":
        _refuse_other_tiffs(header)
    if image_format == "jpeg" and header.info.get("progressive"):
        end = find_video(data)  # by chance, a video behind the picture looks full of scans
        if data.count(_START_OF_SCAN, 0, len(data) if end is None else end) > _MAX_SCANS:
            raise MediaCorrupt


def refuse_large_icons(data: bytes, max_pixels: int) -> None:
    """An icon's directory says at most 256x256; the pictures in it may say something else. To be
    asked first of all, since Pillow decodes an icon when it opens it."""
    for entry in range(int.from_bytes(data[4:6], "little")):
        at = int.from_bytes(data[18 + 16 * entry : 22 + 16 * entry], "little")
        if data[at : at + 8] == _PNG:
            width, height = (int.from_bytes(data[i : i + 4], "big") for i in (at + 16, at + 20))
        else:
            width, height = (int.from_bytes(data[i : i + 4], "little") for i in (at + 4, at + 8))
            height = (height + 1) // 2  # the picture and its mask, one above the other
        if width and height:
            check_pixels(width, height, max_pixels)


def _refuse_other_tiffs(header: ImageFile.ImageFile) -> None:
    tags = getattr(header, "tag_v2", {})
    if _DNG_VERSION_TAG in tags or tags.get(_SUBFILE_TYPE_TAG) == _THUMBNAIL:
        raise unsupported("camera raw file")  # what would be decoded is a thumbnail
    bits = tags.get(_BITS_TAG, (8,))
    if tags.get(_PLANES_TAG) == _SEPARATE_PLANES and len(bits) > 1 and max(bits) > 8:
        raise unsupported(SEPARATE_TIFF)  # Pillow mixes them up


def beside(header: ImageFile.ImageFile, image_format: str, data: bytes) -> Notice | None:
    """What else the file holds that is not hashed as a picture."""
    if image_format in ("jpeg", "heif") and find_video(data) is not None:
        return notices.EMBEDDED_VIDEO
    if image_format == "jpeg":
        return notices.SEVERAL_IMAGES if _is_multi_picture(header, data) else None
    if image_format == "ico" or not getattr(header, "is_animated", False):
        return None  # an icon holds one picture in several sizes: the largest is taken
    hidden = image_format == "png" and apng.has_hidden_picture(data)
    if hidden and getattr(header, "n_frames", 0) == _HIDDEN_AND_ONE:
        return None
    moves = FORMATS[image_format].moves or b"avis" in data[8:64]
    return notices.ANIMATED if moves else notices.SEVERAL_IMAGES


def _is_multi_picture(header: ImageFile.ImageFile, data: bytes) -> bool:
    """MPO: JPEGs one after the other. Not where they are previews of the first, or say how bright
    its places are, as phones' second ones often do."""
    if any(mark in data for mark in _GAIN_MAPS):
        return False
    try:
        return any(_mpf_kinds(header.info.get("mp", b"")))
    except struct.error:
        return False


def _mpf_kinds(index: bytes) -> Iterator[bool]:
    """Of each picture but the first, whether it is one of its own (CIPA DC-007, 5.2)."""
    order = ">" if index.startswith(b"MM") else "<"
    (tags_at,) = struct.unpack_from(f"{order}I", index, 4)
    (count,) = struct.unpack_from(f"{order}H", index, tags_at)
    for each in range(count):
        tag, _, length, at = struct.unpack_from(f"{order}HHII", index, tags_at + 2 + 12 * each)
        if tag == _MPF_ENTRIES:
            for entry in range(at + 16, at + length, 16):
                (attribute,) = struct.unpack_from(f"{order}I", index, entry)
                yield attribute & 0xFF0000 != _MPF_PREVIEW


def refuse_other_kinds(data: bytes, image_format: str) -> None:
    """Of a file that could not be decoded: UnsupportedMedia if it is of a kind that never can."""
    if image_format == "heif" and data[8:12] in _SEQUENCES:
        raise unsupported(HEIC_BURST)
    if image_format != "jpeg":
        return
    for marker, begin, end in jpeg_segments(data):
        frame = data[begin + 4 : end]
        if len(frame) < _FRAME_HEADER or len(frame) != _FRAME_HEADER + 3 * frame[5]:
            continue  # another segment, or junk
        if marker in _RARE_FRAMES:
            raise unsupported(_RARE_FRAMES[marker])
        if marker in _FRAMES and frame[0] in _OTHER_BITS:
            raise unsupported(DEEP_JPEG.format(frame[0]))
