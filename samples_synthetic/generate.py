"""Make the sample pictures and videos: ``python samples_synthetic/generate.py [FOLDER]``.

Everything is drawn here from fixed numbers: blobs, lines and shapes. Nothing shows a person. The
bytes are the same on every run with the same encoders; another version of an encoder may write
other bytes for the same picture, which ``tests/test_samples.py`` tells apart from a changed
picture.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageDraw, ImageFont, ImageOps, PngImagePlugin

Pixels = npt.NDArray[np.uint8]

SAMPLES: dict[str, Callable[[], bytes]] = {}
"""Every sample by its file name, with the function that makes its bytes."""


def scene(number: int, width: int = 512, height: int = 384) -> Image.Image:
    """A picture with large and small detail, different for each number."""
    rng = np.random.default_rng(number)
    pixels = np.full((height, width, 3), 96.0, np.float32)
    for cells in (4, 9, 23, 61):  # from large to small shapes
        noise = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        layer = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        pixels += layer * (160 / cells**0.5)
    picture = Image.fromarray(np.clip(pixels + 32, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        size = int(rng.integers(4, height // 4))
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x, y, x + size, y + size), fill=colour)
        draw.line((x, y, int(rng.integers(width)), int(rng.integers(height))), colour, 3)
    return picture


def small(number: int) -> Image.Image:
    """A picture for samples that are about the format."""
    return scene(number, 160, 120)


def grey16(number: int) -> npt.NDArray[np.uint16]:
    """A grey picture that uses all 16 bits."""
    values = np.asarray(small(number).convert("L")).astype(np.uint16)
    return values * 256 + np.arange(values.size, dtype=np.uint16).reshape(values.shape) % 256


def with_hole(picture: Image.Image) -> Image.Image:
    """The picture with alpha: a soft transparent disc in the middle."""
    alpha = Image.new("L", picture.size, 255)
    box = [side // 4 for side in picture.size] + [side * 3 // 4 for side in picture.size]
    ImageDraw.Draw(alpha).ellipse(box, fill=0)
    alpha = Image.fromarray(cv2.GaussianBlur(np.asarray(alpha), (0, 0), 4))
    with_alpha = picture.convert("RGBA")
    with_alpha.putalpha(alpha)
    return with_alpha


def encoded(picture: Image.Image, encoder: str, **options: object) -> bytes:
    """The bytes that Pillow writes for a picture."""
    stream = io.BytesIO()
    picture.save(stream, encoder, **options)
    return stream.getvalue()


def jpeg(picture: Image.Image, **options: object) -> bytes:
    return encoded(picture, "JPEG", **{"quality": 90, **options})


def heif(*pictures: Image.Image, deep: bool = False) -> bytes:
    """HEIC of one or several pictures, 8 or 10 bits."""
    container = pillow_heif.HeifFile()
    for picture in pictures:
        if deep:
            values = np.asarray(picture).astype(np.uint16) * 257
            container.add_frombytes("RGB;16", picture.size, values.tobytes())
        else:
            container.add_from_pillow(picture)
    stream = io.BytesIO()
    container.save(stream, quality=80)
    return stream.getvalue()


def oriented(orientation: int) -> bytes:
    """scene 1, stored so that EXIF orientation ``orientation`` shows it upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = scene(1, 256, 192)
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored, "PNG", exif=exif.tobytes())


def captioned(picture: Image.Image) -> Image.Image:
    copy = ImageOps.expand(picture, (0, 60, 0, 0), "white")
    font = ImageFont.load_default(28)
    ImageDraw.Draw(copy).text((20, 12), "a caption above the picture", "black", font)
    return copy


def motion_photo() -> bytes:
    """A JPEG with the beginning of an MP4 appended, as phones write them."""
    video = struct.pack(">I4s4sI4s", 20, b"ftyp", b"mp42", 0, b"isom") + struct.pack(
        ">I4s", 8, b"mdat"
    )
    return jpeg(small(20)) + video


