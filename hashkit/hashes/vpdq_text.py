"""vPDQ as text, in the three forms that are in use. Light: it needs no arithmetic.

frame,quality,hex,timestamp     the C++ tools: written, and read
hex,quality,timestamp           the threatexchange package, in a JSON array: written, and read
frame,hex,quality,timestamp     the Python tools: read
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import StringIO

from hashkit.records import FrameHash

_VALUE = re.compile("[0-9a-f]{64}")
_WHOLE = re.compile("[0-9]{1,15}")
_QUALITY = re.compile("0{0,2}[0-9]{1,2}|100")
# With an exponent where the threatexchange package writes three digits of a long video: 1.23e+03.
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]*)?|[0-9](\.[0-9]*)?e[+-]?0?[0-8]")


def to_text(frames: Iterable[FrameHash]) -> str:
    """The text form of the C++ tools: ``frame,quality,hex,timestamp``, a line each."""
    return "".join(
        f"{each.frame},{each.quality},{each.value},{each.timestamp:.3f}\n" for each in frames
    )


def to_signal(frames: Iterable[FrameHash]) -> str:
    """The form of the ``threatexchange`` package: a JSON array of ``hex,quality,timestamp``."""
    return json.dumps([f"{each.value},{each.quality},{each.timestamp:.3f}" for each in frames])


def from_text(untrusted_text: str) -> tuple[FrameHash, ...]:
    """Read any of the three forms in use: the two above, and ``frame,hex,quality,timestamp``.

    Forms without a frame number count from 0. ValueError, naming the line, for anything else.
    """
    text = untrusted_text.strip()
    try:
        lines = json.loads(text) if text.startswith("[") else StringIO(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError("this is no vPDQ text") from error
    return tuple(_read(line, number) for number, line in enumerate(lines))


def _read(untrusted_line: object, number: int) -> FrameHash:
    line = untrusted_line.strip() if isinstance(untrusted_line, str) else ""
    match [field.strip().lower() for field in line.split(",")]:
        case [value, quality, timestamp]:
            frame = str(number)
        case [frame, value, quality, timestamp] if len(value) == 64:
            pass
        case [frame, quality, value, timestamp]:
            pass
        case _:
            raise ValueError(f"line {number + 1} is no vPDQ hash")
    if not (
        _VALUE.fullmatch(value)
        and _WHOLE.fullmatch(frame)
        and _QUALITY.fullmatch(quality)
        and _SECONDS.fullmatch(timestamp)
    ):
        raise ValueError(f"line {number + 1} is no vPDQ hash")
    return FrameHash(int(frame), float(timestamp), value, int(quality))
