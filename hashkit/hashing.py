"""One file: one read, one decode, every hash that was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from hashkit import notices
from hashkit.errors import HashkitError, MediaError
from hashkit.hashes import cryptographic, pdq
from hashkit.hashes.registry import DEFAULT, Family, of_family, resolve
from hashkit.media import files, images, kinds
from hashkit.media.limits import MAX_PIXELS, check_bytes
from hashkit.records import FailedFile, Hash, HashedFile, MediaKind, Notice

Source = str | os.PathLike[str] | BinaryIO

_SMALL_SIDE = 64
_FLAT_RANGE = 8  # of 255: what a JPEG makes of one colour


def hash_file(
    source: Source,
    algorithms: str | Iterable[str] = DEFAULT,
    *,
    max_pixels: int = MAX_PIXELS,
) -> HashedFile:
    """Hash one file: a path, or a seekable binary file object.

    ``algorithms`` are names as in ``hashkit.ALGORITHMS``, or ``services`` (the default: what
    takedown services take) or ``all``. ``max_pixels`` limits the size of a picture, checked before
    it is decoded. Raises an error of the tree in ``hashkit.errors``; ``hash_files`` returns it
    instead, together with the cryptographic hashes of a picture that cannot be decoded.
    """
    outcome = hash_or_fail(source, resolve(algorithms), max_pixels)
    if isinstance(outcome, FailedFile):
        raise outcome.error
    return outcome


def hash_or_fail(
    source: Source, algorithms: tuple[str, ...], max_pixels: int
) -> HashedFile | FailedFile:
    """As ``hash_file``, with resolved names, and with the error as a value."""
    path = Path(source) if isinstance(source, str | os.PathLike) else None
    try:
        with files.open_untrusted(source) as untrusted:
            media = kinds.identify(untrusted.head)
            if media.kind is MediaKind.VIDEO:
                return _hash_video(path, untrusted, algorithms)
            check_bytes(untrusted.size)
            data = untrusted.read()
    except HashkitError as error:
        return FailedFile(path, error)
    return _hash_image(path, data, media.format, algorithms, max_pixels)


def _hash_video(
    path: Path | None, untrusted: files.UntrustedFile, algorithms: tuple[str, ...]
) -> HashedFile:
    digests = cryptographic.Digests(of_family(algorithms, Family.CRYPTOGRAPHIC))
    for chunk in untrusted.chunks():
        digests.update(chunk)
    return HashedFile(path, MediaKind.VIDEO, digests.hashes(), (notices.VIDEO_EXACT_ONLY,))


def _hash_image(
    path: Path | None,
    data: bytes,
    image_format: str,
    algorithms: tuple[str, ...],
    max_pixels: int,
) -> HashedFile | FailedFile:
    # One after the other: a thread beside was measured to gain nothing on a picture, and with many
    # pictures the other cores have pictures of their own.
    exact_names = of_family(algorithms, Family.CRYPTOGRAPHIC)
    exact = cryptographic.compute(data, exact_names)
    if exact_names == algorithms:
        return HashedFile(path, MediaKind.IMAGE, exact)
    try:
        picture = images.decode(data, image_format, max_pixels)
    except MediaError as error:
        told = (notices.EXACT_ONLY,) if exact else ()
        return FailedFile(path, error, MediaKind.IMAGE, exact, told)
    perceptual = _perceptual_hashes(picture.pixels, algorithms)
    doubts = _doubts(picture.pixels, perceptual)
    return HashedFile(path, MediaKind.IMAGE, (*exact, *perceptual), (*picture.notices, *doubts))


def _perceptual_hashes(
    pixels: npt.NDArray[np.uint8], algorithms: tuple[str, ...]
) -> tuple[Hash, ...]:
    hashes: list[Hash] = []
    if of_family(algorithms, Family.PDQ):
        hashes.append(pdq.compute(pixels))
    if names := of_family(algorithms, Family.CLASSIC):
        from hashkit.hashes import classic  # noqa: PLC0415 (brings SciPy: only when asked for)

        hashes.extend(classic.compute(pixels, names))
    return tuple(hashes)


def _doubts(pixels: npt.NDArray[np.uint8], hashes: tuple[Hash, ...]) -> list[Notice]:
    """Why the perceptual hashes of this picture may not find its copies."""
    doubts = []
    if min(pixels.shape[:2]) < _SMALL_SIDE:
        doubts.append(notices.SMALL)
    quality = next((found.quality for found in hashes if found.algorithm == "pdq"), None)
    if quality is not None and quality < pdq.QUALITY_THRESHOLD:
        doubts.append(notices.LOW_QUALITY)
    if not quality and _is_flat(pixels):  # any gradient at all would show in the quality
        doubts.append(notices.FLAT)
    return doubts


def _is_flat(pixels: npt.NDArray[np.uint8]) -> bool:
    # A few pixels tell of nearly every picture that it is not.
    return _range(pixels[::16, ::16]) <= _FLAT_RANGE and _range(pixels) <= _FLAT_RANGE


def _range(pixels: npt.NDArray[np.uint8]) -> int:
    """The largest difference within a channel."""
    return max(int(channel.max()) - int(channel.min()) for channel in np.atleast_3d(pixels).T)
