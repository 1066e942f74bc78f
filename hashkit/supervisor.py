"""Workers from the outside: start them, ask them, end those that hang, say what became of them.

Nothing that a file could have a say in is decoded in this process. A worker's answers are read as
hashes and known sentences only (``hashkit.wire``): it may have been taken over.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from hashkit import notices
from hashkit.errors import (
    DecoderCrashed,
    DocumentInvalid,
    MediaError,
    TookTooLong,
    TooMuchMemory,
    WorkerUnavailable,
)
from hashkit.hash_json import fields_of
from hashkit.isolation import Wall
from hashkit.media.limits import MAX_SECONDS
from hashkit.options import OnProgress, Options
from hashkit.records import FailedFile, HashedFile
from hashkit.wire import Answer, checked_sha256, from_line, path_to_text, to_line

# -I: nothing from the current folder, which may be the one with the hostile files, and nothing from
# the environment. What this process imports from, the worker does too.
_BEGIN = (
    "import json, sys; start = json.loads(sys.stdin.buffer.readline()); "
    "sys.path[:] = start.pop('path'); from hashkit.worker import main; main(start)"
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
_SLOW_DISK = 2e6  # bytes a second, for reading a file before it is decoded
_SLOWEST_VIDEO = 5e3  # bytes a second, for all of a video that goes on and on
_LONGEST_ANSWER = 256 << 20  # bytes
_FRAME_BYTES = 200  # of a frame in an answer, at most
_LAST_BREATH = 5.0  # seconds between the end of its answers and its own
_KILLED = -9
_ALARM = -signal.SIGALRM if hasattr(signal, "SIGALRM") else None

T = TypeVar("T")


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


def longest_answer(options: Options) -> int:
    """Bytes that an honest worker needs at most for what it was asked: a lie is not to fill our
    memory."""
    if isinstance(options.sample, str):
        return _LONGEST_ANSWER
    frames = int(MAX_SECONDS / options.sample) + 1
    return min(_LONGEST_ANSWER, (1 << 20) + _FRAME_BYTES * frames)


class Closed(Exception):
    """The work was called off."""


class _OfAnotherFile(Exception):
    """A worker was lost that had opened other files before this one: it may be their doing."""


class Worker:
    """A process that opens files, and the pipes to it. ``walls`` are those around it."""

    def __init__(self, options: Options, limits: Limits, *, with_probes: bool = False) -> None:
        """Start it, and wait until its walls stand. WorkerUnavailable where that fails.

        ``with_probes`` makes it ready to try what it may not do (``hashkit.probes``).
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
        self._longest_answer = longest_answer(options)
        self._deadline = self.last_used = 0.0
        self._expired = self._closing = False
        self.asked = 0
        start = {
            "path": [os.path.abspath(entry) for entry in sys.path],
            "options": asdict(options),
            "max_memory": limits.memory_for(options),
            "with_probes": with_probes,
        }
        try:
            self.walls = tuple(
                Wall(**wall) for wall in self._exchange(start, _START, _START)["walls"]
            )
        except (MediaError, TypeError, KeyError) as error:
            self.kill()
            raise WorkerUnavailable from error

    def ask(
        self,
        request: dict[str, Any],
        seconds: float,
        on_progress: OnProgress | None = None,
        at_most: float | None = None,
    ) -> Any:
        """The answer to a request, untrusted, which takes ``seconds`` without progress, and
        ``at_most`` so many in all. TookTooLong, TooMuchMemory or DecoderCrashed where there is
        none; then the worker is gone."""
        message = {**request, "seconds": seconds}
        return self._exchange(message, seconds, at_most or seconds, on_progress)

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
    ) -> Any:
        latest = time.monotonic() + at_most
        with self._time_limit(seconds):
            try:
                self._requests.write(to_line(message))
                self._requests.flush()
            except OSError:
                raise self._cause_of_death() from None
            while True:
                answer = self._read()
                if "progress" not in answer:
                    return answer
                self._deadline = min(time.monotonic() + seconds, latest)
                if on_progress is not None:
                    on_progress(_checked_part(answer["progress"]))

    def _read(self) -> dict[str, Any]:
        line = self._answers.readline(self._longest_answer)
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
            return Closed()
        if self._expired or code == _ALARM:
            return TookTooLong()
        # Killed, and not by us: that is what Linux does when memory runs out.
        return TooMuchMemory() if code == _KILLED else DecoderCrashed()

    @contextmanager
    def _time_limit(self, seconds: float) -> Iterator[None]:
        """End the process when it has got nowhere for so long. Reading from it then ends, too."""
        self._deadline = time.monotonic() + seconds
        done = threading.Event()

        def watch() -> None:
            while (left := self._deadline - time.monotonic()) > 0:
                if done.wait(left):
                    return
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


