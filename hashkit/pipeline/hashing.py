"""One file: one read, one decode, every hash that was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hashkit import notices
from hashkit.errors import (
    FileTooBig,
    HashkitError,
    IsAnArchive,
    MediaError,
    NotMedia,
    TooMuchMemory,
    UnsupportedMedia,
)
from hashkit.hashes import cryptographic, pdq
from hashkit.hashes.arrays import Pixels
from hashkit.hashes.registry import DEFAULT, Family, by_module, in_order, of_family
from hashkit.media import animations, formats, images
from hashkit.media.limits import MAX_PIXELS, check_bytes
from hashkit.media.recognition import is_motion_jpeg, is_plainly_other, recognise
from hashkit.media.sampling import DEFAULT_SAMPLE, Sample, Sampler
from hashkit.models import (
    ALPHA_DROPPED,
    READINGS,
    FailedFile,
    Hash,
    HashedFile,
    MediaKind,
    Notice,
    original_of,
)
from hashkit.pipeline import files
from hashkit.pipeline.frame_hashing import FrameHasher
from hashkit.pipeline.options import OnProgress, Options
from hashkit.pipeline.video_hashing import MovingHashes, failed, hash_frames, hash_video
from hashkit.variants.computing import hash_variants
from hashkit.variants.readings import hash_readings
from hashkit.variants.sets import DEFAULT_LEVEL, has_readings

Source = str | os.PathLike[str] | BinaryIO

_SMALL_SIDE = 64
_OF_PLAIN_PICTURES = {notices.LOW_QUALITY, notices.FLAT}
_OF_DAMAGE = {notices.TRUNCATED, notices.DAMAGED}
_FLAT_RANGE = 8  # of 255: what a JPEG makes of one colour


def hash_file(
    source: Source,
    algorithms: str | Iterable[str] = DEFAULT,
    *,
    sample: Sample = DEFAULT_SAMPLE,
    max_pixels: int = MAX_PIXELS,
    variants: str = DEFAULT_LEVEL,
    on_progress: OnProgress | None = None,
) -> HashedFile:
    """Hash one file: ``source`` is a path, or a seekable binary file object. It is decoded in this
    process; for files that somebody else may have made there is ``hash_files``, which isolates.

    ``algorithms`` are names as in ``hashkit.ALGORITHMS``, or ``services`` (the default: what
    takedown services take) or ``all``; those that do not apply to the kind of file are left out.
    ``sample`` says which frames of a video get a hash: one every so many seconds (1.0 if not
    given), ``all``, or ``keyframes`` (quick, and without TMK). ``max_pixels`` limits the size of a
    picture (200 million if not given), checked before it is decoded. If not given,
    ``variants`` are ``readings``: beside the original, the hash of each other reading of the same
    file, as tools of services make it that drop transparency, do not turn pictures, or count the
    frames of videos; most files have none. ``none`` leaves them out. Beside them, the hashes of
    likely edits find copies that are cropped, mirrored or framed: ``orientations`` (8 hashes of a
    picture), ``standard`` (at most 16) or ``wide`` (at most 48). ``on_progress`` is called while a
    video is decoded, with the part of it that is done, at most 1.0.

    Raises ValueError or TypeError for a wrong argument, and else an error of the tree
    in ``hashkit.errors``. ``hash_files`` returns it instead, together with the cryptographic hashes
    of a picture or video that cannot be decoded.
    """
    options = Options.checked(algorithms, sample, max_pixels, variants)
    outcome = hash_or_fail(source, options, on_progress)
    if isinstance(outcome, FailedFile):
        raise outcome.error
    return outcome


def hash_or_fail(
    source: Source, options: Options, on_progress: OnProgress | None = None
) -> HashedFile | FailedFile:
    """As ``hash_file``, with the error as a value."""
    path = _path_of(source)
    try:
        with files.open_untrusted(source) as untrusted:
            try:
                media = _media_of(untrusted)
                if media.kind is MediaKind.IMAGE:
                    check_bytes(untrusted.size)
            except (UnsupportedMedia, IsAnArchive, FileTooBig) as error:
                # It will not be decoded, but its bytes can be hashed all the same.
                return failed(path, error, MediaKind.IMAGE, _digests_of(untrusted, options))
            if media.kind is MediaKind.VIDEO:
                return hash_video(path, untrusted, media.format, options, on_progress)
            data = untrusted.read()
            if media.format == "jpeg" and is_motion_jpeg(data):
                del data
                return hash_video(path, untrusted, "mjpeg", options, on_progress)
    except HashkitError as error:
        return FailedFile(path, error)
    except MemoryError:
        exact = exact_or_fail(source, options)
        return failed(path, TooMuchMemory(), exact.kind, exact.hashes)
    return _hash_image(path, data, media.format, options)


def exact_or_fail(source: Source, options: Options) -> HashedFile | FailedFile:
    """The cryptographic hashes alone: nothing but the first bytes of the file is looked into."""
    path = _path_of(source)
    try:
        with files.open_untrusted(source) as untrusted:
            try:
                kind = formats.identify(untrusted.head).kind
            except (UnsupportedMedia, IsAnArchive):
                kind = MediaKind.IMAGE
            except NotMedia:
                if is_plainly_other(untrusted.head):
                    raise
                kind = MediaKind.VIDEO  # a decoder was at work on it, and failed
            return HashedFile(path, kind, _digests_of(untrusted, options))
    except HashkitError as error:
        return FailedFile(path, error)


def _media_of(untrusted: files.UntrustedFile) -> formats.MediaType:
    try:
        return formats.identify(untrusted.head)
    except IsAnArchive:
        raise
    except NotMedia:
        if untrusted.size > files.MAX_BYTES:  # an image of a disk, say
            raise
        return recognise(untrusted.stream, untrusted.head)


def _path_of(source: Source) -> Path | None:
    return Path(source) if isinstance(source, str | os.PathLike) else None


def _digests_of(untrusted: files.UntrustedFile, options: Options) -> tuple[Hash, ...]:
    digests = cryptographic.Digests(of_family(options.algorithms, Family.CRYPTOGRAPHIC))
    for chunk in untrusted.chunks():
        digests.update(chunk)
    return digests.hashes()


def _hash_image(
    path: Path | None, data: bytes, image_format: str, options: Options
) -> HashedFile | FailedFile:
    # One after the other: a second thread gained nothing for one picture, and with many pictures
    # the other cores are busy.
    exact_names = of_family(options.algorithms, Family.CRYPTOGRAPHIC)
    exact = cryptographic.compute(data, exact_names)
    if exact_names == options.algorithms:
        return HashedFile(path, MediaKind.IMAGE, exact)
    try:
        still, moving, notes = _decode_and_hash(data, image_format, options)
    except MediaError as error:
        return failed(path, error, MediaKind.IMAGE, exact)
    except MemoryError:
        return failed(path, TooMuchMemory(), MediaKind.IMAGE, exact)
    hashes = in_order((*exact, *still, *moving.hashes))
    if not hashes and moving.frames is None:
        notes = (*notes, notices.NO_HASH)
    return HashedFile(path, MediaKind.IMAGE, hashes, notes, moving.frames, moving.variants)


def _decode_and_hash(
    data: bytes, image_format: str, options: Options
) -> tuple[tuple[Hash, ...], MovingHashes, tuple[Notice, ...]]:
    """The hashes and notices of a picture that take decoding."""
    picture = images.decode(data, image_format, options.max_pixels)
    still = _perceptual_hashes(picture, options)
    notes = (*picture.notices, *_warnings(picture.pixels, still))
    if notices.ANIMATED not in picture.notices:
        return still, MovingHashes(), notes
    data = picture.data
    del picture
    moving, notes = _hash_animation(data, image_format, options, notes)
    return still, moving, notes


def _hash_animation(
    data: bytes, image_format: str, options: Options, notes: tuple[Notice, ...]
) -> tuple[MovingHashes, tuple[Notice, ...]]:
    """The video hashes of a picture that moves."""
    if not of_family(options.algorithms, Family.VIDEO):
        return MovingHashes(), notes
    animation = animations.Animation(data, image_format)
    # All of its frames can be decoded on their own, so "keyframes" is every one of them.
    interval = 0.0 if isinstance(options.sample, str) else options.sample
    sampled = FrameHasher(options, Sampler(interval, None), animation.counted_rate)
    moving = hash_frames(animation.frames(), options, sampled, animation.rate)
    best = moving.best_quality()
    if best is not None and best >= pdq.QUALITY_THRESHOLD:  # of the first frame, that is true
        notes = tuple(each for each in notes if each not in _OF_PLAIN_PICTURES)
    is_whole = not animation.cut_short and not _OF_DAMAGE.intersection(notes)
    notes = (*notes, *moving.rate_notes(is_whole=is_whole))
    if animation.cut_short:
        notes = (*notes, notices.with_span(notices.VIDEO_TRUNCATED, 0.0, animation.end, None))
    return moving, notes


def _perceptual_hashes(picture: images.Picture, options: Options) -> tuple[Hash, ...]:
    hashes: list[Hash] = []
    pixels = picture.pixels
    if of_family(options.algorithms, Family.PDQ):
        original = pdq.compute(pixels)
        readings: tuple[Hash, ...] = ()
        if has_readings(options.variants):
            readings = hash_readings(
                ((each.name, each.pixels()) for each in picture.readings), original
            )
        edits = hash_variants(pixels, options.variants, original, readings)
        hashes += [original, *readings, *edits]
    others = of_family(options.algorithms, Family.PIXELS)
    for module, names in by_module(others).items():  # imagehash brings SciPy: only when asked for
        hashes.extend(import_module(module).compute(pixels, names))
    return tuple(hashes)


def _warnings(pixels: Pixels, hashes: tuple[Hash, ...]) -> list[Notice]:
    """Notices about perceptual hashes that may not find copies of this picture."""
    warnings = []
    if min(pixels.shape[:2]) < _SMALL_SIDE:
        warnings.append(notices.SMALL)
    found = original_of(hashes, "pdq")
    quality = None if found is None else found.quality
    readings = [each.variant for each in hashes if each.variant in READINGS]
    if quality is not None and quality < pdq.QUALITY_THRESHOLD and not readings:
        warnings.append(notices.LOW_QUALITY)
    if any(name.startswith(ALPHA_DROPPED) for name in readings):
        warnings.append(notices.TRANSPARENT)
    if not quality and _is_flat(pixels):  # any gradient at all would show in the quality
        warnings.append(notices.FLAT)
    return warnings


def _is_flat(pixels: Pixels) -> bool:
    # For nearly every picture, a few pixels show that it is not.
    return _range(pixels[::16, ::16]) <= _FLAT_RANGE and _range(pixels) <= _FLAT_RANGE


def _range(pixels: Pixels) -> int:
    """The largest difference within a channel."""
    return max(int(channel.max()) - int(channel.min()) for channel in np.atleast_3d(pixels).T)
