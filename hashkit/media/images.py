"""From the bytes of an image file to pixels in display orientation.

JPEG goes through OpenCV: the same pixels as Pillow's, bit for bit, in two thirds of the time. All
else goes through Pillow and pillow-heif. Only the decoder of the format that the content shows is
called, and only after the size in the header has been checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageFile

from hashkit import notices
from hashkit.errors import (
    MediaCorrupt,
    MediaError,
    MediaTruncated,
    TooManyPixels,
    TooMuchMemory,
    UnsupportedMedia,
)
from hashkit.hashes.arrays import Pixels
from hashkit.media import bitmaps, clean_aperture, contents
from hashkit.media.completeness.bitmaps import check_bmp
from hashkit.media.completeness.finding import Finding
from hashkit.media.completeness.pictures import look_for_missing
from hashkit.media.decoder_messages import decoder_messages
from hashkit.media.formats import RARE_BMP, RARE_TIFF, unsupported
from hashkit.media.limits import MAX_PIXELS, check_pixels
from hashkit.media.metadata import without_metadata
from hashkit.media.opening import open_frames, open_header
from hashkit.media.pixels import as_pixels, with_transparency
from hashkit.media.readings import Reading, of_numbers, turned
from hashkit.media.truncation import is_cut_short
from hashkit.models import Notice

_ORIENTATION_TAG = 0x0112
_INVERSE = {6: 8, 8: 6}  # the orientations that are not their own inverse
_END_OF_JPEG = b"\xff\xd9"
_MAX_MISSING = 0.98
_MISSING = {
    Finding.NOTHING: None,
    Finding.UNSURE: notices.MAY_BE_INCOMPLETE,
    Finding.MISSING: notices.DAMAGED,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded pixels: uint8 of shape (height, width, 3), red green blue, or (height, width) where
    the file is grey. Upright, as a view of the memory that the decoder filled. ``data``: the file
    as its decoder could read it, without metadata where that is broken. ``readings`` are what other
    tools make of the same file."""

    pixels: Pixels
    notices: tuple[Notice, ...]
    data: bytes
    readings: tuple[Reading, ...] = ()


def decode(untrusted_data: bytes, image_format: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode an image file, of the format that ``formats.identify`` found.

    Transparency is laid on white, 16 bits become 8 by scaling, EXIF orientation (that of XMP not)
    and the clean aperture are applied. An animated file gives its first frame, a file of several
    pictures the main one. Metadata that cannot be read does not matter. Raises an error
    of the MediaError branch; whatever the decoder said is its cause.
    """
    try:
        with decoder_messages() as complaints:
            picture = _decode_or_explain(untrusted_data, image_format, max_pixels)
    except MediaError:
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except Exception as error:  # a decoder may raise anything on hostile bytes
        failure = _translated(error)
        size = len(untrusted_data)
        if isinstance(failure, MediaCorrupt) and is_cut_short(
            BytesIO(untrusted_data), size, image_format
        ):
            failure = MediaTruncated()
        raise failure from error
    if complaints and not {notices.TRUNCATED, notices.DAMAGED}.intersection(picture.notices):
        others = (each for each in picture.notices if each != notices.MAY_BE_INCOMPLETE)
        return replace(picture, notices=(notices.DAMAGED, *others))
    return picture


def lift_pillows_limit() -> None:
    """Leave the limit to ``max_pixels`` alone. For processes that are hashkit's own: Pillow's
    limit, 179 million pixels, is the whole process's, and its TIFF and WebP decoders obey it."""
    Image.MAX_IMAGE_PIXELS = None


def _decode_or_explain(untrusted_data: bytes, image_format: str, max_pixels: int) -> Picture:
    """Decode; once more without metadata, if that may be what stopped the decoder."""
    try:
        return _decode(untrusted_data, image_format, max_pixels)
    except (TooManyPixels, TooMuchMemory, UnsupportedMedia, MemoryError):
        raise
    except Exception as error:  # as in ``decode``
        failure = error
    clean = without_metadata(untrusted_data, image_format)
    if clean is not None:
        try:
            return _decode(clean, image_format, max_pixels)
        except (TooManyPixels, TooMuchMemory, UnsupportedMedia, MemoryError):
            raise
        except Exception:  # as in ``decode``: the first failure says more
            contents.refuse_other_kinds(untrusted_data, image_format)
            raise failure from None
    contents.refuse_other_kinds(untrusted_data, image_format)
    raise failure


def _translated(error: Exception) -> MediaError:
    if isinstance(error, MemoryError) or getattr(error, "code", 0) == cv2.Error.StsNoMem:
        return TooMuchMemory()
    if "Unsupported BMP" in str(error):
        return unsupported(RARE_BMP)
    if "unknown pixel mode" in str(error) or "unknown data organization" in str(error):
        return unsupported(RARE_TIFF)
    cut_short = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return MediaTruncated() if cut_short else MediaCorrupt()


def _decode(untrusted_data: bytes, image_format: str, max_pixels: int) -> Picture:
    if image_format == "ico":
        contents.refuse_large_icons(untrusted_data, max_pixels)
    if image_format == "bmp":
        untrusted_data = bitmaps.with_long_header(untrusted_data)
        if bitmaps.has_masks(untrusted_data):
            return _decode_bitmap(untrusted_data, max_pixels)
    header = open_header(untrusted_data, image_format)
    check_pixels(*header.size, max_pixels)
    header.info.pop("xmp", None)  # Pillow turns a TIFF by itself, by the orientation in there too
    contents.refuse(header, image_format, untrusted_data)
    found = contents.beside(header, image_format, untrusted_data)
    stored = _orientation(header) if image_format == "tiff" else 1
    others: tuple[Reading, ...] = ()
    if image_format == "jpeg" and header.mode in ("L", "RGB"):
        pixels, incomplete = _decode_jpeg(untrusted_data, grey=header.mode == "L")
    else:
        pixels, others, incomplete = _decode_with_pillow(_first_frame(header, untrusted_data))
        if image_format == "jpeg":  # CMYK: OpenCV's decoder reports damage, Pillow's does not
            _opencv(untrusted_data, cv2.IMREAD_GRAYSCALE)
    if incomplete is None:
        incomplete = _MISSING[look_for_missing(header, image_format, untrusted_data)]
    if image_format == "avif":
        crop = clean_aperture.crop_of(untrusted_data, *header.size) or ...
        pixels = pixels[crop]
        others = tuple(each.turned(lambda shown: shown[crop]) for each in others)
    orientation = _orientation(header)
    readings = _readings(pixels, others, orientation, stored)
    upright = _upright(pixels, orientation)
    notes = tuple(each for each in (incomplete, found) if each)
    return Picture(upright, notes, untrusted_data, readings)


def _readings(
    pixels: Pixels, others: tuple[Reading, ...], orientation: int, stored: int
) -> tuple[Reading, ...]:
    """The other readings of these pixels, which have this ``orientation``. Pillow turns a TIFF when
    it loads it, and then knows nothing of it: ``stored`` is what it said before."""
    if orientation != 1:
        show = partial(_upright, orientation=orientation)
        return tuple(turned(pixels, others, show, lambda stored_pixels: stored_pixels))
    if stored != 1:
        back = partial(_upright, orientation=_INVERSE.get(stored, stored))
        return tuple(turned(pixels, others, lambda upright: upright, back))
    return others


def _decode_bitmap(untrusted_data: bytes, max_pixels: int) -> Picture:
    pixels = bitmaps.decode_masks(untrusted_data, max_pixels)
    incomplete = _MISSING[check_bmp(untrusted_data)]
    return Picture(pixels, (incomplete,) if incomplete else (), untrusted_data)


def _first_frame(header: ImageFile.ImageFile, untrusted_data: bytes) -> ImageFile.ImageFile:
    picture, first = open_frames(untrusted_data, header)
    picture.seek(first)
    return picture


def _opencv(data: bytes, colour: int) -> Pixels | None:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), colour | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if decoded is None else as_pixels(decoded)


