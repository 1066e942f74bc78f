"""Starts a worker process, sends it requests, enforces time limits and explains its exit.

This process decodes nothing that a file can influence. The worker may be compromised, so its
answers are parsed strictly (``hashkit.sandbox.protocol``).
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import IO, Any, cast

from hashkit.errors import (
    DecoderCrashed,
    DocumentInvalid,
    MediaError,
    TookTooLong,
    TooMuchMemory,
    WorkerUnavailable,
)
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.frames import FrameReader
from hashkit.sandbox.lockdown import Restriction
from hashkit.sandbox.parent_death import in_lasting_thread
from hashkit.sandbox.protocol import MAX_LINE, Answer, from_line, path_from_text, to_line
from hashkit.sandbox.remote_file import MIN_RANGE, RemoteSource

# -I: import nothing from the current folder, which may hold the hostile files, or from the
# environment. The worker imports from the same folders as this process.
_BOOTSTRAP = (
    "import json, sys; start = json.loads(sys.stdin.buffer.readline()); "
    "sys.path[:] = start.pop('path'); from hashkit.sandbox.worker import main; main(start)"
)
_WORKER = "hashkit.sandbox.worker"
# Prefixes that are passed on: locale, library paths, and numerics (which decide last bits).
_KEPT_ENVIRONMENT = (
    "LANG",
    "LC_",
    "LD_LIBRARY",
    "DYLD_",
    "SYSTEMROOT",
    "OPENBLAS_",
    "MKL_",
    "NPY_",
)
_OWN_ENVIRONMENT = {
    # Landlock needs a single thread, and the other cores work on other files.
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "HOME": "/nonexistent",  # hide the user; without it, a look-up opens a socket
    "MALLOC_ARENA_MAX": "4",  # arenas use up the limited address space
}
TIME_LIMIT = 180.0
"""Default time limit in seconds: many times what the largest picture takes."""

_START_TIMEOUT = 120.0  # seconds
_POLL_INTERVAL = 1.0  # seconds
_EXIT_TIMEOUT = 5.0  # seconds from the end of its output to its exit
_KILLED = -9
_ALARM = -signal.SIGALRM if hasattr(signal, "SIGALRM") else None


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a worker: ``seconds`` without progress (between two frames of a video, or for a
    whole picture), and bytes of ``memory`` (None: derived from the pixel limit)."""

    seconds: float = TIME_LIMIT
    memory: int | None = None

    def memory_for(self, options: Options) -> int:
        """The memory limit in bytes."""
        if self.memory is not None:
            return self.memory
        return (2 << 30) + 24 * options.max_pixels


class Cancelled(Exception):
    """The work was cancelled."""


def import_folders() -> list[str]:
    """``sys.path`` without the current folder, which may hold the hostile files. (Unless hashkit
    itself is there.)"""
    home = os.path.abspath(os.path.join(__file__, *[os.pardir] * 3))
    try:
        here = os.getcwd()
    except FileNotFoundError:
        return [entry for entry in sys.path if os.path.isabs(entry)]
    folders = [os.path.abspath(entry) for entry in sys.path]
    return [folder for folder in folders if folder != here or folder == home]


