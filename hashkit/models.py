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
"""The variant name of the unedited picture."""

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
"""The eight orientations of a picture, in the order of PDQ's reference. Rotations are
anticlockwise; ``mirrored`` swaps left and right, ``flipped`` top and bottom, ``transposed`` and
``transverse`` mirror along a diagonal."""

BARS_REMOVED = "bars-removed"
"""The variant of a video whose black bars are cut off."""

AS_STORED, ALPHA_DROPPED = "as-stored", "alpha-dropped"
BY_FRAME_COUNT, BY_TIME = "by-frame-count", "by-time"
_AS_NUMBERS = (  # what the numbers in the file are taken for
    ALPHA_DROPPED,
    "palette-indices",
    "cmyk-as-rgb",
    "lab-as-rgb",
    "ycbcr-as-rgb",
    "clipped-to-8-bits",
)
STILL_READINGS = (
    AS_STORED,
    *_AS_NUMBERS,
    *(f"{name}+{AS_STORED}" for name in _AS_NUMBERS),
)
"""The other readings of a picture: not edits, but the same file as tools read it that do not show
it as people see it. ``as-stored``: not turned as EXIF says. ``alpha-dropped``: what lies under
transparency. ``palette-indices``: the numbers of the colours taken for grey. ``cmyk-as-rgb`` and
its kin: the numbers of other colour spaces taken for red, green and blue. ``clipped-to-8-bits``:
values of 16 bits above 255 taken for white."""

MOVING_READINGS = (AS_STORED, BY_FRAME_COUNT, f"{BY_FRAME_COUNT}+{AS_STORED}", BY_TIME)
"""The other readings of a video. ``as-stored``: not turned as the file says. ``by-frame-count``: of
a variable rate, but every so many frames one was sampled, as if the rate were constant.
``by-time``: the reverse, of a constant rate such as 29.97, of which so many whole frames are never
quite a second."""

READINGS = frozenset(STILL_READINGS + MOVING_READINGS)
"""The variants that are readings of the file itself. All others are edits."""


class MediaKind(StrEnum):
    """What a file shows: one picture (``image``), or frames over time (``video``)."""

    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Hash:
    """One hash of one file.

    ``algorithm`` is a name of ``hashkit.ALGORITHMS``. ``value`` is lowercase hex (several hex
    numbers joined by commas for ``crop_resistant``); bytes for ``tmk_pdqf``, the content of a
    ``.tmk`` file. ``quality`` is 0 to 100 for algorithms that have one, else None. ``variant``
    names the edit of the picture that was hashed, or the other reading of it; ``original`` is the
    picture as people see it.
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
    """The hash of the unedited picture by this algorithm, if it is among these."""
    return next(
        (each for each in hashes if each.algorithm == algorithm and each.variant == ORIGINAL), None
    )


def best_quality(hashes: Iterable[Hash]) -> int | None:
    """The quality, 0 to 100, of the PDQ hash of the original, or of the better of its other
    readings: where people see nothing, the tools of services may. None where there is no such
    hash."""
    named = (ORIGINAL, *STILL_READINGS)
    found = [
        each.quality or 0 for each in hashes if each.algorithm == "pdq" and each.variant in named
    ]
    return max(found, default=None)


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

    ``code`` is stable: programs may branch on it. ``label`` is a word or two, ``text`` whole
    sentences; neither holds a path or a name.
    """

    code: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class HashedFile:
    """The hashes of one file. Local: it knows its path, so it is never sent as it is.

    ``path`` is None for an open file, ``kind`` is what the file shows. ``hashed["pdq"]`` is the
    hash of the original by that algorithm; KeyError if there is none, and for vPDQ, which is in
    ``frames`` for videos and animations. ``hashes`` also holds the hashes of other readings of the
    file, and of the edits requested with ``variants``, after that of the original; those of videos
    and animations are in ``frame_variants``. ``notices`` are what a person should know about the
    file.
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
    """A file whose picture or video could not be hashed, and why.

    ``path`` is where it is, and ``error`` an error of the tree in ``hashkit.errors``, not raised.
    If its bytes could be read, ``hashes`` holds the cryptographic hashes, with a notice among
    ``notices``: services that match exact copies can use them. ``kind`` is then what the file
    claims to be, else None.
    """

    path: Path | None
    error: HashkitError
    kind: MediaKind | None = None
    hashes: tuple[Hash, ...] = ()
    notices: tuple[Notice, ...] = ()


Outcome = HashedFile | FailedFile
