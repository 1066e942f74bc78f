"""From the bytes of an image file to pixels in display orientation.

JPEG goes through OpenCV: the same pixels as Pillow's, bit for bit, in two thirds of the time. All
else goes through Pillow and pillow-heif. Only the decoder of the format that the content shows is
called, and only after the size in the header has been checked.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from pillow_heif import HeifImageFile

from hashkit import notices
from hashkit.errors import MediaCorrupt, MediaError, MediaTruncated, TooManyPixels
from hashkit.media.decoder_messages import decoder_messages
from hashkit.media.kinds import holds_video, unsupported
from hashkit.media.limits import MAX_PIXELS, check_pixels
from hashkit.records import Notice

Pixels = npt.NDArray[np.uint8]

_ORIENTATION_TAG = 0x0112
_DNG_VERSION_TAG = 0xC612
_END_OF_JPEG = b"\xff\xd9"
_NOTHING_BUT_A_SPECK = 0.98

# Plugins are called directly: Pillow's open() would try decoders that the content does not call
# for, and compares with a limit that belongs to the whole process.
_PLUGINS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "avif": AvifImagePlugin.AvifImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "heif": HeifImageFile,
    "ico": IcoImagePlugin.IcoImageFile,
    "jpeg": JpegImagePlugin.JpegImageFile,
    "jpeg2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
    "png": PngImagePlugin.PngImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded pixels: uint8 of shape (height, width, 3), red green blue, or (height, width) where
    the file is grey. Upright, as a view of the memory that the decoder filled."""

    pixels: Pixels
    notices: tuple[Notice, ...]


