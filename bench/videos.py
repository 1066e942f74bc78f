"""Videos: hashkit beside its peers, in one run. ``python bench/videos.py [--markdown FILE]``.

Needs ``pip install '.[bench]'``, and ``ffmpeg`` for the comparison with it (else a bare PyAV decode
stands in, and the table says so). The videos are made on the spot. Every budget is a ratio.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
from compare import Work, measure, process, row, table, where_and_with_what

import hashkit
from hashkit.hashes import vpdq

WIDTH, HEIGHT, RATE = 1920, 1080, 30
HEADINGS = ["work", "hashkit", "against", "its time", "ratio", "budget"]


def film(path: Path, codec: str, seconds: float, spacing: float, **options: str) -> Path:
    """A film of moving scenes with a little noise; a keyframe every ``spacing`` seconds."""
    rng = np.random.default_rng(0)
    scenes = [
        cv2.resize(
            rng.integers(0, 256, (36, 64, 3), dtype=np.uint8),
            (WIDTH + 200, HEIGHT + 200),
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(4)
    ]
    noise = rng.integers(-6, 7, (HEIGHT + 64, WIDTH + 64, 1)).astype(np.int16)
    keyframes = str(round(spacing * RATE))
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=RATE)
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        track.options = {"g": keyframes, "keyint_min": keyframes, "sc_threshold": "0", **options}
        for number in range(int(seconds * RATE)):
            scene = scenes[number // (5 * RATE) % len(scenes)]
            x, y = int(100 + 90 * np.sin(number / 40)), int(100 + 90 * np.cos(number / 55))
            dx, dy = rng.integers(0, 64, 2)
            frame = scene[y : y + HEIGHT, x : x + WIDTH] + noise[dy : dy + HEIGHT, dx : dx + WIDTH]
            picture = np.clip(frame, 0, 255).astype(np.uint8)
            container.mux(track.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(track.encode())
    return path


def bare_decode(path: Path) -> tuple[str, Work]:
    """The decoder alone: the lower bound with the same decoder."""
    if shutil.which("ffmpeg"):
        command = ("ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-")
        return "ffmpeg -f null", process(*command)

    def decode() -> None:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for _ in container.decode(video=0):
                pass

    return "bare PyAV decode", decode


def grab(path: Path) -> None:
    """OpenCV's loop over all frames, without converting them."""
    capture = cv2.VideoCapture(str(path))
    while capture.grab():
        pass


def speed(path: Path, name: str, budgets: bool, one_second: bool) -> list[list[str]]:
    peer, bare = bare_decode(path)
    taken = measure(
        {
            "vpdq": lambda: hashkit.hash_file(path, "vpdq"),
            "all": lambda: hashkit.hash_file(path),
            "keyframes": lambda: hashkit.hash_file(path, "vpdq", sample="keyframes"),
            "every": lambda: hashkit.hash_file(path, "vpdq", sample="all"),
            "peer": bare,
            "grab": lambda: grab(path),
        },
        rounds=3,
    )
    against = taken["peer"]
    return [
        row(f"{name}: vPDQ at 1 s", taken["vpdq"], peer, against, 1.15 if budgets else None),
        row(
            "… vPDQ, TMK, MD5, SHA-1, SHA-256",
            taken["all"],
            peer,
            against,
            1.5 if budgets else None,
        ),
        row("… keyframes", taken["keyframes"], peer, against, 0.2 if one_second else None),
        row("… vPDQ of every frame", taken["every"], peer, against),
        row("… vPDQ at 1 s", taken["vpdq"], "OpenCV grab()", taken["grab"]),
    ]


def memory(path: Path) -> float:
    """Peak resident memory of hashing a video in a process of its own, in MB. Linux only."""
    code = (
        "import hashkit, sys; hashkit.hash_file(sys.argv[1]); "
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return int(re.findall(r"\d+", done.stdout)[-1]) / 1024


def longer(path: Path, target: Path, times: int) -> Path:
    """The same film repeated, without encoding it again."""
    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        track = out.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        length = sum(packet.duration for packet in packets)
        stamps = [(packet.pts, packet.dts) for packet in packets]
        for turn in range(times):
            for packet, (pts, dts) in zip(packets, stamps, strict=True):
                packet.pts, packet.dts = pts + turn * length, dts + turn * length
                packet.stream = track
                out.mux(packet)
                packet.time_base = source.streams.video[0].time_base
    return target


def keyframes_find_copies(folder: Path) -> list[list[str]]:
    """Whether keyframe sampling finds re-encoded copies as one-second sampling does."""
    rows = []
    original = folder / "h264-1.mp4"
    for name, spacing in (("8 s", 8.0), ("1.7 s", 1.7)):
        options = {"preset": "ultrafast", "crf": "32"}
        copy = film(folder / "copy.mp4", "libx264", 20, spacing, **options)
        shares = []
        for sample in (1.0, "keyframes"):
            one, two = (
                hashkit.hash_file(path, "vpdq", sample=sample).frames.hashes
                for path in (original, copy)
            )
            shares.append(vpdq.compare(one, two))
        rows.append([name, *(f"{share.first:.0f} %, {share.second:.0f} %" for share in shares)])
    return rows


def main() -> None:
    """Measure, print, and write the tables if requested."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fast = {"preset": "ultrafast", "crf": "23"}
        x265 = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=240"}
        h264_8 = film(folder / "h264-8.mp4", "libx264", 30, 8, **fast)
        h264_1 = film(folder / "h264-1.mp4", "libx264", 30, 1, **fast)
        hevc = film(folder / "hevc.mp4", "libx265", 10, 8, **x265)
        av1 = film(folder / "av1.mp4", "libsvtav1", 10, 8, preset="12", crf="40")
        rows = [
            *speed(h264_8, "H.264, 30 s, keyframes every 8 s", budgets=True, one_second=False),
            *speed(h264_1, "H.264, 30 s, keyframes every 1 s", budgets=True, one_second=True),
            *speed(hevc, "HEVC, 10 s", budgets=False, one_second=False),
            *speed(av1, "AV1, 10 s", budgets=False, one_second=False),
        ]
        minutes = {n: memory(longer(h264_1, folder / "long.mp4", 2 * n)) for n in (1, 10)}
        copies = keyframes_find_copies(folder)
    parts = [
        table(HEADINGS, rows),
        f"Peak memory: {minutes[1]:.0f} MB for 1 minute, {minutes[10]:.0f} MB for 10 minutes "
        "(budget: flat, under 300 MB).",
        table(["keyframes of the copy every", "frames matched, 1 s", "keyframes"], copies),
        "Measured on " + where_and_with_what(["hashkit", "av", "numpy", "opencv-python-headless"]),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)


if __name__ == "__main__":
    main()
