"""The versions of the decoders on this machine, and the formats that they open."""

from __future__ import annotations

from importlib import metadata

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from PIL import features

from hashkit.media.formats import IMAGES

_PACKAGES = (
    *("numpy", "Pillow", "pillow-heif", "opencv-python-headless", "av", "imagehash"),
    *("pyseccomp", "landlock", "typer", "rich"),
)
_CODECS = {
    **{"H.264": "h264", "HEVC": "hevc", "AV1": "av1", "VP8": "vp8", "VP9": "vp9"},
    **{"MPEG-4": "mpeg4", "MPEG-2": "mpeg2video", "H.263": "h263", "Motion JPEG": "mjpeg"},
    **{"WMV": "wmv2", "ProRes": "prores", "Theora": "theora"},
}


def versions() -> dict[str, str]:
    """The versions of the packages that open files, and of the libraries in them."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    ffmpeg = (f"{name} {'.'.join(map(str, each))}" for name, each in av.library_versions.items())
    return found | {"FFmpeg": ", ".join(ffmpeg)}


def picture_formats() -> dict[str, bool]:
    """The image formats, and whether they can be opened here."""
    return {
        each.shown: each.feature is None or bool(features.check(each.feature)) for each in IMAGES
    }


def video_formats() -> dict[str, bool]:
    """The video codecs, and whether they can be opened here."""
    return {name: _has(codec) for name, codec in _CODECS.items()}


def _has(codec: str) -> bool:
    try:
        Codec(codec, "r")
    except UnknownCodecError:
        return False
    return True
