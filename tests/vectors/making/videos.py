"""Cases for hashes of videos in ``conformance/``, and steps that need no decoder."""

from __future__ import annotations

import csv
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pdqhash

from . import pictures
from .cases import ROOT, Case, Kit

Float32 = npt.NDArray[np.float32]

META = {"vpdq": "0.2.5", "tmk-hash-video": "Meta's C++, FFmpeg 5.1"}
VIDEOS = sorted(path.name for path in (ROOT / "conformance" / "videos").iterdir())
ROTATED, VARIABLE = "rotated_90_metadata.mp4", "variable_frame_rate.mp4"
PERIODS = (2731, 4391, 9767, 14653)
SAMPLED = (0, 37, 130, 255)
"""The columns of each row that are in the kit."""


def make(kit: Kit) -> None:
    _vpdq_video(kit)
    _tmk_video(kit)
    _tmk_score(kit)
    _tmk_features(kit)
    _tmk_signature(kit)
    if shutil.which("ffmpeg"):
        _tmk_clock(kit)


def _vpdq_video(kit: Kit) -> None:
    cases = []
    for name in VIDEOS:
        for interval, which in (("all", "every_frame"), (1, "per_second")):
            if (name, interval) == (VARIABLE, 1):
                continue  # hashkit samples by time, the reference by frame number
            ask: Case = {"file": f"conformance/videos/{name}", "interval": interval}
            if name == ROTATED:
                ask["turn"] = False
            expect = {"csv": f"conformance/vpdq/{name}.{which}.csv"}
            case: Case = {"name": f"{name} {interval}", "ask": ask, "expect": expect}
            if name == VARIABLE:
                case["timestamps"] = False
            cases.append(case)
    kit.cases(
        "vpdq_video",
        "PDQ of frames of a video file: every frame, or one a second.",
        META,
        cases,
        tolerances={"timestamp": 0.002, "quality": 2, "bits": 8, "mean_bits": 2},
    )


def _tmk_video(kit: Kit) -> None:
    cases = [
        {
            "name": name,
            "ask": {"file": f"conformance/videos/{name}"},
            "expect": {"tmk": f"conformance/tmk/{name}.tmk"},
        }
        for name in VIDEOS
    ]
    about = "The signature of a video file."
    kit.cases("tmk_video", about, META, cases, tolerances={"cosine": 0.9999})


def _tmk_score(kit: Kit) -> None:
    cases = []
    with (ROOT / "conformance" / "tmk_pair_scores.csv").open() as file:
        for row in csv.DictReader(file):
            files = {key: f"conformance/tmk/{row[column]}" for key, column in _SIDES.items()}
            levels = float(row["level1"]), float(row["level2"])
            expect = {"level1": levels[0], "level2": levels[1], "match": min(levels) >= 0.7}
            cases.append({"name": f"{row['a']} {row['b']}", "ask": files, "expect": expect})
    kit.cases(
        "tmk_score",
        "Two signatures compared; a match from 0.7 on, of both levels.",
        {"tmk-two-level-score": "Meta's C++"},
        cases,
        tolerances={"level1": 2e-5, "level2": 2e-5},
        thresholds={"level1": 0.7, "level2": 0.7},
    )


_SIDES = {"first": "a", "second": "b"}


def _tmk_features(kit: Kit) -> None:
    cases = []
    for name in ("exact-64x64-grey", "exact-64x64-colour", "white-64x64"):
        # Of 64x64 pixels pdqhash takes the DCT without filtering: what TMK does with a frame.
        found = pdqhash.compute_float(pictures.rgb(pictures.draw(name)))[0][::-1]
        expect = {"features": [round(float(each), 3) + 0.0 for each in found]}
        cases.append({"name": name, "ask": {"file": pictures.file_of(name)}, "expect": expect})
    about = "The 256 numbers of a frame that is 64x64 already."
    kit.cases("tmk_features", about, ("pdqhash",), cases, tolerances={"features": 0.02})


# What setpts does to the frame numbers of a video at this rate, in units of 1/600 s.
_STEADY = ("5", "10", "12", "15", "24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60")
_UNSTEADY = {
    "30 trembling": ("30", "settb=1/600,setpts='N*20+mod(N*37,17)'"),
    "25 trembling": ("25", "settb=1/600,setpts='N*24+mod(N*37,60)/3'"),
    "30 with pauses": ("30", "settb=1/600,setpts='N*20+60*floor(N/10)'"),
    "15, then a long pause, then 30": (
        "30",
        "settb=1/600,setpts='if(lt(N,20),N*40,1700+N*20)'",
    ),
}
_FRAMES = 60


