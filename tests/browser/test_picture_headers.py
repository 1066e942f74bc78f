"""What the engine for browsers reads of a picture file before it is decoded equals what Python
reads: orientation, size, what is beside the picture, and the properties of AVIF."""

from __future__ import annotations

import io
import random
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from hashkit.errors import HashkitError
from hashkit.media import clean_aperture, contents, formats, images
from hashkit.media.metadata import without_metadata
from hashkit.media.opening import open_header

sys.path.insert(0, str(Path(__file__).parent))

from in_node import as_bytes, call

pytestmark = pytest.mark.filterwarnings("ignore")

OPENED = ("jpeg", "png", "gif", "bmp", "webp", "avif", "heif")


def noise(width, height, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encoded(picture, encoder, **options):
    stream = io.BytesIO()
    picture.save(stream, encoder, **options)
    return stream.getvalue()


def chunk(name, content):
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def with_exif(kind, block, chance):
    """A small picture with this EXIF, put in by hand: encoders would correct it."""
    small = noise(9, 7)
    if kind == "jpeg":
        whole = encoded(small, "JPEG")
        cut = chance.randrange(len(block) + 1) if chance.random() < 0.2 else len(block)
        for part in (block[cut:], block[:cut])[cut == len(block) :]:
            segment = b"Exif\0\0" + part
            whole = (
                whole[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]
            )
        return whole
    if kind == "png":
        whole, at = encoded(small, "PNG"), chance.choice([33, -12])
        name, content = chance.choice([(b"eXIf", block), (b"tEXt", b"exif\0" + block)])
        return whole[:at] + chunk(name, content) + whole[at:]
    whole = encoded(small, "WEBP", exif=b"Exif\0\0" + bytes(4))
    at = whole.index(b"EXIF")
    padded = block + bytes(len(block) % 2)
    body = whole[8:at] + b"EXIF" + struct.pack("<I", len(block)) + padded
    return b"RIFF" + struct.pack("<I", len(body)) + body


TYPES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 0, 14, 999)


def exif_block(chance):
    """EXIF with everything that may be wrong with it."""
    order = chance.choice("<>")
    mark = {"<": b"II", ">": b"MM"}[order]
    head = mark + chance.choice(
        [struct.pack(f"{order}H", 42)] * 6 + [b"*\0", b"\0*", b"+\0", b"\0+"]
    )
    entries = []
    for _ in range(chance.randint(0, 4)):
        tag = chance.choice([0x0112, 0x0112, 0x0112, 0x010F, 0x8769])
        kind = chance.choice([3, 3, 3, 3, *TYPES])
        count = chance.choice([1, 1, 1, 1, 0, 2, 3, 5, 40, 1 << 31])
        number = chance.choice([*range(10), 65536 + 6, 6 << 16, 6 << 24])
        value = chance.choice(
            [
                struct.pack(f"{order}HH", number & 65535, number >> 16),
                struct.pack(f"{order}I", number),
                struct.pack(f"{order}f", number),
                bytes([number & 255]) * 4,
                struct.pack(f"{order}I", 70),
                struct.pack(f"{order}I", chance.randrange(120)),
            ]
        )
        entries.append(struct.pack(f"{order}HHI", tag, kind, count) + value)
    declared = len(entries) + chance.choice([0, 0, 0, 1, 3, -1, 9999])
    values = b"".join(
        [
            struct.pack(f"{order}II", 6, 1),
            struct.pack(f"{order}ii", -6, -1),
            struct.pack(f"{order}d", 3),
            struct.pack(f"{order}HH", 8, 8),
            struct.pack(f"{order}II", 12, 2),
            struct.pack(f"{order}II", 5, 0),
        ]
    )
    start = chance.choice([8, 8, 8, 8, 10, 4, 10**6])
    block = head + struct.pack(f"{order}I", start) + bytes(max(0, start - 8) % 99)
    block += (
        struct.pack(f"{order}H", max(0, declared) & 65535) + b"".join(entries) + bytes(4) + values
    )
    block = b"Exif\0\0" * chance.choice([0, 0, 0, 1, 2]) + block
    return block[: chance.randrange(len(block) + 1)] if chance.random() < 0.2 else block


def orientation_in_python(data, kind):
    for each in (data, without_metadata(data, kind)):
        try:
            picture = open_header(each, kind)
            picture.load()
            return images._orientation(picture)
        except Exception:
            continue
    raise AssertionError("not opened")