def absolute(path: Path) -> Path:
    """The same file from any folder. (Not cleaned of "..": that would change it behind a link.)"""
    try:
        return Path.cwd() / path
    except FileNotFoundError:  # we are in a folder that is no more
        return path


def _size_of(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


class Crew:
    """Workers that take turns. Each thread that asks gets one to itself; one that is lost is
    replaced. All of them hash with the same options."""

    def __init__(self, options: Options, limits: Limits, idle_seconds: float | None = None) -> None:
        """With ``idle_seconds``, workers that had nothing to do for so long are ended."""
        self._options, self._limits, self._idle_seconds = options, limits, idle_seconds
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._closed = False

    def hash(self, path: Path, on_progress: OnProgress | None = None) -> Answer:
        """Hash a file. What goes wrong with it, or with the worker, is the outcome.

        Raises Closed where the work was called off, and WorkerUnavailable.
        """

        def read(untrusted: Any) -> Answer:
            return Answer.from_json(untrusted, path)

        def read_hash(untrusted: Any) -> Answer:
            answer = read(untrusted)
            if isinstance(answer.outcome, FailedFile) and isinstance(
                answer.outcome.error, TooMuchMemory
            ):
                raise answer.outcome.error  # it may not get it back: another takes over
            return answer

        try:
            return self._ask("hash", path, read_hash, on_progress)
        except (TookTooLong, TooMuchMemory, DecoderCrashed) as caught:
            error = caught
        # No worker survives this file. Services can still find exact copies of it.
        with suppress(TookTooLong, TooMuchMemory, DecoderCrashed):
            answer = self._ask("exact", path, read)
            exact = answer.outcome
            if isinstance(exact, HashedFile):
                told = (notices.EXACT_ONLY,) if exact.hashes else ()
                failed = FailedFile(path, error, exact.kind, exact.hashes, told)
                return Answer(failed, answer.sha256)
        return Answer(FailedFile(path, error), None)

    def sha256(self, path: Path) -> str | None:
        """The SHA-256 of a file, None where it cannot be read. Raises as ``hash``."""

        def read(untrusted: Any) -> str | None:
            return checked_sha256(fields_of(untrusted, "the answer", {"sha256"})["sha256"])

        try:
            return self._ask("sha256", path, read)
        except (TookTooLong, TooMuchMemory, DecoderCrashed):
            return None

    def close(self) -> None:
        """End all workers at once, whatever they are doing."""
        with self._lock:
            self._closed = True
            workers = [*self._all]
        for worker in workers:
            worker.kill()

    def _ask(
        self,
        what: str,
        path: Path,
        read: Callable[[Any], T],
        on_progress: OnProgress | None = None,
    ) -> T:
        """The answer of a worker, checked. Where one is lost, another that is new is asked."""
        try:
            return self._ask_once(what, path, read, on_progress, fresh=False)
        except _OfAnotherFile:
            return self._ask_once(what, path, read, on_progress, fresh=True)

    def _ask_once(
        self,
        what: str,
        path: Path,
        read: Callable[[Any], T],
        on_progress: OnProgress | None,
        *,
        fresh: bool,
    ) -> T:
        request = {what: path_to_text(absolute(path))}
        size = _size_of(path)
        seconds = self._limits.seconds + size / _SLOW_DISK
        at_most = seconds + size / _SLOWEST_VIDEO
        with self._worker(fresh) as worker:
            before, worker.asked = worker.asked, worker.asked + 1
            try:
                try:
                    return read(worker.ask(request, seconds, on_progress, at_most))
                except DocumentInvalid as error:  # it was taken over: it must not see another file
                    raise DecoderCrashed from error
            except (DecoderCrashed, TooMuchMemory) as error:
                if before:
                    raise _OfAnotherFile from error
                raise

    @contextmanager
    def _worker(self, fresh: bool) -> Iterator[Worker]:
        """A worker for one request. It goes back to the others if it survives."""
        worker = self._take(fresh)
        try:
            yield worker
        except BaseException:
            worker.kill()
            with self._lock:
                self._all.discard(worker)
            raise
        worker.last_used = time.monotonic()
        with self._lock:
            self._idle.append(worker)
        if self._idle_seconds is not None:
            timer = threading.Timer(self._idle_seconds, self._retire, (self._idle_seconds,))
            timer.daemon = True
            timer.start()

    def _retire(self, idle_seconds: float) -> None:
        before = time.monotonic() - idle_seconds
        with self._lock:
            tired = [worker for worker in self._idle if worker.last_used <= before]
            self._idle = [worker for worker in self._idle if worker not in tired]
            self._all.difference_update(tired)
        for worker in tired:
            worker.kill()

    def _take(self, fresh: bool) -> Worker:
        with self._lock:
            if self._closed:
                raise Closed
            if self._idle and not fresh:
                return self._idle.pop()
        worker = Worker(self._options, self._limits)
        with self._lock:
            self._all.add(worker)
            if not self._closed:
                return worker
        worker.kill()
        raise Closed