def start_process(module: str, environment: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
    """Start a process that calls ``main`` of a module with the options in its first line of input,
    which must have ``path``: the ``import_folders()``. OSError if the system does not start it,
    RuntimeError if it gives no thread.

    It gets little of this process's environment, and ``environment``. What calls
    ``parent_death.end_with_parent`` there ends with this process.
    """
    return in_lasting_thread(partial(_start, module, environment))


def _start(module: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT_ENVIRONMENT)}
    return subprocess.Popen(  # noqa: S603 (no external input)
        [sys.executable, "-I", "-B", "-W", "ignore", "-c", _BOOTSTRAP.replace(_WORKER, module)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # may hold text from hostile files
        env=kept | _OWN_ENVIRONMENT | {**environment},
        start_new_session=True,  # no terminal, no Ctrl-C
    )


class WorkerProcess:
    """A worker process and the pipes to it. ``restrictions`` are those that it reported."""

    def __init__(
        self, options: Options, limits: Limits, *, with_escape_tests: bool = False
    ) -> None:
        """Start it and wait until it has restricted itself. WorkerUnavailable if that fails.

        ``with_escape_tests`` makes it load ``hashkit.sandbox.escape_tests``.
        """
        try:
            self._process = start_process(_WORKER)
        except (OSError, RuntimeError) as error:
            raise WorkerUnavailable from error
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        self._options = options
        self._deadline = self.last_used = 0.0
        self._expired = self._closing = False
        self.request_count = 0
        start = {
            "path": import_folders(),
            "options": asdict(options),
            "max_memory": limits.memory_for(options),
            "with_escape_tests": with_escape_tests,
        }
        try:
            self.restrictions = tuple(
                Restriction(**each)
                for each in self._exchange(start, _START_TIMEOUT, _START_TIMEOUT)["restrictions"]
            )
        except (
            MediaError,
            TypeError,
            KeyError,
            RuntimeError,
        ) as error:  # RuntimeError: no threads left
            self.kill()
            raise WorkerUnavailable from error

    def ask(
        self,
        request: dict[str, Any],
        seconds: float,
        on_progress: OnProgress | None = None,
        max_seconds: float | None = None,
        remote: RemoteSource | None = None,
    ) -> Any:
        """Send a request and return the untrusted answer, as an Answer if it has frames of a video.
        The worker is killed after ``seconds`` without progress, or ``max_seconds`` in all; time
        that ``remote`` takes does not count.

        Raises TookTooLong, TooMuchMemory, DecoderCrashed or Cancelled if there is no answer; the
        worker is then dead. Exceptions of ``remote`` pass through; the caller must then kill the
        worker.
        """
        message = {**request, "seconds": seconds}
        frames = FrameReader(self._options, _bytes_to_hash(request))
        latest = max_seconds or seconds
        rest = self._exchange(message, seconds, latest, on_progress, remote, frames)
        found = frames.finish()
        return Answer(found, rest) if found else rest

    def kill(self) -> None:
        """Kill it and close its pipes."""
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
        max_seconds: float,
        on_progress: OnProgress | None = None,
        remote: RemoteSource | None = None,
        frames: FrameReader | None = None,
    ) -> Any:
        latest = time.monotonic() + max_seconds
        left = remote.max_bytes if remote is not None else 0
        with self._time_limit(seconds, remote):
            self._send(to_line(message))
            while True:
                answer = self._read()
                if "read" in answer and remote is not None:
                    requested_at = time.monotonic()
                    self._deadline = math.inf  # waiting for the remote file does not count
                    data = remote.read_requested(answer["read"])
                    left -= max(len(data), MIN_RANGE)
                    if left < 0:
                        raise DecoderCrashed
                    latest += time.monotonic() - requested_at
                    self._deadline = min(time.monotonic() + seconds, latest)
                    self._send(data)
                elif "frames" in answer and frames is not None:
                    _add(frames, answer)
                elif "progress" in answer:
                    self._deadline = min(time.monotonic() + seconds, latest)
                    if on_progress is not None:
                        on_progress(_checked_progress(answer["progress"]))
                else:
                    break
        if self._closing:
            raise Cancelled
        if self._expired:  # killed as it answered: not reusable
            raise TookTooLong
        return answer

    def _send(self, data: bytes) -> None:
        try:
            self._requests.write(data)
            self._requests.flush()
        except (OSError, ValueError):  # ValueError: the pipe is closed
            raise self._exit_error() from None

    def _read(self) -> dict[str, Any]:
        line = self._answers.readline(MAX_LINE)
        if not line.endswith(b"\n"):
            raise self._exit_error()
        try:
            answer = from_line(line)
        except DocumentInvalid as error:
            raise DecoderCrashed from error
        if not isinstance(answer, dict):
            raise DecoderCrashed
        return answer

    def _exit_error(self) -> Exception:
        try:
            code = self._process.wait(_EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:  # its output is closed, but it runs
            self._process.kill()
            self._process.wait()
            code = 0
        if self._closing:
            return Cancelled()
        if self._expired or code == _ALARM:
            return TookTooLong()
        # Killed by somebody else: Linux does that when memory runs out.
        return TooMuchMemory() if code == _KILLED else DecoderCrashed()

    @contextmanager
    def _time_limit(self, seconds: float, remote: RemoteSource | None) -> Iterator[None]:
        """Kill the process after ``seconds`` without progress, or when ``remote`` is cancelled.
        That ends any pending read from it."""
        self._deadline = time.monotonic() + seconds
        done = threading.Event()

        def watch() -> None:
            while (left := self._deadline - time.monotonic()) > 0:
                if done.wait(min(left, _POLL_INTERVAL)):
                    return
                if remote is not None and remote.is_cancelled():
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


def _bytes_to_hash(request: dict[str, Any]) -> int:
    """The size of the file that a request is about."""
    match request:
        case {"hash": {"size": int(size)}}:
            return size
        case {"hash": {"path": str(path)}}:
            with suppress(OSError, ValueError):
                return os.stat(path_from_text(path)).st_size
    return 0


def _add(frames: FrameReader, untrusted: dict[str, Any]) -> None:
    try:
        frames.add(untrusted)
    except DocumentInvalid as error:
        raise DecoderCrashed from error


def _checked_progress(untrusted: Any) -> float:
    if isinstance(untrusted, int | float) and 0 <= untrusted <= 1:
        return float(untrusted)
    raise DecoderCrashed
