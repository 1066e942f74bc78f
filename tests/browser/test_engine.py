"""hashFile gives the very object that ``hashkit hash --json`` prints, but for what is listed here.

A difference that is listed and is not there any more fails, too.
"""

from __future__ import annotations

import json

import av
import pytest

import hashkit
from hashkit.cli.output.outcomes import json_line
from hashkit.media.tracks import shown_track

pytestmark = pytest.mark.test_all

HASH = """
    const { hashFile } = await load("hashkit.js");
    return hashFile(given.file, given.options);
"""
ALGORITHMS = "md5,sha1,sha256,pdq,vpdq"

EQUAL = "equal"
NOT_OPENED = "the browser does not decode it: digests, and an error that says so"
NOT_KNOWN = "only FFmpeg recognises it: its first bytes do not say what it is"
FIRST_FRAME = "there is no ImageDecoder: the first frame is hashed, and the notice says so"
OTHER_PIXELS = "the browser's decoder gives other pixels: at most four bits"
NO_READING = "what lies under transparency, or the numbers of colours, is not to be had"

KNOWN = {
    "film-mpeg4.avi": NOT_OPENED,
    "jpeg2000.jp2": NOT_OPENED,
    "raw.m1v": NOT_OPENED,
    "stream.mjpeg": NOT_OPENED,
    "tiff-float.tiff": NOT_OPENED,
    "tiff-grey-16.tiff": NOT_OPENED,
    "tiff-pages.tiff": NOT_OPENED,
    "tiff.tiff": NOT_OPENED,
    "ts_concat_jump.ts": NOT_OPENED,
    "ts_concat_reset.ts": NOT_OPENED,
    "wrap_late.ts": NOT_OPENED,
    "raw.h264": NOT_KNOWN,
    "ts_midpacket.ts": NOT_KNOWN,
    "jpeg-cmyk.jpg": NO_READING,
}
"""In every browser."""

KNOWN_IN = {
    "chromium": {},
    "firefox": {"avif.avif": OTHER_PIXELS},
    "webkit": {"webp-alpha-lossless.webp": NO_READING},
}

MOVING = {"gif-animated.gif", "png-animated.png", "webp-animated.webp", "apng_hidden.png"}
MOVING |= {"g_padded.gif"}


@pytest.fixture(scope="module")
def expected(samples, root):
    """What the command prints of every file, without the path."""
    files = [
        path
        for folder in (samples, root / "tests" / "cases")
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix not in (".py", ".md", ".toml", ".csv")
    ]
    found = {}
    for outcome in hashkit.hash_files(files, algorithms=ALGORITHMS):
        fields = json.loads(json_line(outcome))
        del fields["path"]
        found[outcome.path] = fields
    assert len(found) > 90
    return found


def codec_of(path):
    """The codec of a video, by the name that ``supported`` has for it."""
    with av.open(str(path)) as container:
        shown = shown_track(container.streams.video)
        return shown.codec_context.name.replace("libdav1d", "av1")


def difference(found, wanted):
    """How two outcomes differ: one of the sentences above, or what is not among them."""
    if found == wanted:
        return EQUAL
    if found.get("error", {}).get("code") == "not_media" and [*found] == ["error"]:
        return NOT_KNOWN
    if "error" in found:
        return _failure(found, wanted)
    if found["kind"] != wanted["kind"] or "error" in wanted:
        return "another kind of outcome"
    return _difference_of_hashes(found, wanted)


def _difference_of_hashes(found, wanted):
    lacks_vpdq = {**wanted, "hashes": without(wanted["hashes"], "vpdq")}
    lacks_vpdq["notices"] = found["notices"]
    if found == lacks_vpdq and "no video hashes were made" in json.dumps(found["notices"]):
        return FIRST_FRAME
    lacks_variants = without(wanted, "variants")
    lacks_variants["notices"] = [
        each for each in wanted["notices"] if each["code"] != "transparent"
    ]
    if found == lacks_variants:
        return NO_READING
    away = bits_apart(found, wanted)
    return OTHER_PIXELS if away is not None and away <= 4 else f"{away} bits, or other frames"


def _failure(found, wanted):
    """Of a file that was not opened here."""
    digests = {name: wanted["hashes"][name] for name in ("md5", "sha1", "sha256")}
    if found["hashes"] != digests or [each["code"] for each in found["notices"]] != ["exact_only"]:
        return "an error without the digests or the notice"
    code = found["error"]["code"]
    return NOT_OPENED if code == "unsupported_media" and "error" not in wanted else code


def without(fields, name):
    return {key: value for key, value in fields.items() if key != name}


def bits_apart(found, wanted):
    """In how many bits two outcomes differ at most, where all but the values is the same."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        if found.keys() != wanted.keys():
            return None
        if {"value", "quality"} <= wanted.keys():
            rest = [without(without(side, "value"), "quality") for side in (found, wanted)]
            if rest[0] != rest[1] or abs(found["quality"] - wanted["quality"]) > 1:
                return None
            return (int(found["value"], 16) ^ int(wanted["value"], 16)).bit_count()
        pairs = [(found[name], wanted[name]) for name in wanted]
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        pairs = zip(found, wanted, strict=True)
    else:
        return 0 if found == wanted else None
    away = [bits_apart(*pair) for pair in pairs]
    return None if None in away else max(away, default=0)


def allowed(path, wanted, name, supported):
    """How this outcome may differ here."""
    if path.name in KNOWN_IN[name]:
        return {KNOWN_IN[name][path.name]}
    if path.name in KNOWN:
        return {KNOWN[path.name]}
    if path.name in MOVING:
        return {EQUAL} if supported["animations"] else {FIRST_FRAME}
    if path.suffix in (".heic", ".avif") and "error" not in wanted:
        kind = {".heic": "heif", ".avif": "avif"}[path.suffix]
        return {EQUAL, OTHER_PIXELS} if supported["pictures"][kind] else {NOT_OPENED}
    if wanted["kind"] == "video" and "error" not in wanted:
        is_opened = supported["videos"][codec_of(path)]
        exact = {EQUAL} if name == "chromium" else {EQUAL, OTHER_PIXELS}
        return exact if is_opened else {NOT_OPENED}
    return {EQUAL}


def test_every_file_gives_what_the_command_prints(each_browser, expected):
    supported = each_browser.run("""
        const found = await (await load("hashkit.js")).supported();
        return { ...found, animations: typeof ImageDecoder === "function" };
    """)
    wrong = []
    for path, wanted in expected.items():
        given = {"file": path, "options": {"algorithms": ALGORITHMS}}
        found = each_browser.run(HASH, given)
        if "error" in found:
            assert found["error"].pop("advice")
        how = difference(found, wanted)
        if how not in (may := allowed(path, wanted, each_browser.name, supported)):
            wrong.append(f"{path.name}: {how}. It should be: {', '.join(sorted(may))}")
    assert wrong == []


def test_what_every_browser_opens(each_browser):
    supported = each_browser.run('return (await load("hashkit.js")).supported()')
    assert {*supported["pictures"]} == {
        *("jpeg", "png", "gif", "webp", "bmp", "ico", "avif", "heif", "tiff", "jpeg2000")
    }
    for name in ("jpeg", "png", "gif", "webp", "bmp", "ico", "avif"):
        assert supported["pictures"][name] is True
    assert {*supported["videos"]} == {"h264", "hevc", "vp8", "vp9", "av1"}
    assert supported["videos"]["vp8"] is True
