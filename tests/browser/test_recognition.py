"""The engine for browsers says of the first bytes of a file what Python says of them."""

from __future__ import annotations

import random
import re
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from hashkit.errors import HashkitError
from hashkit.media import formats, recognition

sys.path.insert(0, str(Path(__file__).parent))

from in_node import as_bytes, call

HEAD = 4096


@pytest.fixture(scope="module")
def heads(root):
    """The first bytes of many kinds of files."""
    found = [*(root / "samples_synthetic").iterdir(), *(root / "tests" / "cases").iterdir()]
    media = [path.read_bytes()[:HEAD] for path in sorted(found)]
    installed = Path(sysconfig.get_path("purelib")).rglob("*")
    files = sorted(path for path in installed if path.is_file() and path.stat().st_size)
    others = random.Random(4).sample(files, 200)
    return media, [path.read_bytes()[:HEAD] for path in others]


ICONS = [
    *((1, 9, 22, 0), (256, 9, 4102, 0), (257, 9, 9999, 0), (0, 9, 22, 0), (1, 0, 22, 0)),
    *((1, 9, 21, 0), (2, 9, 38, 0), (2, 9, 37, 0), (1, 9, 22, 1)),
]
"""How many icons a file says that it has, and of the first its size, its place, and a free byte."""


def icons():
    for count, size, offset, free in ICONS:
        entry = b"\1\1\1" + bytes([free]) + bytes(4)
        entry += size.to_bytes(4, "little") + offset.to_bytes(4, "little")
        head = b"\0\0\1\0" + count.to_bytes(2, "little") + entry
        yield from (head, head[:-1], head + bytes(30))


def generic_heifs():
    for main in sorted(formats._GENERIC):
        for coded in ("avci", "jpeg", "j2is"):
            for ours in ("heic", "avif", "mif2", "XXXX"):
                yield b"\0\0\0\x18ftyp" + f"{main}\0\0\0\0{coded}{ours}".encode()


def beginnings(chance):
    """Heads made from the tables: every fixed signature, and boxes with every brand."""
    brands = sorted(formats._HEIF | formats._AVIF | formats._AUDIO)
    brands += ["crx ", "isom", "mp42", "qt  ", "avci", "avcs", "jpeg", "jpgs", "evbi", "vvic"]
    brands += ["j2ki", "miaf", "XXXX"]
    for main in brands:
        for others in ([], *([each] for each in brands), chance.sample(brands, 3)):
            names = "".join([main, "\0\0\0\0", *others]).encode()
            size = chance.choice([8 + len(names), 16, 0, 20, 999])
            yield size.to_bytes(4, "big") + b"ftyp" + names + bytes(chance.randrange(8))
    for name in (*formats._OLD_QUICKTIME, *formats._PADDING):
        yield from (first + b"\0\0\x20" + name + b"\0\0" for first in (b"\0", b"\1", b" "))
    for size in range(256):
        yield b"BM" + bytes(12) + size.to_bytes(4, "little") + bytes(4)
    for archive in formats._ARCHIVES:
        yield from (archive, archive + bytes(8), archive[:-1])
    for document in (*formats._DOCUMENTS, b"photo.jpg", b"_rel"):
        for length in (len(document), 0, 3, 65_535):
            yield b"PK\3\4" + bytes(22) + length.to_bytes(2, "little") + bytes(2) + document
    for first, length in ((0, 188), (4, 192), (0, 204), (1, 188)):
        for packets in (4, 5, 6):
            yield bytes(first) + (b"\x47" + bytes(length - 1)) * packets
    yield from (bytes(257) + b"ustar" + end for end in (b"", b"\0"))
    yield from (b"OggS" + bytes(at) + b"theora" for at in (0, 500, 502, 503, 900))
    for each in formats.FORMATS.values():
        if isinstance(each.signature, re.Pattern):
            for part in each.signature.pattern.split(b"|"):
                plain = re.sub(rb"\\(.)", lambda one: one[1].replace(b"0", b"\0"), part, flags=re.S)
                yield from (plain, plain + b"x" * 20, plain[:-1], b"x" + plain)


def mutants(heads, chance):
    """Each head cut short, with bytes changed, and with another one's bytes in it."""
    for head in heads:
        for _ in range(12):
            broken = bytearray(head[: chance.choice([HEAD, 64, chance.randrange(len(head) + 1)])])
            for _ in range(chance.randrange(4) if broken else 0):
                broken[chance.randrange(min(len(broken), 48))] = chance.choice([0, 1, 255, 65, 71])
            if chance.random() < 0.3:
                other = chance.choice(heads)[: chance.randrange(1, 40)]
                at = chance.choice([0, 0, 4, 8])
                broken[at : at + len(other)] = other
            yield bytes(broken)


@pytest.fixture(scope="module")
def all_heads(heads):
    """All of these: some thousands."""
    chance = random.Random(5)
    media, others = heads
    made = [*beginnings(chance), *generic_heifs(), *icons()]
    return [b"", *media, *others, *made, *mutants(media + made[::9], chance)]


