"""Pictures as three browsers give them to the engine equal Python's: pixels, readings, notices and
errors. What browsers decode otherwise stands in ``EXCEPTIONS``, with the distance."""

from __future__ import annotations

import random
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hashkit.errors import HashkitError
from hashkit.hashes import pdq
from hashkit.media import formats, images
from hashkit.variants.readings import hash_readings

sys.path.insert(0, str(Path(__file__).parent))

from browsers import JavaScriptError
from picture_files import (
    PNG_CHANNELS,
    PNG_DEPTHS,
    any_png,
    bitmap,
    chunk,
    encoded,
    exif,
    other_profile,
    scene,
    with_hole,
)

pytestmark = [pytest.mark.test_all, pytest.mark.filterwarnings("ignore")]

EXCEPTIONS = {
    # Firefox enlarges the colours of AVIF (4:2:0) in another way.
    ("firefox", "avif.avif"): (2, []),
    # WebKit forgets the colours under transparency, and rounds those that are half seen.
    ("webkit", "webp-alpha-lossless.webp"): (2, ["alpha-dropped"]),
    # A canvas does not give CMYK.
    ("chromium", "jpeg-cmyk.jpg"): (0, ["cmyk-as-rgb"]),
    ("firefox", "jpeg-cmyk.jpg"): (0, ["cmyk-as-rgb"]),
    ("webkit", "jpeg-cmyk.jpg"): (0, ["cmyk-as-rgb"]),
}
"""Of samples, by browser and name: how many bits the hash may be away, and the readings that are
not made."""

NOT_OPENED = {
    "heif": "This browser does not open HEIC pictures.",
    "jpeg2000": "JPEG 2000 pictures are not opened in a browser.",
    "tiff": "TIFF pictures are not opened in a browser.",
}

OPEN = """
const { openPicture } = await load("images.js");
async function pixelsOf({ width, height, bands }, picture) {
  const all = new Uint8Array(width * height * 4);
  let [at, most] = [0, 0];
  for await (const { data, rows } of picture.bands()) {
    if (data.length !== rows * width * 4) throw new Error("a band of another length");
    all.set(data, at);
    at += data.length;
    most = Math.max(most, data.length);
  }
  if (at !== all.length) throw new Error("rows are missing");
  return { width, height, all, most };
}
async function opened({ bytes, format, limits }) {
  const picture = await openPicture(new Blob([bytes]), bytes, format, limits);
  const found = { notices: picture.notices, readings: [], ...await pixelsOf(picture, picture) };
  for (const { name, picture: each } of picture.readings) {
    found.readings.push({ name, ...await pixelsOf(each, each) });
  }
  picture.close();
  return found;
}
"""


def format_of(data):
    return formats.identify(data[:4096]).format


def python_pixels(pixels):
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def browser_pixels(found):
    return found["all"].reshape(found["height"], found["width"], 4)[..., :3]


