"""Immutable value types shared by all packages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hashkit.errors import HashkitError

ORIGINAL = "original"
"""The variant of a hash that is of the picture as it is."""

ORIENTATIONS = (
    ORIGINAL,
    "rotated-90",
    "rotated-180",
    "rotated-270",
    "flipped",
    "mirrored",
    "transposed",
    "transverse",
)
"""The eight ways to turn a picture over, in the order of PDQ's reference. Rotations are
anticlockwise; ``mirrored`` swaps left and right, ``flipped`` top and bottom, ``transposed`` and
``transverse`` mirror along a diagonal."""

BARS_REMOVED = "bars-removed"
"""The variant of a video without the bars around it."""


class MediaKind(StrEnum):
    """What a file shows: one picture (``image``), or many over time (``video``)."""

    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Hash:
    """One hash of one file.

    ``algorithm`` is a name of ``hashkit.ALGORITHMS``. ``value`` is lowercase hex (several hex
    numbers joined by commas for ``crop_resistant``); bytes for ``tmk_pdqf``, the content of a
    ``.tmk`` file. ``quality`` is 0 to 100 for algorithms that have one, else None. ``variant``
    names the edit of the picture that was hashed; ``original`` is the picture as it is.
    """

    algorithm: str
    value: str | bytes
    quality: int | None = None
    variant: str = ORIGINAL

    @property
    def text(self) -> str:
        """The value as text: bytes in base64."""
        return self.value if isinstance(self.value, str) else b64encode(self.value).decode()


def original_of(hashes: Iterable[Hash], algorithm: str) -> Hash | None:
    """The hash of the picture as it is, by this algorithm, if it is among these."""
    return next(
        (each for each in hashes if each.algorithm == algorithm and each.variant == ORIGINAL), None
    )


@dataclass(frozen=True, slots=True)
class FrameHash:
    """The PDQ hash of one frame of a video.

    ``frame`` counts from 0 in order of display, ``timestamp`` is in seconds from the beginning,
    ``value`` is 64 lowercase hex digits, ``quality`` is 0 to 100.
    """

    frame: int
    timestamp: float
    value: str
    quality: int


@dataclass(frozen=True, slots=True)
class FrameHashes:
    """The vPDQ hash of a video: the ``hashes`` of its sampled frames, in order.

    ``interval`` is the seconds between samples, ``all`` for every frame, or ``keyframes``.
    ``variant`` is as in ``Hash``.
    """

    interval: float | Literal["all", "keyframes"]
    hashes: tuple[FrameHash, ...]
    variant: str = ORIGINAL


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know about a file that was hashed.

    ``code`` never changes: programs may branch on it. ``label`` says it in a word or two, ``text``
    in sentences; neither holds a path or a name.
    """

    code: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class HashedFile:
    """What came of one file. Local: it knows its path, and never leaves the machine as it is.

    ``path`` is None where an open file was hashed, ``kind`` what it shows. ``hashed["pdq"]`` is the
    hash of the original by that name; KeyError where there is none, and for vPDQ, which is in
    ``frames`` where something moves. The hashes of edits that were asked for with ``variants``
    stand in ``hashes`` after that of the original, and for what moves in ``frame_variants``.
    ``notices`` are what a person should know about it.
    """

    path: Path | None
    kind: MediaKind
    hashes: tuple[Hash, ...]
    notices: tuple[Notice, ...] = ()
    frames: FrameHashes | None = None
    frame_variants: tuple[FrameHashes, ...] = ()

    def __getitem__(self, algorithm: str) -> Hash:
        found = original_of(self.hashes, algorithm)
        if found is None:
            raise KeyError(algorithm)
        return found


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that gave no picture, and why.

    ``path`` is where it is, and ``error`` an error of the tree in ``hashkit.errors``, not raised.
    Where its bytes could be read all the same, ``hashes`` holds the cryptographic ones, with a
    notice among ``notices``: services that match exact copies can use them. ``kind`` is then what
    it claims to be, else None.
    """

    path: Path | None
    error: HashkitError
    kind: MediaKind | None = None
    hashes: tuple[Hash, ...] = ()
    notices: tuple[Notice, ...] = ()
