"""The check of each picture format for missing parts."""

from __future__ import annotations

from PIL import ImageFile

from hashkit.media.completeness import bitmaps, gif, iso, jpeg, jpeg2000, png, tiff, webp
from hashkit.media.completeness.finding import Check, Finding

CHECKS: dict[str, Check] = {
    "jpeg": jpeg.check,
    "png": png.check,
    "gif": gif.check,
    "webp": webp.check,
    "bmp": bitmaps.check_bmp,
    "ico": bitmaps.check_icon,
    "tiff": tiff.check,
    "heif": iso.check,
    "avif": iso.check,
    "jpeg2000": jpeg2000.check,
}
"""By the name of the format. One without a check relies on what its decoder says."""


def look_for_missing(header: ImageFile.ImageFile, image_format: str, data: bytes) -> Finding:
    """Whether a part of a picture that could be decoded is missing. Bytes behind its proper end do
    not count, whatever they are."""
    check = CHECKS.get(image_format)
    if check is None:
        return Finding.NOTHING
    try:
        return check(data, header)
    except (IndexError, TypeError, ValueError):  # tables that make no sense: nothing can be said
        return Finding.NOTHING
