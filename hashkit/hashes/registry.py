"""The algorithms by name: what each reads, what its values look like, which are the default.

Light on purpose: the command line and the submission document need the names, not the arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from hashkit.errors import UnknownAlgorithm


class Family(Enum):
    """What an algorithm is computed from, and by which module."""

    CRYPTOGRAPHIC = "cryptographic"  # the bytes of the file
    PDQ = "pdq"  # pixels
    VIDEO = "video"  # frames over time
    CLASSIC = "classic"  # pixels, through the imagehash library


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A hash algorithm. ``pattern`` matches its values, ``has_quality`` says if they carry one."""

    name: str
    family: Family
    pattern: re.Pattern[str]
    has_quality: bool = False


def _hex(digits: int) -> re.Pattern[str]:
    return re.compile(f"[0-9a-f]{{{digits}}}")


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("md5", Family.CRYPTOGRAPHIC, _hex(32)),
        Algorithm("sha1", Family.CRYPTOGRAPHIC, _hex(40)),
        Algorithm("sha256", Family.CRYPTOGRAPHIC, _hex(64)),
        Algorithm("sha512", Family.CRYPTOGRAPHIC, _hex(128)),
        Algorithm("pdq", Family.PDQ, _hex(64), has_quality=True),
        Algorithm("vpdq", Family.VIDEO, re.compile("")),  # a list of frames: see FrameHashes
        Algorithm("tmk_pdqf", Family.VIDEO, re.compile(r"[A-Za-z0-9+/]{351126}==")),
        Algorithm("ahash", Family.CLASSIC, _hex(16)),
        Algorithm("phash", Family.CLASSIC, _hex(16)),
        Algorithm("dhash", Family.CLASSIC, _hex(16)),
        Algorithm("whash", Family.CLASSIC, _hex(16)),
        Algorithm("colorhash", Family.CLASSIC, _hex(11)),
        Algorithm(
            "crop_resistant", Family.CLASSIC, re.compile(r"[0-9a-f]{16}(?:,[0-9a-f]{16}){0,255}")
        ),
    )
}

"""All algorithms by name, in the order in which hashes are listed."""

DEFAULT = ("md5", "sha1", "sha256", "pdq", "vpdq", "tmk_pdqf")
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