def decode(untrusted_data: bytes, image_format: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode an image file, of the format that ``kinds.identify`` found.

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
    if complaints and notices.TRUNCATED not in picture.notices:
        return replace(picture, notices=(notices.DAMAGED, *picture.notices))
    return picture


def lift_pillows_limit() -> None:
    """Leave the limit to ``max_pixels`` alone. For processes that are hashkit's own: Pillow's
    limit, 179 million pixels, is the whole process's, and its TIFF and WebP decoders obey it."""
    Image.MAX_IMAGE_PIXELS = None


def open_header(untrusted_data: bytes, image_format: str) -> ImageFile.ImageFile:
    """Read what stands before the pixels. Raises whatever the decoder raises."""
    return _PLUGINS[image_format](io.BytesIO(untrusted_data))


def _translated(error: Exception) -> MediaError:
    cut_short = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return MediaTruncated() if cut_short else MediaCorrupt()


def _decode(untrusted_data: bytes, image_format: str, max_pixels: int) -> Picture:
    header = open_header(untrusted_data, image_format)
    check_pixels(*header.size, max_pixels)
    found = _other_content(header, image_format, untrusted_data)
    if image_format == "jpeg" and header.mode in ("L", "RGB"):
        pixels, truncated = _decode_jpeg(untrusted_data, grey=header.mode == "L")
    else:
        pixels, truncated = _decode_with_pillow(header, max_pixels)
    upright = _upright(pixels, _orientation(header))
    return Picture(upright, tuple(notice for notice in (truncated, found) if notice))


def _decode_jpeg(data: bytes, grey: bool) -> tuple[Pixels, Notice | None]:
    colour = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    flags = colour | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is not None:
        return _as_pixels(pixels), None
    # OpenCV gives up where the data ends early. With an end marker it shows what there is, and
    # fills the rest with grey, as browsers do.
    pixels = cv2.imdecode(np.frombuffer(data + _END_OF_JPEG, np.uint8), flags)
    if pixels is None:
        raise MediaCorrupt
    return _something(_as_pixels(pixels)), notices.TRUNCATED


def _decode_with_pillow(
    picture: ImageFile.ImageFile, max_pixels: int
) -> tuple[Pixels, Notice | None]:
    try:
        picture.load()
    except (OSError, EOFError) as error:
        if "truncated" not in str(error):
            raise
        picture.tile = []  # nothing more to decode: what was decoded so far is the picture
        picture.load()
        return _something(to_8_bit(picture)), notices.TRUNCATED
    check_pixels(*picture.size, max_pixels)  # an icon may hold more than its directory says
    return to_8_bit(picture), None


def _something(pixels: Pixels) -> Pixels:
    """Pass on what was decoded of a file that is cut short, if it is more than a speck: what is
    missing has one colour, that of the last pixel."""
    missing = np.all(np.atleast_3d(pixels) == np.atleast_3d(pixels)[-1, -1], axis=2)
    if missing.mean() > _NOTHING_BUT_A_SPECK:
        raise MediaTruncated
    return pixels


def to_8_bit(picture: Image.Image) -> Pixels:
    """8-bit RGB or luma by Pillow's own rules, but for 16 bits and floats, which it would clip."""
    if picture.has_transparency_data:
        return _on_white(picture.convert("RGBA"))
    if picture.mode in ("L", "RGB"):
        return _as_pixels(np.asarray(picture))
    if picture.mode == "1":
        return _as_pixels(np.asarray(picture.convert("L")))
    if picture.mode.startswith("I"):
        return _scale_integers(np.asarray(picture))
    if picture.mode == "F":
        return _scale_floats(np.asarray(picture))
    return _as_pixels(np.asarray(picture.convert("RGB")))


def _on_white(picture: Image.Image) -> Pixels:
    if picture.getchannel("A").getextrema() != (255, 255):
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return _as_pixels(np.asarray(picture.convert("RGB")))


def _scale_integers(values: npt.NDArray[np.integer]) -> Pixels:
    """16 bits by their high byte, as Pillow scales 16-bit colour; 32 bits by what they use."""
    positive = np.maximum(values, 0)
    if values.dtype.itemsize > 2:
        highest = int(positive.max())
        shift = 0 if highest < 1 << 8 else 8 if highest < 1 << 16 else 23
    else:
        shift = 8
    return _as_pixels(positive >> shift)


def _scale_floats(values: npt.NDArray[np.floating]) -> Pixels:
    """Floats have no set range: 0 to 1, 0 to 255 or 0 to 65535, whichever holds the largest."""
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    highest = float(finite.max())
    white = next((top for top in (1.0, 255.0, 65535.0) if highest <= top), highest)
    return _as_pixels(np.clip(finite * (255.0 / white), 0, 255).round())


def _as_pixels(array: npt.NDArray[np.generic]) -> Pixels:
    return array.astype(np.uint8, copy=False)


def _orientation(header: ImageFile.ImageFile) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it makes no sense."""
    try:
        untrusted_value = header.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # EXIF that cannot be parsed: viewers show the picture as it is stored
        return 1
    return untrusted_value if untrusted_value in range(1, 9) else 1


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as a viewer shows it, as a view. Definition: EXIF 2.3, tag Orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _other_content(header: ImageFile.ImageFile, image_format: str, data: bytes) -> Notice | None:
    """What else the file holds that is not hashed as a picture."""
    if image_format == "tiff" and _DNG_VERSION_TAG in getattr(header, "tag_v2", {}):
        raise unsupported("camera raw file")  # what would be decoded is its thumbnail
    if image_format in ("jpeg", "heif") and holds_video(data):
        return notices.EMBEDDED_VIDEO
    if image_format == "jpeg":
        return notices.SEVERAL_IMAGES if _is_multi_picture(header, data) else None
    if image_format == "ico" or not getattr(header, "is_animated", False):
        return None  # an icon holds one picture in several sizes: the largest is taken
    return notices.ANIMATED if image_format in ("gif", "png", "webp") else notices.SEVERAL_IMAGES


def _is_multi_picture(header: ImageFile.ImageFile, data: bytes) -> bool:
    """MPO: JPEGs one after the other. A phone's second one is often just a brightness map."""
    segments = getattr(header, "applist", [])
    if not any(name == "APP2" and content.startswith(b"MPF\0") for name, content in segments):
        return False
    return b"hdrgainmap" not in data and b"http://ns.adobe.com/hdr-gain-map" not in data
