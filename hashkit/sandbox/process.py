"""Workers from the outside: start them, ask them, end those that hang, say what became of them.

Nothing that a file could have a say in is decoded in this process. A worker's answers are read as
hashes and known sentences only (``hashkit.sandbox.protocol``): it may have been taken over.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

from hashkit.errors import (
    DecoderCrashed,
    DocumentInvalid,
    MediaError,
    TookTooLong,
    TooMuchMemory,
    WorkerUnavailable,
)
from hashkit.media.limits import MAX_SECONDS
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.lockdown import Wall
from hashkit.sandbox.protocol import from_line, to_line
from hashkit.sandbox.remote_file import MIN_PIECE, HandedOver
from hashkit.variants.sets import moving_names_at

# -I: nothing from the current folder, which may be the one with the hostile files, and nothing from
# the environment. What this process imports from, the worker does too.
_BEGIN = (
    "import json, sys; start = json.loads(sys.stdin.buffer.readline()); "
    "sys.path[:] = start.pop('path'); from hashkit.sandbox.worker import main; main(start)"
)
# How text and libraries are to be found, and which way to calculate (last bits depend on it).
_ENVIRONMENT = ("LANG", "LC_", "LD_LIBRARY", "DYLD_", "SYSTEMROOT", "OPENBLAS_", "MKL_", "NPY_")
_OWN_ENVIRONMENT = {
    # No threads before the walls stand; and the other cores have files of their own to work on.
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "HOME": "/nonexistent",  # whose it is is not its business, and looking it up takes a socket
    "MALLOC_ARENA_MAX": "4",  # else each thread sets address space aside, which is limited
}
TIME_LIMIT = 180.0
"""Default limit in seconds: many times what the largest picture takes."""

_START = 120.0  # seconds
_MAX_ANSWER = 256 << 20  # bytes
_FRAME_BYTES = 200  # of a frame in an answer, at most
_LOOK = 1.0  # seconds between looks at the clock
_LAST_BREATH = 5.0  # seconds between the end of its answers and its own
_KILLED = -9
_ALARM = -signal.SIGALRM if hasattr(signal, "SIGALRM") else None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may take: ``seconds`` without getting anywhere (between two frames of a video,
    or for a whole picture), and bytes of ``memory`` (None: by the limit of pixels)."""

    seconds: float = TIME_LIMIT
    memory: int | None = None

    def memory_for(self, options: Options) -> int:
        """The limit in bytes."""
        if self.memory is not None:
            return self.memory
        return (2 << 30) + 24 * options.max_pixels


def max_answer(options: Options) -> int:
    """Bytes that an honest worker needs at most for what it was asked: a lie is not to fill our
    memory."""
    if isinstance(options.sample, str):
        return _MAX_ANSWER
    frames = int(MAX_SECONDS / options.sample) + 1
    frames *= 1 + len(moving_names_at(options.variants))
    return min(_MAX_ANSWER, (1 << 20) + _FRAME_BYTES * frames)


class Cancelled(Exception):
    """The work was called off."""


def _import_folders() -> list[str]:
    """Where this process imports from, without the current folder: it may be the one with the
    hostile files. (Unless hashkit itself is there.)"""
    home = os.path.abspath(os.path.join(__file__, *[os.pardir] * 3))
    try:
        here = os.getcwd()
    except FileNotFoundError:
        return [entry for entry in sys.path if os.path.isabs(entry)]
    folders = [os.path.abspath(entry) for entry in sys.path]
    return [folder for folder in folders if folder != here or folder == home]


