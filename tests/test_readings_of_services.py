"""What the package that services use makes of a file is always one of the hashes made here.

The files are of every mode and orientation that Pillow writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from threatexchange.signal_type.pdq.signal import PdqSignal

import hashkit
from hashkit.hashes import pdq
from hashkit.variants.readings import APART

pytestmark = pytest.mark.test_all

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


NO_QUALITY = {"1", "I;16"}
"""Modes of which the package sees next to nothing: 0 and 1 of 255, or white alone."""


def theirs(path):
    """The package's hash of a file; None where it opens no such file, or gives none."""
    try:
        return PdqSignal.hash_from_file(path) or None
    except (OSError, ValueError):
        return None


def nearest(path, value, **options):
    found = hashkit.hash_file(path, "pdq", **options).hashes
    return min(pdq.distance(each.text, value) for each in found)


def test_of_every_sample(samples):
    found = {path: theirs(path) for path in hashkit.files_in(samples)}
    given = {path: value for path, value in found.items() if value is not None}
    assert len(given) >= 40
    missed = [path.name for path, value in given.items() if nearest(path, value) > APART]
    assert missed == []
    without = [each.name for each, v in given.items() if nearest(each, v, variants="none") > APART]
    assert len(without) == 15  # what was missed before there were readings


def test_of_every_mode_and_orientation(scene, tmp_path):
    """266 files. Every one that the package hashes is found; most are missed by the original."""
    given, missed, hidden = 0, [], 0
    for number, (ending, mode, orientation) in enumerate(cases()):
        path = tmp_path / f"{number}.{ending}"
        save(path, scene(number, 200, 160), scene(number + 500, 200, 160), mode, orientation)
        value = theirs(path)
        if value is None:
            assert mode in NO_QUALITY, (ending, mode, orientation)
            continue
        given += 1
        if nearest(path, value) > APART:
            missed.append((ending, mode, orientation))
        hidden += nearest(path, value, variants="none") > APART
    assert missed == []
    assert given > 200
    assert hidden > given / 2


@pytest.mark.parametrize("level", ["readings", "orientations", "standard", "wide"])
def test_at_every_level(level, scene, tmp_path):
    path = tmp_path / "a.png"
    save(path, scene(1, 300, 240), scene(2, 300, 240), "RGBA", 6)
    assert nearest(path, theirs(path), variants=level) <= APART


def test_random_pixels(tmp_path):
    """Noise in all four channels, where every bit of transparency counts."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        small = Image.fromarray(rng.integers(0, 256, (12, 15, 4), dtype=np.uint8), "RGBA")
        path = tmp_path / f"{seed}.png"
        small.resize((150, 120), Image.Resampling.BICUBIC).save(path)
        assert nearest(path, theirs(path)) <= APART
