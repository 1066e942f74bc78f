"""Is a missing part of a file reported? ``python bench/missing_parts.py [FORMAT ...]``.

Needs ``pip install '.[bench]'``. Files of each format are drawn from fixed numbers, in memory. Of
each, copies are made that are cut, that end in zeros (an interrupted download into a file of full
size), or that have a hole of zeros in the middle (a failing card). Each copy is hashed. It is
*reported* if there is an error or a notice; *the same* if nothing is said and the hash still
matches that of the whole file; and *silent* if nothing is said and it does not.
"""

from __future__ import annotations

import argparse
import io
import random
import struct
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from PIL import Image

from hashkit import HashedFile, hash_file
from hashkit.errors import HashkitError
from hashkit.hashes import pdq

sys.path.append(str(Path(__file__).parent.parent / "samples_synthetic"))

from generate import encoded, heif, scene

MATCH = 31
"""PDQ hashes that differ in this many bits or fewer count as a match."""

MOST_FRAMES = 0.8
"""A video matches if this share of the frame hashes of each matches."""

REPORTED = {"truncated", "damaged", "may_be_incomplete", "video_truncated", "video_damaged"}


def photograph(number: int, width: int = 640, height: int = 480) -> Image.Image:
    """A scene with the grain of a photograph, so that every part of it takes its bytes."""
    rng = np.random.default_rng(number)
    pixels = np.asarray(scene(number, width, height)).astype(np.float32)
    grain = rng.normal(0, 5, pixels.shape)
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))


def _still(encoder: str, mode: str = "RGB", /, **options: object) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        return encoded(photograph(number).convert(mode), encoder, **options)

    return make


def _palette(encoder: str, **options: object) -> Callable[[int], bytes]:
    return lambda number: encoded(photograph(number).quantize(200), encoder, **options)


def _animation(encoder: str, **options: object) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        frames = [photograph(3 * number + each, 320, 240) for each in range(3)]
        return encoded(frames[0], encoder, save_all=True, append_images=frames[1:], **options)

    return make


def _mpo(number: int) -> bytes:
    second = photograph(number + 1)
    return encoded(photograph(number), "MPO", quality=90, save_all=True, append_images=[second])


def _motion_photo(number: int) -> bytes:
    return encoded(photograph(number), "JPEG", quality=90) + _video("libx264", "mp4")(number)


def _icon(number: int, **options: object) -> bytes:
    icon = photograph(number, 256, 256).convert("RGBA")
    return encoded(icon, "ICO", sizes=[(256, 256), (48, 48)], **options)


def _tiled(number: int, *, deflate: bool = False) -> bytes:
    """A TIFF in tiles of 64x64, which Pillow cannot write (TIFF 6.0, section 15)."""
    pixels = np.asarray(photograph(number))
    places = [(y, x) for y in range(0, 448, 64) for x in range(0, 640, 64)]
    tiles = [pixels[y : y + 64, x : x + 64].tobytes() for y, x in places]
    if deflate:
        tiles = [zlib.compress(tile) for tile in tiles]
    count, lengths = len(tiles), [len(tile) for tile in tiles]
    directory = 8
    after = directory + 2 + 11 * 12 + 4
    starts = [after + 6 + 8 * count + sum(lengths[:n]) for n in range(count)]
    tags = [
        *((256, 4, 1, 640), (257, 4, 1, 448), (258, 3, 3, after), (259, 3, 1, 8 if deflate else 1)),
        *((262, 3, 1, 2), (277, 3, 1, 3), (284, 3, 1, 1), (322, 4, 1, 64), (323, 4, 1, 64)),
        *((324, 4, count, after + 6), (325, 4, count, after + 6 + 4 * count)),
    ]
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<4sIH", b"II*\0", directory, len(tags)) + body + bytes(4)
    arrays = struct.pack(f"<3H{2 * count}I", 8, 8, 8, *starts, *lengths)
    return head + arrays + b"".join(tiles)


