"""The fuzz targets: each takes any bytes and raises if hashkit misbehaves.

Readers of untrusted bytes may refuse them only with the error that they document. What they accept
must survive a round trip.
"""

from __future__ import annotations

import copy
import io
import json
import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from answers import answers
from answers import seeds as _answers

from hashkit import ALGORITHMS, HashedFile, HashkitError, Submission, hash_file
from hashkit.cli.output.comparisons import comparison_to_json
from hashkit.errors import DocumentInvalid, SealError
from hashkit.hashes import tmk, vpdq
from hashkit.matching import comparing
from hashkit.media import videos as videos_module
from hashkit.media.formats import identify
from hashkit.media.sampling import DEFAULT_SAMPLE
from hashkit.media.tee import Tee
from hashkit.media.truncation import is_cut_short
from hashkit.media.videos import open_video
from hashkit.models import MediaKind
from hashkit.submission.formats.converting import export_submission, import_submission
from hashkit.submission.formats.registry import FORMATS, READERS
from hashkit.submission.formats.signals import signals_of
from hashkit.submission.sealing import seal, unseal
from hashkit.variants.sets import LEVELS, NONE

SAMPLES = Path(__file__).parent.parent.parent / "samples_synthetic"
_MAX_PIXELS = 1_000_000
_MAX_PIXELS_OF_A_FRAME = 50_000  # frames that claim more are refused: they only cost time
videos_module.THREADS = "NONE"  # frames of 48 pixels take less time than the start of a thread


def images(untrusted: bytes) -> None:
    """Any bytes as a picture: hashes, or a HashkitError."""
    _hash(untrusted, "sha256,pdq,dhash,vpdq")