def python_says(head):
    try:
        kind, name = formats.identify(head)
    except HashkitError as error:
        return {"error": {"code": error.code, "text": str(error), "advice": error.advice}}
    return {"kind": kind.value, "format": name}


def test_every_head_is_recognised_alike(all_heads):
    expected = [python_says(head) for head in all_heads]
    found = call("recognition.js", "identify", [(as_bytes(head),) for head in all_heads])
    wrong = [
        (head[:48], python, engine)
        for head, python, engine in zip(all_heads, expected, found, strict=True)
        if python != engine
    ]
    assert wrong == []
    # The heads are worth comparing: each format is among them, and each error.
    shown = Counter(each.get("format", each.get("error", {}).get("text")) for each in expected)
    never = {"dv", "m4v", "h264", "hevc", "obu", "mjpeg"}
    for each in formats.FORMATS.values():
        name = each.name if each.decoder else str(formats.unsupported(each.shown))
        assert shown[name] or each.name in never, name
    assert shown["This is not a picture or a video."] > 100
    assert len(all_heads) > 3000


def test_what_is_plainly_other(all_heads):
    chance = random.Random(6)
    parts = [part.replace(b"\\", b"") for part in recognition._OTHERS.pattern.split(b"|")]
    texts = [part + bytes([chance.randrange(256)]) for part in parts]
    texts += [bytes(chance.choices(range(32, 127), k=9)) + bytes([each]) for each in range(256)]
    heads = all_heads + texts
    expected = [recognition.is_plainly_other(head) for head in heads]
    assert (
        call("recognition.js", "isPlainlyOther", [(as_bytes(each),) for each in heads]) == expected
    )
    assert min(Counter(expected).values()) > 100


def test_functions_of_pythons_table_have_a_counterpart(root):
    text = (root / "hashkit" / "browser" / "recognition.js").read_text("utf-8")
    table = text.partition("SIGNATURES = {")[2].partition("\n};")[0]
    names = re.findall(r'^  "?([a-z0-9-]+)"?:', table, re.MULTILINE)
    functions = [
        each.name for each in formats.FORMATS.values() if not isinstance(each.signature, re.Pattern)
    ]
    assert sorted(names) == sorted(functions)


# Motion JPEG, and videos in pictures


@pytest.fixture(scope="module")
def jpegs(root):
    """JPEGs, and streams of them, whole and broken."""
    cases, samples = root / "tests" / "cases", root / "samples_synthetic"
    paths = [*cases.glob("*.jpg"), cases / "stream.mjpeg", *samples.glob("*.jpg")]
    files = [path.read_bytes() for path in sorted(paths)]
    small = (samples / "jpeg-grey.jpg").read_bytes()
    base = (cases / "base.jpg").read_bytes()
    stream = (cases / "stream.mjpeg").read_bytes()
    files += [small * 3, small * 2, small * 4, small + base + small, small * 3 + b"MPF\0"]
    files += [small[:20] + b"\xff\xe1\0\6MPF\0" + small[20:], small + b"MPF\0" + small * 2]
    files += [(small[:-2] + b"\xff\0\xff\xd9") * 3, small[:-2] * 3, b"\xff\xd9\xff\xd8" * 3]
    files += [small + small + small[:-1], small + small + small[:-2], small + b"\xff" + small * 2]
    scan = small.index(b"\xff\xda")
    for marker in (b"\xc3", b"\xc4", b"\xc8", b"\xcc", b"\xcf"):  # some say a size
        parts = (b"\xff" + marker + b"\0\x0a" + bytes([each]) * 8 for each in (1, 2, 3))
        files.append(b"".join(small[:scan] + part + small[scan:] for part in parts))
    for marker in range(256):
        files.append((small[:-20] + b"\xff" + bytes([marker]) + small[-20:]) * 3)
    chance = random.Random(7)
    for _ in range(300):
        broken = bytearray(chance.choice([small * 3, stream]))
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(broken))] = chance.choice([0, 255, 0xD8, 0xD9, 0xDA, 3])
        files.append(bytes(broken[: chance.choice([len(broken), chance.randrange(len(broken))])]))
    return files


def test_motion_jpeg(jpegs):
    expected = [recognition.is_motion_jpeg(each) for each in jpegs]
    assert call("recognition.js", "isMotionJpeg", [(as_bytes(each),) for each in jpegs]) == expected
    assert min(Counter(expected).values()) > 20


def test_videos_in_pictures(jpegs):
    photo = jpegs[0]
    box = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
    files = [each + box for each in jpegs[:5]] + jpegs
    for size in (15, 16, 256, 257):
        for brand in (b"mp42", b"qt  ", b"heic", b"iso3"):
            files.append(photo + size.to_bytes(4, "big") + b"ftyp" + brand + box[4:] + bytes(9))
    files += [box + photo, bytes(27) + box, bytes(28) + box, bytes(28) + b"ftypftyp" + box]
    expected = [formats.find_video(each) for each in files]
    found = call("recognition.js", "findVideo", [(as_bytes(each),) for each in files])
    assert [None if each == -1 else each for each in found] == expected
    assert len({*expected}) > 5
