"""What the engine for browsers says of files that are not whole, beside what Python says.

The rule: never a hash without a notice where Python gives one. Browsers show what is left of a
picture and say nothing, so everything has to be seen in the bytes.
"""

from __future__ import annotations

import io
import random
import re
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from hashkit.errors import HashkitError
from hashkit.media import formats, images
from hashkit.media.completeness import jpeg
from hashkit.media.completeness.packets import has_gap
from hashkit.media.completeness.pictures import look_for_missing
from hashkit.media.opening import open_header
from hashkit.media.truncation import is_cut_short, look_at_parts
from hashkit.models import MediaKind

sys.path.insert(0, str(Path(__file__).parent))

from in_node import as_bytes, as_file, call

LOOKED_AT = {"jpeg", "png", "gif", "webp", "bmp", "ico", "heif", "avif"}
NOTICE_OF = {"unsure": "may_be_incomplete", "missing": "damaged", "truncated": "truncated"}
INCOMPLETE = {*NOTICE_OF.values()}


def kind_of(data):
    """The format of a picture that is looked at, or None."""
    try:
        kind, name = formats.identify(data[:4096])
    except HashkitError:
        return None
    return name if kind is MediaKind.IMAGE and name in LOOKED_AT else None


def encoded(picture, name, **options):
    target = io.BytesIO()
    picture.save(target, name, **options)
    return target.getvalue()


@pytest.fixture(scope="module")
def pictures(root):
    """All pictures of the samples and the cases that browsers may show."""
    paths = [*(root / "samples_synthetic").iterdir(), *(root / "tests" / "cases").iterdir()]
    files = [path.read_bytes() for path in sorted(paths)]
    return [data for data in files if kind_of(data)]


@pytest.fixture(scope="module")
def encodings(scene):
    """Pictures written in many ways: hard ones for a decoder of codes, and plain ones."""
    noise = np.random.default_rng(1).integers(0, 256, (61, 83, 3), np.uint8)
    drawn = [scene(1, 233, 187), scene(2, 64, 64).resize((17, 9)), Image.fromarray(noise)]
    drawn += [Image.new("RGB", (300, 200), "white"), Image.new("RGB", (8, 8)), scene(3, 160, 120)]
    found = []
    for picture in drawn:
        for mode in ("RGB", "L", "CMYK"):
            for quality, subsampling in ((5, 0), (85, 1), (85, 2), (100, 0)):
                for progressive in (False, True):
                    for restarts in ({}, {"restart_marker_blocks": 3}, {"restart_marker_rows": 1}):
                        options = {"quality": quality, "subsampling": subsampling, **restarts}
                        options |= {"progressive": progressive, "optimize": quality == 85}
                        found.append(encoded(picture.convert(mode), "JPEG", **options))
        found += [encoded(picture.convert(mode), "GIF") for mode in ("P", "L", "1")]
        found += [encoded(picture.convert(mode), "PNG") for mode in ("RGB", "RGBA", "P")]
        found += [encoded(picture.convert(mode), "BMP") for mode in ("RGB", "P", "1")]
        found += [encoded(picture, "WEBP", quality=quality) for quality in (0, 80)]
        found += [encoded(picture, "WEBP", lossless=True, quality=100), encoded(picture, "ICO")]
    return found


def looks_at(files):
    return call("completeness.js", "lookForMissing", [(kind_of(f), as_bytes(f)) for f in files])


def python_says(data):
    """The notice about what is missing, ``nothing``, or the code of the error."""
    try:
        picture = images.decode(data, kind_of(data))
    except HashkitError as error:
        return error.code
    found = [each.code for each in picture.notices if each.code in INCOMPLETE]
    return found[0] if found else "nothing"


def test_whole_pictures_are_whole(pictures, encodings):
    files = pictures + encodings
    for data, found in zip(files, looks_at(files), strict=True):
        expected = python_says(data)
        if expected in INCOMPLETE or expected == "nothing":
            assert NOTICE_OF.get(found, found) == expected, (kind_of(data), len(data))
    assert Counter(map(kind_of, files)).keys() == LOOKED_AT


def flip(data, chance):
    broken = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        broken[chance.randrange(len(data))] ^= chance.randint(1, 255)
    return bytes(broken)