def in_python(data):
    """Pixels by reading, and notices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = images.decode(data, format_of(data))
    found = {"original": python_pixels(picture.pixels)}
    found |= {each.name: python_pixels(each.pixels()) for each in picture.readings}
    return found, [{"code": each.code, "text": each.text} for each in picture.notices]


def in_browser(browser, data, limits=None, where="page"):
    given_to = {"bytes": data, "format": format_of(data), "limits": limits or {}}
    found = browser.run(OPEN + "return opened(given);", given_to, where=where)
    pixels = {"original": browser_pixels(found)}
    pixels |= {each["name"]: browser_pixels(each) for each in found["readings"]}
    return pixels, found["notices"]


def assert_same(browser, name, data, limits=None, where="page", left_out=()):
    mine, my_notices = in_python(data)
    theirs, their_notices = in_browser(browser, data, limits, where)
    mine = {reading: pixels for reading, pixels in mine.items() if reading not in left_out}
    assert list(theirs) == list(mine), name
    for reading, pixels in mine.items():
        assert np.array_equal(theirs[reading], pixels), (name, reading)
    assert their_notices == my_notices, name


# The samples


HASH = """
const { openPicture } = await load("images.js");
const { pdqOf } = await load("pdq.js");
const picture = await openPicture(new Blob([given.bytes]), given.bytes, given.format);
const found = { notices: picture.notices.map(({ code }) => code), hashes: {} };
for (const { name, picture: each } of [{ name: "original", picture }, ...picture.readings]) {
  const { value, quality } = await pdqOf(each);
  found.hashes[name] = [value, quality];
}
picture.close();
return found;
"""


def still_samples(root):
    found = []
    for path in sorted((root / "samples_synthetic").iterdir()):
        if path.suffix != ".py" and not path.name.startswith("film"):
            found.append((path.name, path.read_bytes()))
    assert len(found) == 50
    return found


@pytest.mark.parametrize("where", ["page", "worker"])
def test_every_sample_has_pythons_hash_quality_and_notices(root, each_browser, where):
    opened = 0
    for name, data in still_samples(root):
        kind = format_of(data)
        try:
            found = each_browser.run(HASH, {"bytes": data, "format": kind}, where=where)
        except JavaScriptError as error:
            assert error.message == NOT_OPENED[kind], name
            continue
        opened += 1
        picture = images.decode(data, kind)
        away, left_out = EXCEPTIONS.get((each_browser.name, name), (0, []))
        expected = {"original": pdq.compute(picture.pixels)}
        expected |= {each.name: pdq.compute(each.pixels()) for each in picture.readings}
        assert list(found["hashes"]) == [each for each in expected if each not in left_out], name
        for reading, (value, quality) in found["hashes"].items():
            assert pdq.distance(value, expected[reading].text) <= away, (name, reading)
            assert quality == expected[reading].quality, (name, reading)
        assert found["notices"] == [each.code for each in picture.notices], name
    assert opened == 42


# PNG


@st.composite
def pngs(draw):
    colours = draw(st.sampled_from(sorted(PNG_CHANNELS)))
    return any_png(
        random.Random(draw(st.integers(0, 1 << 32))),
        draw(st.integers(1, 45)),
        draw(st.integers(1, 45)),
        colours,
        draw(st.sampled_from(PNG_DEPTHS[colours])),
        draw(st.booleans()),
    )


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=pngs())
def test_any_png_has_pythons_pixels(each_browser, data):
    assert_same(each_browser, "png", data)


def test_the_hidden_colour_of_png_is_compared_as_in_python(each_browser):
    """Of 16 bits in colour with the lower byte of what is written; of 16 bits grey with both."""
    for colours, depth in ((0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16)):
        length = (16 * PNG_CHANNELS[colours] * depth + 7) // 8
        row = b"\0" + bytes(at * 17 % 256 for at in range(length))
        for value in (0, 1, 17, 34, 85, 0x0011, 0x1111, 0x0322, 0x1122, 0xFF00, 0xFFFF):
            header = struct.pack(">IIBBBBB", 16, 3, depth, colours, 0, 0, 0)
            hidden = struct.pack(">H", value) * PNG_CHANNELS[colours]
            same = b"\0" + bytes([value & 255]) * length
            data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tRNS", hidden)
            data += chunk(b"IDAT", zlib.compress(row + same + row)) + chunk(b"IEND", b"")
            assert_same(each_browser, f"{colours}, {depth} bits, {value}", data)


def damaged_pngs():
    plain, transparent = encoded(scene(1), "PNG"), encoded(with_hole(scene(1)), "PNG")
    palette = encoded(scene(2).quantize(40), "PNG")
    deep = any_png(random.Random(4), 40, 30, 2, 16, True)
    for name, whole in (
        ("rgb", plain),
        ("rgba", transparent),
        ("palette", palette),
        ("deep", deep),
    ):
        yield f"{name} without end", whole[:-12]
        for cut in (13, 16, 17, 18, 20, 21):  # within the last checksums
            yield f"{name} without {cut} bytes", whole[:-cut]
        yield f"{name} cut", whole[: len(whole) * 2 // 3]
        yield f"{name} with a wrong checksum", whole[:-13] + bytes([whole[-13] ^ 1]) + whole[-12:]
    bad = chunk(b"tEXt", b"a\0b")
    yield "wrong checksum of a text", plain[:33] + bad[:-1] + bytes([bad[-1] ^ 1]) + plain[33:]
    yield "orientation behind the pixels", plain[:-12] + chunk(b"eXIf", exif(6)[6:]) + plain[-12:]


def test_png_that_is_damaged_or_cut_short(each_browser):
    for name, data in damaged_pngs():
        assert_same(each_browser, name, data)


def test_animated_png_whose_first_picture_is_hidden(each_browser):
    frames = [scene(1), scene(2), scene(3)]
    for alpha in (False, True):
        shown = [with_hole(each) if alpha else each for each in frames]
        for count in (1, 2):
            data = encoded(
                shown[0],
                "PNG",
                save_all=True,
                append_images=shown[1 : 1 + count],
                default_image=True,
            )
            assert_same(each_browser, f"hidden, alpha {alpha}, {count}", data)


# Orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_all_orientations(each_browser, kind):
    options = {"quality": 90, **({"subsampling": "4:4:4"} if kind == "AVIF" else {})}
    for orientation in range(1, 9):
        data = encoded(scene(5), kind, exif=exif(orientation), **options)
        assert_same(each_browser, f"{kind} {orientation}", data)
        mine, _ = in_python(data)
        assert ("as-stored" in mine) == (orientation != 1)


@pytest.mark.parametrize("picture", ["alpha", "palette"])
def test_all_orientations_of_other_readings(each_browser, picture):
    for orientation in range(1, 9):
        stored = with_hole(scene(6)) if picture == "alpha" else scene(6).quantize(50)
        assert_same(
            each_browser, f"{picture} {orientation}", encoded(stored, "PNG", exif=exif(orientation))
        )


def test_orientation_of_xmp_is_not_obeyed(each_browser):
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
        b'syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        b'tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    for kind in ("JPEG", "WEBP"):
        data = encoded(scene(7), kind, xmp=packet, quality=90)
        assert b"Orientation" in data
        assert_same(each_browser, kind, data)


# Colours


def test_colour_profiles_are_not_obeyed(each_browser):
    profile = other_profile()
    for kind, options in (
        ("JPEG", {"quality": 92}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"subsampling": "4:4:4"}),
    ):
        data = encoded(scene(8), kind, icc_profile=profile, **options)
        assert_same(each_browser, kind, data)
    plain = encoded(scene(8), "PNG")
    for name, content in (
        (b"gAMA", struct.pack(">I", 100000)),
        (b"cICP", bytes([9, 16, 0, 1])),
        (b"cHRM", struct.pack(">8I", 31270, 32900, 15000, 60000, 64000, 33000, 30000, 6000)),
    ):
        assert_same(each_browser, name, plain[:33] + chunk(name, content) + plain[33:])


def test_transparency_beside_png(each_browser):
    hole = with_hole(scene(9))
    palette = scene(9).quantize(200)
    lost = ["alpha-dropped"] if each_browser.name == "webkit" else []
    gifs = {
        "one colour": encoded(palette, "GIF", transparency=7),
        "grey": encoded(scene(9).convert("L"), "GIF", transparency=100),
        "is replaced": encoded(
            palette, "GIF", disposal=3, save_all=True, append_images=[scene(1).quantize(200)]
        ),
        "moves": encoded(
            palette, "GIF", transparency=7, save_all=True, append_images=[scene(1).quantize(200)]
        ),
    }
    for name, data in gifs.items():
        assert_same(each_browser, name, data)
    for name, options in (
        ("lossy", {"quality": 80}),
        ("lossless", {"lossless": True, "exact": True}),
    ):
        data = encoded(hole, "WEBP", **options)
        if each_browser.name != "webkit":
            assert_same(each_browser, name, data)
            continue
        mine, _ = in_python(data)
        theirs, _ = in_browser(each_browser, data)
        assert list(theirs) == [each for each in mine if name == "lossy" or each not in lost]
        assert np.abs(theirs["original"].astype(int) - mine["original"]).max() <= 1
        if name == "lossy":
            assert np.array_equal(theirs["alpha-dropped"], mine["alpha-dropped"])


ROUNDED = {
    "firefox": (1, ["565", "555", "alpha"]),
    "webkit": (15, ["565", "555", "444", "alpha"]),
    "chromium": (0, []),
}
"""How far the colours of BMP with few bits may be off, and which."""


def test_bitmaps(each_browser):
    files = {
        f"{bits} bits, {height}": bitmap(bits, 0, height=height)
        for bits in (1, 4, 8, 24, 32)
        for height in (23, -23)
    }
    files |= {f"old, {bits} bits": bitmap(bits, 0, header=12) for bits in (1, 4, 8, 24)}
    files |= {f"long, {bits} bits": bitmap(bits, 0, header=124) for bits in (8, 24, 32)}
    colours = (0xFF0000, 0xFF00, 0xFF)
    files["32 bits that claim alpha"] = bitmap(32, 0, (*colours, 0xFF000000), header=108)
    files["masks"] = bitmap(32, 3, colours)
    files["masks swapped"] = bitmap(32, 3, colours[::-1])
    files["565"] = bitmap(16, 3, (0xF800, 0x7E0, 0x1F))
    files["555"] = bitmap(16, 3, (0x7C00, 0x3E0, 0x1F))
    files["444"] = bitmap(16, 3, (0xF00, 0xF0, 0xF))
    files["alpha"] = bitmap(32, 3, (*colours, 0xFF000000), header=108)
    most, rounded = ROUNDED[each_browser.name]
    for name, data in files.items():
        if name not in rounded:
            assert_same(each_browser, name, data)
            continue
        mine, _ = in_python(data)
        theirs, _ = in_browser(each_browser, data)
        assert np.abs(theirs["original"].astype(int) - mine["original"]).max() <= most, name


def test_icons(each_browser):
    for sizes in ([(64, 64), (16, 16)], [(16, 16), (256, 256), (64, 64)]):
        whole = scene(1, 256, 256)
        assert_same(each_browser, sizes, encoded(whole, "ICO", sizes=sizes))
        data = encoded(whole.convert("RGBA"), "ICO", sizes=sizes, bitmap_format="bmp")
        assert_same(each_browser, sizes, data)
    transparent = encoded(with_hole(scene(1, 64, 64)), "ICO", sizes=[(64, 64)])
    assert_same(each_browser, "transparent", transparent)


# Large pictures, in tiles and strips


@pytest.mark.parametrize(
    "limits", [{"maxCanvas": 1000}, {"maxCanvas": 70}, {"maxCanvas": 3000, "maxBitmap": 100}]
)
def test_tiles_and_strips_give_the_same(each_browser, limits):
    for orientation in (1, 6, 7):
        for kind, picture in (
            ("JPEG", scene(3)),
            ("PNG", scene(3)),
            ("PNG", scene(3).quantize(30)),
            ("WEBP", scene(3)),
        ):
            data = encoded(picture, kind, exif=exif(orientation), quality=90)
            assert_same(each_browser, f"{kind} {orientation}", data, limits)
    if each_browser.name != "webkit":
        data = encoded(with_hole(scene(3)), "WEBP", quality=90)
        assert_same(each_browser, "alpha", data, limits)


def test_no_more_than_a_band_is_copied_and_all_bitmaps_are_closed(each_browser):
    body = (
        OPEN
        + """
    const before = [globalThis.createImageBitmap, ImageBitmap.prototype.close];
    const [made, closed] = [new Set(), new Set()];
    globalThis.createImageBitmap = async (...all) => {
      const bitmap = await before[0].call(globalThis, ...all);
      made.add(bitmap);
      return bitmap;
    };
    ImageBitmap.prototype.close = function () { closed.add(this); before[1].call(this); };
    const found = [];
    try {
      for (const each of given) found.push((await opened(each)).most);
    } finally {
      [globalThis.createImageBitmap, ImageBitmap.prototype.close] = before;
    }
    return { found, made: made.size, closed: closed.size };
    """
    )
    files = [
        encoded(scene(1, 3000, 1000), "JPEG", exif=exif(6)),
        encoded(scene(1, 400, 300).quantize(90), "GIF", transparency=3),
        encoded(with_hole(scene(1, 400, 300)), "WEBP"),
        encoded(scene(1, 400, 300), "AVIF"),
    ]
    given_to = [{"bytes": data, "format": format_of(data), "limits": {}} for data in files]
    found = each_browser.run(body, given_to)
    assert found["found"][0] <= 4 << 18
    assert found["made"] == found["closed"] > len(files)


# What is refused


def bombs():
    """Files whose headers claim four billion pixels or nearly so."""
    small = scene(1, 20, 20)
    huge = 65535
    jpeg = encoded(small, "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    yield "jpeg", jpeg[:at] + struct.pack(">HH", huge, huge) + jpeg[at + 4 :]
    png = encoded(small, "PNG")
    header = struct.pack(">II", huge, huge) + png[24:29]
    yield "png", png[:8] + chunk(b"IHDR", header) + png[33:]
    gif = encoded(small, "GIF")
    yield "gif", gif[:6] + struct.pack("<HH", huge, huge) + gif[10:]
    at = gif.index(b"\x2c\0\0\0\0") + 5
    yield "gif, first frame", gif[:at] + struct.pack("<HH", huge, huge) + gif[at + 4 :]
    bmp = encoded(small, "BMP")
    yield "bmp", bmp[:18] + struct.pack("<II", huge, huge) + bmp[26:]
    avif = encoded(small, "AVIF")
    at = avif.index(b"ispe") + 8
    yield "avif", avif[:at] + struct.pack(">II", huge, huge) + avif[at + 8 :]
    webp = encoded(small, "WEBP", exif=exif(1))
    assert webp[12:16] == b"VP8X"
    yield "webp", webp[:24] + (b"\xff\xff\0" * 2) + webp[30:]
    icon = encoded(small, "ICO", sizes=[(20, 20)])
    at = icon.index(b"IHDR") + 4
    yield "ico", icon[:at] + struct.pack(">II", huge, huge) + icon[at + 8 :]


def test_too_many_pixels_are_refused_before_decoding(each_browser):
    body = (
        OPEN
        + """
    const before = globalThis.createImageBitmap;
    globalThis.createImageBitmap = () => { throw new Error("decoded"); };
    const found = [];
    try {
      for (const each of given) {
        found.push(await opened(each).then(() => "opened", ({ code, message }) => [code, message]));
      }
    } finally {
      globalThis.createImageBitmap = before;
    }
    return found;
    """
    )
    files = dict(bombs())
    given_to = [
        {"bytes": data, "format": format_of(data), "limits": {"maxPixels": 200_000_000}}
        for data in files.values()
    ]
    found = dict(zip(files, each_browser.run(body, given_to), strict=True))
    for name in files:
        code, text = found[name]
        assert code == "too_many_pixels", name
        assert "The limit is 200,000,000." in text


def test_the_limit_of_pixels_is_exact(each_browser):
    data = encoded(scene(1, 40, 30), "JPEG")
    in_browser(each_browser, data, {"maxPixels": 1200})
    with pytest.raises(JavaScriptError) as raised:
        in_browser(each_browser, data, {"maxPixels": 1199})
    assert raised.value.fields["code"] == "too_many_pixels"
    assert raised.value.message == "The picture has 1,200 pixels. The limit is 1,199."


def broken():
    """Files that Python cannot open either, by name."""
    small = scene(1, 60, 50)
    for kind in ("JPEG", "PNG", "GIF", "WEBP"):
        yield f"{kind}, the beginning", encoded(small, kind)[:90]
    for kind in ("png", "bmp"):
        icon = encoded(small.resize((48, 48)), "ICO", sizes=[(48, 48)], bitmap_format=kind)
        yield f"icon of {kind}, cut", icon[: len(icon) * 2 // 3]
    png = encoded(small, "PNG")
    at = png.index(b"IDAT") + 20
    yield "PNG that does not unpack", png[:at] + b"\xff" * 60 + png[at + 60 :]
    yield "PNG whose header has another name", png.replace(b"IHDR", b"IHXR")
    yield "PNG of another filter", png[:8] + chunk(b"IHDR", png[16:27] + b"\1\0") + png[33:]
    yield "PNG of a strange kind", png[:8] + chunk(b"IHDR", png[16:25] + b"\5\0\0\0") + png[33:]
    jpeg = encoded(small, "JPEG")
    yield "JPEG without a scan", jpeg[: jpeg.index(b"\xff\xda")]
    yield (
        "JPEG of two colours",
        jpeg[: jpeg.index(b"\xff\xc0") + 9] + b"\2" + jpeg[jpeg.index(b"\xff\xc0") + 10 :],
    )


def test_what_python_cannot_open_has_pythons_error(each_browser):
    for name, data in broken():
        with pytest.raises(HashkitError) as mine:
            in_python(data)
        with pytest.raises(JavaScriptError) as theirs:
            in_browser(each_browser, data)
        assert theirs.value.fields.get("code") == mine.value.code, name
        assert theirs.value.message == mine.value.text, name


def test_what_a_browser_does_not_open_says_what_does(root, each_browser):
    for sample, kind in (
        ("heic.heic", "heif"),
        ("tiff.tiff", "tiff"),
        ("jpeg2000.jp2", "jpeg2000"),
    ):
        with pytest.raises(JavaScriptError) as raised:
            in_browser(each_browser, (root / "samples_synthetic" / sample).read_bytes())
        assert raised.value.fields["code"] == "unsupported_media"
        assert raised.value.message == NOT_OPENED[kind]
        assert "hashkit on a computer" in raised.value.fields["advice"]


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_is_cut_short(each_browser, progressive):
    whole = encoded(scene(4, 300, 200), "JPEG", quality=90, progressive=progressive)
    for part in (0.5, 0.7, 0.95):
        data = whole[: int(len(whole) * part)]
        mine, notices = in_python(data)
        theirs, their_notices = in_browser(each_browser, data)
        assert notices == their_notices
        assert [each["code"] for each in notices] == ["truncated"]
        if not progressive or each_browser.name == "firefox":
            assert np.array_equal(theirs["original"], mine["original"])
        hashes = [pdq.compute(np.ascontiguousarray(each["original"])) for each in (mine, theirs)]
        assert pdq.distance(hashes[0].text, hashes[1].text) <= (2 if progressive else 0)


def test_readings_that_are_kept_are_pythons(root, each_browser):
    """With the rule of ``hash_readings``: what is within 16 bits of one before is left out."""
    body = """
    const { openPicture } = await load("images.js");
    const { pdqOf } = await load("pdq.js");
    const { hashReadings } = await load("variants.js");
    const picture = await openPicture(new Blob([given.bytes]), given.bytes, given.format);
    const found = await hashReadings(picture.readings, await pdqOf(picture));
    picture.close();
    return found.map(({ name, value, quality }) => [name, value, quality]);
    """
    kept = 0
    for name, data in still_samples(root):
        kind = format_of(data)
        if kind in NOT_OPENED:
            continue
        picture = images.decode(data, kind)
        pixels = ((each.name, each.pixels()) for each in picture.readings)
        expected = [
            [each.variant, each.text, each.quality]
            for each in hash_readings(pixels, pdq.compute(picture.pixels))
            if each.variant not in EXCEPTIONS.get((each_browser.name, name), (0, []))[1]
        ]
        found = each_browser.run(body, {"bytes": data, "format": kind})
        assert found == expected, name
        kept += len(found)
    assert kept > 8