def test_orientation_of_exif_as_python_reads_it():
    chance = random.Random(3)
    cases = []
    for _ in range(1500):
        kind = chance.choice(["jpeg", "png", "webp"])
        cases.append((kind, with_exif(kind, exif_block(chance), chance)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [orientation_in_python(data, kind) for kind, data in cases]
    found = call(
        "orientation.js", "orientationOf", [(kind, as_bytes(data)) for kind, data in cases]
    )
    differing = [
        (kind, mine, theirs, data[:200])
        for (kind, data), mine, theirs in zip(cases, expected, found, strict=True)
        if mine != theirs
    ]
    assert not differing, (len(differing), differing[:5])
    assert set(expected) == set(range(1, 9))


def test_exif_at_its_limits():
    """Values that are as long as the block, one byte longer, or end with it."""
    cases = []
    for order in "<>":
        for count in (5, 38, 39, 40, 41, 42):
            for at in (0, 2, 34, 35, 36, 40):
                mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
                entries = [struct.pack(f"{order}HHII", 0x0112, 6, count, at)]
                entries.append(struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 6, 0))
                block = mark + struct.pack(f"{order}IH", 8, 2) + b"".join(entries)
                cases.append(chunk(b"eXIf", (block + b"\3" * 9)[:40]))
    whole = encoded(noise(9, 7), "PNG")
    files = [whole[:33] + each + whole[33:] for each in cases]
    expected = [orientation_in_python(data, "png") for data in files]
    found = call("orientation.js", "orientationOf", [("png", as_bytes(data)) for data in files])
    assert found == expected
    assert {1, 3, 6} <= set(expected)


@pytest.fixture(scope="module")
def samples(root):
    found = []
    for path in sorted((root / "samples_synthetic").iterdir()):
        data = path.read_bytes()
        try:
            kind = formats.identify(data[:4096]).format
        except HashkitError:
            continue
        if kind in OPENED:
            found.append((path.name, kind, data))
    assert len(found) > 35
    return found


def generated():
    """Pictures in many kinds of files, by name and format."""
    one, other = noise(61, 33, 1), noise(61, 33, 2)
    later = {"save_all": True, "append_images": [other, one]}
    found = {
        "gif": encoded(one, "GIF"),
        "gif moves": encoded(one, "GIF", **later),
        "gif 89": encoded(one.quantize(9), "GIF", transparency=3),
        "png moves": encoded(one, "PNG", **later),
        "png hidden": encoded(one, "PNG", default_image=True, **later),
        "png hidden one": encoded(
            one, "PNG", default_image=True, save_all=True, append_images=[other]
        ),
        "webp lossless": encoded(one, "WEBP", lossless=True),
        "webp moves": encoded(one, "WEBP", **later),
        "webp exif": encoded(one, "WEBP", exif=b"Exif\0\0MM\0*" + bytes(8)),
        "avif moves": encoded(one, "AVIF", **later),
        "mpo": encoded(one, "MPO", **later),
    }
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        found[f"bmp {mode}"] = encoded(one.convert(mode), "BMP")
    for name, brand in (("motion", b"isom"), ("no video", b"abcd")):
        video = struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand)
        found[name] = encoded(one, "JPEG") + video
        found[f"{name} heif"] = heif(one) + video
    for count in (1, 2, 3):
        found[f"heif {count}"] = heif(*[one] * count)
    found["heif thumbnail"] = heif(noise(300, 300), thumbnails=[64])
    found["heif alpha"] = heif(one.convert("RGBA"))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        found[f"heif {orientation}"] = heif(one, exif=exif.tobytes())
        found[f"avif {orientation}"] = encoded(one, "AVIF", exif=exif.tobytes())
    jpeg = found["motion"]
    for name in ("hdrgainmap", "http://ns.adobe.com/hdr-gain-map", "urn:iso:std:iso:ts:21496:-1"):
        found[f"mpo {name}"] = found["mpo"] + name.encode()
    at = found["mpo"].index(b"MPF\0")
    for _ in range(60):
        changed = bytearray(found["mpo"])
        for _ in range(3):
            changed[at + 4 + random.Random(len(found)).randrange(80)] ^= 1 << len(found) % 8
        found[f"mpo {len(found)}"] = bytes(changed)
    assert jpeg
    return [(name, formats.identify(data[:4096]).format, data) for name, data in found.items()]


def heif(*pictures, thumbnails=None, **options):
    container = pillow_heif.HeifFile()
    for picture in pictures:
        added = container.add_from_pillow(picture)
        if thumbnails:
            added.info["thumbnails"] = thumbnails
    stream = io.BytesIO()
    container.save(stream, quality=50, **options)
    return stream.getvalue()


def test_size_and_what_is_beside_as_python_reads_them(samples):
    cases, sizes, beside = [], [], []
    for name, kind, data in [*samples, *generated()]:
        try:
            header = open_header(data, kind)
            notice = contents.beside(header, kind, data)
        except Exception:
            continue
        cases.append((name, kind, data))
        sizes.append([*header.size])
        beside.append(None if notice is None else notice.code)
    arguments = [(kind, as_bytes(data)) for _, kind, data in cases]
    found_sizes = call("picture_headers.js", "sizeOf", arguments)
    found_beside = call("picture_headers.js", "besideOf", arguments)
    names = [name for name, _, _ in cases]
    expected = dict(zip(names, zip(sizes, beside, strict=True), strict=True))
    found = dict(zip(names, zip(found_sizes, found_beside, strict=True), strict=True))
    differing = {
        name: (expected[name], found[name]) for name in names if expected[name] != found[name]
    }
    assert not differing
    assert {"animated", "several_images", "embedded_video", None} == set(beside)
    assert beside.count("several_images") > 20


