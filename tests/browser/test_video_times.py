"""What the engine reads in MP4 and Matroska is what libavformat finds: which frames there are, when
each is shown, how long the video is and how often its frames come."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import av
import pytest
from made_videos import make_all

from hashkit.errors import HashkitError, MediaCorrupt
from hashkit.media import videos
from hashkit.media.formats import identify
from hashkit.media.tee import Tee
from hashkit.media.video_headers import LENIENT

pytestmark = pytest.mark.test_all

HERE = Path(__file__).parent
READ = {".mp4", ".mov", ".mkv", ".webm"}
FOLDERS = ("samples_synthetic", "tests/vectors/conformance/videos", "tests/cases")
MICROSECOND = 1e-6
UNSPECIFIED = 2


@pytest.fixture(scope="module")
def all_videos(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    own = [each for name in FOLDERS for each in sorted((root / name).iterdir())]
    made = make_all(tmp_path_factory.mktemp("made"))
    found = [*(each for each in own if each.suffix in READ), *made]
    assert len(found) > 80
    return found


@pytest.fixture(scope="module")
def found_in(all_videos: list[Path]) -> dict[Path, dict[str, Any]]:
    """What the engine finds in each."""
    jobs = [{"path": str(each), "format": format_of(each)} for each in all_videos]
    command = ["node", "--no-warnings", str(HERE / "video_facts.js")]
    done = subprocess.run(
        command, input=json.dumps(jobs), capture_output=True, text=True, check=True
    )
    return dict(zip(all_videos, json.loads(done.stdout), strict=True))


def format_of(path: Path) -> str:
    with path.open("rb") as file:
        return identify(file.read(4096)).format


def facts_of(path: Path) -> dict[str, Any]:
    """What Python finds, in the same words; an error as its code."""
    try:
        with path.open("rb") as file, videos.open_video(Tee(file, len), format_of(path)) as video:
            stream = video._stream.index
            own_length = None if video._asks_others else video.expected_end
            frames = [
                {
                    "time": each.timestamp,
                    "duration": each.duration,
                    "size": [each._native.width, each._native.height],
                    "turn": each._turn._asdict(),
                    "isFullRange": not each.limited_range,
                    "matrix": int(each._native.colorspace),
                }
                for each in video.frames()
            ]
            if not frames:
                return {"error": MediaCorrupt.code}
            return {
                "times": [each["time"] for each in frames],
                "last": frames[-1],
                "rate": video.rate,
                "constantRate": video.constant_rate,
                "duration": video.duration,
                "ownLength": own_length,
                **coded_frames(path, stream),
            }
    except HashkitError as error:
        return {"error": error.code}


def coded_frames(path: Path, stream: int) -> dict[str, Any]:
    """The sum of their bytes, and which of them are keyframes, in the order of decoding."""
    whole, keys = hashlib.sha256(), []
    with av.open(str(path), **LENIENT) as container:
        for packet in container.demux(container.streams[stream]):
            if packet.size:
                whole.update(bytes(packet))
                keys.append(int(packet.is_keyframe))
    return {"sum": whole.hexdigest(), "keys": keys}


def test_all_are_read_alike(all_videos: list[Path], found_in: dict[Path, dict[str, Any]]) -> None:
    different = {}
    for path in all_videos:
        python, engine = facts_of(path), found_in[path]
        if "lacing" in path.name:  # of frames in one block, only the first is taken for one
            keys = list(zip(python.pop("keys"), engine.pop("keys"), strict=True))
            assert all(one >= other for one, other in keys)
            assert keys[0] == (1, 1)
        if wrong := differences(python, engine):
            different[path.name] = wrong
    assert different == {}


def differences(python: dict[str, Any], engine: dict[str, Any]) -> list[str]:
    error = engine.get("error", {}).get("code")
    if not error and not engine["times"]:
        error = MediaCorrupt.code  # hashFrames says so
    if "error" in python or error:
        return [] if python.get("error") == error else [f"{python.get('error')}, not {error}"]
    last = python["last"]
    pairs = {
        "frames": (len(python["times"]), len(engine["times"])),
        "times": (python["times"], engine["times"]),
        **{name: (python[name], engine[name]) for name in ("rate", "constantRate", "duration")},
        "sum": (python["sum"], engine["sum"]),
        "keys": (python.get("keys"), engine.get("keys")),
        "ownLength": (python["ownLength"], engine["ownLength"]),
        "size": (last["size"], [engine["width"], engine["height"]]),
        "turn": (last["turn"], engine["turn"]),
        "isFullRange": (last["isFullRange"], engine["colour"]["isFullRange"]),
        "matrix": (
            None if last["matrix"] == UNSPECIFIED else last["matrix"],
            engine["colour"]["matrix"],
        ),
        "last duration": (
            pytest.approx(last["duration"], abs=MICROSECOND),
            engine["durations"][-1],
        ),
    }
    return [f"{name}: {one}, not {other}" for name, (one, other) in pairs.items() if one != other]


def test_names_of_codecs_are_those_of_their_registry(
    found_in: dict[Path, dict[str, Any]],
) -> None:
    """Of files that were looked at with another program."""
    named = {path.name: each.get("codec") for path, each in found_in.items()}
    assert named["film-h264.mp4"] == "avc1.64000b"
    assert named["film-hevc-10-bit.mov"] == "hvc1.2.4.L60.90"
    assert named["film-reencoded.webm"] == "vp8"
    assert named["vp9_24fps.webm"] == "vp09.00.10.08"
    assert named["vp9_rgb_planar_24fps.webm"] == "vp09.01.10.08"
    assert named["av1_24fps.mp4"] == "av01.0.00M.08"
    assert named["av1-mkv-10-bit.mkv"] == "av01.0.00M.10"
