"""The pictures of the kit: drawn in integers from SHAKE-256, so that every machine draws the same,
and written as binary PGM (P5, grey) and PPM (P6, red green blue)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int64]


def random_bytes(seed: str, count: int) -> Pixels:
    """The first ``count`` bytes of SHAKE-256 of the seed."""
    return np.frombuffer(hashlib.shake_256(seed.encode()).digest(count), np.uint8)


def noise(seed: str, *shape: int) -> Whole:
    return random_bytes(seed, int(np.prod(shape))).reshape(shape).astype(np.int64)


def smooth(seed: str, height: int, width: int, cells: int) -> Whole:
    """A grid of (cells + 1) x (cells + 1) random greys, interpolated linearly."""
    grid = noise(f"{seed} {cells}", cells + 1, cells + 1)
    y, x = (np.arange(side) * cells * 256 // side for side in (height, width))
    row, down = y // 256, (y % 256)[:, None]
    column, right = x // 256, x % 256
    rows = grid[row] * (256 - down) + grid[row + 1] * down
    return (rows[:, column] * (256 - right) + rows[:, column + 1] * right) // 65536


def photo(seed: str, height: int, width: int, contrast: int = 40) -> Whole:
    """Shapes of all sizes and a little noise, as from a camera; ``contrast`` in percent."""
    layers = zip((2, 5, 12, 30), (8, 6, 4, 3), strict=True)
    forms = sum((smooth(seed, height, width, cells) - 128) * weight for cells, weight in layers)
    grain = noise(f"{seed} grain", height, width) // 64 - 2
    return np.clip(128 + forms * contrast // 1000 + grain, 0, 255)


def colour(seed: str, height: int, width: int) -> Whole:
    """A picture with different content in each channel."""
    return np.stack([photo(f"{seed} {c}", height, width) for c in "rgb"], axis=2)


def across(height: int, width: int) -> Whole:
    return np.broadcast_to(np.arange(width) * 255 // (width - 1), (height, width))


def chess(height: int, width: int, side: int) -> Whole:
    y, x = np.indices((height, width)) // side
    return (y + x) % 2 * 255


def halves(height: int, width: int) -> Whole:
    return np.broadcast_to(np.where(np.arange(width) < width // 2, 0, 255), (height, width))


def lines(seed: str, height: int, width: int) -> Whole:
    """Black and white lines, like text."""
    line = (noise(seed, 9, width) // 128) * 255
    page = np.vstack([line, np.full((5, width), 255)])
    return np.resize(page, (height, width))


def bars(height: int, width: int) -> Whole:
    """The six pure colours between black and white, each a bar: tests the channel weights."""
    rgb = [(n >> 2 & 1, n >> 1 & 1, n & 1) for n in (0, 1, 2, 4, 3, 5, 6, 7)]
    palette = np.array(rgb, np.int64) * 255
    picked = palette[np.arange(width) * 8 // width]
    shade = 255 - np.arange(height) * 128 // height
    return picked[None] * shade[:, None, None] // 255


# Where rounding decides bits, any implementation may differ from the reference: "ordinary" pictures
# have no such bit. The others are what the definition finds hard.
ORDINARY: dict[str, Callable[[], Whole]] = {
    "small-5x5": lambda: noise("small-5x5 b", 5, 5, 3),
    "small-7x9": lambda: noise("small-7x9 d", 7, 9),
    "thin-200x6": lambda: noise("thin-200x6", 200, 6),
    "exact-64x64-grey": lambda: photo("exact-64x64-grey", 64, 64, contrast=20),
    "exact-64x64-colour": lambda: noise("exact-64x64-colour", 64, 64, 3),
    "almost-63x65": lambda: photo("almost-63x65", 63, 65, contrast=25),
    "one-side-64x90": lambda: photo("one-side-64x90", 64, 90, contrast=15),
    "window-1-128x128": lambda: photo("window-1-128x128", 128, 128, contrast=30),
    "window-2-129x129": lambda: photo("window-2-129x129 b", 129, 129),
    "window-2-and-3-256x257": lambda: photo("window-2-and-3-256x257", 256, 257),
    "long-24x1100": lambda: photo("long-24x1100 b", 24, 1100),
    "large-520x516": lambda: photo("large-520x516", 520, 516),
    "colour-90x120": lambda: colour("colour-90x120 b", 90, 120),
    "dim-150x100": lambda: photo("dim-150x100", 150, 100, contrast=18),
    "dimmer-150x100": lambda: photo("dimmer-150x100", 150, 100, contrast=9),
}
HARD: dict[str, Callable[[], Whole]] = {
    "one-pixel": lambda: np.array([[[200, 17, 99]]]),
    "line-1x64": lambda: noise("line-1x64", 1, 64),
    "line-64x1": lambda: noise("line-64x1", 64, 1),
    "too-small-4x100": lambda: noise("too-small-4x100", 4, 100),
    "flat-80x100": lambda: np.broadcast_to(np.array([200, 17, 99]), (80, 100, 3)),
    "black-70x70": lambda: np.zeros((70, 70), np.int64),
    "white-64x64": lambda: np.full((64, 64), 255),
    "gradient-across-70x256": lambda: across(70, 256),
    "gradient-down-130x66": lambda: across(66, 130).T,
    "halves-96x96": lambda: halves(96, 96),
    "halves-down-97x71": lambda: halves(71, 97).T,
    "chess-128x128": lambda: chess(128, 128, 16),
    "bars-70x96": lambda: bars(70, 96),
    "text-140x150": lambda: lines("text", 140, 150),
}
NAMES = (*ORDINARY, *HARD)


def draw(name: str) -> Pixels:
    """One picture: uint8 of shape (height, width), grey, or (height, width, 3)."""
    return np.clip({**ORDINARY, **HARD}[name](), 0, 255).astype(np.uint8)


def file_of(name: str) -> str:
    return f"kit/pictures/{name}.{'pgm' if draw(name).ndim == 2 else 'ppm'}"


def netpbm(pixels: Pixels) -> bytes:
    """The picture as a file: ``P5`` or ``P6``, width, height, 255, and the bytes row by row."""
    kind = "P5" if pixels.ndim == 2 else "P6"
    return f"{kind}\n{pixels.shape[1]} {pixels.shape[0]}\n255\n".encode() + pixels.tobytes()


def rgb(pixels: Pixels) -> Pixels:
    """Grey as three equal channels, as the reference needs it."""
    return np.ascontiguousarray(np.stack([pixels] * 3, axis=2) if pixels.ndim == 2 else pixels)
