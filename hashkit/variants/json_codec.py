"""Hashes as JSON, and back, refusing all that is not exactly a hash.

The reader is for documents of unknown origin and for the results of a worker, which may be
compromised: what it returns holds nothing but hashes.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hashkit.errors import DocumentInvalid
from hashkit.hashes.registry import ALGORITHMS, in_order
from hashkit.hashes.vpdq_text import LAST_FRAME, MAX_TIMESTAMP
from hashkit.models import (
    MOVING_READINGS,
    ORIGINAL,
    STILL_READINGS,
    FrameHash,
    FrameHashes,
    Hash,
    original_of,
)
from hashkit.variants.recipes import is_edit

_MAX_VARIANTS = 100
_READINGS = {"pdq": STILL_READINGS, "vpdq": MOVING_READINGS}


def hashes_to_json(
    hashes: Iterable[Hash], frames: FrameHashes | None = None, decimals: int | None = 3
) -> dict[str, Any]:
    """Hashes of one original by name, in the registry's order: the value, or an object with the
    value and what belongs to it. Timestamps have as many ``decimals``, or all for None."""
    found = {each.algorithm: _to_json(each) for each in hashes if each.variant == ORIGINAL}
    if frames is not None:
        found["vpdq"] = {
            "interval": frames.interval,
            "frames": [
                {
                    "frame": each.frame,
                    "timestamp": (
                        each.timestamp if decimals is None else round(each.timestamp, decimals)
                    ),
                    "value": each.value,
                    "quality": each.quality,
                }
                for each in frames.hashes
            ],
        }
    return {name: found[name] for name in ALGORITHMS if name in found}


def variants_to_json(
    hashes: Iterable[Hash], frame_variants: Iterable[FrameHashes], decimals: int | None = 3
) -> list[dict[str, Any]]:
    """Hashes of readings and edits, an object each: its name, and its hash by the name of the
    algorithm."""
    still = [
        {"name": each.variant, **hashes_to_json([replace(each, variant=ORIGINAL)])}
        for each in hashes
        if each.variant != ORIGINAL
    ]
    moving = [
        {"name": each.variant, **hashes_to_json((), each, decimals)} for each in frame_variants
    ]
    return still + moving


def _to_json(found: Hash) -> str | dict[str, Any]:
    if isinstance(found.value, bytes):
        return {"encoding": "base64", "value": found.text}
    if found.quality is not None:
        return {"value": found.value, "quality": found.quality}
    return found.value


def hashes_from_json(untrusted: Any, where: str) -> tuple[tuple[Hash, ...], FrameHashes | None]:
    """Read what ``hashes_to_json`` writes. DocumentInvalid, naming the place, for anything else."""
    if not isinstance(untrusted, dict):
        raise DocumentInvalid(f"In {where}, there are no hashes.")
    named = dict(untrusted)
    frames = _vpdq(named.pop("vpdq"), f"{where}, vpdq") if "vpdq" in named else None
    return tuple(_hash(name, value, where) for name, value in named.items()), frames


def all_from_json(
    untrusted_hashes: Any, untrusted_variants: Any, where: str
) -> tuple[tuple[Hash, ...], FrameHashes | None, tuple[FrameHashes, ...]]:
    """Read what ``hashes_to_json`` and ``variants_to_json`` write: the hashes with their variants,
    frames, and variants of frames. DocumentInvalid, naming the place, for anything else, and for a
    variant of something that is not there."""
    originals, frames = hashes_from_json(untrusted_hashes, where)
    variants, moving = _variants(untrusted_variants, where)
    if (variants and original_of(originals, "pdq") is None) or (moving and frames is None):
        raise DocumentInvalid(f"In {where}, there is a variant without its original.")
    return in_order((*originals, *variants)), frames, moving


def _variants(untrusted: Any, where: str) -> tuple[tuple[Hash, ...], tuple[FrameHashes, ...]]:
    """Read what ``variants_to_json`` writes. DocumentInvalid, naming the place, for anything else.
    A name is that of an edit that ``variants.recipes`` knows, or of a reading: no other name is
    accepted."""
    if not isinstance(untrusted, list) or len(untrusted) > _MAX_VARIANTS:
        raise DocumentInvalid(f"In {where}, the variants are not a list of at most 100.")
    hashes: list[Hash] = []
    moving: list[FrameHashes] = []
    for number, each in enumerate(untrusted, 1):
        place = f"{where}, variant {number}"
        match each:
            case {"name": str(name), **hashed} if len(hashed) == 1 and any(
                algorithm in hashed and (is_edit(name) or name in readings)
                for algorithm, readings in _READINGS.items()
            ):
                found, frames = hashes_from_json(hashed, place)
            case _:
                raise DocumentInvalid(f"In {place}, there is not one name and one hash.")
        hashes += [replace(one, variant=name) for one in found]
        moving += [replace(frames, variant=name)] if frames is not None else []
    return tuple(hashes), tuple(moving)


def _hash(name: str, untrusted: Any, where: str) -> Hash:
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        raise DocumentInvalid(f"In {where}, there is a hash of an unknown kind.")
    quality = None
    if name == "tmk_pdqf":
        return _tmk(untrusted, f"{where}, {name}")
    if algorithm.has_quality:
        fields = fields_of(untrusted, f"{where}, {name}", {"value", "quality"})
        untrusted, quality = fields["value"], _quality(fields["quality"], f"{where}, {name}")
    return Hash(name, _value(name, untrusted, where), quality)


def _value(name: str, untrusted: Any, where: str) -> str:
    if not isinstance(untrusted, str) or not ALGORITHMS[name].pattern.fullmatch(untrusted):
        raise DocumentInvalid(f"In {where}, the value of {name} is not a {name} hash.")
    return untrusted


def _quality(untrusted: Any, where: str) -> int:
    if type(untrusted) is not int or not 0 <= untrusted <= 100:
        raise DocumentInvalid(f"In {where}, the quality is not 0 to 100.")
    return untrusted


def _tmk(untrusted: Any, where: str) -> Hash:
    fields = fields_of(untrusted, where, {"encoding", "value"})
    value = _value("tmk_pdqf", fields["value"], where)
    if fields["encoding"] != "base64":
        raise DocumentInvalid(f"In {where}, the encoding is not base64.")
    try:
        return Hash("tmk_pdqf", b64decode(value, validate=True))
    except ValueError as error:
        raise DocumentInvalid(f"In {where}, the value is not base64.") from error


def _vpdq(untrusted: Any, where: str) -> FrameHashes:
    fields = fields_of(untrusted, where, {"interval", "frames"})
    interval = fields["interval"]
    if interval not in ("all", "keyframes"):
        if not _is_number(interval):
            raise DocumentInvalid(f"In {where}, the interval is not a number of seconds.")
        interval += 0  # never -0.0, which is written otherwise
    if not isinstance(fields["frames"], list):
        raise DocumentInvalid(f"In {where}, the frames are not a list.")
    frames = tuple(_frame(each, where) for each in fields["frames"])
    if any(later.frame <= earlier.frame for earlier, later in pairwise(frames)):
        raise DocumentInvalid(f"In {where}, the frames are not in order, each once.")
    return FrameHashes(interval, frames)


def _frame(untrusted: Any, where: str) -> FrameHash:
    fields = fields_of(untrusted, where, {"frame", "timestamp", "value", "quality"})
    if type(fields["frame"]) is not int or not 0 <= fields["frame"] <= LAST_FRAME:
        raise DocumentInvalid(f"In {where}, a frame has no number.")
    if not _is_number(fields["timestamp"]):
        raise DocumentInvalid(f"In {where}, a timestamp is not a number of seconds.")
    return FrameHash(
        fields["frame"],
        float(fields["timestamp"]) + 0.0,  # never -0.0, which is written otherwise
        _value("pdq", fields["value"], where),
        _quality(fields["quality"], where),
    )


def _is_number(untrusted: Any) -> bool:
    return type(untrusted) in (int, float) and 0 <= untrusted <= MAX_TIMESTAMP


def fields_of(untrusted: Any, where: str, names: set[str]) -> dict[str, Any]:
    """The fields of an object that has exactly these names."""
    if not isinstance(untrusted, dict):
        raise DocumentInvalid
    if missing := names - untrusted.keys():
        raise DocumentInvalid(f"In {where}, this is missing: {', '.join(sorted(missing))}.")
    if untrusted.keys() - names:
        raise DocumentInvalid(
            f"In {where}, there is something that does not belong in a submission. "
            "Do not send this file."
        )
    return untrusted
