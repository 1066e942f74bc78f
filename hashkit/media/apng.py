"""APNG whose first picture is no frame of the animation (PNG, third edition, 4.3).

Players that know APNG never show it. Pillow takes it for frame 0 and composes the others on it. So
it is replaced by an empty one: transparent, or white where there is no transparency.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_HEADERS = (b"IHDR", b"PLTE", b"tRNS")
_PALETTE, _WITH_ALPHA = 3, (4, 6)
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)),
    (0, 1, 1, 2),
)
"""Of Adam7 (8.1): the first column and row, and the steps between columns and rows."""

Chunk = tuple[bytes, int, int]


def has_hidden_picture(data: bytes) -> bool:
    """Whether pixels come before the first frame of an animation."""
    moves = False
    for name, _, _ in _chunks(data):
        if name == b"acTL":
            moves = True
        elif name in (b"fcTL", b"IDAT"):
            return moves and name == b"IDAT"
    return False


def with_empty_picture(data: bytes) -> bytes:
    """The file with an empty picture in the place of the hidden one. To be called once the size in
    the header has been checked: it takes memory for a thousandth of the pixels."""
    chunks = list(_chunks(data))
    contents = {name: data[begin:end] for name, begin, end in reversed(chunks) if name in _HEADERS}
    fill, palette = _fill(contents)
    kept, is_replaced = [data[:8]], False
    for name, begin, end in chunks:
        if name == b"PLTE":
            kept.append(_chunk(name, palette))
        elif name != b"IDAT":
            kept.append(data[begin - 8 : end + 4])
        elif not is_replaced:
            kept.append(_chunk(name, _empty_pixels(contents[b"IHDR"], fill)))
            is_replaced = True
    return b"".join(kept)


def _chunks(data: bytes) -> Iterator[Chunk]:
    """The name of each chunk, and where its content begins and ends."""
    place = 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], place + 8, end
        place = end + 4


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return len(content).to_bytes(4, "big") + name + content + checksum.to_bytes(4, "big")


def _fill(contents: dict[bytes, bytes]) -> tuple[int, bytes]:
    """The byte that an empty row consists of, and a palette that has this colour."""
    header, palette = contents[b"IHDR"], contents.get(b"PLTE", b"")
    depth, colours = header[8], header[9]
    if colours in _WITH_ALPHA:
        return 0, palette
    if colours != _PALETTE:
        return 255, palette
    transparency = contents.get(b"tRNS", b"")
    count = len(palette) // 3
    if 0 in transparency:
        index = transparency.index(0)
    elif count < 1 << depth:
        index, palette = count, palette + b"\xff\xff\xff"
    else:  # the lightest of a full palette
        index = max(range(count), key=lambda each: sum(palette[3 * each : 3 * each + 3]))
    return sum(index << at for at in range(0, 8, depth)), palette


def _empty_pixels(header: bytes, fill: int) -> bytes:
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    bits = header[8] * _CHANNELS[header[9]]
    passes = _PASSES if header[12] else ((0, 0, 1, 1),)
    packer = zlib.compressobj(1)
    packed = []
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0:
            row = b"\0" + bytes([fill]) * ((columns * bits + 7) // 8)
            packed += [packer.compress(row) for _ in range(rows)]
    return b"".join((*packed, packer.flush()))
