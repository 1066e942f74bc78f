"""Opens picture files with the plugin of their format, and finds the first frame of what moves.

Plugins are called directly: Pillow's open() would try decoders that the content does not call for,
and compares with a limit that belongs to the whole process.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from PIL import Image, ImageFile

from hashkit.media import apng
from hashkit.media.formats import IMAGES

_PLUGINS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    each.name: resolve_name(each.decoder) for each in IMAGES
}
_GIF_HEADER = 13
_TRANSPARENT_FRAME = (
    b"\x21\xf9\x04\x05\x00\x00\x00\x00"  # the frame stays, and its colour 0 is transparent
    b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x80\xff\xff\xff\xff\xff\xff"  # 1x1, two colours
    b"\x02\x02\x44\x01\x00"  # one pixel of colour 0
)
_TO_BACKGROUND, _TO_PREVIOUS = 2, 3
_NOTHING = {"RGB": (255, 255, 255), "RGBA": (0, 0, 0, 0)}


def open_header(untrusted_data: bytes, image_format: str) -> ImageFile.ImageFile:
    """Read what stands before the pixels. Raises whatever the decoder raises."""
    return _PLUGINS[image_format](io.BytesIO(untrusted_data))


def open_frames(
    untrusted_data: bytes, header: ImageFile.ImageFile
) -> tuple[ImageFile.ImageFile, int]:
    """A picture whose frames are composed as browsers compose them, and the number of its first
    one. ``header``: as ``open_header`` gave it, and its size has been checked."""
    if header.format == "PNG" and apng.has_hidden_picture(untrusted_data):
        return open_header(apng.with_empty_picture(untrusted_data), "png"), 1
    if header.format == "GIF" and (
        header.tile[0].extents != (0, 0, *header.size)
        or getattr(header, "disposal_method", 0) == _TO_PREVIOUS
    ):
        # Pillow paints what the first frame leaves free with colour 0, unless it is transparent;
        # and it keeps a first frame that is to be replaced by what was before.
        flags = untrusted_data[10]
        begin = _GIF_HEADER + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        parts = (b"GIF89a", untrusted_data[6:begin], _TRANSPARENT_FRAME, untrusted_data[begin:])
        return open_header(b"".join(parts), "gif"), 1
    return header, 0


def clear_instead_of_background(picture: Any) -> None:
    """Where the frame that is shown will be replaced by the background, leave nothing there, as
    browsers do: transparent, or white. Pillow paints a colour that they ignore."""
    dispose = getattr(picture, "dispose", None)
    if dispose is None or getattr(picture, "disposal_method", 0) != _TO_BACKGROUND:
        return
    if picture.mode in ("L", "P"):
        if "transparency" in picture.info:  # Pillow takes that
            return
        colours = picture.convert("RGB")
        picture.im, picture._mode = colours.im, colours.mode
    white = Image.new(picture.mode, dispose.size, _NOTHING[picture.mode])
    picture.dispose = white.im