def _tmk_clock(kit: Kit) -> None:
    """Which of the numbered frames ``ffmpeg -r 15`` outputs."""
    version = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True)
    streams = {rate: (rate, "null") for rate in _STEADY} | _UNSTEADY
    cases = [{"name": name, **_clock_case(*each)} for name, each in streams.items()]
    kit.cases(
        "tmk_clock",
        "Which of the frames are taken, and how often, to get 15 a second.",
        {"ffmpeg": version.stdout.split()[2]},
        cases,
    )


def _clock_case(rate: str, timing: str) -> Case:
    drawn = f"color=black:s=16x16:r={rate},format=gray,geq=lum='N',{timing}"
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "numbered.mkv")
        start = ("ffmpeg", "-v", "error", "-f", "lavfi", "-i", drawn, "-frames:v", str(_FRAMES))
        coded = ("-fps_mode", "passthrough", "-c:v", "png", "-fflags", "+bitexact", file)
        subprocess.run([*start, *coded], check=True)
        taken = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", file, "-r", "15", "-f", "rawvideo", "-"],
            check=True,
            capture_output=True,
        ).stdout
        with av.open(file) as container:
            stream = container.streams.video[0]
            times = [
                [_seconds(frame.pts, frame.time_base), _seconds(frame.duration, frame.time_base)]
                for frame in container.decode(stream)
            ]
            ask = {"rate": float(stream.guessed_rate), "frames": times}
    numbers = np.frombuffer(taken, np.uint8).reshape(-1, 16 * 16)[:, 0]
    return {"ask": ask, "expect": {"taken": numbers.tolist()}}


def _seconds(ticks: int, base: Any) -> float:
    return round(float(ticks * base), 9)


def _tmk_signature(kit: Kit) -> None:
    frames = pictures.random_bytes("features", 24 * 256).reshape(24, 256).astype("<f4") - 128
    frames[5] = 0  # black
    frames[7] = frames[6]  # still
    path = kit.put("kit/features.f32", frames.tobytes())
    cases = []
    for name, count in {"one frame": 1, "24 frames": 24, "3000 frames, in a circle": 3000}.items():
        ask = {"features": path, "frames": count}
        cases.append({"name": name, "ask": ask, "expect": _signature(frames, count)})
    kit.cases(
        "tmk_signature",
        "The signature of frames whose 256 numbers are given.",
        {"tmkfv.cpp": "008b49f4, its arithmetic repeated in NumPy"},
        cases,
        sampled=SAMPLED,
        tolerances={"mean": 0.001, "rows": 0.001},
    )


def _signature(frames: Float32, count: int) -> Case:
    """tmk/cpp/algo/tmkfv.cpp step by step: sums in float32, products in float64."""
    total = np.zeros(256, np.float32)
    sums = np.zeros((2, len(PERIODS), 32, 256), np.float32)
    turns = 2 * np.pi * np.arange(32) / np.array(PERIODS, np.float64)[:, None]
    for time in range(count):
        frame = frames[time % len(frames)]
        total += frame
        unit = _normalized(frame)
        for part, wave in enumerate((np.cos, np.sin)):
            sums[part] = sums[part] + unit.astype(np.float64) * wave(turns * time)[..., None]
    scale = np.sqrt(_coefficients())[:, None]
    rows = np.array([_normalized(row) for row in sums.reshape(-1, 256)]).reshape(sums.shape)
    rows = (rows * scale)[..., SAMPLED]
    header = (ROOT / "conformance" / "tmk" / f"{VIDEOS[0]}.tmk").read_bytes()[:176]
    return {
        "header": (header[:28] + struct.pack("<i", count) + header[32:]).hex(),
        "mean": [round(float(each), 4) + 0.0 for each in total / np.float32(count)],
        "cosines": _listed(rows[0]),
        "sines": _listed(rows[1]),
    }


def _normalized(vector: Float32) -> Float32:
    norm = np.sqrt(np.add.accumulate(vector * vector, dtype=np.float32)[-1])
    return vector / norm if norm > 0 else vector


def _coefficients() -> Float32:
    """From the header of Meta's own files."""
    data = (ROOT / "conformance" / "tmk" / f"{VIDEOS[0]}.tmk").read_bytes()
    return np.frombuffer(data, "<f4", 32, 48)


def _listed(rows: Float32) -> list[Any]:
    """Five significant digits of each: the last rows are very small."""
    return [[[float(f"{each:.5g}") for each in row] for row in period] for period in rows]