def test_turn_of_avif_for_every_rotation_and_mirror():
    """As Pillow has it of libavif."""
    cases = []
    for stored in (2, 8, 5):  # with a mirror, a rotation, and both
        exif = Image.Exif()
        exif[0x0112] = stored
        base = encoded(noise(24, 18), "AVIF", exif=exif.tobytes())
        for angle in range(4):
            for axis in range(2):
                changed = bytearray(base)
                for name, value in ((b"irot", angle), (b"imir", axis)):
                    if name in base:
                        changed[base.index(name) + 4] = value
                cases.append(bytes(changed))
    expected = [images._orientation(open_header(data, "avif")) for data in cases]
    assert set(expected) == {1, 2, 3, 4, 5, 6, 7, 8}
    found = call("orientation.js", "orientationOf", [("avif", as_bytes(data)) for data in cases])
    assert found == expected


def with_aperture(numbers, coding):
    """The boxes of an AVIF with this clean aperture, and nothing else."""

    def box(name, content):
        return struct.pack(">I", 8 + len(content)) + name + content

    def full(name, content, version=0, flags=0):
        return box(name, bytes([version]) + flags.to_bytes(3, "big") + content)

    kinds = box(b"clap", struct.pack(">8i", *numbers)) + box(b"av1C", bytes([129, 0, coding, 0]))
    links = full(b"ipma", struct.pack(">IHB", 1, 7, 2) + b"\x81\x02")
    meta = full(b"meta", full(b"pitm", b"\0\7") + box(b"iprp", box(b"ipco", kinds) + links))
    return box(b"ftyp", b"avif\0\0\0\0avif") + meta


def test_clean_aperture_as_python_cuts_it():
    chance = random.Random(8)
    cases = []
    for _ in range(2000):
        width, height = chance.randrange(1, 40), chance.randrange(1, 40)
        denominators = [chance.choice([1, 1, 1, 2, 3, 0, -1]) for _ in range(4)]
        numerators = [
            chance.randrange(-1, width + 2) * max(1, denominators[0]),
            chance.randrange(-1, height + 2) * max(1, denominators[1]),
            chance.choice([0, 0, 1, -1, 2, -3, 2**31 - 1]),
            chance.choice([0, 0, 1, -1, 4, -2]),
        ]
        numbers = [each for pair in zip(numerators, denominators, strict=True) for each in pair]
        data = with_aperture(numbers, chance.choice([0, 4, 8, 12, 16, 28]))
        cases.append((data, width, height))
    expected = []
    for data, width, height in cases:
        rows, columns = clean_aperture.crop_of(data, width, height) or (
            slice(0, height),
            slice(0, width),
        )
        expected.append(
            [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start]
        )
    found = call("items.js", "cleanAperture", [(as_bytes(data), *size) for data, *size in cases])
    assert found == expected
    whole = [[0, 0, width, height] for _, width, height in cases]
    assert sum(one != other for one, other in zip(expected, whole, strict=True)) > 30


def test_kinds_that_are_not_opened_have_pythons_sentence():
    small = encoded(noise(20, 20), "JPEG")
    frame = small.index(b"\xff\xc0")
    cases = [
        ("jpeg", small[: frame + 4] + bytes([bits]) + small[frame + 5 :]) for bits in (2, 12, 16)
    ]
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7):
        cases.append(("jpeg", small[: frame + 1] + bytes([marker]) + small[frame + 2 :]))
    flat = encoded(noise(20, 20), "BMP")
    for at, value in ((28, 2), (30, 4), (30, 5)):
        cases.append(("bmp", flat[:at] + bytes([value]) + flat[at + 1 :]))
    expected = []
    for kind, data in cases:
        with pytest.raises(HashkitError) as raised:
            images.decode(data, kind)
        expected.append((raised.value.code, raised.value.text))
    found = call("refusals.js", "refuseRare", [(kind, as_bytes(data)) for kind, data in cases])
    assert [(each["error"]["code"], each["error"]["text"]) for each in found] == expected


def test_the_icon_that_is_taken():
    chance = random.Random(2)
    small = encoded(noise(8, 8), "PNG")
    cases, expected = [], []
    for _ in range(300):
        count = chance.randint(1, 6)
        entries, pictures = b"", b""
        for _ in range(count):
            width, height = chance.choice([16, 32, 32]), chance.choice([0, 32, 32])
            colours, depth = chance.choice([0, 2, 16]), chance.choice([0, 1, 8, 32])
            at = 6 + 16 * count + len(pictures)
            entries += struct.pack("<BBBBHHII", width, height, colours, 0, 1, depth, len(small), at)
            pictures += small
        data = b"\0\0\1\0" + struct.pack("<H", count) + entries + pictures
        cases.append(data)
        expected.append(open_header(data, "ico").ico.entry[0].offset)
    found = call("picture_headers.js", "largestIcon", [(as_bytes(data), 10**6) for data in cases])
    assert [each["at"] for each in found] == expected
