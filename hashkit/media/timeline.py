"""From the time stamps of decoded frames to one timeline that only goes forward.

Recordings that were joined byte for byte, clocks that wrap, and recorders that restart give stamps
that go back, repeat or jump. The pictures are all there, so each gets a time: as FFmpeg's command
line tool does (``-dts_delta_threshold`` and ``-dts_error_threshold`` in ffmpeg-opt.html), but
without leaving out frames. Where stamps are in order, they stay exactly as they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

MAX_GAP_OF_BROADCAST = 10.0
"""Seconds. In formats that are cut and joined anywhere (MPEG-TS, MPEG-PS, Ogg), a longer gap is
taken for a new clock, as FFmpeg takes it. In others, a gap is a still picture: it stays."""

_BESIDE_A_JOINT = 3  # packets that wait to see whether a new clock follows

BACK_OF_BROADCAST = 0.1
"""Seconds, as FFmpeg's: further back than this, these formats have a new clock."""

BACK = 1.0
"""Seconds, for all others: less may be frames in a wrong order, within one clock."""

_ROUNDED = 1e-5  # seconds: a file's beginning is known in microseconds
_MAX_FRAMES_LONG = 4  # longer durations are misreported: as in hashkit.hashes.tmk


class StampChooser:
    """Chooses between the two stamps of a frame: when it is shown, and when it was decoded.

    Some files say only one of them (AVI), so that the first comes in the wrong order. As
    libavcodec's ``best_effort_timestamp``: the kind that has been out of order less often.
    """

    def __init__(self) -> None:
        self._last_shown: int | None = None
        self._last_decoded: int | None = None
        self._faults_shown = self._faults_decoded = 0

    def choose(self, shown: int | None, decoded: int | None) -> int | None:
        """The stamp of the next frame to go by, in the same unit; None where there is none."""
        if decoded is not None:
            if self._last_decoded is not None:
                self._faults_decoded += decoded <= self._last_decoded
            self._last_decoded = decoded
        if shown is not None:
            if self._last_shown is not None:
                self._faults_shown += shown <= self._last_shown
            self._last_shown = shown
        if shown is None or (decoded is not None and self._faults_shown > self._faults_decoded):
            return decoded
        return shown


class Timeline:
    """Gives each frame its time in seconds, in the order in which they are decoded.

    Every time is later than the one before. ``is_mended`` says whether the clock was found to have
    changed, so that lengths in the file's header mean nothing.
    """

    def __init__(self, rate: float, max_gap: float, back: float) -> None:
        """``rate`` in frames a second, on average. A stamp that is more than ``max_gap`` seconds
        later than expected, or more than ``back`` seconds earlier than the frame before, is of a
        new clock."""
        self.is_mended = False
        self._usual = 1 / rate
        self._max_gap = max_gap
        self._back = back
        self._offset = 0.0
        self._last: float | None = None
        self._step = self._usual

    def place(self, stamp: float | None, duration: float = 0.0) -> float:
        """The time of the next frame, from its ``stamp`` and ``duration`` in seconds (None and 0.0
        where the file does not say)."""
        expected = 0.0 if self._last is None else self._last + self._step
        time = expected if stamp is None else self._mended(stamp, expected)
        self._step = self._step_after(time, duration)
        self._last = time
        return time

    def pass_by(self, stamp: float) -> None:
        """Frames up to this ``stamp`` follow the last one, and are not placed themselves."""
        time = stamp + self._offset
        if self._last is not None and 0 < time - self._last <= self._max_gap:
            self._last = time

    def _mended(self, stamp: float, expected: float) -> float:
        time = stamp + self._offset
        if time - expected > self._max_gap:
            return self._with_new_clock(stamp, expected)
        if self._last is None:
            if time < -_ROUNDED:
                self._offset = -stamp
            return max(0.0, stamp + self._offset)
        if time > self._last:
            return time
        if self._last - time > self._back:
            return self._with_new_clock(stamp, expected)
        return expected  # and the stamps may get ahead again

    def _with_new_clock(self, stamp: float, expected: float) -> float:
        self.is_mended = True
        self._offset = expected - stamp
        return expected

    def _step_after(self, time: float, duration: float) -> float:
        """How much later a frame without a usable stamp comes: as long as this one is shown, if
        that is credible, else as long as the one before, but no more than usual."""
        least = self._usual / 1000
        if least <= duration <= _MAX_FRAMES_LONG * self._usual:
            return duration
        since = self._usual if self._last is None else time - self._last
        return min(max(since, least), self._usual)


def without_joints(packets: Iterable[Any], track: int) -> Iterator[Any]:
    """The packets, where those beside a new clock of this ``track`` are not called corrupt.

    A transport stream counts its packets. Where another recording was joined to it, the count is
    wrong, and FFmpeg takes that for missing packets and marks one of the last of the first
    recording, or the first one of the second.
    """
    held: deque[Any] = deque()
    try:
        for packet in packets:
            if packet.stream.index != track or packet.dts is None:
                yield packet
                continue
            if held:
                step = float((packet.dts - held[-1].dts) * packet.time_base)
                if not 0 <= step <= MAX_GAP_OF_BROADCAST:
                    for each in (*held, packet):
                        each.is_corrupt = False
            held.append(packet)
            if len(held) > _BESIDE_A_JOINT:
                yield held.popleft()
    except Exception:  # damage: what came before it is there all the same
        yield from held
        raise
    yield from held
