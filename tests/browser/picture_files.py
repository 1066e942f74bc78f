"""Pictures that are drawn for the tests of the engine in browsers."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFilter

PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)),
    (0, 1, 1, 2),
)


def encoded(picture, encoder, **options):
    stream = io.BytesIO()
    picture.save(stream, encoder, **options)
    return stream.getvalue()


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def scene(seed, width=150, height=101):
    """Large and small shapes, in colours."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 11, 3), dtype=np.uint8))
    pixels = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    pixels += rng.integers(-30, 31, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def with_hole(picture):
    """With a soft transparent disc in the middle, and colours under it."""
    alpha = Image.new("L", picture.size, 255)
    width, height = picture.size
    ImageDraw.Draw(alpha).ellipse(
        (width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill=0
    )
    found = picture.convert("RGBA")
    found.putalpha(alpha.filter(ImageFilter.GaussianBlur(4)))
    return found


def other_profile():
    """A colour profile in which red and green have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    places = {}
    for entry in range(count):
        name, at, _ = struct.unpack_from(">4sII", profile, 132 + 12 * entry)
        places[name] = at
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red : red + 20], profile[green : green + 20] = (
        profile[green : green + 20],
        profile[red : red + 20],
    )
    return bytes(profile)


def chunk(name, content):
    """Of a PNG."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def any_png(chance, width, height, colours, depth, interlaced):
    """A PNG of random numbers: any bytes are a valid row, behind any filter."""
    rows = []
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, count = -(-(width - left) // across), -(-(height - top) // down)
        length = (columns * PNG_CHANNELS[colours] * depth + 7) // 8
        if columns > 0:
            for _ in range(max(0, count)):
                same = bytes([chance.choice([0, 1, 255])]) * length
                row = same if chance.random() < 0.2 else chance.randbytes(length)
                rows.append(bytes([chance.randrange(5)]) + row)
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced)
    parts = [chunk(b"IHDR", header)]
    if colours == 3:
        parts.append(chunk(b"PLTE", chance.randbytes(3 << depth)))
    if colours < 4 and chance.random() < 0.5:
        parts.append(chunk(b"tRNS", _transparency(chance, colours, depth)))
    if chance.random() < 0.3:
        turned = struct.pack(">HHIHH", 0x0112, 3, 1, chance.randint(0, 9), 0)
        parts.append(chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1" + turned))
    packed = zlib.compress(b"".join(rows), chance.choice([0, 1, 9]))
    cuts = [0, *sorted(chance.randrange(len(packed) + 1) for _ in range(3)), len(packed)]
    parts += [chunk(b"IDAT", packed[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def _transparency(chance, colours, depth):
    if colours == 3:
        one = b"\xff" * chance.randrange(1 << depth) + b"\0"
        return one if chance.random() < 0.3 else chance.randbytes(chance.randint(1, 1 << depth))
    # The numbers that whole rows are made of, in every channel; and what has one of them as its
    # lower byte, which Python takes for the same.
    often = [0, 1, 255, 0x0101, 0x0301, 0xFFFF, 0x00FF]
    same = chance.choice(often) % (1 << depth)
    values = [same] * PNG_CHANNELS[colours]
    if chance.random() < 0.3:
        values = [chance.randrange(1 << depth) for _ in values]
    return struct.pack(f">{len(values)}H", *values)


def bitmap(bits, coding, masks=(), header=40, width=37, height=-23, seed=0):
    """A BMP of random numbers, with the header of this length."""
    rng = np.random.default_rng(seed)
    row = (width * bits + 31) // 32 * 4
    pixels = rng.integers(0, 256, row * abs(height), dtype=np.uint8).tobytes()
    palette = rng.integers(0, 256, 4 << bits, dtype=np.uint8).tobytes() if bits <= 8 else b""
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, abs(height), 1, bits)
        palette = b"".join(palette[at : at + 3] for at in range(0, len(palette), 4))
    else:
        numbers = (header, width, height, 1, bits, coding, len(pixels), 0, 0, 0, 0)
        head = struct.pack("<IiiHHIIiiII", *numbers)
        # Masks are part of the longer headers, and behind the short one.
        head = (head + struct.pack(f"<{len(masks)}I", *masks)).ljust(header, b"\0")
    offset = 14 + len(head) + len(palette)
    return (
        b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + head + palette + pixels
    )