def truncated() -> bytes:
    whole = jpeg(scene(21, 256, 192))
    return whole[: len(whole) * 2 // 3]


def text_chunks() -> PngImagePlugin.PngInfo:
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", "a comment that must stay here")
    return comment


VIDEO_RATE = 12


def film(number: int, width: int = 256, height: int = 192) -> Image.Image:
    """Frame ``number`` of a film: scenes of two seconds through which the camera moves."""
    part, step = divmod(number, 2 * VIDEO_RATE)
    x, y = 3 * step, 2 * step
    return scene(50 + part, width + 80, height + 60).crop((x, y, x + width, y + height))


def video(
    name: str,
    codec: str,
    frames: list[Image.Image],
    *,
    pixel_format: str = "yuv420p",
    times: list[int] | None = None,
    turned: int = 0,
    **options: str,
) -> bytes:
    """The bytes of a video. ``times`` (milliseconds) make its rate variable, ``turned`` (degrees)
    is written as metadata. One thread, so that the bytes are the same every time."""
    stream = io.BytesIO()
    stream.name = name
    with av.open(stream, "w", format=CONTAINERS[Path(name).suffix]) as container:
        container.flags |= av.container.Flags.bitexact.value
        track = container.add_stream(codec, rate=VIDEO_RATE)
        track.width, track.height = frames[0].size
        track.pix_fmt = pixel_format
        track.options = {"threads": "1", **options}
        track.codec_context.flags |= av.codec.context.Flags.bitexact.value
        if times:
            track.codec_context.time_base = Fraction(1, 1000)
        if turned:
            track.set_display_rotation(turned)
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_image(picture)
            if times:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(track.encode(frame))
        container.mux(track.encode())
    return stream.getvalue()


CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}


def letterboxed(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, (0, 32, 0, 32), "black")


