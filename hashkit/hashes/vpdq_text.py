"""vPDQ as text, in the three forms in use. Light: no NumPy.

frame,quality,hex,timestamp     the C++ tools: written, and read
hex,quality,timestamp           the threatexchange package, in a JSON array: written, and read
frame,hex,quality,timestamp     the Python tools: read
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import StringIO

from hashkit.models import FrameHash

LAST_FRAME = 1 << 53
MAX_TIMESTAMP = 1e9
"""Limits of frame numbers and seconds in any document."""

_DIGITS = 64
_VALUE = re.compile(f"[0-9a-f]{{{_DIGITS}}}")
_WHOLE = re.compile("[0-9]{1,16}")
_QUALITY = re.compile("[0-9]{1,2}|100")
# With an exponent where the threatexchange package writes three digits of a long video: 1.23e+03.
_SECONDS = re.compile(r"[0-9]{1,10}(\.[0-9]*)?|[0-9](\.[0-9]*)?e[+-]?0?[0-8]")


def to_text(frames: Iterable[FrameHash]) -> str:
    """The text form of the C++ tools: ``frame,quality,hex,timestamp``, a line each."""
    return "".join(
        f"{each.frame},{each.quality},{each.value},{_seconds(each)}\n" for each in frames
    )


def to_signal(frames: Iterable[FrameHash]) -> str:
    """The form of the ``threatexchange`` package: a JSON array of ``hex,quality,timestamp``."""
    return json.dumps([f"{each.value},{each.quality},{_seconds(each)}" for each in frames])


def _seconds(each: FrameHash) -> str:
    return f"{each.timestamp + 0.0:.3f}"  # never -0.000


def from_text(untrusted_text: str) -> tuple[FrameHash, ...]:
    """Read any of the three forms in use: the two above, and ``frame,hex,quality,timestamp``.

    Forms without a frame number count from 0. ValueError, naming the line, for anything else, for
    two forms in one text, and where the frames are not in order, each once: that may be the text of
    two videos.
    """
    text = untrusted_text.strip()
    try:
        lines = json.loads(text) if text.startswith("[") else StringIO(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError("this is no vPDQ text") from error
    form: str | None = None
    frames: list[FrameHash] = []
    for number, line in enumerate(lines):
        of_this, frame = _read(line, number)
        form = form or of_this
        if of_this != form:
            raise ValueError(f"line {number + 1} has another form than those before")
        if frames and frame.frame <= frames[-1].frame:
            raise ValueError(
                f"the frame in line {number + 1} does not come after the one before, so there may "
                "be two videos here. Put each into a file of its own, sorted by the first number"
            )
        frames.append(frame)
    return tuple(frames)


def _read(untrusted_line: object, number: int) -> tuple[str, FrameHash]:
    """The form of a line, and its frame."""
    line = untrusted_line.strip() if isinstance(untrusted_line, str) else ""
    match [field.strip().lower() for field in line.split(",", 4)]:
        case [value, quality, timestamp]:
            form, frame = "hex,quality,timestamp", str(number)
        case [frame, value, quality, timestamp] if len(value) == _DIGITS:
            form = "frame,hex,quality,timestamp"
        case [frame, quality, value, timestamp]:
            form = "frame,quality,hex,timestamp"
        case _:
            raise ValueError(f"line {number + 1} is no vPDQ hash")
    if not (
        _VALUE.fullmatch(value)
        and _WHOLE.fullmatch(frame)
        and _QUALITY.fullmatch(quality)
        and _SECONDS.fullmatch(timestamp)
        and int(frame) <= LAST_FRAME
        and float(timestamp) <= MAX_TIMESTAMP
    ):
        raise ValueError(f"line {number + 1} is no vPDQ hash")
    return form, FrameHash(int(frame), float(timestamp), value, int(quality))
