"""Kinds come from content, never from names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit.errors import NotMedia, UnsupportedMedia
from hashkit.media.formats import IMAGES, MediaType, find_video, identify
from hashkit.models import MediaKind

BY_SUFFIX = {
    ".jpg": "jpeg",
    ".png": "png",
    ".gif": "gif",
    ".webp": "webp",
    ".tiff": "tiff",
    ".bmp": "bmp",
    ".heic": "heif",
    ".avif": "avif",
    ".jp2": "jpeg2000",
    ".ico": "ico",
}


def ftyp(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(body) + 4).to_bytes(4, "big") + body + bytes(64)


def test_samples(samples):
    for path in samples.iterdir():
        if path.suffix in BY_SUFFIX and path.name != "really-a-png.jpg":
            kind = identify(path.read_bytes()[:4096])
            assert kind == (MediaKind.IMAGE, BY_SUFFIX[path.suffix]), path.name
    assert identify((samples / "really-a-png.jpg").read_bytes()).format == "png"


def test_every_image_format_has_a_sample(samples):
    files = [path for path in samples.iterdir() if path.is_file() and path.suffix != ".py"]
    found = {identify(path.read_bytes()[:4096]).format for path in files}
    assert {each.name for each in IMAGES} <= found


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (ftyp(b"heic", b"mif1", b"heic"), ("image", "heif")),
        (ftyp(b"mif1", b"mif1", b"heic"), ("image", "heif")),
        (ftyp(b"mif1", b"avif", b"mif1"), ("image", "avif")),
        (ftyp(b"avif", b"mif1", b"miaf"), ("image", "avif")),
        (ftyp(b"heic", b"avif"), ("image", "heif")),
        (ftyp(b"isom", b"isom", b"avc1"), ("video", "mp4")),
        (ftyp(b"qt  "), ("video", "mp4")),
        (ftyp(b"3gp5", b"isom"), ("video", "mp4")),
        (b"\0\0\0\x08wide\0\0\0\0mdat", ("video", "mov")),
        (b"\x1a\x45\xdf\xa3" + bytes(30), ("video", "matroska")),
        (b"RIFF\0\0\0\0AVI LIST", ("video", "avi")),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(30), ("video", "asf")),
        (b"\0\0\1\xba" + bytes(30), ("video", "mpeg")),
        ((b"\x47" + bytes(187)) * 6, ("video", "mpegts")),
        ((bytes(4) + b"\x47" + bytes(187)) * 6, ("video", "mpegts")),
        (b"FLV\x01" + bytes(30), ("video", "flv")),
        (b"OggS" + bytes(25) + b"\x80theora", ("video", "ogg")),
        (b"II+\0" + bytes(30), ("image", "tiff")),
        (b"\xff\x4f\xff\x51" + bytes(30), ("image", "jpeg2000")),
    ],
)
def test_beginnings(head, expected):
    assert identify(head) == expected


@pytest.mark.parametrize(
    "head",
    [
        b"plain text, nothing else",
        b"BM is how this sentence begins, but it is no bitmap",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"OggS" + bytes(25) + b"\x01vorbis",
        b"G",
        b"",
        ftyp(b"M4A ", b"isom"),
        b"\0\0\1\0this is a database of some kind",
        b"\0\0\1\0",
    ],
)
def test_other_files(head):
    with pytest.raises(NotMedia):
        identify(head)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"8BPS\0\1" + bytes(30), "a Photoshop document"),
        (b"\xff\x0a" + bytes(30), "a JPEG XL picture"),
        (b"II*\0\x10\0\0\0CR\2\0", "a camera raw file"),
        (b"\x76\x2f\x31\x01" + bytes(30), "an OpenEXR picture"),
        (ftyp(b"crx ", b"isom"), "a camera raw file"),
    ],
)
def test_pictures_known_by_name_only(head, name):
    with pytest.raises(UnsupportedMedia, match=name):
        identify(head)


def kind_or_refusal(head):
    try:
        return identify(head)
    except (NotMedia, UnsupportedMedia) as refusal:
        return refusal


@given(st.binary(max_size=600))
def test_anything_at_all(head):
    assert isinstance(kind_or_refusal(head), MediaType | NotMedia | UnsupportedMedia)


@given(
    st.sampled_from([b"RIFF", b"\0\0\0\x18ftyp", b"BM", b"II*\0", b"OggS", b"\0\0\1\0"]),
    st.binary(max_size=99),
)
def test_anything_behind_a_known_beginning(beginning, rest):
    found = kind_or_refusal(beginning + rest)
    assert isinstance(found, MediaType | NotMedia | UnsupportedMedia)


def test_videos_inside_pictures(samples):
    assert find_video((samples / "jpeg-motion-photo.jpg").read_bytes())
    for name in ("heic.heic", "avif.avif", "scene-1.jpg", "heic-several.heic"):
        assert find_video((samples / name).read_bytes()) is None, name
    assert not find_video(bytes(40) + b"ftyp isom is only a word in a caption here")
    assert find_video(bytes(40) + b"ftyp once by chance" + ftyp(b"isom", b"mp41")) == 59
