"""Videos to measure with, generated from fixed numbers: camera moves, discs, cuts.

They show no person and exist in memory only.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent.parent / "samples_synthetic"))
from generate import SAMPLES, scene

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]  # width and height


class Clip(NamedTuple):
    """A video in memory: its frames, uint8 RGB, and its frame rate."""

    frames: list[Pixels]
    rate: Fraction


def encoded(clip: Clip, codec: str = "libx264", crf: int = 26) -> bytes:
    """The bytes of a video file. One thread, so that they are always the same."""
    stream = io.BytesIO()
    form, options = {
        "libx264": ("mp4", {"preset": "superfast", "crf": str(crf)}),
        "libvpx": ("webm", {"deadline": "realtime", "cpu-used": "8", "b": "200k"}),
        "mpeg4": ("avi", {"b": "300k"}),
    }[codec]
    with av.open(stream, "w", format=form) as container:
        track = container.add_stream(codec, rate=clip.rate)
        track.height, track.width = clip.frames[0].shape[:2]
        track.pix_fmt, track.options = "yuv420p", {"threads": "1", **options}
        for pixels in clip.frames:
            container.mux(track.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(track.encode())
    return stream.getvalue()


@lru_cache(maxsize=60)
def painting(number: int) -> Pixels:
    return np.asarray(scene(number, 960, 720))  # larger than any frame


def look(
    number: int, frame: Size, x: float = 0, y: float = 0, part: float = 0.5, turn: float = 0
) -> Pixels:
    """A frame of a painting, ``part`` of whose width it shows. ``x`` and ``y``, in widths of the
    painting, move the camera from the middle; ``turn`` is in degrees."""
    picture = painting(number)
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((0, 0), turn, part * width / frame[0])
    middle = (width * (0.5 + x), height * 0.5 + width * y)
    matrix[:, 2] = middle - matrix[:, :2] @ np.array(frame) / 2
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, frame, flags=how, borderMode=cv2.BORDER_REFLECT)


def grainy(pixels: Pixels, time: float) -> Pixels:
    """With camera noise that changes with time."""
    noise = np.random.default_rng(round(time * 1000)).normal(0, 4, (*pixels.shape[:2], 1))
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def shaken(number: int, t: float, frame: Size, strength: float) -> Pixels:
    x = strength * (np.sin(5.1 * t) + np.sin(8.3 * t + 1)) / 2
    y = strength * (np.sin(6.7 * t + 2) + np.sin(11.9 * t)) / 2
    turn = 60 * strength * np.sin(2.9 * t)
    return grainy(look(number, frame, x + 0.006 * t, y, 0.55 - 0.008 * t, turn), t)


def cut(t: float, frame: Size, seed: int, shortest: float, longest: float) -> Pixels:
    """Shots of random lengths between two numbers of seconds, with small camera moves."""
    ends = np.cumsum(np.random.default_rng(seed).uniform(shortest, longest, 250))
    shot = int(np.searchsorted(ends, t, side="right"))
    return look(seed + shot % 60, frame, x=0.02 * (t - ends[shot]), part=0.6)


def nearly_still(t: float, frame: Size) -> Pixels:
    """A disc that nods before a soft background that does not move."""
    (width, height), pixels = frame, cv2.GaussianBlur(look(216, frame), (0, 0), 4)
    middle = (int(width * (0.5 + 0.015 * np.sin(1.7 * t))), int(height * 0.45))
    cv2.circle(pixels, middle, height // 5, (205, 160, 130), -1, cv2.LINE_AA)
    return grainy(pixels, t)


def with_discs(pixels: Pixels, t: float, count: int) -> Pixels:
    """Discs that bounce off the edges."""
    height, width = pixels.shape[:2]
    low, high = [0.05, 0.05, 0.06, 0, 0, 0], [0.4, 0.4, 0.14, 255, 255, 255]
    discs = np.random.default_rng(count).uniform(low, high, (count, 6))
    for speed_x, speed_y, size, *colour in discs:
        x, y = (abs((speed * t + size * 9) % 2 - 1) for speed in (speed_x, speed_y))
        centre = (int(x * width), int(y * height))
        cv2.circle(pixels, centre, int(size * height), colour, -1, cv2.LINE_AA)
    return pixels


class Film(NamedTuple):
    """A film, drawn by a function of the time in seconds and the frame size."""

    draw: Callable[[float, Size], Pixels]
    seconds: float
    rate: int = 25
    size: Size = (320, 240)


# No length is a whole number of seconds: a copy that lost half of it would be sampled at the very
# moments of the original.
FILMS = {
    "three minutes of cuts": Film(lambda t, f: cut(t, f, 300, 1, 6), 179.3, 10, (128, 96)),
    "slow pan": Film(lambda t, f: look(200, f, 0.025 * t - 0.2, 0.03 * np.sin(t / 3)), 15.7),
    "fast pan": Film(lambda t, f: look(201, f, 0.24 * np.sin(t), 0.1 * np.cos(0.7 * t)), 13.3, 30),
    "zoom in": Film(lambda t, f: look(202, f, part=0.9 * 0.93**t), 14.6, 24, (480, 270)),
    "zooms": Film(lambda t, f: look(203, f, 0, 0, 0.5 + np.sin(t) / 8, 3 * np.sin(t)), 17.2),
    "held by hand": Film(lambda t, f: shaken(204, t, f, 0.012), 14.9, 30),
    "walking, upright": Film(lambda t, f: shaken(205, t, f, 0.03), 13.8, 30, (240, 320)),
    "dark": Film(lambda t, f: grainy(look(206, f, 0.015 * t - 0.1) * 0.4 + 4, t), 14.3),
    "quick cuts": Film(lambda t, f: cut(t, f, 220, 0.5, 1.8), 19.1),
    "long cuts": Film(lambda t, f: cut(t, f, 270, 3, 6), 18.7, 24, (480, 270)),
    "nearly still": Film(nearly_still, 15.4),
    "moving discs": Film(lambda t, f: with_discs(look(217, f), t, 7), 14.1),
    "moving discs on plain grey": Film(lambda t, f: with_discs(look(0, f) * 0 + 120, t, 3), 12.5),
}


def original(name: str) -> tuple[bytes, Clip]:
    """The file of a film, or of the sample with this name; and the frames that a player shows."""
    if name in SAMPLES:
        data = SAMPLES[name]()
    else:
        draw, seconds, rate, size = FILMS[name]
        frames = [draw(n / rate, size) for n in range(int(seconds * rate))]
        data = encoded(Clip(frames, Fraction(rate)), crf=20)
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        return data, Clip(frames, Fraction(container.streams.video[0].average_rate))
