"""Random edits that people and apps make before they share a picture, for measuring.

``variants.py`` measures with these populations. Every edit takes a random generator and a picture
and returns a picture; ``KINDS`` names them. They do not depend on how hashkit computes variants.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from math import cos, radians, sin

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps


class Dice:
    """A random generator with a seed. ``mild`` ones give amounts in the lower half of a range."""

    def __init__(self, seed: int, *, mild: bool = False) -> None:
        self.rng, self._mild = np.random.default_rng(seed), mild

    def between(self, low: float, high: float) -> float:
        """A random amount."""
        return self.rng.uniform(0, (low + high) / 2) if self._mild else self.rng.uniform(low, high)

    def chance(self, part: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < part)


Edit = Callable[[Dice, Image.Image], Image.Image]

SHAPES = {"1x1": 1.0, "4x5": 4 / 5, "9x16": 9 / 16, "16x9": 16 / 9, "3x4": 3 / 4, "4x3": 4 / 3}
_WORDS = (
    "when",
    "you",
    "see",
    "it",
    "and",
    "then",
    "on",
    "until",
    "nobody",
    "reads",
    "the",
    "rest",
)


def crop_all_sides(dice: Dice, picture: Image.Image) -> Image.Image:
    """2 to 15 % off every side."""
    part = dice.between(0.02, 0.15)
    return _cropped(picture, part, part, 1 - part, 1 - part)


def crop_some_sides(dice: Dice, picture: Image.Image) -> Image.Image:
    """3 to 20 % off one side or two."""
    off = [0.0] * 4
    for side in dice.rng.choice(4, dice.rng.integers(1, 3), replace=False):
        off[side] = dice.between(0.03, 0.20)
    return _cropped(picture, off[0], off[1], 1 - off[2], 1 - off[3])


def crop_to_shape(dice: Dice, picture: Image.Image) -> Image.Image:
    """To an aspect ratio that apps use, in the middle (three of five) or anywhere."""
    own = picture.width / picture.height
    others = [shape for shape in SHAPES.values() if abs(shape / own - 1) > 0.03]
    wanted = others[dice.rng.integers(len(others))]
    wide, high = min(1.0, wanted / own), min(1.0, own / wanted)
    where = 0.5 if dice.chance(0.6) else dice.rng.uniform(0, 1)
    left, top = where * (1 - wide), where * (1 - high)
    return _cropped(picture, left, top, left + wide, top + high)


def pad_to_shape(dice: Dice, picture: Image.Image) -> Image.Image:
    """The whole picture on black, white or its blurred self, in an aspect ratio that apps use."""
    own = picture.width / picture.height
    others = [shape for shape in SHAPES.values() if abs(shape / own - 1) > 0.03]
    wanted = others[dice.rng.integers(len(others))]
    size = (
        (round(picture.height * wanted), picture.height)
        if wanted > own
        else (picture.width, round(picture.width / wanted))
    )
    return _laid_on(_background(dice, picture, size), picture)


def border(dice: Dice, picture: Image.Image) -> Image.Image:
    """A white or black border of 1 to 10 % of the shorter side."""
    width = max(1, round(dice.between(0.01, 0.10) * min(picture.size)))
    return ImageOps.expand(picture, width, _black_or_white(dice))


def mirror(dice: Dice, picture: Image.Image) -> Image.Image:  # noqa: ARG001
    """Left and right swapped."""
    return ImageOps.mirror(picture)


def quarter_turn(dice: Dice, picture: Image.Image) -> Image.Image:
    """Turned by 90, 180 or 270 degrees."""
    return picture.rotate(90 * int(dice.rng.integers(1, 4)), expand=True)


def rotate_and_crop(dice: Dice, picture: Image.Image) -> Image.Image:
    """By 1 to 6 degrees, enlarged until no corner is empty, as photo apps do."""
    angle = dice.between(1, 6) * dice.rng.choice([-1, 1])
    turned = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    across, along = abs(sin(radians(angle))), cos(radians(angle))
    own = picture.width / picture.height
    part = 1 / max(along + across / own, along + across * own)
    wide, high = part * picture.width / turned.width / 2, part * picture.height / turned.height / 2
    return _cropped(turned, 0.5 - wide, 0.5 - high, 0.5 + wide, 0.5 + high)


def rotate(dice: Dice, picture: Image.Image) -> Image.Image:
    """By 1 to 6 degrees, whole, with black or white corners."""
    angle = dice.between(1, 6) * dice.rng.choice([-1, 1])
    return picture.rotate(
        angle, Image.Resampling.BICUBIC, expand=True, fillcolor=_black_or_white(dice)
    )


def caption(dice: Dice, picture: Image.Image) -> Image.Image:
    """A bar of 8 to 25 % of the height above or below, with text; seven of ten are white."""
    colour, ink = ("white", "black") if dice.chance(0.7) else ("black", "white")
    bar = max(8, round(dice.between(0.08, 0.25) * picture.height))
    above = dice.chance(0.5)
    copy = ImageOps.expand(picture, (0, bar, 0, 0) if above else (0, 0, 0, bar), colour)
    _write(dice, copy, (0, 0 if above else picture.height, picture.width, bar), ink)
    return copy


def screenshot(dice: Dice, picture: Image.Image) -> Image.Image:
    """On the screen of a phone, dark or light, with the app's bars."""
    dark = dice.chance(0.5)
    paper, ink = ("black", "white") if dark else ("white", "black")
    width = 540
    height = round(width * dice.rng.choice([16, 18, 19.5, 20]) / 9)
    screen = Image.new("RGB", (width, height), paper)
    part = min(1.0, height / (width * picture.height / picture.width))
    shown = picture.resize(
        (round(width * part), max(1, round(width * part * picture.height / picture.width)))
    )
    free = height - shown.height
    top = round(free * (0.5 if dice.chance(0.5) else dice.rng.uniform(0.4, 0.6)))
    screen.paste(shown, ((width - shown.width) // 2, top))
    draw = ImageDraw.Draw(screen)
    draw.text((30, 8), "12:34", ink, ImageFont.load_default(16))
    draw.rectangle((width - 60, 12, width - 30, 24), outline=ink)
    if free > 0.1 * height:  # the buttons of the app
        for number in range(int(dice.rng.integers(3, 6))):
            x = 40 + 100 * number
            draw.ellipse((x, height - 50, x + 24, height - 26), outline=ink, width=3)
    return screen


def stickers(dice: Dice, picture: Image.Image) -> Image.Image:
    """One to three round stickers of 8 to 20 % of the shorter side."""
    copy = picture.copy()
    draw = ImageDraw.Draw(copy)
    for _ in range(dice.rng.integers(1, 4)):
        size = max(4.0, dice.between(0.08, 0.20) * min(picture.size))
        x, y = (dice.rng.uniform(0, side - size) for side in picture.size)
        draw.ellipse((x, y, x + size, y + size), fill=(255, 204, 50), outline="black")
        for eye in (0.3, 0.6):
            left = x + eye * size
            draw.ellipse((left, y + 0.3 * size, left + 0.1 * size, y + 0.45 * size), fill="black")
    return copy


def blur(dice: Dice, picture: Image.Image) -> Image.Image:
    """By a radius of 0.3 to 1.5 % of the shorter side."""
    return picture.filter(ImageFilter.GaussianBlur(dice.between(0.003, 0.015) * min(picture.size)))


def recompress(dice: Dice, picture: Image.Image) -> Image.Image:
    """To 200 to 500 pixels, as a JPEG of quality 10 to 60."""
    part = dice.rng.uniform(200, 500) / max(picture.size)
    small = picture.resize([max(16, round(side * part)) for side in picture.size])
    return _jpeg(small, int(dice.rng.integers(10, 61)))


KINDS: dict[str, Edit] = {
    "crop, all sides": crop_all_sides,
    "crop, some sides": crop_some_sides,
    "crop to a shape": crop_to_shape,
    "padded to a shape": pad_to_shape,
    "border": border,
    "mirrored": mirror,
    "quarter turns": quarter_turn,
    "rotated, cropped": rotate_and_crop,
    "rotated, whole": rotate,
    "caption": caption,
    "screenshot": screenshot,
    "stickers": stickers,
    "blur": blur,
    "recompressed": recompress,
}
PAIRS = "two of these"


def edited(dice: Dice, picture: Image.Image, kind: str) -> Image.Image:
    """A random edit of this kind, saved again as a JPEG."""
    names = [kind] if kind != PAIRS else dice.rng.choice([*KINDS], 2, replace=False)
    for name in names:
        picture = KINDS[name](dice, picture)
    return _jpeg(picture, int(dice.rng.integers(50, 96)))


def _cropped(
    picture: Image.Image, left: float, top: float, right: float, bottom: float
) -> Image.Image:
    width, height = picture.size
    return picture.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )


def _laid_on(background: Image.Image, picture: Image.Image) -> Image.Image:
    x, y = (free // 2 for free in np.subtract(background.size, picture.size))
    background.paste(picture, (int(x), int(y)))
    return background


def _background(dice: Dice, picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if dice.chance(2 / 3):
        return Image.new("RGB", size, _black_or_white(dice))
    blown_up = np.asarray(ImageOps.fit(picture, size))
    blurred = cv2.GaussianBlur(blown_up, (0, 0), dice.rng.uniform(0.02, 0.06) * max(size))
    return Image.fromarray((blurred * dice.rng.uniform(0.6, 1.0)).astype(np.uint8))


def _black_or_white(dice: Dice) -> str:
    return "black" if dice.chance(0.5) else "white"


def _write(dice: Dice, picture: Image.Image, box: tuple[int, int, int, int], ink: str) -> None:
    x, y, width, height = box
    lines = int(dice.rng.integers(1, 3))
    font = ImageFont.load_default(max(8, 0.55 * height / lines))
    draw = ImageDraw.Draw(picture)
    for line in range(lines):
        text = " ".join(dice.rng.choice(_WORDS, dice.rng.integers(3, 7)))
        draw.text((x + 0.04 * width, y + (line + 0.2) * height / lines), text, ink, font)


def _jpeg(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")
