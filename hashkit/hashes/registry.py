"""The facts of each algorithm, once: everything else asks here, or is held to it by a test.

Light: no NumPy. The command line and the submission document need the facts, not the arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from hashkit.errors import UnknownAlgorithm
from hashkit.models import Hash

PDQ_THRESHOLD = 31
MIN_QUALITY = 50
TMK_THRESHOLD = 0.7
COPIED_PERCENT = 20.0
"""From this share of frames on, a video was cut from the other, or into it. Videos that have
nothing to do with each other share none (docs/robustness-videos.md)."""

PERHAPS_CROPPED_BITS = 8
"""Up to so many bits between segments of crop_resistant, one picture may be a part of the other
(docs/comparing.md has the share of false alarms)."""


class Family(Enum):
    """What an algorithm is computed from."""

    CRYPTOGRAPHIC = "cryptographic"  # the bytes of the file
    PDQ = "pdq"  # pixels; has a quality, and is computed of likely edits too
    VIDEO = "video"  # frames over time
    PIXELS = "pixels"


class Distance(Enum):
    """How two values are compared."""

    EQUALITY = "equal or different"
    BITS = "how many bits differ"
    NEAREST_BITS = "how many bits differ between the nearest two of several numbers"
    SHARED_FRAMES = "the percentage of frames that the other side has too"
    SCORES = "two scores of at most 1"


@dataclass(frozen=True)
class Algorithm:
    """A hash algorithm.

    ``module``, in ``hashkit.hashes``, computes it; for the family PIXELS, by a function
    ``compute(pixels, names)`` that returns a Hash for each name. ``bits`` is the length of a value,
    or of each number in it. ``threshold`` is the one in use: a match has at most so many different
    bits, or at least that percentage or score; None where none is in common use. Services discard
    hashes below ``min_quality`` (0 to 100); None where values have no quality. ``form`` is a
    regular expression for values that are not one number in hex.
    """

    name: str
    family: Family
    module: str
    bits: int
    distance: Distance
    threshold: float | None = None
    min_quality: int | None = None
    form: str | None = None
    is_default: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the values, as text."""
        hex_digits = f"[0-9a-f]{{{-(-self.bits // 4)}}}"
        return re.compile(hex_digits if self.form is None else self.form)

    @property
    def has_quality(self) -> bool:
        """Do the values carry a quality?"""
        return self.min_quality is not None


_BYTES, _PDQ, _VIDEO, _PIXELS = Family.CRYPTOGRAPHIC, Family.PDQ, Family.VIDEO, Family.PIXELS
_EQUAL, _BITS, _NEAREST = Distance.EQUALITY, Distance.BITS, Distance.NEAREST_BITS
_FRAMES, _SCORES = Distance.SHARED_FRAMES, Distance.SCORES
_TMK = "[A-Za-z0-9+/]{351126}=="
_SEGMENTS = "[0-9a-f]{16}(?:,[0-9a-f]{16}){0,255}"

# 10 of 64 bits is in common use for the hashes of the imagehash library; 16 is that library's own
# threshold for the segments of crop_resistant, of which one must match. The frames of vPDQ are in
# FrameHashes, not in a value.
# fmt: off
_TABLE = (
    Algorithm("md5", _BYTES, "cryptographic", 128, _EQUAL, is_default=True),
    Algorithm("sha1", _BYTES, "cryptographic", 160, _EQUAL, is_default=True),
    Algorithm("sha256", _BYTES, "cryptographic", 256, _EQUAL, is_default=True),
    Algorithm("sha512", _BYTES, "cryptographic", 512, _EQUAL),
    Algorithm("pdq", _PDQ, "pdq", 256, _BITS, PDQ_THRESHOLD, MIN_QUALITY, is_default=True),
    Algorithm("vpdq", _VIDEO, "vpdq", 256, _FRAMES, COPIED_PERCENT, MIN_QUALITY, "",
              is_default=True),
    Algorithm("tmk_pdqf", _VIDEO, "tmk", 2_106_752, _SCORES, TMK_THRESHOLD, None, _TMK,
              is_default=True),
    Algorithm("ahash", _PIXELS, "classic", 64, _BITS, 10),
    Algorithm("phash", _PIXELS, "classic", 64, _BITS, 10),
    Algorithm("dhash", _PIXELS, "classic", 64, _BITS, 10),
    Algorithm("whash", _PIXELS, "classic", 64, _BITS, 10),
    Algorithm("colorhash", _PIXELS, "classic", 42, _BITS),
    Algorithm("crop_resistant", _PIXELS, "classic", 64, _NEAREST, 16, form=_SEGMENTS),
)
# fmt: on

ALGORITHMS = {each.name: each for each in _TABLE}
"""All algorithms by name, in the order in which hashes are listed."""

DEFAULT = tuple(each.name for each in _TABLE if each.is_default)
"""What the services take today: of a picture the first four, of a video all but PDQ."""

_GROUPS = {"services": DEFAULT, "all": tuple(ALGORITHMS)}
_KNOWN = f"Known: {', '.join((*ALGORITHMS, *_GROUPS))}."


def resolve(names: str | Iterable[str]) -> tuple[str, ...]:
    """Turn names into algorithm names, each once, in the order of the registry.

    ``names`` is an iterable of names, or one string with commas between them; ``services`` stands
    for the default set and ``all`` for every algorithm. UnknownAlgorithm for any other name, and
    for no name at all.
    """
    given = names.split(",") if isinstance(names, str) else list(names)
    wanted: set[str] = set()
    for name in (each.strip().lower() for each in given):
        if name in _GROUPS:
            wanted.update(_GROUPS[name])
        elif name in ALGORITHMS:
            wanted.add(name)
        else:
            raise UnknownAlgorithm(f"There is no hash called {name!r}. {_KNOWN}")
    if not wanted:
        raise UnknownAlgorithm(f"No hash was asked for. {_KNOWN}")
    return tuple(name for name in ALGORITHMS if name in wanted)


def of_family(names: Iterable[str], family: Family) -> tuple[str, ...]:
    """The names of one family among ``names``, in their order."""
    return tuple(name for name in names if ALGORITHMS[name].family is family)


def in_order(hashes: Iterable[Hash]) -> tuple[Hash, ...]:
    """The hashes in the order of the registry; those of one algorithm in the order given."""
    order = list(ALGORITHMS)
    return tuple(sorted(hashes, key=lambda each: order.index(each.algorithm)))


def by_module(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The full names of the modules that compute these, each with its names in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        module = f"{__package__}.{ALGORITHMS[name].module}"
        found[module] = (*found.get(module, ()), name)
    return found
