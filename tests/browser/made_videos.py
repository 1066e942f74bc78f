# ruff: noqa: E501 (the table)
"""Small videos that differ in how their containers say times, made with PyAV."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import made_matroska
import numpy as np

WIDTH, HEIGHT = 96, 64
_X264 = {"preset": "ultrafast", "threads": "1"}
_B_FRAMES = {**_X264, "bf": "3", "preset": "fast", "g": "12"}
_VPX = {"deadline": "realtime", "cpu-used": "8"}

Stamps = Iterable[int]


def _picture(number: int) -> av.VideoFrame:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    plane = (128 + 90 * np.sin((rows * columns + 37 * number) / 300) + rows).astype(np.uint8)
    return av.VideoFrame.from_ndarray(np.stack([plane, np.roll(plane, number, 1), plane], 2))


def write(
    path: Path,
    codec: str,
    stamps: Stamps,
    time_base: Fraction,
    *,
    rate: Fraction | int = 25,
    options: dict[str, str] | None = None,
    mux: dict[str, str] | None = None,
    sound: float | None = None,
    pixel_format: str = "yuv420p",
    shift: int = 0,
    durations: bool = True,
    tracks: int = 1,
) -> None:
    """``stamps`` in ``time_base``, and ``shift`` is added to those of the packets. ``sound``: when
    it begins, in seconds."""
    stamps = list(stamps)
    with av.open(str(path), "w", options=mux or {}) as container:
        streams = [
            container.add_stream(codec, rate=rate, options=options or {}) for _ in range(tracks)
        ]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
            stream.codec_context.time_base = stream.time_base = time_base
        voice = None
        if sound is not None:
            voice = container.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=48000)
        for stream in streams:
            for number, stamp in enumerate(stamps):
                frame = _picture(number)
                frame.pts, frame.time_base = stamp, time_base
                _mux(container, stream.encode(frame), shift, durations)
            _mux(container, stream.encode(None), shift, durations)
        if voice is not None and sound is not None:
            end = float(stamps[-1] * time_base)
            for start in range(int(sound * 48000), int(end * 48000), 960):
                silent = av.AudioFrame.from_ndarray(
                    np.zeros((2, 960), np.float32), "fltp", "stereo"
                )
                silent.sample_rate, silent.pts, silent.time_base = 48000, start, Fraction(1, 48000)
                _mux(container, voice.encode(silent), 0, True)
            _mux(container, voice.encode(None), 0, True)


def _mux(container: Any, packets: Iterable[Any], shift: int, durations: bool) -> None:
    for packet in packets:
        if shift:
            packet.pts += shift
            packet.dts += shift
        if not durations:
            packet.duration = 0
        container.mux(packet)


def constant(count: int, step: int = 1) -> list[int]:
    return [step * number for number in range(count)]


def varying(count: int, seed: int, most: int = 5) -> list[int]:
    steps = random.Random(seed)
    return list(itertools.accumulate((steps.randint(1, most) for _ in range(count - 1)), initial=0))


def jittering(count: int, step: int, seed: int, by: int = 2) -> list[int]:
    """As phones record: each a little early or late."""
    steps = random.Random(seed)
    return [step * number + steps.randint(0, by) for number in range(count)]


def patched(data: bytes, name: bytes, change: Callable[[bytearray, int], None]) -> bytes:
    """The file with every box of this name changed; ``change`` is given where its content begins."""
    changed, place = bytearray(data), data.find(name)
    assert place > 0, name
    while place != -1:
        change(changed, place + 4)
        place = data.find(name, place + 4)
    return bytes(changed)


def with_matrix(a: int, b: int, c: int, d: int) -> Callable[[bytearray, int], None]:
    def change(data: bytearray, place: int) -> None:
        numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        struct.pack_into(">9i", data, place + 40, *numbers)

    return change


def with_edit(duration: int, time: int) -> Callable[[bytearray, int], None]:
    """Changes the first entry of an edit list of version 0."""

    def change(data: bytearray, place: int) -> None:
        struct.pack_into(">Ii", data, place + 8, duration, time)

    return change


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def with_text(path: Path) -> bytes:
    """The file with its sound called something else."""
    return replaced(replaced(path.read_bytes(), b"soun", b"meta"), b"mp4a", b"mett")


def twice(data: bytes) -> bytes:
    """The file with its last fragment again at the end: what overlaps is not shown again."""
    start = data.rindex(b"moof") - 4
    end = data.rindex(b"mfra") - 4
    return data[:end] + data[start:end] + data[end:]


F = Fraction
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
_FINE = F(1, 90000)

# Name: ending, codec, stamps, time base, further arguments of ``write``.
_TABLE: dict[str, tuple[str, str, list[int], Fraction, dict[str, Any]]] = {
    "plain": ("mp4", "libx264", constant(40), F(1, 25), {"options": _X264}),
    "b-frames": ("mp4", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES}),
    "b-frames-sound": ("mp4", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES, "sound": 0}),
    "b-frames-mov": ("mov", "libx264", constant(40), F(1, 24), {"options": _B_FRAMES, "rate": 24}),
    "b-frames-mkv": ("mkv", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES}),
    "b-frames-mkv-sound": ("mkv", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES, "sound": 0}),
    "ntsc": ("mp4", "libx264", constant(70, 1001), F(1, 30000), {"options": _B_FRAMES, "rate": F(30000, 1001)}),
    "ntsc-mkv": ("mkv", "libx264", constant(70, 1001), F(1, 30000), {"options": _X264, "rate": F(30000, 1001)}),
    "film-mkv": ("mkv", "libx264", constant(60, 1001), F(1, 24000), {"options": _B_FRAMES, "rate": F(24000, 1001)}),
    "varying": ("mp4", "libx264", varying(60, 1), F(1, 30), {"options": _X264}),
    "varying-b": ("mp4", "libx264", varying(60, 2), F(1, 30), {"options": _B_FRAMES}),
    "varying-mkv": ("mkv", "libx264", varying(60, 3), F(1, 30), {"options": _X264}),
    "varying-mkv-b": ("mkv", "libx264", varying(60, 4), F(1, 30), {"options": _B_FRAMES}),
    "varying-webm": ("webm", "libvpx", varying(60, 5), F(1, 30), {"options": _VPX}),
    "varying-much": ("mp4", "libx264", varying(30, 6, 90), F(1, 30), {"options": _X264}),
    "varying-vp9": ("webm", "libvpx-vp9", varying(50, 7), F(1, 60), {"options": _VPX}),
    "phone": ("mp4", "libx264", jittering(120, 3000, 1, 40), _FINE, {"options": _X264, "rate": 30}),
    "phone-60": ("mp4", "libx264", jittering(150, 1500, 2, 9), _FINE, {"options": _X264, "rate": 60}),
    "phone-wild": ("mp4", "libx264", jittering(120, 3000, 3, 900), _FINE, {"options": _X264, "rate": 30}),
    "phone-24": ("mov", "libx264", jittering(120, 3754, 4, 2), _FINE, {"options": _B_FRAMES, "rate": 24}),
    "phone-mkv": ("mkv", "libx264", jittering(120, 3000, 5, 300), _FINE, {"options": _X264, "rate": 30}),
    "phone-wilder": ("mp4", "libx264", jittering(120, 3000, 6, 1500), _FINE, {"options": _X264, "rate": 30}),
    "irregular-start": (
        "mp4", "libx264", [0, 2900, 6200, *(9300 + 3100 * i for i in range(40))], _FINE, {"options": _X264, "rate": 30},
    ),
    "slow": ("mp4", "libx264", constant(12), F(1), {"options": _X264, "rate": 1}),
    "slow-webm": ("webm", "libvpx", constant(40), F(1, 2), {"options": _VPX, "rate": 2}),
    "one-frame": ("mp4", "libx264", [0], F(1, 25), {"options": _X264}),
    "one-frame-webm": ("webm", "libvpx", [0], F(1, 25), {"options": _VPX}),
    "two-frames": ("mp4", "libx264", [0, 9], F(1, 25), {"options": _X264}),
    "two-frames-mkv": ("mkv", "libx264", [0, 9], F(1, 25), {"options": _X264}),
    "fast": ("mp4", "libx264", constant(90), F(1, 240), {"options": _X264, "rate": 240}),
    "fast-mkv": ("mkv", "libx264", constant(90), F(1, 120), {"options": _X264, "rate": 120}),
    "late": ("mp4", "libx264", constant(30), F(1, 25), {"options": _X264, "shift": 3000}),
    "late-sound": ("mp4", "libx264", constant(40), F(1, 25), {"options": _X264, "sound": 0.6}),
    "late-picture": ("mp4", "libx264", constant(40), F(1, 25), {"options": _X264, "sound": 0, "shift": 5000}),
    "little-late": ("mp4", "libx264", constant(40), F(1, 25), {"options": _X264, "sound": 0, "shift": 10}),
    "late-mkv": ("mkv", "libx264", constant(30), F(1, 25), {"options": _X264, "shift": 3000}),
    "late-sound-mkv": ("mkv", "libx264", constant(40), F(1, 25), {"options": _X264, "sound": 0.6}),
    "early": ("mp4", "libx264", constant(30), F(1, 25), {"options": _X264, "shift": -1536}),
    "no-edits": ("mp4", "libx264", constant(30), F(1, 25), {"options": _B_FRAMES, "mux": {"use_editlist": "0"}}),
    "no-edits-sound": (
        "mp4", "libx264", constant(30), F(1, 25), {"options": _B_FRAMES, "mux": {"use_editlist": "0"}, "sound": 0},
    ),
    "negative-offsets": (
        "mp4", "libx264", constant(30), F(1, 25), {"options": _B_FRAMES, "mux": {"movflags": "negative_cts_offsets"}},
    ),
    "fast-start": ("mp4", "libx264", constant(30), F(1, 25), {"options": _X264, "mux": {"movflags": "faststart"}}),
    "fragments": ("mp4", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES, "mux": _FRAGMENTS}),
    "fragments-sound": ("mp4", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES, "mux": _FRAGMENTS, "sound": 0}),
    "fragments-varying": ("mp4", "libx264", varying(60, 8), F(1, 30), {"options": _B_FRAMES, "mux": _FRAGMENTS}),
    "fragments-moof": (
        "mp4", "libx264", constant(40), F(1, 25),
        {"options": _B_FRAMES, "mux": {"movflags": "frag_keyframe+empty_moov+default_base_moof"}},
    ),
    "fragments-dash": ("mp4", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES, "mux": {"movflags": "dash+frag_keyframe"}}),
    "fragments-full": ("mp4", "libx264", constant(40), F(1, 25), {"options": _B_FRAMES, "mux": {"movflags": "frag_keyframe"}}),
    "fragments-negative": (
        "mp4", "libx264", constant(40), F(1, 25),
        {"options": _B_FRAMES, "mux": {"movflags": "frag_keyframe+empty_moov+negative_cts_offsets"}},
    ),
    "fragments-vp9": ("mp4", "libvpx-vp9", constant(40), F(1, 25), {"options": {**_VPX, "g": "10"}, "mux": _FRAGMENTS}),
    "vp8": ("webm", "libvpx", constant(40), F(1, 25), {"options": _VPX, "sound": 0}),
    "vp9": ("webm", "libvpx-vp9", constant(40), F(1, 25), {"options": _VPX}),
    "vp9-422": ("webm", "libvpx-vp9", constant(20), F(1, 25), {"options": {**_VPX, "profile": "1"}, "pixel_format": "yuv422p"}),
    "vp9-440": ("webm", "libvpx-vp9", constant(20), F(1, 25), {"options": {**_VPX, "profile": "1"}, "pixel_format": "yuv440p"}),
    "vp9-mp4": ("mp4", "libvpx-vp9", constant(40), F(1, 25), {"options": _VPX, "sound": 0}),
    "vp9-ticks": ("mp4", "libvpx-vp9", varying(40, 9), F(1, 25), {"options": _VPX, "mux": {"video_track_timescale": "25"}}),
    "av1": ("mp4", "libsvtav1", constant(30), F(1, 25), {"options": {"preset": "12"}}),
    "av1-webm": ("webm", "libsvtav1", constant(30), F(1, 25), {"options": {"preset": "12"}}),
    "av1-mkv-10-bit": ("mkv", "libsvtav1", constant(30), F(1, 25), {"options": {"preset": "12"}, "pixel_format": "yuv420p10le"}),
    "hevc": ("mp4", "libx265", constant(30), F(1, 25), {"options": {"preset": "ultrafast", "x265-params": "log-level=none"}}),
    "recorded": ("webm", "libvpx", varying(90, 10, 3), F(1, 60), {"options": _VPX, "mux": {"live": "1"}, "durations": False}),
    "recorded-vp9": ("webm", "libvpx-vp9", varying(90, 11, 3), F(1, 60), {"options": _VPX, "mux": {"live": "1"}, "sound": 0}),
    "recorded-even": ("webm", "libvpx", constant(90), F(1, 30), {"options": _VPX, "mux": {"live": "1"}, "durations": False}),
    "full-range": ("mp4", "libx264", constant(20), F(1, 25), {"options": _X264, "pixel_format": "yuvj420p"}),
    "bt709": ("mp4", "libx264", constant(20), F(1, 25), {"options": {**_X264, "x264-params": "colormatrix=bt709"}}),
    "many-keyframes": ("webm", "libvpx", constant(39), F(1, 25), {"options": {**_VPX, "g": "3", "keyint_min": "3"}}),
    "two-tracks": ("mp4", "libx264", constant(20), F(1, 25), {"options": _X264, "tracks": 2}),
    "two-tracks-mkv": ("mkv", "libx264", constant(20), F(1, 25), {"options": _X264, "tracks": 2}),
}  # fmt: skip


def make_all(folder: Path) -> Iterator[Path]:
    """Make them; each is ready when it is given."""
    for name, (ending, codec, stamps, time_base, arguments) in _TABLE.items():
        path = folder / f"{name}.{ending}"
        write(path, codec, stamps, time_base, **arguments)
        yield path
    many_keys = folder / "many-keyframes.webm"
    for name, change in {**_changes(folder), **made_matroska.changes(many_keys)}.items():
        path = folder / name
        path.write_bytes(change())
        yield path


def _changes(folder: Path) -> dict[str, Callable[[], bytes]]:
    plain, b_frames = (folder / name for name in ("plain.mp4", "b-frames.mp4"))
    mkv = folder / "varying-mkv.mkv"

    def turned(*matrix: int) -> Callable[[], bytes]:
        return lambda: patched(plain.read_bytes(), b"tkhd", with_matrix(*matrix))

    def edited(path: Path, duration: int, time: int) -> Callable[[], bytes]:
        return lambda: patched(path.read_bytes(), b"elst", with_edit(duration, time))

    return {
        "turned-90.mp4": turned(0, 1, -1, 0),
        "turned-180.mp4": turned(-1, 0, 0, -1),
        "turned-270.mp4": turned(0, -1, 1, 0),
        "mirrored.mp4": turned(-1, 0, 0, 1),
        "flipped.mp4": turned(1, 0, 0, -1),
        "transposed.mp4": turned(0, 1, 1, 0),
        "transverse.mp4": turned(0, -1, -1, 0),
        "from-the-middle.mp4": edited(plain, 600, 512 * 17),
        "to-the-middle.mp4": edited(plain, 500, 0),
        "part-with-b-frames.mp4": edited(b_frames, 700, 512 * 15),
        "nothing-at-first.mp4": edited(plain, 480, -1),
        "longer-edit.mp4": edited(b_frames, 90000, 1024),
        "text-before.mp4": lambda: with_text(folder / "little-late.mp4"),
        "text-long-before.mp4": lambda: with_text(folder / "late-picture.mp4"),
        "fragments-twice.mp4": lambda: twice((folder / "fragments-moof.mp4").read_bytes()),
        "no-tags.mkv": lambda: replaced(mkv.read_bytes(), b"DURATION", b"DORATION"),
    }