def videos(untrusted: bytes) -> None:
    """Any bytes as a video: frames, or a HashkitError. One of sixteen is hashed as well: the rest
    of the time goes to reading, which is what bytes can harm. The length decides what is asked."""
    length = len(untrusted)
    if length % 16:
        _read_video(untrusted)
        return
    hashed = _hashed(
        untrusted,
        "md5,vpdq,tmk_pdqf" if length % 64 == 0 else "vpdq",
        sample="all" if length % 32 else DEFAULT_SAMPLE,
        variants=LEVELS[length // 32 % len(LEVELS)] if length % 32 == 0 else NONE,
        max_pixels=_MAX_PIXELS_OF_A_FRAME,
    )
    if hashed is not None:
        _check(hashed)


def _read_video(untrusted: bytes) -> None:
    """As ``pipeline.video_hashing`` reads a video, every frame to its pixels, without hashing."""
    stream = io.BytesIO(untrusted)
    try:
        media = identify(untrusted[:4096])
        if media.kind is not MediaKind.VIDEO:
            return
        is_cut_short(stream, len(untrusted), media.format)
        with open_video(Tee(stream, lambda _: None), media.format) as video:
            times = [frame.timestamp for frame in video.frames() if frame.pixels.size]
            assert times == sorted(times), times
    except HashkitError:
        return


def _hash(untrusted: bytes, algorithms: str) -> None:
    hashed = _hashed(untrusted, algorithms)
    if hashed is not None:
        _check(hashed)


def _hashed(untrusted: bytes, algorithms: str, **options: Any) -> HashedFile | None:
    level = LEVELS[len(untrusted) % len(LEVELS)]
    options = {"max_pixels": _MAX_PIXELS, "variants": level} | options
    try:
        return hash_file(io.BytesIO(untrusted), algorithms.split(","), **options)
    except HashkitError:
        return None


def _check(hashed: HashedFile) -> None:
    """The result must fit into a submission and survive a round trip."""
    text = Submission.of([hashed]).to_json()
    assert Submission.from_json(text).to_json() == text
    for each in hashed.hashes:
        assert each.quality is None or 0 <= each.quality <= 100, each


def document(untrusted: bytes) -> None:
    """Any bytes as a submission. An accepted one can be compared."""
    try:
        submission = Submission.from_json(untrusted)
    except DocumentInvalid:
        return
    text = submission.to_json()
    assert Submission.from_json(text).to_json() == text
    for one in submission.items[:3]:
        for other in submission.items[:3]:
            there, back = comparing.compare(one, other), comparing.compare(other, one)
            assert there.verdict == back.verdict, (there, back)
            json.dumps(comparison_to_json(there), allow_nan=False)


def vpdq_text(untrusted: bytes) -> None:
    """Any text as vPDQ hashes."""
    try:
        frames = vpdq.from_text(untrusted.decode("utf-8", "replace"))
    except ValueError:
        return
    text = vpdq.to_text(frames)
    assert vpdq.to_text(vpdq.from_text(text)) == text
    vpdq.compare(frames[:50], frames[:50])


def lists(untrusted: bytes) -> None:
    """Any bytes as a list of hashes, in any format, named or detected. Every format can write
    it."""
    names = [None, *READERS]
    try:
        found = import_submission(untrusted[1:], names[untrusted[0] % len(names)]).submission
    except (DocumentInvalid, IndexError):  # no first byte
        return
    text = found.to_json()
    assert Submission.from_json(text).to_json() == text
    for name in FORMATS:
        exported = export_submission(found, name)
        signals = len(exported.held) + len(exported.left_out)
        assert signals == len(list(signals_of(found)))
        if name == "csv" and not exported.left_out:
            assert import_submission(exported.content).submission.to_json() == text


def tmk_signature(untrusted: bytes) -> None:
    """Any bytes as a TMK+PDQF signature."""
    # The reader checks the size first, so short inputs are completed from a real signature.
    whole = untrusted + _a_signature()[len(untrusted) :]
    try:
        signature = tmk.Signature.from_bytes(whole[: tmk.SIZE])
    except ValueError:
        return
    assert signature.to_bytes()[-1024:] == whole[: tmk.SIZE][-1024:]
    levels = tmk.score(signature, signature)
    assert math.isfinite(levels.level1), levels
    assert math.isfinite(levels.level2), levels


def sealed(untrusted: bytes) -> None:
    """Any bytes as a sealed file, for a known key, so that the content is any bytes too."""
    try:
        submission = unseal(untrusted, [_FUZZ_KEY])
    except (SealError, DocumentInvalid):
        return
    assert unseal(seal(submission, [_FUZZ_PUBLIC]), [_FUZZ_KEY]) == submission


_FUZZ_PUBLIC = "age1xrfzsu22c2gn2rhz6gjsspyhw3suk3a5w8nz7j8uc5xlw5tzn37q9ps0jp"
_FUZZ_KEY = "AGE-SECRET-KEY-1FE8NFEAKCHSRV2YD9AUMT9MTSEU026LTAUQV6E0V6VNKVJL6G6FQXP8X07"


def _sealed() -> Iterator[bytes]:
    submission = Submission.of([hash_file(SAMPLES / "scene-1.jpg")])
    yield seal(submission, [_FUZZ_PUBLIC])
    yield b"age-encryption.org/v1\n-> X25519 x\nx\n--- x\n"


_FILM = SAMPLES / "film-trimmed.mkv"
_signatures: list[bytes] = []


def _a_signature() -> bytes:
    if not _signatures:
        value = hash_file(_FILM, "tmk_pdqf")["tmk_pdqf"].value
        assert isinstance(value, bytes)
        _signatures.append(value)
    return _signatures[0]


@dataclass(frozen=True)
class Target:
    """A function to fuzz, its seeds, and the longest useful input."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    max_bytes: int
    mutate: Callable[[bytes, int, int], bytes] | None = None


_ODD_VALUES = [
    *(None, True, -1, 0, 1, 100, 101, 10**30, 0.5, -0.0, 1e308, "", "a" * 64, "image", "video"),
    *(
        "mirrored",
        "crop-5+mirrored",
        "bars-removed",
        "original",
        [],
        {},
        "all",
        "keyframes",
        [[]],
        {"value": "", "quality": 1},
        "\ud800",
    ),
]


def _mutate_json(data: bytes, max_bytes: int, seed: int) -> bytes:
    """Change one place of a document and keep it JSON; or any byte of it."""
    import atheris

    chance = random.Random(seed)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        tree = None
    places = list(_places(tree))
    if not places or chance.random() < 0.2:
        return atheris.Mutate(data, max_bytes)
    holder, key = chance.choice(places)
    other_holder, other_key = chance.choice(places)
    match chance.randrange(5):
        case 0:
            del holder[key]
        case 1:
            holder[key] = chance.choice(_ODD_VALUES)
        case 2:
            holder[key] = copy.deepcopy(other_holder[other_key])
        case 3 if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _ if isinstance(holder, dict):
            holder[chance.choice([*ALGORITHMS, "name", "variants"])] = holder.pop(key)
    return json.dumps(tree).encode()[:max_bytes]


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree: its container, and its key there."""
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def _files(*beginnings: str, but: tuple[str, ...] = ()) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        for path in sorted(SAMPLES.iterdir()):
            if path.name.startswith(beginnings) and not path.name.startswith(but):
                yield path.read_bytes()

    return read


# The containers and codecs that are read most, as PyAV's names for writing them.
_CODECS = {
    "mp4": "libx264",
    "mov": "mpeg4",
    "matroska": "libx264",
    "webm": "libvpx-vp9",
    "avi": "mjpeg",
    "mpegts": "mpeg2video",
    "mpeg": "mpeg1video",
    "flv": "flv1",
    "asf": "wmv2",
}


def _small_videos() -> Iterator[bytes]:
    """One video for each container: so small that an input takes a millisecond or two."""
    frames = np.random.default_rng(0).integers(0, 255, (8, 6, 6, 3), dtype=np.uint8)
    for container, codec in _CODECS.items():
        stream = io.BytesIO()
        with av.open(stream, "w", format=container) as output:
            track = output.add_stream(codec, rate=25)
            track.width, track.height = 48, 48
            track.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            # Fewer packets than eight are not recognised as an MPEG transport stream.
            for small in frames[: 8 if container == "mpegts" else 2]:
                pixels = small.repeat(8, axis=0).repeat(8, axis=1)
                output.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            output.mux(track.encode(None))
        yield stream.getvalue()


def _documents() -> Iterator[bytes]:
    everything = [hash_file(SAMPLES / name, "all") for name in ("scene-1.jpg", "gif-animated.gif")]
    yield Submission.of(everything).to_json().encode()
    names = ("scene-1.jpg", "scene-1-mirrored.jpg", "gif-animated.gif")
    edited = [hash_file(SAMPLES / name, "sha256,pdq,vpdq", variants="standard") for name in names]
    yield Submission.of(edited).to_json().encode()
    yield Submission.of([hash_file(SAMPLES / "scene-1.jpg")]).to_json().encode()
    yield b'{"format": "hashkit-submission", "version": 1, "items": []}'


def _vpdq_texts() -> Iterator[bytes]:
    frames = hash_file(_FILM, "vpdq").frames
    assert frames is not None
    yield vpdq.to_text(frames.hashes).encode()
    yield vpdq.to_signal(frames.hashes).encode()


def _lists() -> Iterator[bytes]:
    names = ("scene-1.jpg", "scene-1-mirrored.jpg", "film-trimmed.mkv")
    edited = [hash_file(SAMPLES / name, "md5,pdq,vpdq", variants="standard") for name in names]
    for name in ("csv", "vpdq", "threatexchange-cli"):
        content = export_submission(Submission.of(edited), name).content
        yield bytes([0]) + content
        yield bytes([list(READERS).index(name) + 1]) + content


TARGETS = {
    "images": Target(
        images,
        _files(
            *("avif", "bmp", "gif", "heic", "icon", "jpeg", "png", "tiff", "webp", "scene-1-"),
            but=("jpeg-motion",),
        ),
        200_000,
    ),
    "videos": Target(videos, _small_videos, 16_000),
    "document": Target(document, _documents, 100_000, _mutate_json),
    "vpdq": Target(vpdq_text, _vpdq_texts, 20_000),
    "lists": Target(lists, _lists, 20_000),
    "answers": Target(answers, _answers, 20_000),
    "sealed": Target(sealed, _sealed, 20_000),
    "tmk": Target(tmk_signature, lambda: [_a_signature()[:4096], _a_signature()], tmk.SIZE),
}