class WorkerProcess:
    """A process that opens files, and the pipes to it. ``walls`` are those around it."""

    def __init__(
        self, options: Options, limits: Limits, *, with_escape_tests: bool = False
    ) -> None:
        """Start it, and wait until its walls stand. WorkerUnavailable where that fails.

        ``with_escape_tests`` makes it ready to try what it may not do
        (``hashkit.sandbox.escape_tests``).
        """
        kept = {name: value for name, value in os.environ.items() if name.startswith(_ENVIRONMENT)}
        try:
            self._process = subprocess.Popen(  # noqa: S603 (nothing in it is from elsewhere)
                [sys.executable, "-I", "-B", "-W", "ignore", "-c", _BEGIN],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what hostile files make libraries say is for nobody
                env=kept | _OWN_ENVIRONMENT,
                start_new_session=True,  # no terminal, and Ctrl-C is for us to deal with
            )
        except OSError as error:
            raise WorkerUnavailable from error
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        self._max_answer = max_answer(options)
        self._deadline = self.last_used = 0.0
        self._expired = self._closing = False
        self.asked = 0
        start = {
            "path": _import_folders(),
            "options": asdict(options),
            "max_memory": limits.memory_for(options),
            "with_escape_tests": with_escape_tests,
        }
        try:
            self.walls = tuple(
                Wall(**wall) for wall in self._exchange(start, _START, _START)["walls"]
            )
        except (MediaError, TypeError, KeyError, RuntimeError) as error:  # no more threads
            self.kill()
            raise WorkerUnavailable from error

    def ask(
        self,
        request: dict[str, Any],
        seconds: float,
        on_progress: OnProgress | None = None,
        at_most: float | None = None,
        handed_over: HandedOver | None = None,
    ) -> Any:
        """The answer to a request, untrusted, which takes ``seconds`` without progress, and
        ``at_most`` so many in all, not counting the time that the holder of a file that is
        ``handed_over`` takes. TookTooLong, TooMuchMemory or DecoderCrashed where there is none, or
        Cancelled where it was called off; then the worker is gone. What the holder raises goes
        through; then it is to be ended."""
        message = {**request, "seconds": seconds}
        return self._exchange(message, seconds, at_most or seconds, on_progress, handed_over)

    def kill(self) -> None:
        """End it at once."""
        self._closing = True
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()

    def _exchange(
        self,
        message: dict[str, Any],
        seconds: float,
        at_most: float,
        on_progress: OnProgress | None = None,
        handed_over: HandedOver | None = None,
    ) -> Any:
        latest = time.monotonic() + at_most
        left = handed_over.max_bytes if handed_over is not None else 0
        with self._time_limit(seconds, handed_over):
            self._send(to_line(message))
            while True:
                answer = self._read()
                if "want" in answer and handed_over is not None:
                    asked = time.monotonic()
                    self._deadline = math.inf  # the holder's time is not the worker's
                    piece = handed_over.wanted(answer["want"])
                    left -= max(len(piece), MIN_PIECE)
                    if left < 0:
                        raise DecoderCrashed
                    latest += time.monotonic() - asked
                    self._deadline = min(time.monotonic() + seconds, latest)
                    self._send(piece)
                elif "progress" in answer:
                    self._deadline = min(time.monotonic() + seconds, latest)
                    if on_progress is not None:
                        on_progress(_checked_part(answer["progress"]))
                else:
                    break
        if self._closing:
            raise Cancelled
        if self._expired:  # it was ended as it answered: it must not be asked again
            raise TookTooLong
        return answer

    def _send(self, data: bytes) -> None:
        try:
            self._requests.write(data)
            self._requests.flush()
        except (OSError, ValueError):  # ValueError: it was ended, and its pipes with it
            raise self._cause_of_death() from None

    def _read(self) -> dict[str, Any]:
        line = self._answers.readline(self._max_answer)
        if not line.endswith(b"\n"):
            raise self._cause_of_death()
        try:
            answer = from_line(line)
        except DocumentInvalid as error:
            raise DecoderCrashed from error
        if not isinstance(answer, dict):
            raise DecoderCrashed
        return answer

    def _cause_of_death(self) -> Exception:
        try:
            code = self._process.wait(_LAST_BREATH)
        except subprocess.TimeoutExpired:  # it says no more, but lives
            self._process.kill()
            self._process.wait()
            code = 0
        if self._closing:
            return Cancelled()
        if self._expired or code == _ALARM:
            return TookTooLong()
        # Killed, and not by us: that is what Linux does when memory runs out.
        return TooMuchMemory() if code == _KILLED else DecoderCrashed()

    @contextmanager
    def _time_limit(self, seconds: float, handed_over: HandedOver | None) -> Iterator[None]:
        """End the process when it has got nowhere for so long, or what it does is called off.
        Reading from it then ends, too."""
        self._deadline = time.monotonic() + seconds
        done = threading.Event()

        def watch() -> None:
            while (left := self._deadline - time.monotonic()) > 0:
                if done.wait(min(left, _LOOK)):
                    return
                if handed_over is not None and handed_over.called_off():
                    self._closing = True
                    break
            else:
                self._expired = True
            self._process.kill()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _checked_part(untrusted: Any) -> float:
    if isinstance(untrusted, int | float) and 0 <= untrusted <= 1:
        return float(untrusted)
    raise DecoderCrashed
