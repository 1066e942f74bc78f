"""Matroska files written by hand: what PyAV's muxer does not write, and other programs do."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import av

Frame = tuple[int, bytes, bool]
"""When it is shown, in milliseconds; its bytes; whether it is a keyframe."""

_UNKNOWN = b"\x01" + 7 * b"\xff"


def element(name: str, *content: bytes, known: bool = True) -> bytes:
    whole = b"".join(content)
    return bytes.fromhex(name) + (size(len(whole)) if known else _UNKNOWN) + whole


def size(value: int) -> bytes:
    width = next(each for each in range(1, 9) if value < (1 << 7 * each) - 1)
    return (value | 1 << 7 * width).to_bytes(width, "big")


def number(name: str, value: int) -> bytes:
    return element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def decimal(name: str, value: float) -> bytes:
    return element(name, struct.pack(">d", value))


def block(time: int, *frames: bytes, flags: int = 0, sizes: bytes = b"") -> bytes:
    lacing = bytes([len(frames) - 1]) + sizes if flags & 6 else b""
    return b"\x81" + struct.pack(">hB", time, flags) + lacing + b"".join(frames)


def simple(time: int, *frames: bytes, flags: int = 0, sizes: bytes = b"") -> bytes:
    return element("A3", block(time, *frames, flags=flags, sizes=sizes))


def cluster(time: int, *blocks: bytes, known: bool = True) -> bytes:
    return element("1F43B675", number("E7", time), *blocks, known=known)


def matroska(
    clusters: Iterable[bytes],
    *track: bytes,
    video: bytes = b"",
    known: bool = True,
    more: bytes = b"",
) -> bytes:
    """A file with one track of VP8."""
    header = element("1A45DFA3", element("4282", b"matroska"))
    info = element(
        "1549A966", number("2AD7B1", 1_000_000), element("4D80", b"x"), element("5741", b"x")
    )
    picture = element("E0", number("B0", 96), number("BA", 64), video)
    entry = element(
        "AE",
        number("D7", 1),
        number("73C5", 7),
        number("83", 1),
        element("86", b"V_VP8"),
        picture,
        *track,
    )
    parts = info, element("1654AE6B", entry), *clusters
    where = _index(sum(map(len, parts))) if more else b""
    return header + element("18538067", where, *parts, more, known=known)


def _index(length: int) -> bytes:
    """Says that tags lie behind it and what has this length."""

    def index(place: int) -> bytes:
        entry = (
            element("53AB", bytes.fromhex("1254C367")),
            element("53AC", struct.pack(">I", place)),
        )
        return element("114D9B74", element("4DBB", *entry))

    return index(len(index(0)) + length)


def frames_of(path: Path) -> list[Frame]:
    with av.open(str(path)) as container:
        return [
            (round(float(each.pts * each.time_base) * 1000), bytes(each), each.is_keyframe)
            for each in container.demux(container.streams.video[0])
            if each.size and each.pts is not None and each.time_base is not None
        ]


def _in_clusters(frames: list[Frame], known: bool = True) -> list[bytes]:
    found = []
    for start in range(0, len(frames), 10):
        some = frames[start : start + 10]
        first = some[0][0]
        blocks = [simple(time - first, data, flags=128 * key) for time, data, key in some]
        found.append(cluster(first, *blocks, known=known))
    return found


def _in_groups(frames: list[Frame]) -> list[bytes]:
    groups = []
    for time, data, key in frames:
        parts = [element("A1", block(time, data)), number("9B", 35)]
        if not key:
            parts.append(element("FB", b"\xd8"))
        groups.append(element("A0", *parts))
    return [cluster(0, *groups)]


def _laced(frames: list[Frame], way: int) -> list[bytes]:
    """Three frames a block, which each begins with a keyframe or none has."""
    blocks = []
    for start in range(0, len(frames) - 2, 3):
        datas = [data for _, data, _ in frames[start : start + 3]]
        lengths = [len(each) for each in datas]
        if way == 1:
            sizes = b"".join(b"\xff" * (each // 255) + bytes([each % 255]) for each in lengths[:-1])
        else:
            step = lengths[1] - lengths[0]
            sizes = size(lengths[0]) + (step + (1 << 13) - 1 | 1 << 14).to_bytes(2, "big")
        key = frames[start][2]
        flags = 128 * key | way << 1
        blocks.append(simple(frames[start][0], *datas, flags=flags, sizes=sizes))
    return [cluster(0, *blocks)]


def _equal(frames: list[Frame]) -> list[bytes]:
    """Frames of one size, two a block: the first one again and again."""
    data = frames[0][1]
    return [cluster(0, *(simple(80 * i, data, data, flags=128 | 2 << 1) for i in range(9)))]


def _encoding(kind: int, way: int, setting: bytes = b"") -> bytes:
    compression = element("5034", number("4254", way), element("4255", setting))
    parts = (number("5031", 0), number("5032", 1), number("5033", kind))
    coded = (
        compression if kind == 0 else element("5035", number("47E1", 5), element("47E2", b"key"))
    )
    return element("6D80", element("6240", *parts, coded))


def _without(frames: list[Frame], count: int) -> tuple[bytes, list[Frame]]:
    """What all frames of a group begin with; keyframes only, so that it is the same."""
    keys = [each for each in frames if each[2]]
    start = keys[0][1][:count]
    return start, [(time, data[count:], key) for time, data, key in keys if data.startswith(start)]


def changes(source: Path) -> dict[str, Callable[[], bytes]]:
    """Files by name, of the frames of ``source``, which is VP8 with many keyframes."""
    frames = frames_of(source)
    usual = number("23E383", 40_000_000)

    def stripped() -> bytes:
        start, rest = _without(frames, 3)
        return matroska(_in_clusters(rest), _encoding(0, 3, start))

    def turned(roll: float, yaw: float = 0.0) -> Callable[[], bytes]:
        parts = number("7671", 0), decimal("7673", yaw), decimal("7674", 0), decimal("7675", roll)
        video = element("7670", *parts)
        return lambda: matroska(_in_clusters(frames), video=video)

    colour = element("55B0", number("55B1", 1), number("55B9", 1))
    tag = element(
        "1254C367",
        element(
            "7373",
            element("63C0", number("63C5", 7)),
            element("67C8", element("45A3", b"DURATION"), element("4487", b"00:00:01.480000000")),
        ),
    )
    return {
        "by-hand.mkv": lambda: matroska(_in_clusters(frames)),
        "unknown-lengths.mkv": lambda: matroska(_in_clusters(frames, known=False), known=False),
        "unknown-in-a-byte.mkv": lambda: matroska(
            _in_clusters(frames, known=False), known=False
        ).replace(_UNKNOWN, b"\xff"),
        "groups.mkv": lambda: matroska(_in_groups(frames)),
        "usual.mkv": lambda: matroska(_in_clusters(frames), usual),
        "xiph-lacing.mkv": lambda: matroska(_laced(frames, 1), usual),
        "ebml-lacing.mkv": lambda: matroska(_laced(frames, 3), usual),
        "fixed-lacing.mkv": lambda: matroska(_equal(frames), usual),
        "stripped.mkv": stripped,
        "encrypted.mkv": lambda: matroska(_in_clusters(frames), _encoding(1, 0)),
        "roll-90.mkv": turned(90),
        "roll-minus-90.mkv": turned(-90),
        "roll-180.mkv": turned(180),
        "yaw-180.mkv": turned(0, 180),
        "yaw-180-roll-90.mkv": turned(90, 180),
        "colour.mkv": lambda: matroska(_in_clusters(frames), video=colour),
        "tags-at-the-end.mkv": lambda: matroska(_in_clusters(frames), more=tag),
        "later.mkv": lambda: matroska(
            _in_clusters([(time + 2345, data, key) for time, data, key in frames])
        ),
    }
