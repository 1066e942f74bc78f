"""What the header of a video says of its length and rate, as far as it can be believed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import av

from hashkit.media.formats import Clock, Format
from hashkit.media.limits import MAX_SECONDS
from hashkit.media.timeline import BACK, BACK_OF_BROADCAST, MAX_GAP_OF_BROADCAST, Timeline
from hashkit.media.tracks import length_of

# Titles and the like may be anything but UTF-8. PyAV before 19 raises for them unless it is asked
# not to; later versions have no such choice, and never raise.
LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Arguments of ``av.open`` for any video."""

_USUAL_RATE = Fraction(25)
_MAX_RATE = 1000
_MIN_RATE = Fraction(1, MAX_SECONDS)  # with less, one picture would outlast the longest video


class Rates(NamedTuple):
    """Frames a second: on average; as FFmpeg would guess; and if it is constant, else None."""

    average: float
    guessed: float
    constant: float | None


class Lengths(NamedTuple):
    """Seconds, None where nothing credible is said: of the file, and of the pictures in it.

    ``of_all``: the second is that of the file, which may be the sound's.
    """

    file: float | None
    picture: float | None
    of_all: bool


def rates_of(stream: Any, clock: Clock) -> Rates:
    """The rates of a stream of pictures. Where nothing else gives times: what its coding says, or
    what FFmpeg assumes."""
    said = (stream.average_rate, stream.base_rate, stream.guessed_rate)
    average, base, guessed = (each if each and each >= _MIN_RATE else None for each in said)
    if clock is Clock.NONE:
        only = guessed or average
        average = base = guessed = only if only and 1 <= only <= _MAX_RATE else _USUAL_RATE
    rate = float(average or guessed or base or _USUAL_RATE)
    is_constant = bool(average and base and abs(average / base - 1) < 1e-3)
    return Rates(rate, float(guessed or rate), rate if is_constant else None)


def lengths_of(container: Any, stream: Any, media: Format) -> Lengths:
    """The lengths that the header claims. More than a day is no length, but a clock that jumps."""
    file = _credible(container.duration / av.time_base if container.duration else None)
    if media.clock is Clock.NONE:
        return Lengths(file, None, of_all=False)  # guessed from the number of bytes
    own = _credible(length_of(stream))
    if media.name == "asf":
        own = None  # FFmpeg gives every track the length of the file
    elif media.name == "matroska":
        # There, lengths count from zero, also where the first picture is at a later time: in the
        # second part of a film, or a recording of a stream.
        before = max(0.0, (container.start_time or 0) / av.time_base)
        file, own = _behind(file, before), _behind(own, before)
        if "DURATION" not in stream.metadata:
            own = None
        elif own is not None and file is not None:
            own = min(own, file)  # a tag may be from before the film was cut
    if own is None:
        return Lengths(file, file, of_all=file is not None)
    return Lengths(file, own, of_all=False)


def _behind(end: float | None, before: float) -> float | None:
    """How long it takes to ``end``, without the time ``before`` the beginning. Where nothing would
    be left, the end is not counted from zero."""
    return end - before if end is not None and end > before else end


def _credible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds <= MAX_SECONDS else None


def start_of(container: Any, stream: Any) -> float:
    """The stamp in seconds at which the file begins. Below zero only where its pictures do too: the
    few milliseconds that a coder of sound needs before are not shown."""
    start = float((container.start_time or 0) / av.time_base)
    return start if start >= 0 or (stream.start_time or 0) < 0 else 0.0


def timeline_of(rate: float, clock: Clock) -> Timeline:
    """A timeline that mends as much as the clock of this kind needs."""
    if clock is Clock.BROADCAST:
        return Timeline(rate, MAX_GAP_OF_BROADCAST, BACK_OF_BROADCAST)
    return Timeline(rate, MAX_SECONDS, BACK)
