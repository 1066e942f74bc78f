"""A pool of sandboxed workers; retries a file when its worker dies."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from hashkit import notices
from hashkit.errors import (
    DecoderCrashed,
    DocumentInvalid,
    FileError,
    MediaError,
    TookTooLong,
    TooMuchMemory,
    WorkerLost,
    WorkerUnavailable,
)
from hashkit.models import FailedFile, HashedFile, Outcome
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.occupancy import Occupancy
from hashkit.sandbox.process import Cancelled, Limits, WorkerProcess
from hashkit.sandbox.protocol import WorkerResult, check_asked_for, path_to_text
from hashkit.sandbox.remote_file import RemoteSource

_MIN_READ_RATE = 2e6  # bytes a second, for reading a file before decoding it
_MIN_VIDEO_RATE = 5e3  # bytes a second, for decoding a whole video

# A file may claim any size, and a sparse one holds it for nothing, so what is added to the time
# limit for its size has an upper bound.
_MAX_READ_SECONDS = 60 * 60.0  # in which a disk of 20 MB/s reads the largest file
_MAX_VIDEO_SECONDS = 24 * 60 * 60.0  # the longest video, at its own speed

_RETRY_DELAYS = (0.2, 0.5, 1.0, 2.0)  # seconds

T = TypeVar("T")


class _UsedWorkerFailed(Exception):
    """A worker failed that had opened other files before; they may be the cause."""


def absolute(path: Path) -> Path:
    """The absolute path. (".." is kept: resolving it would be wrong behind a symlink.)"""
    try:
        return Path.cwd() / path
    except FileNotFoundError:  # the current folder was deleted
        return path


def _size_of(source: Path | RemoteSource) -> int:
    if isinstance(source, RemoteSource):
        return source.size
    try:
        return os.stat(source).st_size
    except (OSError, ValueError):
        return 0


def time_limits(seconds: float, untrusted_size: int) -> tuple[float, float]:
    """The seconds that a worker may take without progress, and in all, for a file of so many bytes.
    ``seconds`` is the limit for a small one."""
    without_progress = seconds + min(untrusted_size / _MIN_READ_RATE, _MAX_READ_SECONDS)
    decoding = min(untrusted_size / _MIN_VIDEO_RATE, _MAX_VIDEO_SECONDS)
    return without_progress, without_progress + decoding


def may_succeed_alone(outcome: Outcome) -> bool:
    """Whether the work may succeed with no other beside it.

    TooMuchMemory: workers share the memory of the machine, and the system kills one where it runs
    out. WorkerLost: no worker could be started. TookTooLong is left out, though it may be a matter
    of the machine as well: each file made to hang would take its time twice.
    """
    return isinstance(outcome, FailedFile) and isinstance(outcome.error, TooMuchMemory | WorkerLost)


class WorkerPool:
    """A pool of workers with the same options. Each calling thread gets a worker to itself; workers
    that died are replaced."""

    def __init__(self, options: Options, limits: Limits, idle_seconds: float | None = None) -> None:
        """Workers that were idle for ``idle_seconds`` are ended; None keeps them."""
        self._options, self._limits, self._idle_seconds = options, limits, idle_seconds
        self._lock = threading.Lock()
        self._occupancy = Occupancy()
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._closed = self._has_started = False

    def hash(
        self, source: Path | RemoteSource, on_progress: OnProgress | None = None
    ) -> WorkerResult:
        """Hash a file. Errors of the file or the worker are returned as its outcome.

        Raises Cancelled if the pool was closed, whatever a RemoteSource raises to cancel, and
        WorkerUnavailable if not even a first worker could be started.
        """
        with self._occupancy.together():
            return self._hash(source, on_progress)

    def hash_alone(
        self, source: Path | RemoteSource, on_progress: OnProgress | None = None
    ) -> WorkerResult:
        """As ``hash``, with a new worker while no other works or holds memory: what is in progress
        is waited for, and what comes meanwhile waits."""
        with self._occupancy.alone():
            self._retire(0)
            return self._hash(source, on_progress)

    def _hash(self, source: Path | RemoteSource, on_progress: OnProgress | None) -> WorkerResult:
        path = source if isinstance(source, Path) else None

        def read(untrusted: Any) -> WorkerResult:
            answer = WorkerResult.from_json(untrusted, path)
            check_asked_for(answer.outcome, self._options)
            return answer

        def read_hash(untrusted: Any) -> WorkerResult:
            answer = read(untrusted)
            if isinstance(answer.outcome, FailedFile) and isinstance(
                answer.outcome.error, TooMuchMemory
            ):
                raise answer.outcome.error  # it may not release the memory
            return answer

        try:
            return self._ask("hash", source, read_hash, on_progress)
        except (TookTooLong, TooMuchMemory, DecoderCrashed) as caught:
            error: MediaError = caught
        except (WorkerLost, FileError) as lost:  # FileError: from a RemoteSource
            return WorkerResult(FailedFile(path, lost), None)
        # No worker survives decoding this file. Exact hashes are still useful to services.
        with suppress(TookTooLong, TooMuchMemory, DecoderCrashed, WorkerLost, FileError):
            answer = self._ask("exact", source, read)
            exact = answer.outcome
            if isinstance(exact, HashedFile):
                exact_only = (notices.EXACT_ONLY,) if exact.hashes else ()
                failed = FailedFile(path, error, exact.kind, exact.hashes, exact_only)
                return WorkerResult(failed, answer.sha256)
        return WorkerResult(FailedFile(path, error), None)

    def close(self) -> None:
        """Kill all workers, whatever they are doing."""
        with self._lock:
            self._closed = True
            workers = [*self._all]
        for worker in workers:
            worker.kill()

    def _ask(
        self,
        request: str,
        source: Path | RemoteSource,
        read: Callable[[Any], T],
        on_progress: OnProgress | None = None,
    ) -> T:
        """The checked answer of a worker; if a used worker fails, that of a new one."""
        try:
            return self._ask_once(request, source, read, on_progress, fresh=False)
        except _UsedWorkerFailed:
            return self._ask_once(request, source, read, on_progress, fresh=True)

    def _ask_once(
        self,
        request: str,
        source: Path | RemoteSource,
        read: Callable[[Any], T],
        on_progress: OnProgress | None,
        *,
        fresh: bool,
    ) -> T:
        size = _size_of(source)
        remote = source if isinstance(source, RemoteSource) else None
        where = (
            {"path": path_to_text(absolute(source))} if isinstance(source, Path) else {"size": size}
        )
        seconds, max_seconds = time_limits(self._limits.seconds, size)
        with self._worker(fresh) as worker:
            before, worker.request_count = worker.request_count, worker.request_count + 1
            try:
                try:
                    answer = worker.ask({request: where}, seconds, on_progress, max_seconds, remote)
                    return read(answer)
                except DocumentInvalid as error:  # possibly compromised: give it no other file
                    raise DecoderCrashed from error
            except (DecoderCrashed, TooMuchMemory, TookTooLong) as error:
                if before:
                    raise _UsedWorkerFailed from error
                raise

    @contextmanager
    def _worker(self, fresh: bool) -> Iterator[WorkerProcess]:
        """A worker for one request. It returns to the pool if it survives."""
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
            expired = [worker for worker in self._idle if worker.last_used <= before]
            self._idle = [worker for worker in self._idle if worker not in expired]
            self._all.difference_update(expired)
        for worker in expired:
            worker.kill()

    def _take(self, fresh: bool) -> WorkerProcess:
        with self._lock:
            if self._closed:
                raise Cancelled
            if self._idle and not fresh:
                return self._idle.pop()
        worker = self._start()
        with self._lock:
            self._all.add(worker)
            self._has_started = True
            if not self._closed:
                return worker
        worker.kill()
        raise Cancelled

    def _start(self) -> WorkerProcess:
        """Start a worker. If others could be started before, resources are short, so retry a few
        times and then fail the file, not the run."""
        for pause in _RETRY_DELAYS:
            try:
                return WorkerProcess(self._options, self._limits)
            except WorkerUnavailable:
                if not self._has_started:
                    raise
                if self._closed:
                    raise Cancelled from None
                time.sleep(pause)
        raise WorkerLost
