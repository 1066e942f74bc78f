"""Files of every mode and orientation that Pillow writes, for tests of how tools read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageCms

ORIENTATION = 0x0112
TURNED = range(1, 9)

# Each format, whether it can say an orientation, and what is saved in it.
FORMATS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "png": (
        True,
        *(("1", "L", "L+one", "LA", "P", "P+one", "P+many", "RGB", "RGB+one", "RGBA", "I;16"),),
    ),
    "jpg": (True, ("L", "RGB", "CMYK", "YCbCr")),
    "webp": (True, ("RGB", "RGBA")),
    "avif": (True, ("RGB", "RGBA")),
    "tiff": (
        True,
        *(("1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I;16", "dark;16"),),
    ),
    "gif": (False, ("1", "L", "P", "P+one", "RGB", "RGBA")),
    "bmp": (False, ("1", "L", "P", "RGB", "RGBA")),
    "ico": (False, ("RGB", "RGBA")),
    "jp2": (False, ("L", "LA", "RGB", "RGBA", "I;16")),
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "webp": {"lossless": True, "exact": True},
    "avif": {"quality": 90, "speed": 10},
    "ico": {"sizes": [(200, 160)]},
}


def cases() -> Iterator[tuple[str, str, int]]:
    """Every format, mode and orientation."""
    for ending, (can_turn, modes) in FORMATS.items():
        for mode in modes:
            for orientation in TURNED if can_turn else (1,):
                yield ending, mode, orientation


def save(path: Any, shown: Image.Image, hidden: Image.Image, mode: str, orientation: int) -> None:
    """Save a picture in this mode. ``hidden`` lies under the transparency of modes that have it."""
    ending = path.suffix[1:]
    picture, options = _in_mode(shown, hidden, mode), dict(_OPTIONS.get(ending, {}))
    if mode == "P+one":
        options["transparency"] = 7
    elif mode == "P+many":
        options["transparency"] = bytes(range(0, 250, 2))
    elif mode == "L+one":
        options["transparency"] = int(np.bincount(np.asarray(picture).ravel()).argmax())
    elif mode == "RGB+one":
        options["transparency"] = picture.getpixel((3, 3))
    if orientation != 1:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        options["exif"] = exif
    picture.save(path, **options)


def _in_mode(shown: Image.Image, hidden: Image.Image, mode: str) -> Image.Image:  # noqa: PLR0911
    shown = shown.convert("RGB")
    match mode.partition("+")[0]:
        case "P":
            return _with_mixed_palette(shown)
        case "RGBA" | "LA":
            return _transparent(shown, hidden.convert("RGB"), mode)
        case "RGB" if mode == "RGB+one":
            pixels = np.asarray(shown).copy()
            pixels[: len(pixels) // 2, ::2] = pixels[3, 3] = (250, 3, 4)
            return Image.fromarray(pixels)
        case "L" if mode == "L+one":
            return Image.fromarray(np.asarray(shown.convert("L")) // 32 * 32)
        case "I;16" | "dark;16":
            deep = np.asarray(shown.convert("L")).astype(np.uint16)
            return Image.fromarray(deep * (257 if mode == "I;16" else 2))
        case "LAB":
            profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
            return ImageCms.profileToProfile(shown, *profiles, outputMode="LAB")
        case "RGBX":
            return shown.convert("RGBX")
    return shown.convert(mode)


def _with_mixed_palette(shown: Image.Image) -> Image.Image:
    """Colours in an order that says nothing of how bright they are."""
    picture = shown.quantize(256)
    order = np.random.default_rng(len(shown.tobytes())).permutation(256)
    colours = np.zeros((256, 3), np.uint8)
    known = np.asarray(picture.getpalette(), np.uint8).reshape(-1, 3)
    colours[: len(known)] = known
    mixed = Image.fromarray(np.argsort(order).astype(np.uint8)[np.asarray(picture)])
    mixed.putpalette(colours[order].tobytes())
    return mixed


def _transparent(shown: Image.Image, hidden: Image.Image, mode: str) -> Image.Image:
    """Shown in an oval, half in a ring around it; what is hidden lies around that."""
    rows, columns = np.mgrid[-1 : 1 : shown.height * 1j, -1 : 1 : shown.width * 1j]
    away = rows**2 + columns**2
    alpha = np.where(away < 0.4, 255, np.where(away < 0.6, 128, 0)).astype(np.uint8)
    pixels = np.where((alpha == 0)[..., None], np.asarray(hidden), np.asarray(shown))
    picture = Image.fromarray(pixels)
    picture = picture.convert("L") if mode == "LA" else picture
    picture.putalpha(Image.fromarray(alpha))
    return picture