def _register_videos() -> None:
    def frames(seconds: int = 5) -> list[Image.Image]:
        return [film(number) for number in range(seconds * VIDEO_RATE)]

    uneven = [n * 1000 // VIDEO_RATE + (1700 if n >= 2 * VIDEO_RATE else 0) for n in range(60)]
    x265 = {"x265-params": "pools=1:frame-threads=1:log-level=none", "preset": "fast"}
    SAMPLES.update(
        {
            "film-h264.mp4": lambda: video("a.mp4", "libx264", frames(), crf="26", g="12"),
            "film-reencoded.webm": lambda: video(
                "a.webm", "libvpx", [f.resize((192, 144)) for f in frames()], b="300k"
            ),
            "film-trimmed.mkv": lambda: video("a.mkv", "libx264", frames()[18:], crf="28"),
            "film-letterboxed.mp4": lambda: video(
                "a.mp4", "libx264", [letterboxed(f) for f in frames()], crf="28"
            ),
            "film-hevc-10-bit.mov": lambda: video(
                "a.mov", "libx265", frames(3), pixel_format="yuv420p10le", crf="28", **x265
            ),
            "film-portrait-turned.mp4": lambda: video(
                "a.mp4",
                "libx264",
                [f.rotate(90, expand=True) for f in frames(3)],
                crf="28",
                turned=-90,
            ),
            "film-variable-rate.mp4": lambda: video(
                "a.mp4", "libx264", frames(), crf="28", times=uneven
            ),
            "film-mpeg4.avi": lambda: video("a.avi", "mpeg4", frames(3), b="500k"),
        }
    )


def _register() -> None:
    frames = [small(30), small(31), small(32)]
    later = {"save_all": True, "append_images": frames[1:]}
    one = scene(1)
    cropped = one.crop((40, 30, one.width - 40, one.height - 30))
    SAMPLES.update(
        {
            # Scenes with enough detail for PDQ quality 100.
            "scene-1.jpg": lambda: jpeg(scene(1)),
            "scene-2.jpg": lambda: jpeg(scene(2)),
            "scene-3.png": lambda: encoded(scene(3, 256, 192), "PNG", pnginfo=text_chunks()),
            # Edited copies of scene 1.
            "scene-1-resized.jpg": lambda: jpeg(one.resize((320, 240))),
            "scene-1-recompressed.jpg": lambda: jpeg(one, quality=35),
            "scene-1-cropped.jpg": lambda: jpeg(cropped),
            "scene-1-mirrored.jpg": lambda: jpeg(ImageOps.mirror(one)),
            "scene-1-captioned.jpg": lambda: jpeg(captioned(one)),
            # One of each format and colour mode.
            "jpeg-progressive.jpg": lambda: jpeg(small(10), progressive=True),
            "jpeg-grey.jpg": lambda: jpeg(small(11).convert("L")),
            "jpeg-cmyk.jpg": lambda: jpeg(small(12).convert("CMYK")),
            "jpeg-mpo.jpg": lambda: encoded(
                small(13), "MPO", quality=90, save_all=True, append_images=[small(14)]
            ),
            "jpeg-motion-photo.jpg": motion_photo,
            "jpeg-truncated.jpg": truncated,
            "png-rgba.png": lambda: encoded(with_hole(small(15)), "PNG"),
            "png-grey-alpha.png": lambda: encoded(with_hole(small(16)).convert("LA"), "PNG"),
            "png-grey.png": lambda: encoded(small(17).convert("L"), "PNG"),
            "png-1-bit.png": lambda: encoded(small(18).convert("1"), "PNG"),
            "png-palette.png": lambda: encoded(small(19).quantize(64), "PNG"),
            "png-palette-alpha.png": lambda: encoded(
                small(19).quantize(64), "PNG", transparency=bytes(range(0, 256, 4))
            ),
            "png-grey-16.png": lambda: encoded(Image.fromarray(grey16(22)), "PNG"),
            "png-rgb-16.png": lambda: bytes(
                cv2.imencode(".png", np.asarray(small(23)).astype(np.uint16) * 257)[1]
            ),
            "png-animated.png": lambda: encoded(frames[0], "PNG", **later),
            "png-flat.png": lambda: encoded(Image.new("RGB", (200, 150), (90, 120, 200)), "PNG"),
            "png-tiny.png": lambda: encoded(scene(24, 40, 30), "PNG"),
            "gif.gif": lambda: encoded(small(25), "GIF"),
            "gif-animated.gif": lambda: encoded(frames[0], "GIF", **later),
            "webp.webp": lambda: encoded(small(26), "WEBP", quality=80),
            "webp-alpha-lossless.webp": lambda: encoded(
                with_hole(small(27)), "WEBP", lossless=True
            ),
            "webp-animated.webp": lambda: encoded(frames[0], "WEBP", **later),
            "tiff.tiff": lambda: encoded(small(28), "TIFF", compression="tiff_lzw"),
            "tiff-pages.tiff": lambda: encoded(frames[0], "TIFF", compression="tiff_lzw", **later),
            "tiff-grey-16.tiff": lambda: encoded(Image.fromarray(grey16(29)), "TIFF"),
            "tiff-float.tiff": lambda: encoded(
                Image.fromarray(np.asarray(small(33).convert("L")) / np.float32(255)), "TIFF"
            ),
            "bmp.bmp": lambda: encoded(scene(34, 96, 72), "BMP"),
            "heic.heic": lambda: heif(small(35)),
            "heic-10-bit.heic": lambda: heif(small(36), deep=True),
            "heic-several.heic": lambda: heif(small(37), small(38)),
            "avif.avif": lambda: encoded(small(39), "AVIF", quality=70, max_threads=1),
            "jpeg2000.jp2": lambda: encoded(small(40), "JPEG2000"),
            "icon.ico": lambda: encoded(scene(41, 128, 128), "ICO", sizes=[(128, 128), (32, 32)]),
            # A picture whose suffix is wrong.
            "really-a-png.jpg": lambda: encoded(small(42), "PNG"),
        }
    )
    for orientation in range(1, 9):
        SAMPLES[f"orientation-{orientation}.png"] = lambda n=orientation: oriented(n)


_register()
_register_videos()


def main() -> None:
    """Write every sample into the given folder, or beside this file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, make in SAMPLES.items():
        (folder / name).write_bytes(make())


if __name__ == "__main__":
    main()
