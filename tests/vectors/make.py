"""Make ``samples.json``: expected hashes of the samples by the reference tools, not hashkit."""

from __future__ import annotations

import hashlib
import io
import json
from importlib.metadata import version
from pathlib import Path

import av
import imagehash
import numpy as np
import pdqhash
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()

HERE = Path(__file__).parent
SAMPLES = HERE.parent.parent / "samples_synthetic"
TOOLS = ("pdqhash", "imagehash", "pillow", "pillow_heif", "numpy", "opencv-python-headless", "av")
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")

# Expected notices: written by hand from the list of samples, not computed.
NOTICES = {
    "gif-animated.gif": ["animated"],
    "heic-several.heic": ["several_images"],
    "jpeg-motion-photo.jpg": ["embedded_video"],
    "jpeg-mpo.jpg": ["several_images"],
    "jpeg-truncated.jpg": ["truncated"],
    "png-animated.png": ["animated"],
    "png-grey-alpha.png": ["transparent"],
    "png-palette-alpha.png": ["transparent"],
    "png-rgba.png": ["transparent"],
    "webp-alpha-lossless.webp": ["transparent"],
    "png-flat.png": ["low_quality", "flat"],
    "png-tiny.png": ["small"],
    "tiff-pages.tiff": ["several_images"],
    "webp-animated.webp": ["animated"],
}


def picture_of(path: Path) -> Image.Image:
    data = path.read_bytes()
    if path.name == "jpeg-truncated.jpg":
        data += b"\xff\xd9"  # decodes what there is, the rest grey, as browsers do
    with Image.open(io.BytesIO(data)) as file:
        picture = ImageOps.exif_transpose(file)
    if picture.mode == "I;16":
        return Image.fromarray((np.asarray(picture) // 256).astype(np.uint8))
    if picture.mode == "F":
        return Image.fromarray(np.rint(np.asarray(picture) * 255).astype(np.uint8))
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    return picture


def exact_hashes_of(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    names = ("md5", "sha1", "sha256", "sha512")
    return {name: hashlib.new(name, data).hexdigest() for name in names}


def frames_of(path: Path) -> list[dict[str, object]]:
    """PDQ of every frame as FFmpeg converts it to RGB, turned upright."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pixels = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
            vector, quality = pdqhash.compute(np.ascontiguousarray(pixels))
            value = f"{int(''.join(map(str, vector)), 2):064x}"
            found.append({"timestamp": round(frame.time, 3), "value": value, "quality": quality})
    return found


def hashes_of(path: Path) -> dict[str, object]:
    hashes = exact_hashes_of(path)
    picture = picture_of(path)
    vector, quality = pdqhash.compute(np.asarray(picture.convert("RGB")))
    hashes["pdq"] = {"value": f"{int(''.join(map(str, vector)), 2):064x}", "quality": quality}
    for name, function in {
        "ahash": imagehash.average_hash,
        "phash": imagehash.phash,
        "dhash": imagehash.dhash,
        "whash": imagehash.whash,
        "colorhash": imagehash.colorhash,
        "crop_resistant": imagehash.crop_resistant_hash,
    }.items():
        hashes[name] = str(function(picture))
    return hashes


def vector_of(path: Path) -> dict[str, object]:
    if path.suffix in VIDEOS:
        return {"kind": "video", "hashes": exact_hashes_of(path), "frames": frames_of(path)}
    notices = NOTICES.get(path.name, [])
    return {"kind": "image", "hashes": hashes_of(path), "notices": notices}


def main() -> None:
    files = {
        path.name: vector_of(path)
        for path in sorted(SAMPLES.iterdir())
        if path.suffix not in (".py", ".md") and path.is_file()
    }
    document = {
        "source": "tests/vectors/make.py",
        "tools": {tool: version(tool) for tool in TOOLS},
        "files": files,
    }
    (HERE / "samples.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