def _decode_jpeg(untrusted_data: bytes, grey: bool) -> tuple[Pixels, Notice | None]:
    colour = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    pixels = _opencv(untrusted_data, colour)
    if pixels is not None:
        return pixels, None
    # OpenCV gives up where the data ends early. With an end marker it shows what there is, and
    # fills the rest with grey, as browsers do.
    pixels = _opencv(untrusted_data + _END_OF_JPEG, colour)
    if pixels is None:
        raise MediaCorrupt
    return _enough(pixels), notices.TRUNCATED


def _decode_with_pillow(
    picture: ImageFile.ImageFile,
) -> tuple[Pixels, tuple[Reading, ...], Notice | None]:
    try:
        picture.load()
    except (OSError, EOFError) as error:
        if "truncated" not in str(error):
            raise
        picture.tile = []  # nothing more to decode: what was decoded so far is the picture
        picture._size = picture.im.size  # of a turned TIFF, Pillow has swapped it already
        picture.load()
        pixels, transparent = with_transparency(picture)
        return _enough(pixels), tuple(of_numbers(picture, transparent)), notices.TRUNCATED
    pixels, transparent = with_transparency(picture)
    return pixels, tuple(of_numbers(picture, transparent)), None


def _enough(pixels: Pixels) -> Pixels:
    """The pixels decoded of a cut-short file. MediaTruncated where next to nothing was decoded: the
    missing part has one colour, that of the last pixel."""
    missing = np.all(np.atleast_3d(pixels) == np.atleast_3d(pixels)[-1, -1], axis=2)
    if missing.mean() > _MAX_MISSING:
        raise MediaTruncated
    return pixels


def _orientation(picture: ImageFile.ImageFile) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it makes no sense. Pillow's ``getexif``
    would take that of XMP in its place, which browsers and OpenCV do not."""
    try:
        untrusted_value = _exif(picture).get(_ORIENTATION_TAG, 1)
    except Exception:  # EXIF that cannot be parsed: viewers show the picture as it is stored
        return 1
    return untrusted_value if untrusted_value in range(1, 9) else 1


def _exif(picture: ImageFile.ImageFile) -> Mapping[int, Any]:
    tags: Mapping[int, Any] | None = getattr(picture, "tag_v2", None)
    if tags is not None:
        return tags
    exif = Image.Exif()
    exif.load(picture.info.get("exif", b""))
    return exif


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as displayed, as a view. Definition: EXIF 2.3, tag Orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
