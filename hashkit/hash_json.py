"""Hashes as JSON, and back, refusing all that is not exactly a hash.

The reader is for documents that somebody else may have written and for answers of a worker that
may have been taken over: what it returns holds nothing but hashes.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any

from hashkit.errors import DocumentInvalid
from hashkit.hashes.registry import ALGORITHMS
from hashkit.records import ORIGINAL, FrameHash, FrameHashes, Hash

_MOST_SECONDS = 1e9


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
    if interval not in ("all", "keyframes") and not _is_number(interval):
        raise DocumentInvalid(f"In {where}, the interval is not a number of seconds.")
    if not isinstance(fields["frames"], list):
        raise DocumentInvalid(f"In {where}, the frames are not a list.")
    return FrameHashes(interval, tuple(_frame(each, where) for each in fields["frames"]))


def _frame(untrusted: Any, where: str) -> FrameHash:
    fields = fields_of(untrusted, where, {"frame", "timestamp", "value", "quality"})
    if type(fields["frame"]) is not int or fields["frame"] < 0:
        raise DocumentInvalid(f"In {where}, a frame has no number.")
    if not _is_number(fields["timestamp"]):
        raise DocumentInvalid(f"In {where}, a timestamp is not a number of seconds.")
    return FrameHash(
        fields["frame"],
        float(fields["timestamp"]),
        _value("pdq", fields["value"], where),
        _quality(fields["quality"], where),
    )


def _is_number(untrusted: Any) -> bool:
    return type(untrusted) in (int, float) and 0 <= untrusted <= _MOST_SECONDS


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