def cut(data, chance):
    return data[: chance.randrange(1, len(data))]


def hole(data, chance):
    begin = chance.randrange(1, len(data) - 1)
    return data[:begin] + data[begin + chance.randint(1, max(1, len(data) // 4)) :]


def zeros(data, chance):
    begin = chance.randrange(1, len(data) - 1)
    length = min(chance.choice([64, 700, 5000, 1 << 30]), len(data) - begin)
    return data[:begin] + bytes(length) + data[begin + length :]


def splice(data, chance):
    begin, end = sorted(chance.randrange(len(data)) for _ in range(2))
    place = chance.randrange(len(data))
    return data[:place] + data[begin:end] + (data[place:] if chance.random() < 0.5 else b"")


WAYS = (flip, cut, hole, zeros, splice)


@pytest.fixture(scope="module")
def mutants(pictures, encodings):
    """Damaged copies, as in tests/test_mutations.py and docs/incomplete-files.md."""
    chance = random.Random(8)
    sources = pictures * 4 + encodings * 2
    found = [chance.choice(WAYS)(data, chance) for data in sources]
    return [data for data in found if kind_of(data)]


def test_no_hash_without_a_notice_where_python_gives_one(mutants):
    expected = list(map(python_says, mutants))
    found = looks_at(mutants)
    both = Counter()
    for data, python, engine in zip(mutants, expected, found, strict=True):
        both[kind_of(data), python, engine] += 1
        if python in INCOMPLETE:
            assert engine != "nothing", (kind_of(data), python, data[:64])
        if python != "nothing" and kind_of(data) == "gif":
            assert engine != "nothing", data[:64]
        if python == "may_be_incomplete":
            assert engine == "unsure"
        if python == "nothing" and engine != "nothing":
            # The codes of JPEG: Python's decoder passes over some that stand for nothing. Of WebP
            # and others, Python looks at what is left when broken metadata is taken out.
            assert kind_of(data) in ("jpeg", "webp", "png", "gif")
    noticed = sum(count for (_, python, _), count in both.items() if python in INCOMPLETE)
    silent = sum(count for (_, _, engine), count in both.items() if engine == "nothing")
    stricter = sum(c for (_, p, e), c in both.items() if p == "nothing" and e != "nothing")
    assert noticed > 500
    assert silent > 100
    assert stricter < 0.03 * len(mutants)


def test_cut_short_is_called_cut_short(pictures, encodings):
    chance = random.Random(9)
    sources = [each for each in pictures + encodings if kind_of(each) in ("jpeg", "gif", "png")]
    files = [data[: chance.randint(len(data) // 2, len(data) - 3)] for data in sources]
    expected = list(map(python_says, files))
    wrong = Counter()
    for data, python, engine in zip(files, expected, looks_at(files), strict=True):
        if python in INCOMPLETE:
            wrong[kind_of(data), python, NOTICE_OF.get(engine, engine)] += (
                python != NOTICE_OF[engine]
            )
    assert sum(wrong.values()) < 0.05 * len(files), +wrong
    assert not any(engine == "nothing" for _, _, engine in +wrong)


def look_of_python(data, header):
    return look_for_missing(header, kind_of(data), data).name.lower()


def test_looks_are_the_same(pictures, encodings):
    """The look alone, also where a decoder would have failed before."""
    chance = random.Random(10)
    files, expected = [], []
    for data in pictures * 8 + encodings:
        name = kind_of(data)
        if name in ("jpeg", "gif"):
            continue  # there, more is looked at
        header = SimpleNamespace(width=0, height=0)
        if name == "webp":
            header = open_header(data, name)
        begin = 64 if name == "webp" else 16
        if len(data) < begin + 3:
            continue
        rest = data[begin:]
        for end in (rest[: -chance.randint(1, 9)], chance.choice(WAYS)(rest, chance)):
            broken = data[:begin] + end
            if kind_of(broken) != name:
                continue
            files.append(broken)
            look = look_of_python(broken, header)
            whole = name == "png" and look == "missing" and python_says(broken) == "nothing"
            expected.append("nothing" if whole else look)  # without a text that the file ends in
    found = [each.replace("truncated", "missing") for each in looks_at(files)]
    for data, python, engine in zip(files, expected, found, strict=True):
        assert engine == python, (kind_of(data), data[:64])
    assert min(Counter(found)[each] for each in ("nothing", "missing")) > 30


def bitmap(chance):
    """A bitmap, or an icon of one, with zeros in places that decide."""
    bits = chance.choice([1, 8, 24, 32])
    width, height = chance.choice([64, 250, 512]), chance.choice([40, 100, 300])
    mode = {1: "1", 8: "P", 24: "RGB", 32: "RGBA"}[bits]
    pixels = np.random.default_rng(chance.randrange(99)).integers(1, 256, (height, width, 4))
    picture = Image.fromarray(pixels.astype(np.uint8)).convert(mode)
    data = bytearray(encoded(picture, "BMP" if chance.random() < 0.7 or bits == 1 else "DIB"))
    if data[:2] != b"BM":
        entry = b"\0\0\0\0\1\0\1\0" + len(data).to_bytes(4, "little") + b"\x16\0\0\0"
        data = bytearray(b"\0\0\1\0\1\0" + entry + data)
        data[30:34] = (2 * height).to_bytes(4, "little")
    stride = (width * bits + 31) // 32 * 4
    starts = [512 * chance.randrange(len(data) // 512 + 1), chance.randrange(len(data))]
    starts += [len(data) - 8192, len(data) - 8191]
    starts.append(len(data) - stride * chance.randrange(height) + chance.choice([0, 0, -1, 1, 5]))
    begin = max(80, min(chance.choice(starts) + chance.choice([0, -4, -5]), len(data)))
    length = chance.choice([4095, 4096, 8191, 8192, 1 << 20, 512 * chance.randrange(64)])
    end = min(len(data), begin + length)
    if chance.random() < 0.5:
        end = max(begin, end // 512 * 512)
    data[begin:end] = bytes(end - begin)
    if chance.random() < 0.5:  # black goes on, from a row before or two
        before = max(80, begin - stride * chance.choice([1, 2]))
        data[before : before + 40] = bytes(40)
    if chance.random() < 0.1:
        data[22:26] = (-height).to_bytes(4, "little", signed=True)
    return bytes(data)


def test_zeros_among_pixels():
    chance = random.Random(11)
    files = [each for each in (bitmap(chance) for _ in range(1200)) if kind_of(each)]
    expected = [look_of_python(data, None) for data in files]
    found = [each.replace("truncated", "missing") for each in looks_at(files)]
    assert found == expected
    assert Counter(expected)["unsure"] > 60
    assert Counter(map(kind_of, files))["ico"] > 50


@pytest.mark.parametrize("coding", [1, 2, 3])
def test_zeros_among_run_lengths(coding):
    files = []
    for zeros in (1024, 1025):
        pixels = b"\1" * 50 + bytes(zeros) + b"\1" * 50
        numbers = (40, 8, 8, 1 | 8 << 16, coding, len(pixels), 0, 0, 0, 0)
        header = b"".join(each.to_bytes(4, "little") for each in numbers)
        files.append(b"BM" + bytes(8) + (54).to_bytes(4, "little") + header + pixels)
    expected = [look_of_python(data, None) for data in files]
    assert looks_at(files) == expected == ["nothing", "nothing" if coding == 3 else "missing"]


def test_of_icons_of_one_size_the_first_is_looked_at(scene):
    whole = encoded(scene(6, 64, 64), "PNG")
    broken = whole.replace(b"IDAT", b"IDAT\1", 1)
    smaller = encoded(scene(6, 64, 64).resize((63, 63)), "PNG")
    files = []
    for icons in ((whole, broken), (broken, whole), (smaller, broken), (broken, smaller, whole)):
        place, entries = 6 + 16 * len(icons), b""
        for icon in icons:
            entries += bytes(4) + b"\1\0\x20\0" + len(icon).to_bytes(4, "little")
            entries += place.to_bytes(4, "little")
            place += len(icon)
        head = b"\0\0\1\0" + len(icons).to_bytes(2, "little")
        files.append(head + entries + b"".join(icons))
    expected = [look_of_python(data, None) for data in files]
    assert expected == ["nothing", "missing", "missing", "missing"]
    assert looks_at(files) == expected


def test_zeros_where_codes_of_webp_may_be(scene):
    """Just as many as a plain picture takes, and one more."""
    files, expected = [], []
    for side, options in [
        (128, {}),
        (320, {}),
        (128, {"lossless": True}),
        (64, {"lossless": True}),
    ]:
        data = encoded(scene(4, side, side), "WEBP", **options)
        header = open_header(data, "webp")
        for limit in (64, 64 + side**2 // 1024, 64 + side**2 // 256, 512, 512 + side**2 // 2):
            for length in (limit - 1, limit):
                broken = data[:64] + b"\1" + bytes(length) + data[65 + length :]
                files.append(broken[: len(data)] if len(broken) > len(data) else broken)
                expected.append(look_of_python(files[-1], header))
    assert looks_at(files) == expected
    assert Counter(expected).keys() >= {"nothing", "unsure", "missing"}


def test_zeros_where_codes_of_jpeg_may_be(scene):
    """The look at zeros is as strict as Python's: pictures whose plain areas are zeros."""
    files = []
    for size in ((64, 64), (512, 384), (1000, 700)):
        for colour in ("black", "white", "#808080"):
            for mode in ("L", "RGB"):
                for progressive in (False, True):
                    plain = Image.new(mode, size, colour)
                    options = {"optimize": True, "progressive": progressive}
                    files.append(encoded(plain, "JPEG", **options))
                    drawn = scene(5, *size).convert(mode).resize((size[0] // 4, size[1] // 4))
                    plain.paste(drawn, (0, 0))
                    files.append(encoded(plain, "JPEG", **options))
    assert set(map(python_says, files)) == {*looks_at(files)} == {"nothing"}
    chance = random.Random(12)
    broken = [zeros(data, chance) for data in files]
    for python, engine in zip(map(python_says, broken), looks_at(broken), strict=True):
        assert engine != "nothing" or python not in INCOMPLETE


def test_formats_without_a_look_are_refused(root):
    files = [("tiff.tiff", "tiff"), ("jpeg2000.jp2", "jpeg2000")]
    for name, form in files:
        data = (root / "samples_synthetic" / name).read_bytes()
        (found,) = call("completeness.js", "lookForMissing", [(form, as_bytes(data))])
        assert found["error"]["code"] == "unsupported_media"
        assert found["error"]["text"].endswith("picture, which cannot be opened here.")


def test_what_findings_are_called():
    found = call(
        "completeness.js", "noticeOfFinding", [(each,) for each in ("nothing", *NOTICE_OF)]
    )
    assert found == [None, *NOTICE_OF.values()]


# Videos


@pytest.fixture(scope="module")
def videos(root):
    """MP4, QuickTime, Matroska and WebM, with their formats."""
    cases, samples = root / "tests" / "cases", root / "samples_synthetic"
    names = ("*.mp4", "*.mov", "*.mkv", "*.webm")
    paths = [path for folder in (samples, cases) for name in names for path in folder.glob(name)]
    files = [path.read_bytes() for path in sorted(paths)]
    return [(formats.identify(data[:4096]).format, data) for data in files]


def unknown_sizes(data):
    """A WebM as recorders write it: segment and clusters do not say their length."""
    for name, width in ((b"\x18\x53\x80\x67", 8), (b"\x1f\x43\xb6\x75", None)):
        at = data.find(name)
        while at != -1:
            size = data[at + 4]
            length = width or 9 - size.bit_length()
            unknown = bytes([(1 << 9 - length) - 1]) + b"\xff" * (length - 1)
            if 9 - size.bit_length() == length:
                data = data[: at + 4] + unknown + data[at + 4 + length :]
            at = data.find(name, at + 4)
    return data


def damaged_videos(videos):
    chance = random.Random(13)
    for name, data in videos:
        sources = [data, unknown_sizes(data) if name == "matroska" else data[:-5] + bytes(60)]
        for whole in sources:
            yield name, whole
            yield from (
                (name, whole + end) for end in (bytes(4), bytes(7), bytes(300), b"more" * 9)
            )
            for _ in range(12):
                yield name, cut(whole, chance)
                yield name, zeros(whole, chance)
                yield name, flip(whole[:400], chance) + whole[400:]
                begin = chance.randrange(len(whole))
                yield name, whole[:begin] + bytes(len(whole) - begin)


def test_videos_are_cut_short_alike(videos):
    files = [*damaged_videos(videos)]
    large = b"\0\0\0\1mdat" + (1 << 40).to_bytes(8, "big") + bytes(99)
    files += [("mp4", videos[0][1] + large), ("mp4", large), ("mp4", b"\0\0\0\0mdat" + bytes(9))]
    expected = [is_cut_short(io.BytesIO(data), len(data), name) for name, data in files]
    arguments = [(as_file(data), name) for name, data in files]
    found = call("completeness_videos.js", "isCutShort", arguments)
    assert found == expected
    assert min(Counter(expected).values()) > 100
    assert {"mp4", "mov", "matroska"} <= {name for name, _ in files}


def test_containers_that_are_not_played_are_not_looked_at(root):
    data = (root / "samples_synthetic" / "film-mpeg4.avi").read_bytes()[:5000]
    assert call("completeness_videos.js", "isCutShort", [(as_file(data), "avi")]) == [False]


def packets(chance):
    codec = chance.choice(["h264", "hevc", "av1", "vp8", "vp9", "prores"])
    pixels = chance.choice([0, 256, 4096, 100_000])
    limit = 64 + (pixels // 256 if codec.startswith("vp") else 0)
    parts = []
    for _ in range(chance.randrange(1, 4)):
        parts.append(bytes(chance.choices(range(1, 256), k=chance.randrange(3))))
        parts.append(bytes(limit + chance.choice([-1, 0, 0, 1])))
        parts.append(chance.choice([b"", b"\1", b"\1\2", b"\2"]))
    return b"".join(parts), codec, pixels


def test_zeros_in_packets():
    chance = random.Random(14)
    given = [packets(chance) for _ in range(1500)]
    expected = [has_gap(*each) for each in given]
    arguments = [(as_bytes(data), codec, pixels) for data, codec, pixels in given]
    assert call("completeness_videos.js", "hasGap", arguments) == expected
    assert min(Counter(expected).values()) > 300


# Files whose parts are made here


def segment(marker, content):
    return bytes([0xFF, marker]) + (2 + len(content)).to_bytes(2, "big") + content


def scan_with_zeros(chance):
    """A JPEG of five components, whose codes nobody follows; as many zeros in its scan as there may
    be, and one more."""
    frame = jpeg._Frame()
    sizes = b"".join(chance.choice([1, 8, 333, 2500, 9000]).to_bytes(2, "big") for _ in "hw")
    parts = b"".join(bytes([each, chance.choice([0x11, 0x22, 0x21, 0x14]), 0]) for each in range(5))
    header = b"\x08" + sizes + b"\5" + parts
    frame.read(header)
    data = b"\xff\xd8" + segment(chance.choice([0xC0, 0xC1, 0xC2]), header)
    for name in (0, 1, 0x10, 0x11):
        if chance.random() < 0.8:
            counts = bytes([0] * chance.randrange(3) + [1, 1]).ljust(16, b"\0")
            table = bytes([name]) + counts + chance.choice([b"\0\1", b"\3\0", b"\xf0\0", b"\x10\1"])
            frame.read_tables(table)
            data += segment(0xC4, table)
    chosen = chance.sample(range(6), chance.randrange(1, 4))
    scan = bytes([len(chosen)]) + bytes(
        e for each in chosen for e in (each, chance.choice([0, 0x11]))
    )
    scan += chance.choice([b"\0\x3f\0", b"\0\0\0", b"\1\x3f\0", b"\0\0\x10", b"\0", b""])
    most = frame.max_zeros(scan)
    for zeros in (most, most + 1):
        yield data + segment(0xDA, scan) + b"\1" + bytes(zeros) + b"\1\xff\xd9"


def test_how_many_zeros_a_scan_may_have():
    chance = random.Random(17)
    files = [each for _ in range(150) for each in scan_with_zeros(chance)]
    files.append(b"\xff\xd8" + segment(0xDA, b"") + b"\1" + bytes(63) + b"\1\xff\xd9")
    files.append(b"\xff\xd8" + segment(0xDA, b"") + b"\1" + bytes(64) + b"\1\xff\xd9")
    files = [each for each in files if len(each) < 400_000]
    expected = [look_of_python(data, None) for data in files]
    assert looks_at(files) == expected
    assert len({len(each) // 50 for each in files}) > 30
    assert min(Counter(expected).values()) > 100


def test_scans_that_are_missing(scene):
    """Of a progressive JPEG, one after the other is taken out: what follows does not follow on."""
    whole = encoded(scene(7, 160, 120), "JPEG", progressive=True, optimize=True)
    markers = [each.start() for each in re.finditer(rb"\xff[\xc4\xda\xd9]", whole)]
    scans = [at for at in markers if whole[at + 1] == 0xDA]
    ends = [next(each for each in markers if each > at) for at in scans]
    files = [whole[:at] + whole[end:] for at, end in zip(scans, ends, strict=True)]
    expected = list(map(python_says, files))
    for python, engine in zip(expected, looks_at(files), strict=True):
        assert NOTICE_OF.get(engine, engine) == python
    assert {"damaged"} <= {*expected}


def test_a_file_with_an_end_is_not_cut_short(scene):
    """Something in the scan looks like a segment that reaches behind the file."""
    whole = encoded(scene(7, 160, 120), "JPEG", quality=95)
    place = len(whole) // 2
    broken = whole[:place] + b"\xff\xe5\xff\xff" + whole[place:]
    assert python_says(broken) == "damaged"
    assert looks_at([broken, broken[:-2]]) == ["missing", "truncated"]


def test_headers_that_do_not_fit(scene):
    """Stray bytes before each marker, and scans that say something else of themselves."""
    files = []
    for progressive in (False, True):
        whole = encoded(scene(7, 160, 120), "JPEG", progressive=progressive, comment=b"words")
        whole = whole[:2] + segment(0xE1, b"Exif\0\0") + segment(0xE9, b"x") + whole[2:]
        for found in re.finditer(rb"\xff[\xc0-\xcf\xd9-\xfe]", whole):
            at = found.start()
            files.append(whole[:at] + b"\0\1\2" + whole[at:])
            if found[0] == b"\xff\xda":
                last = at + 1 + int.from_bytes(whole[at + 2 : at + 4], "big")
                for place, values in ((last, (0x01, 0x10, 0x12, 0x20, 0x21)), (last - 1, (5, 62))):
                    files += [whole[:place] + bytes([e]) + whole[place + 1 :] for e in values]
            if found[0] == b"\xff\xc4" and whole[at + 4] >= 0x10:  # sizes of AC coefficients
                end = at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big")
                symbols = whole[at + 21 : end].replace(b"\1", b"\2").replace(b"\x11", b"\x12")
                files.append(whole[: at + 21] + symbols + whole[end:])
    files = [data for data in files if kind_of(data)]
    expected = list(map(python_says, files))
    for data, python, engine in zip(files, expected, looks_at(files), strict=True):
        # A few bytes behind a scan Python's decoder may have read already, and drops.
        behind_scan = b"\0\1\2\xff" in data[data.index(b"\xff\xda") :]
        if python == "nothing" and not behind_scan:
            assert engine == "nothing"
        elif python in INCOMPLETE:
            assert engine != "nothing", data
    assert min(Counter(expected)[each] for each in ("nothing", "damaged")) > 10


def test_zeros_between_blocks_of_a_gif(root):
    data = (root / "samples_synthetic" / "gif-animated.gif").read_bytes()
    assert data.endswith(b"\0;")
    files = [data[:-1] + bytes(zeros) + data[-1:] for zeros in (1, 2, 15, 16, 17, 40)]
    expected = [look_of_python(each, None) for each in files]
    assert looks_at(files) == expected
    assert {*expected} == {"nothing", "missing"}


def box(name, content, length=None):
    return (8 + len(content) if length is None else length).to_bytes(4, "big") + name + content


def items(chance):
    """A HEIC or AVIF of a few items, with tables of every kind, and zeros in some place."""
    version = chance.choice([0, 1, 2])
    offset, length, base, index = (chance.choice([0, 4, 8]) for _ in range(4))
    wide = 4 if version == 2 else 2
    infos, places = b"", b""
    for item in range(1, 4):
        kind = chance.choice([b"hvc1", b"av01", b"Exif", b"grid"])
        edition = chance.choice([2, 3])
        named = item.to_bytes(4 if edition == 3 else 2, "big")
        infos += box(b"infe", bytes([edition]) + bytes(3) + named + b"\0\0" + kind + b"\0")
        places += item.to_bytes(wide, "big")
        places += chance.choice([b"\0\0", b"\0\1"]) if version else b""
        places += b"\0\0" + (500 * item).to_bytes(base, "big") if base else b"\0\0"
        extents = chance.randrange(3)
        places += extents.to_bytes(2, "big")
        for _ in range(extents):
            places += bytes(index if version else 0)
            places += chance.randrange(400, 900).to_bytes(offset, "big") if offset else b""
            places += chance.randrange(900).to_bytes(length, "big") if length else b""
    edition = chance.choice([0, 1])
    listed = bytes([edition]) + bytes(3) + (3).to_bytes(4 if edition else 2, "big") + infos
    sizes = bytes([offset << 4 | length, base << 4 | index])
    located = bytes([version]) + bytes(3) + sizes + (3).to_bytes(wide, "big") + places
    boxes = [box(b"iinf", listed), box(b"iloc", located)]
    chance.shuffle(boxes)
    brand = chance.choice([b"heic", b"avif", b"avis", b"hevc"])
    content = bytearray(chance.choices(range(1, 256), k=2500))
    begin = chance.randrange(2500)
    content[begin : begin + chance.choice([63, 64, 300])] = bytes(chance.choice([63, 64, 300]))
    data = box(b"ftyp", brand + b"\0\0\0\0mif1") + box(b"meta", bytes(4) + b"".join(boxes))
    return data + box(b"mdat", bytes(content))


def chunks(chance):
    """A WebP of a few chunks, some of odd length."""
    parts = b"VP8X" + (10).to_bytes(4, "little") + bytes(4) + b"\x7f\0\0\x7f\0\0"
    for _ in range(chance.randrange(1, 5)):
        name = chance.choice([b"VP8 ", b"VP8L", b"EXIF", b"ANMF", b"\0\0\0\0", b"ALPH"])
        if name == b"\0\0\0\0" and chance.random() < 0.8:
            continue
        content = b"\1" * chance.randrange(9) + bytes(chance.choice([0, 63, 80, 128, 600, 9000]))
        parts += name + len(content).to_bytes(4, "little")
        parts += bytes(16) if name == b"ANMF" else content + b"\1" * (len(content) % 2)
    length = 4 + len(parts) + chance.choice([0, 0, 0, 1, -1])
    return b"RIFF" + length.to_bytes(4, "little") + b"WEBP" + parts


def test_parts_in_every_form():
    chance = random.Random(16)
    files = [make(chance) for make in (items, chunks) for _ in range(700)]
    files = [data for data in files if kind_of(data)]
    header = SimpleNamespace(width=128, height=128)
    expected = [look_of_python(data, header) for data in files]
    assert looks_at(files) == expected
    for name, findings in [("webp", 3), ("heif", 2), ("avif", 2)]:
        counted = Counter(e for f, e in zip(files, expected, strict=True) if kind_of(f) == name)
        assert len(counted) == findings
        assert min(counted.values()) > 20, name


# Hostile files


def hostile():
    """Files that claim much, or repeat themselves: none may take long, or much memory."""
    frame = b"\xff\xc2\0\x11\x08\xff\xff\xff\xff\3\1\x44\0\2\x11\0\3\x11\0"
    tables = b"\xff\xc4\0\x14\0" + bytes([1, *bytes(15), 0]) + b"\xff\xc4\0\x14\x10\1" + bytes(16)
    scan = b"\xff\xda\0\x08\1\1\0\1\x3f\0" + bytes(200)
    yield "jpeg", b"\xff\xd8" + frame + tables + scan * 300 + b"\xff\xd9"
    yield (
        "jpeg",
        b"\xff\xd8" + frame.replace(b"\xff\xff\xff\xff", b"\x20\0\x20\0") + tables + scan * 99,
    )
    yield "jpeg", b"\xff\xd8" + b"\xff\xda\0\x02" * 50_000
    yield "jpeg", b"\xff\xd8" + b"\xff\xc4\0\x14\0" * 50_000
    yield "jpeg", b"\xff" * 1_000_000
    yield (
        "gif",
        b"GIF89a\xff\xff\xff\xff\0\0\0,"
        + bytes(4)
        + b"\xff\xff\xff\xff\0\x02"
        + b"\x01\x44" * 500_000,
    )
    yield "gif", b"GIF89a\1\0\1\0\0\0\0" + b"!\0\0" * 300_000
    yield "gif", b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\xff\xff"
    yield "webp", b"RIFF" + (1 << 20).to_bytes(4, "little") + b"WEBP" + b"XXXX\0\0\0\0" * 140_000
    yield "webp", b"RIFF\4\0\0\0WEBP"
    yield "bmp", b"BM" + bytes(8) + b"\xff" * 4 + b"\x28\0\0\0" + b"\xff" * 60
    yield "bmp", b"BM" + bytes(8) + bytes(4) + b"\x28\0\0\0" + bytes(60)
    yield (
        "ico",
        b"\0\0\1\0\0\1" + (b"\1\1\1\0" + bytes(4) + b"\1\0\0\0\6\x10\0\0") * 256 + b"\1" * 64,
    )
    places = b"\2\0\0\0\0\0\xff\xff\xff\xff" + b"\0\0\0\1\0\0\0\0\xff\xff" * 65_536
    items = b"\0\0\0\0\0\1" + box(b"infe", b"\2\0\0\0\0\1\0\0hvc1\0")
    meta = bytes(4) + box(b"iinf", items) + box(b"iloc", places)
    yield "heif", box(b"ftyp", b"heic\0\0\0\0") + box(b"meta", meta)
    yield "heif", box(b"ftyp", b"heic\0\0\0\0") + box(b"free", b"") * 100_000
    yield "heif", box(b"ftyp", b"heic\0\0\0\0") + box(b"meta", bytes(4) + box(b"iloc", b"", 0))
    yield "png", b"\x89PNG\r\n\x1a\n" + (bytes(4) + b"tEXt" + bytes(4)) * 100_000


def test_hostile_files_come_to_an_end():
    files = [*hostile()]
    found = call("completeness.js", "lookForMissing", [(name, as_bytes(f)) for name, f in files])
    assert {*found} <= {"nothing", *NOTICE_OF}
    assert len(files) == 17


def test_any_bytes_give_a_finding():
    chance = random.Random(15)
    files = []
    for name in sorted(LOOKED_AT):
        for _ in range(200):
            length = chance.choice([0, 1, 9, 40, 300, 3000])
            alphabet = chance.choice(
                [range(256), [0, 1, 2, 4, 0xFF], [0xFF, 0xDA, 0xC4, 0xC0, 0, 2]]
            )
            files.append((name, bytes(chance.choices(alphabet, k=length))))
    found = call("completeness.js", "lookForMissing", [(name, as_bytes(f)) for name, f in files])
    assert {*found} <= {"nothing", *NOTICE_OF}


def test_endless_videos_come_to_an_end():
    files = [("mp4", b"\0\0\0\x08free" * 200_000), ("mp4", b"\0\0\0\1mdat" + b"\xff" * 8)]
    files += [
        ("matroska", b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 1_200_000 + b"\xa3\xff" + b"\x8f")
    ]
    files += [
        ("matroska", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\xec\x80" * 9)
    ]
    expected = [is_cut_short(io.BytesIO(data), len(data), name) for name, data in files]
    arguments = [(as_file(data), name) for name, data in files]
    assert call("completeness_videos.js", "isCutShort", arguments) == expected


def test_what_follows_behind_a_video_is_seen_as_in_python(samples):
    film, other = ((samples / f"film-{each}.mp4").read_bytes() for each in ("h264", "letterboxed"))
    header = film[: int.from_bytes(film[:4], "big")]
    files = [film, film + film, film + other, film + other[:-9], film + header, film + other[:5000]]
    expected = [look_at_parts(io.BytesIO(data), len(data), "mp4") for data in files]
    assert {each.more_behind for each in expected} == {True, False}
    found = call(
        "completeness_videos.js", "lookAtParts", [(as_file(each), "mp4") for each in files]
    )
    assert [(each["cutShort"], each["moreBehind"]) for each in found] == expected
