"""Meta's vpdq itself: what it makes of a video always matches one of the hashes made here.

It is built from source, and needs FFmpeg's headers. So pytest does not collect this module on its
own: ``.ci/vpdq`` installs ``vpdq`` and calls it by its name.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import vpdq
from PIL import Image
from threatexchange.extensions.vpdq.vpdq import VPDQSignal

import hashkit
from hashkit.hashes import pdq
from hashkit.hashes.vpdq_text import to_signal

VIDEOS = sorted((Path(__file__).parent.parent / "samples_synthetic").glob("film-*"))


def matching(path: Path, **options: str) -> list[str]:
    """The names of our hashes that match theirs of the same file, at their own thresholds."""
    theirs = VPDQSignal.hash_from_file(path)
    hashed = hashkit.hash_file(path, "vpdq", **options)
    found = [hashed.frames, *hashed.frame_variants]
    return [
        each.variant
        for each in found
        if each is not None and VPDQSignal.compare_hash(theirs, to_signal(each.hashes)).match
    ]


@pytest.mark.parametrize("path", VIDEOS, ids=lambda path: path.name)
def test_samples(path):
    assert len(VIDEOS) == 8
    assert matching(path)


def test_the_original_alone_was_not_enough():
    missed = [path.name for path in VIDEOS if not matching(path, variants="none")]
    assert missed == ["film-portrait-turned.mp4", "film-variable-rate.mp4"]


def times(seed, seconds=20):
    """Of frames: bursts at 10 to 60 a second, and stills between them."""
    dice, found, time = np.random.default_rng(seed), [], 0.0
    while time < seconds:
        rate = dice.integers(10, 60)
        for _ in range(dice.integers(5, 90)):
            found.append(time)
            time += 1 / rate
        time += dice.uniform(0, 4)
    return found


def film(path, scene, frame_times, turned):
    """A camera that moves over a scene, and is where it is at each time."""
    wide = np.asarray(scene(len(frame_times), 1600, 240))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"crf": "20", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        if turned:
            stream.set_display_rotation(turned)
        for time in frame_times:
            x = int(time * 60) % 1280
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(wide[:, x : x + 320]), "rgb24")
            frame.pts, frame.time_base = round(time * 90_000), Fraction(1, 90_000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("seed", range(5))
def test_variable_rate(scene, tmp_path, seed, turned):
    path = tmp_path / "a.mp4"
    film(path, scene, times(seed), turned)
    expected = "by-frame-count+as-stored" if turned else "by-frame-count"
    assert expected in matching(path)
    hashed = hashkit.hash_file(path, "vpdq")
    (ours,) = (each for each in hashed.frame_variants if each.variant == expected)
    theirs = vpdq.computeHash(str(path), seconds_per_hash=1)
    assert [each.frame for each in ours.hashes] == [each.frame_number for each in theirs]


@pytest.mark.parametrize("rate", [Fraction(30_000, 1001), Fraction(24_000, 1001), 25, 60])
def test_constant_rate(scene, tmp_path, rate):
    path = tmp_path / "a.mp4"
    film(path, scene, [float(n / rate) for n in range(int(10 * rate))], 0)
    assert matching(path)


@pytest.mark.parametrize("ending", ["gif", "png"])
@pytest.mark.parametrize("durations", [100, [40, 400, 100, 900] * 10], ids=["constant", "variable"])
def test_animated_pictures(tmp_path, ending, durations):
    path = tmp_path / f"a.{ending}"
    first, *others = [Image.fromarray(each) for each in patches(40)]
    first.save(path, save_all=True, append_images=others, duration=durations)
    assert matching(path)[-1] == ("original" if durations == 100 else "by-frame-count")


CODECS = [
    ("libx264", "yuv420p", "mp4"),
    ("libx264", "yuv444p", "mkv"),
    ("libx265", "yuv420p", "mp4"),
    ("libx265", "yuv420p10le", "mkv"),
    ("libvpx-vp9", "yuv420p", "webm"),
    ("libsvtav1", "yuv420p", "mp4"),
    ("mpeg4", "yuv420p", "mp4"),
    ("mpeg2video", "yuv420p", "ts"),
]


def patches(count):
    """Large soft patches of strong colours: of what has a quality of 50, about the worst."""
    dice = np.random.default_rng(3).normal(127, 50, (12, 16, 3)).astype(np.float32)
    wide = cv2.resize(dice, (640, 480), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    return [wide[n : n + 240, 2 * n : 2 * n + 320] for n in range(count)]


def lines(count):
    y, x = np.mgrid[0:240, 0:320]
    waves = (np.sin((x + 3 * n) / 9) + np.cos(y / 17) for n in range(count))
    return [np.where(wave > 0, 227, 27).astype(np.uint8)[..., None].repeat(3, 2) for wave in waves]


def distances(path):
    """Between their hash and ours of the same frame, where both have a quality of 50."""
    theirs = {each.frame_number: each for each in vpdq.computeHash(str(path), seconds_per_hash=0)}
    hashed = hashkit.hash_file(path, "vpdq", sample="all")
    sides = [
        [
            pdq.distance(each.value, theirs[each.frame].hex)
            for each in side.hashes
            if each.frame in theirs and min(each.quality, theirs[each.frame].quality) >= 50
        ]
        for side in (hashed.frames, *hashed.frame_variants)
    ]
    return min(sides, key=np.mean)


@pytest.mark.parametrize("path", VIDEOS, ids=lambda path: path.name)
def test_frames_of_the_samples(path):
    found = distances(path)
    assert len(found) >= 36
    assert max(found) <= 6


@pytest.mark.parametrize("made", [patches, lines])
@pytest.mark.parametrize(("codec", "pixel_format", "ending"), CODECS)
def test_frames_of_every_codec(tmp_path, codec, pixel_format, ending, made):
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, pixel_format
        for pixels in made(40):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    found = distances(path)
    assert len(found) == 40
    assert max(found) <= 24
    assert np.mean(found) <= 12