def _video(codec: str, container: str, **options: str) -> Callable[[int], bytes]:
    """A film of four seconds in two scenes."""

    def make(number: int) -> bytes:
        stream = io.BytesIO()
        views = [photograph(2 * number + each, 400, 300) for each in range(2)]
        muxing = {name: value for name, value in options.items() if name in ("movflags", "live")}
        with av.open(stream, "w", format=container, options=muxing) as output:
            track = output.add_stream(codec, rate=Fraction(15))
            track.width, track.height, track.pix_fmt = 320, 240, "yuv420p"
            if codec == "mjpeg":
                track.pix_fmt = "yuvj420p"
            track.bit_rate = 700_000
            track.options = {name: options[name] for name in options if name not in muxing}
            for step in range(60):
                box = (step % 30, step % 30, step % 30 + 320, step % 30 + 240)
                frame = av.VideoFrame.from_image(views[step // 30].crop(box))
                output.mux(track.encode(frame))
            output.mux(track.encode())
        return stream.getvalue()

    return make


def _index_first(number: int) -> bytes:
    """An MP4 with its index before its pictures, as for the web. FFmpeg would do so in a file."""
    data = _video("libx264", "mp4")(number)
    index = data.rindex(b"moov") - 4
    start = data.index(b"ftyp") - 4 + int.from_bytes(data[:4], "big")
    moved = bytearray(data[index:])
    table = moved.index(b"stco") + 8
    for place in range(
        table + 4, table + 4 + 4 * int.from_bytes(moved[table : table + 4], "big"), 4
    ):
        offset = int.from_bytes(moved[place : place + 4], "big") + len(moved)
        moved[place : place + 4] = offset.to_bytes(4, "big")
    return data[:start] + bytes(moved) + data[start:index]


_TIFF = {"lzw": "tiff_lzw", "deflate": "tiff_adobe_deflate", "JPEG": "jpeg", "PackBits": "packbits"}
_QUIET = {"x265-params": "log-level=none"}
_FRAGMENTS = "frag_keyframe+empty_moov"

MAKERS: dict[str, Callable[[int], bytes]] = {
    "JPEG": _still("JPEG", quality=90),
    "JPEG, grey": _still("JPEG", "L", quality=90),
    "JPEG, CMYK": _still("JPEG", "CMYK", quality=90),
    "JPEG, own tables": _still("JPEG", quality=75, optimize=True),
    "JPEG, progressive": _still("JPEG", quality=90, progressive=True),
    "JPEG, restarts": _still("JPEG", quality=90, restart_marker_rows=1),
    "JPEG, several (MPO)": _mpo,
    "JPEG, motion photo": _motion_photo,
    "PNG": _still("PNG"),
    "PNG, palette": _palette("PNG"),
    "PNG, animated": _animation("PNG"),
    "GIF": _palette("GIF"),
    "GIF, animated": _animation("GIF"),
    "WebP": _still("WEBP", quality=85),
    "WebP, lossless": _still("WEBP", lossless=True, method=1),
    "WebP, animated": _animation("WEBP"),
    "BMP": _still("BMP"),
    "BMP, palette": _palette("BMP"),
    "icons, PNG": _icon,
    "icons, BMP": partial(_icon, bitmap_format="bmp"),
    "TIFF": _still("TIFF"),
    **{f"TIFF, {name}": _still("TIFF", compression=each) for name, each in _TIFF.items()},
    "TIFF, tiles": _tiled,
    "TIFF, deflate, tiles": partial(_tiled, deflate=True),
    "HEIC": lambda number: heif(photograph(number)),
    "AVIF": _still("AVIF", quality=85, speed=10, max_threads=1),
    "AVIF, animated": _animation("AVIF", quality=85, speed=10, max_threads=1),
    "JPEG 2000": _still("JPEG2000"),
    "JPEG 2000, lossy": _still("JPEG2000", irreversible=True, quality_layers=[12]),
    "MP4": _video("libx264", "mp4"),
    "MP4, index first": _index_first,
    "MP4, fragments": _video("libx264", "mp4", movflags=_FRAGMENTS, g="15"),
    "QuickTime, HEVC": _video("libx265", "mov", preset="ultrafast", **_QUIET),
    "Matroska": _video("libx264", "matroska"),
    "WebM, VP8": _video("libvpx", "webm", deadline="realtime"),
    "WebM, VP9": _video("libvpx-vp9", "webm", deadline="realtime", **{"cpu-used": "8"}),
    "WebM, recorded": _video("libvpx", "webm", deadline="realtime", live="1"),
    "AVI, MPEG-4": _video("mpeg4", "avi"),
    "AVI, MJPEG": _video("mjpeg", "avi"),
    "MPEG-TS": _video("libx264", "mpegts"),
    "MPEG": _video("mpeg2video", "mpeg"),
    "FLV": _video("flv", "flv"),
    "WMV": _video("wmv2", "asf"),
}
"""A function for each format, which makes file number n of it."""


@cache
def made(name: str, number: int) -> bytes:
    """The bytes of file ``number`` of a format."""
    return MAKERS[name](number)


def cut(data: bytes, chance: random.Random) -> bytes:
    """Without the end, from 30 to 99 % on."""
    return data[: int(len(data) * chance.uniform(0.3, 0.99))]


def zeroed_end(data: bytes, chance: random.Random) -> bytes:
    """With zeros from 30 to 99 % on."""
    return cut(data, chance).ljust(len(data), b"\0")


def hole(data: bytes, chance: random.Random) -> bytes:
    """With 3 to 64 kB of zeros in the middle; of a small file, at most a quarter."""
    length = min(int(3000 * 21 ** chance.random()), len(data) // 4)
    start = chance.randint(min(2000, len(data) // 4), len(data) - length - 100)
    return data[:start] + bytes(length) + data[start + length :]


def lost_blocks(data: bytes, chance: random.Random) -> bytes:
    """With a hole of whole blocks of 4 kB, as a card or a disk loses them."""
    blocks = len(data) // 4096
    length = chance.randint(1, max(1, min(16, blocks // 4)))
    start = 4096 * chance.randint(1, max(1, blocks - length))
    lost = data[start : start + 4096 * length]
    return data[:start] + bytes(len(lost)) + data[start + len(lost) :]


WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": cut,
    "zeros at the end": zeroed_end,
    "hole": hole,
    "lost blocks": lost_blocks,
}


class Hashed(NamedTuple):
    """What is compared of an outcome: the hash of a picture, or of every frame; and notices."""

    hashes: tuple[str, ...]
    reported: bool


def hashed(data: bytes, *, moving: bool = False) -> Hashed:
    """Hash a file as ``hashkit hash`` does. An error is reported."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: HashedFile = hash_file(
                io.BytesIO(data), "vpdq" if moving else "pdq", sample="all"
            )
    except HashkitError:
        return Hashed((), True)
    reported = any(notice.code in REPORTED for notice in found.notices)
    if moving:
        return Hashed(tuple(each.value for each in found.frames.hashes), reported)
    return Hashed((found["pdq"].value,), reported)


def matches(found: Hashed, whole: Hashed) -> bool:
    """Whether most frames of each have a match in the other."""

    def part(ones: tuple[str, ...], others: tuple[str, ...]) -> float:
        near = sum(any(pdq.distance(one, other) <= MATCH for other in set(others)) for one in ones)
        return near / max(1, len(ones))

    ones, others = found.hashes, whole.hashes
    return min(part(ones, others), part(others, ones)) >= MOST_FRAMES


def outcomes(name: str, way: str, files: int, copies: int) -> Iterator[str]:
    """``reported``, ``same`` or ``silent`` for every copy of every file of a format."""
    chance = random.Random(f"{name} {way}")
    for number in range(files):
        data = made(name, number)
        moving = is_video(name)
        whole = hashed(data, moving=moving)
        if whole.reported:
            raise ValueError(f"{name} {number} is whole, and something is reported")
        for _ in range(copies):
            found = hashed(WAYS[way](data, chance), moving=moving)
            yield "reported" if found.reported else "same" if matches(found, whole) else "silent"


def is_video(name: str) -> bool:
    """Whether the frames of this format are hashed."""
    return [*MAKERS].index(name) >= [*MAKERS].index("MP4")


def row(name: str, files: int, copies: int) -> str:
    """A row of the table: reported / same / silent, in per cent of the copies of each way."""
    cells = []
    for way in WAYS:
        count = Counter(outcomes(name, way, files, copies))
        shares = [100 * count[each] / count.total() for each in ("reported", "same", "silent")]
        cells.append(" / ".join(f"{share:.0f}" for share in shares))
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print a table of reported / same / silent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=[*MAKERS])
    parser.add_argument("--files", type=int, default=12)
    parser.add_argument("--copies", type=int, default=8)
    arguments = parser.parse_args()
    print(f"| reported / same / silent, % | {' | '.join(WAYS)} |\n|---|---|---|---|---|")
    for name in arguments.formats:
        films = is_video(name)
        files, copies = (2, 12) if films else (arguments.files, arguments.copies)
        print(row(name, files, copies), flush=True)


if __name__ == "__main__":
    main()
