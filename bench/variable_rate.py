"""Which frame of a video of variable rate is to be hashed: measured on copies of constant rate.

    python bench/variable_rate.py

Twenty videos are generated: a camera that moves over scenes, with cuts, and frames at times as
phones, screen recorders, slide shows and interrupted streams write them. FFmpeg's ``fps`` filter
makes the copies that a platform would store, at 25 and at 30 frames a second. Of the original one
frame is taken for every second, by either rule; of the copy every 25th or 30th.

The second table is the other way round: of a constant 29.97 frames a second, frames are counted as
the reference does (every 29th), or taken by time.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

import hashkit
from hashkit.hashes import vpdq
from hashkit.models import FrameHash

sys.path.insert(0, str(Path(__file__).parent.parent / "samples_synthetic"))
from generate import scene

VIDEOS = 20
SECONDS = 40
SIZE = (320, 240)
RATES = (25, 30)

Times = Sequence[float]
Rule = Callable[[Sequence[FrameHash]], list[FrameHash]]


def phone(dice: np.random.Generator) -> Iterator[float]:
    """30 a second, with jitter; in the dark 15, now and then."""
    time, slow = 0.0, False
    while time < SECONDS:
        yield time
        slow = slow ^ (dice.random() < 0.01)
        time += (2 if slow else 1) / 30 + dice.uniform(-0.004, 0.004)


def screen(dice: np.random.Generator) -> Iterator[float]:
    """A frame when something changes: bursts of 60 a second, and stills of up to six seconds."""
    time = 0.0
    while time < SECONDS:
        for _ in range(dice.integers(1, 90)):
            yield time
            time += 1 / 60
        time += dice.uniform(0.1, 6)


def slides(dice: np.random.Generator) -> Iterator[float]:
    """A frame every one to four seconds."""
    time = 0.0
    while time < SECONDS:
        yield time
        time += dice.uniform(1, 4)


def stream(dice: np.random.Generator) -> Iterator[float]:
    """24 a second, of which any may be lost, and sometimes a second of them."""
    time = 0.0
    while time < SECONDS:
        if dice.random() > 0.3:
            yield time
        time += 1 / 24 if dice.random() > 0.01 else dice.uniform(0.5, 2)


KINDS = {"phone": phone, "screen": screen, "slides": slides, "stream": stream}


def film(path: Path, times: Times, seed: int) -> None:
    """Write it: the camera is where it is at that time, in a scene that changes every 3 seconds."""
    scenes: dict[int, npt.NDArray[np.uint8]] = {}
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=30, options={"crf": "20", "bf": "0"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        last = -1
        for time in times:
            number = seed * 100 + int(time / 3)
            if number not in scenes:
                scenes = {number: np.asarray(scene(number, 640, 240))}
            x = int(time % 3 * 100)
            shown = np.ascontiguousarray(scenes[number][:, x : x + SIZE[0]])
            frame = av.VideoFrame.from_ndarray(shown, "rgb24")
            last = max(last + 1, round(time * 1000))
            frame.pts, frame.time_base = last, Fraction(1, 1000)
            output.mux(video.encode(frame))
        output.mux(video.encode())


def copy(path: Path, target: Path, rate: int) -> None:
    """The copy of a constant rate, by FFmpeg's filter."""
    with av.open(str(path)) as source, av.open(str(target), "w") as output:
        graph = av.filter.Graph()
        start = graph.add_buffer(template=source.streams.video[0])
        steps = [start, graph.add("fps", str(rate)), graph.add("buffersink")]
        graph.link_nodes(*steps).configure()
        video = output.add_stream("libx264", rate=rate, options={"crf": "30"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"

        def write() -> None:
            while True:
                try:
                    frame = graph.pull()
                except (av.BlockingIOError, av.EOFError):
                    return
                output.mux(video.encode(frame))

        for frame in source.decode(video=0):
            graph.push(frame)
            write()
        graph.push(None)
        write()
        output.mux(video.encode())


def first_in_each(frames: Sequence[FrameHash]) -> list[FrameHash]:
    """The rule before: the first frame in every second."""
    found: dict[int, FrameHash] = {}
    for each in frames:
        found.setdefault(int(each.timestamp), each)
    return list(found.values())


def as_shown(frames: Sequence[FrameHash]) -> list[FrameHash]:
    """For every second, the last frame at or before it, as players show it."""
    found: dict[int, FrameHash] = {0: frames[0]}
    for second in range(int(frames[-1].timestamp) + 1):
        each = [each for each in frames if each.timestamp <= second + 1e-6][-1:]
        found |= {one.frame: one for one in each}
    return list(found.values())


def counted(frames: Sequence[FrameHash]) -> list[FrameHash]:
    """As the reference at 29.97 a second."""
    return list(frames[::29])


def shares(
    original: Sequence[FrameHash], copies: Sequence[Sequence[FrameHash]], rule: Rule
) -> list[float]:
    """What share of the frames has a match, on the side that has fewer, for each copy."""
    return [min(vpdq.compare(rule(original), each)) for each in copies]


def measured(times: Times, seed: int, folder: Path, rules: Sequence[Rule]) -> list[list[float]]:
    """The shares of one video, by every rule."""
    path = folder / f"{seed}.mp4"
    film(path, times, seed)
    whole = hashkit.hash_file(path, "vpdq", sample="all").frames
    copies = []
    for rate in RATES:
        target = folder / f"{seed}-{rate}.mp4"
        copy(path, target, rate)
        of_copy = hashkit.hash_file(target, "vpdq", variants="none").frames
        copies.append(of_copy.hashes if of_copy else ())
    return [shares(whole.hashes if whole else (), copies, rule) for rule in rules]


def table(title: str, rows: dict[str, list[list[list[float]]]], names: Sequence[str]) -> None:
    print(f"\n| {title} | rule | frames that match | copies of which 80 % match | least |")
    print("|---|---|---|---|---|")
    for kind, videos in rows.items():
        for number, name in enumerate(names):
            found = [share for video in videos for share in video[number]]
            enough = sum(share >= vpdq.MATCH_PERCENT for share in found)
            print(
                f"| {kind} | {name} | {np.mean(found):.0f} % | {enough} of {len(found)} "
                f"| {min(found):.0f} % |"
            )


def main() -> None:
    """Measure, and print both tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: dict[str, list[list[list[float]]]] = {kind: [] for kind in KINDS}
        for seed in range(VIDEOS):
            kind, times = list(KINDS.items())[seed % len(KINDS)]
            dice = np.random.default_rng(seed)
            rows[kind].append(measured(list(times(dice)), seed, folder, (first_in_each, as_shown)))
        rows["all"] = [video for videos in list(rows.values()) for video in videos]
        table("times", rows, ("first in each second", "as players show it"))
        constant = [n / 29.97 for n in range(int(SECONDS * 29.97))]
        rules = (counted, as_shown)
        found = [measured(constant, 900 + n, folder, rules) for n in range(4)]
        table("times", {"constant, 29.97": found}, ("counted", "as players show it"))


if __name__ == "__main__":
    main()
