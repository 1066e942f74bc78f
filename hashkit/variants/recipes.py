"""Edits by name: where each puts the picture, and on what.

    crop-5                    5 % cut off every side
    crop-left-10              10 % cut off the left; likewise right, top, bottom
    crop-sides-10             10 % cut off left and right; crop-ends-10: top and bottom
    crop-top-left-8           8 % cut off the top and the left; likewise the other corners
    square, crop-4x5          the middle of the picture, in that shape (width x height); with -at-20
                              nearer to its beginning: 0 is at the top or left edge, 100 at the end
    padded-9x16-black         the whole picture in that shape, the rest black, or white; -at-40 too
    bordered-white-6          a border of 6 % of the shorter side: white, black, or grey
    caption-top-18            a white bar of 18 % of the height above; caption-bottom-18 below
    screenshot-dark           the picture across the screen of a phone, the rest dark; or light
    rotated-3                 turned by 3 degrees and cropped to a whole rectangle
    rotated-3-black           the same without the crop, the corners black, white, or grey
    mirrored, rotated-90, …   the orientations of PDQ

Grey is the mean of the picture: one hash for both white and black, where they differ little. Bars
that run along the whole canvas do not differ at all, since PDQ leaves out what does not change
along one of the axes: those of captions, screens and padding have one colour for all.

Degrees are anticlockwise, so 357 is 3 the other way. Edits that follow each other are joined with a
plus: ``crop-5+mirrored``; an orientation comes last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from math import cos, radians, sin

from hashkit.models import BARS_REMOVED, ORIENTATIONS, ORIGINAL

SCREEN = ("9", "19.5")
"""Width to height of a phone's screen today."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the picture lies on the canvas that is hashed.

    ``left``, ``top``, ``right`` and ``bottom`` are its edges, in widths and heights of the canvas:
    beyond 0 and 1 where it is cropped, within where something is around it. Of what lies between,
    only the part in ``window`` (left, top, right, bottom) is to be seen; ``fill`` is what lies
    around, None where there is nothing. ``shape`` is the canvas' width to its height. Before all
    that, the picture is turned about its middle by ``angle`` degrees, anticlockwise; after it, the
    canvas is turned to the orientation ``turn``.
    """

    shape: float
    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    window: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    fill: str | None = None
    angle: float = 0.0
    turn: str = ORIGINAL

    def seen_through(self, left: float, top: float, right: float, bottom: float) -> Layout:
        """What is seen of the canvas through a window of it, or with something around it."""
        width, height = right - left, bottom - top
        return replace(
            self,
            shape=self.shape * width / height,
            left=(self.left - left) / width,
            top=(self.top - top) / height,
            right=(self.right - left) / width,
            bottom=(self.bottom - top) / height,
            window=(
                max(0.0, (self.window[0] - left) / width),
                max(0.0, (self.window[1] - top) / height),
                min(1.0, (self.window[2] - left) / width),
                min(1.0, (self.window[3] - top) / height),
            ),
        )

    def on(self, fill: str) -> Layout:
        """The same with this around it. ValueError where something else is there already."""
        if self.fill not in (None, fill):
            raise ValueError("an edit has one colour around the picture")
        return replace(self, fill=fill)


Step = Callable[[Layout], Layout]


def layout_of(name: str, shape: float) -> Layout:
    """What the edit of this name makes of a picture of this ``shape``, its width to its height.
    ValueError for no name of an edit."""
    layout = Layout(shape)
    for step in _steps(name):
        layout = step(layout)
    return layout


def is_edit(name: str) -> bool:
    """Is this the name of an edit of a picture or a video? Nothing else may stand in a document."""
    if len(name) > _MAX_NAME:
        return False
    parts = [part for part in name.split("+") if part != BARS_REMOVED]
    try:
        return name != ORIGINAL and all(map(_step, parts))
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _steps(name: str) -> tuple[Step, ...]:
    return tuple(_step(part) for part in name.split("+"))


def _step(name: str) -> Step:
    if name in ORIENTATIONS:
        return lambda layout: replace(layout, turn=name)
    for pattern, make in _MAKERS.items():
        if found := re.fullmatch(pattern, name):
            return make(*found.groups())
    raise ValueError(f"there is no edit called {name!r}")


def _crop(sides: Collection[str], percent: str) -> Step:
    """Cut so much off each of these sides."""
    off = [float(percent) / 100 if side in sides else 0.0 for side in _SIDES.split("|")]
    if max(off) >= 0.5:
        raise ValueError("an edit leaves something of the picture")
    left, right, top, bottom = off
    return lambda layout: layout.seen_through(left, top, 1 - right, 1 - bottom)


def _to_shape(width: str, height: str, fill: str | None, at: str | None = None) -> Step:
    """Crop to a shape; with a ``fill``, pad to it."""
    wanted, where = float(width) / float(height), float(at or 50) / 100
    bounded = min if fill is None else max

    def step(layout: Layout) -> Layout:
        wide, high = bounded(1.0, wanted / layout.shape), bounded(1.0, layout.shape / wanted)
        left, top = where * (1 - wide), where * (1 - high)
        seen = layout.seen_through(left, top, left + wide, top + high)
        return seen if fill is None else seen.on(fill)

    return step


def _border(fill: str, percent: str) -> Step:
    part = float(percent) / 100

    def step(layout: Layout) -> Layout:
        across, down = part * min(1.0, 1 / layout.shape), part * min(1.0, layout.shape)
        return layout.seen_through(-across, -down, 1 + across, 1 + down).on(fill)

    return step


def _caption(end: str, percent: str) -> Step:
    bar = float(percent) / 100
    above, below = (bar, 0.0) if end == "top" else (0.0, bar)
    return lambda layout: layout.seen_through(0.0, -above, 1.0, 1.0 + below).on("white")


def _rotate(degrees: str, fill: str | None) -> Step:
    """Turn by a small angle; without a ``fill``, the canvas is the largest upright rectangle of the
    same shape that lies within the turned picture."""
    angle = (float(degrees) + 180) % 360 - 180

    def step(layout: Layout) -> Layout:
        if layout != Layout(layout.shape):
            raise ValueError("a small rotation comes first")
        turned = replace(layout, angle=angle)
        across, along = abs(sin(radians(angle))), abs(cos(radians(angle)))
        wide, high = along + across / layout.shape, along + across * layout.shape
        if fill is None:
            part = 1 / max(wide, high) / 2
            return turned.seen_through(0.5 - part, 0.5 - part, 0.5 + part, 0.5 + part)
        around = turned.on(fill)  # the corners of the picture itself are seen outside its edges
        return replace(
            around.seen_through(0.5 - wide / 2, 0.5 - high / 2, 0.5 + wide / 2, 0.5 + high / 2),
            window=(0.0, 0.0, 1.0, 1.0),
        )

    return step


_MAX_NAME = 60
_NUMBER = r"(\d{1,3}(?:\.\d)?)"
_SHAPE = r"([1-9]\d?)x([1-9]\d?)"
_SIDES = "left|right|top|bottom"
_MAKERS: dict[str, Callable[..., Step]] = {
    rf"crop-{_NUMBER}": lambda percent: _crop(_SIDES.split("|"), percent),
    rf"crop-({_SIDES})-{_NUMBER}": lambda side, percent: _crop([side], percent),
    rf"crop-sides-{_NUMBER}": lambda percent: _crop(["left", "right"], percent),
    rf"crop-ends-{_NUMBER}": lambda percent: _crop(["top", "bottom"], percent),
    rf"crop-(top|bottom)-(left|right)-{_NUMBER}": lambda end, side, percent: _crop(
        [end, side], percent
    ),
    rf"square(?:-at-{_NUMBER})?": lambda at: _to_shape("1", "1", None, at),
    rf"crop-{_SHAPE}(?:-at-{_NUMBER})?": lambda width, height, at: _to_shape(
        width, height, None, at
    ),
    rf"padded-{_SHAPE}-(black|white)(?:-at-{_NUMBER})?": _to_shape,
    rf"bordered-(black|white|grey)-{_NUMBER}": _border,
    rf"caption-(top|bottom)-{_NUMBER}": _caption,
    r"screenshot-dark": lambda: _to_shape(*SCREEN, "black"),
    r"screenshot-light": lambda: _to_shape(*SCREEN, "white"),
    rf"rotated-{_NUMBER}(?:-(black|white|grey))?": _rotate,
}
