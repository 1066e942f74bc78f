"""From the bytes of an image file to pixels in display orientation.

JPEG goes through OpenCV: the same pixels as Pillow's, bit for bit, in two thirds of the time. All
else goes through Pillow and pillow-heif. Only the decoder of the format that the content shows is
called, and only after the size in the header has been checked.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pkgutil import resolve_name

import cv2
import numpy as np
from PIL import Image, ImageFile

from hashkit import notices
from hashkit.errors import MediaCorrupt, MediaError, MediaTruncated, TooManyPixels, TooMuchMemory
from hashkit.hashes.arrays import Pixels
from hashkit.media import contents
from hashkit.media.completeness.finding import Finding
from hashkit.media.completeness.pictures import look_for_missing
from hashkit.media.decoder_messages import decoder_messages
from hashkit.media.formats import IMAGES, RARE_TIFF, unsupported
from hashkit.media.limits import MAX_PIXELS, check_pixels
from hashkit.media.pixels import as_pixels, to_8_bit
from hashkit.models import Notice

_ORIENTATION_TAG = 0x0112
_END_OF_JPEG = b"\xff\xd9"
_MAX_MISSING = 0.98
_MISSING = {
    Finding.NOTHING: None,
    Finding.UNSURE: notices.MAY_BE_INCOMPLETE,
    Finding.MISSING: notices.DAMAGED,
}

# Plugins are called directly: Pillow's open() would try decoders that the content does not call
# for, and compares with a limit that belongs to the whole process.
_PLUGINS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    each.name: resolve_name(each.decoder) for each in IMAGES
}


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded pixels: uint8 of shape (height, width, 3), red green blue, or (height, width) where
    the file is grey. Upright, as a view of the memory that the decoder filled."""

    pixels: Pixels
    notices: tuple[Notice, ...]


def decode(untrusted_data: bytes, image_format: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode an image file, of the format that ``formats.identify`` found.

    Transparency is laid on white, 16 bits become 8 by scaling, EXIF orientation is applied. An
    animated file gives its first frame, a file of several pictures the main one. Raises an error
    of the MediaError branch; whatever the decoder said is its cause.
    """
    try:
        with decoder_messages() as complaints:
            picture = _decode(untrusted_data, image_format, max_pixels)
    except MediaError:
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise _translated(error) from error
    if complaints and not {notices.TRUNCATED, notices.DAMAGED}.intersection(picture.notices):
        others = (each for each in picture.notices if each != notices.MAY_BE_INCOMPLETE)
        return replace(picture, notices=(notices.DAMAGED, *others))
    return picture


def lift_pillows_limit() -> None:
    """Leave the limit to ``max_pixels`` alone. For processes that are hashkit's own: Pillow's
    limit, 179 million pixels, is the whole process's, and its TIFF and WebP decoders obey it."""
    Image.MAX_IMAGE_PIXELS = None


def open_header(untrusted_data: bytes, image_format: str) -> ImageFile.ImageFile:
    """Read what stands before the pixels. Raises whatever the decoder raises."""
    return _PLUGINS[image_format](io.BytesIO(untrusted_data))


def _translated(error: Exception) -> MediaError:
    if isinstance(error, MemoryError) or getattr(error, "code", 0) == cv2.Error.StsNoMem:
        return TooMuchMemory()
    if "unknown pixel mode" in str(error) or "unknown data organization" in str(error):
        return unsupported(RARE_TIFF)
    cut_short = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return MediaTruncated() if cut_short else MediaCorrupt()


def _decode(untrusted_data: bytes, image_format: str, max_pixels: int) -> Picture:
    if image_format == "ico":
        contents.refuse_large_icons(untrusted_data, max_pixels)
    header = open_header(untrusted_data, image_format)
    check_pixels(*header.size, max_pixels)
    contents.refuse(header, image_format, untrusted_data)
    found = contents.beside(header, image_format, untrusted_data)
    if image_format == "jpeg" and header.mode in ("L", "RGB"):
        pixels, incomplete = _decode_jpeg(untrusted_data, grey=header.mode == "L")
    else:
        pixels, incomplete = _decode_with_pillow(header)
        if image_format == "jpeg":  # CMYK: OpenCV's decoder reports damage, Pillow's does not
            _opencv(untrusted_data, cv2.IMREAD_GRAYSCALE)
    if incomplete is None:
        incomplete = _MISSING[look_for_missing(header, image_format, untrusted_data)]
    upright = _upright(pixels, _orientation(header))
    return Picture(upright, tuple(notice for notice in (incomplete, found) if notice))


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


def _decode_with_pillow(picture: ImageFile.ImageFile) -> tuple[Pixels, Notice | None]:
    try:
        picture.load()
    except (OSError, EOFError) as error:
        if "truncated" not in str(error):
            raise
        picture.tile = []  # nothing more to decode: what was decoded so far is the picture
        picture._size = picture.im.size  # of a turned TIFF, Pillow has swapped it already
        picture.load()
        return _enough(to_8_bit(picture)), notices.TRUNCATED
    return to_8_bit(picture), None


def _enough(pixels: Pixels) -> Pixels:
    """The pixels decoded of a cut-short file. MediaTruncated where next to nothing was decoded: the
    missing part has one colour, that of the last pixel."""
    missing = np.all(np.atleast_3d(pixels) == np.atleast_3d(pixels)[-1, -1], axis=2)
    if missing.mean() > _MAX_MISSING:
        raise MediaTruncated
    return pixels


def _orientation(header: ImageFile.ImageFile) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it makes no sense."""
    try:
        untrusted_value = header.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # EXIF that cannot be parsed: viewers show the picture as it is stored
        return 1
    return untrusted_value if untrusted_value in range(1, 9) else 1


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as displayed, as a view. Definition: EXIF 2.3, tag Orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
