"""Workers that take turns, and what becomes of a file that one is lost on."""

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
from hashkit.models import FailedFile, HashedFile
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.process import Cancelled, Limits, WorkerProcess
from hashkit.sandbox.protocol import Answer, check_asked_for, path_to_text
from hashkit.sandbox.remote_file import HandedOver

_SLOW_DISK = 2e6  # bytes a second, for reading a file before it is decoded
_SLOWEST_VIDEO = 5e3  # bytes a second, for all of a video that goes on and on

_PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds

T = TypeVar("T")


class _OfAnotherFile(Exception):
    """A worker was lost that had opened other files before this one: it may be their doing."""


def absolute(path: Path) -> Path:
    """The same file from any folder. (Not cleaned of "..": that would change it behind a link.)"""
    try:
        return Path.cwd() / path
    except FileNotFoundError:  # we are in a folder that is no more
        return path


def _size_of(source: Path | HandedOver) -> int:
    if isinstance(source, HandedOver):
        return source.size
    try:
        return os.stat(source).st_size
    except (OSError, ValueError):
        return 0


class WorkerPool:
    """Workers that take turns. Each thread that asks gets one to itself; one that is lost is
    replaced. All of them hash with the same options."""

    def __init__(self, options: Options, limits: Limits, idle_seconds: float | None = None) -> None:
        """With ``idle_seconds``, workers that had nothing to do for so long are ended."""
        self._options, self._limits, self._idle_seconds = options, limits, idle_seconds
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._closed = self._has_started = False

    def hash(self, source: Path | HandedOver, on_progress: OnProgress | None = None) -> Answer:
        """Hash a file. What goes wrong with it, or with the worker, is the outcome.

        Raises Cancelled where the work was called off, what the holder of a file that is handed
        over raises to call it off, and WorkerUnavailable where not even a first worker could be
        started.
        """

        path = source if isinstance(source, Path) else None

        def read(untrusted: Any) -> Answer:
            answer = Answer.from_json(untrusted, path)
            check_asked_for(answer.outcome, self._options)
            return answer

        def read_hash(untrusted: Any) -> Answer:
            answer = read(untrusted)
            if isinstance(answer.outcome, FailedFile) and isinstance(
                answer.outcome.error, TooMuchMemory
            ):
                raise answer.outcome.error  # it may not get it back: another takes over
            return answer

        try:
            return self._ask("hash", source, read_hash, on_progress)
        except (TookTooLong, TooMuchMemory, DecoderCrashed) as caught:
            error: MediaError = caught
        except (WorkerLost, FileError) as lost:  # FileError: its holder cannot read it
            return Answer(FailedFile(path, lost), None)
        # No worker survives this file. Services can still find exact copies of it.
        with suppress(TookTooLong, TooMuchMemory, DecoderCrashed, WorkerLost, FileError):
            answer = self._ask("exact", source, read)
            exact = answer.outcome
            if isinstance(exact, HashedFile):
                told = (notices.EXACT_ONLY,) if exact.hashes else ()
                failed = FailedFile(path, error, exact.kind, exact.hashes, told)
                return Answer(failed, answer.sha256)
        return Answer(FailedFile(path, error), None)

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
        source: Path | HandedOver,
        read: Callable[[Any], T],
        on_progress: OnProgress | None = None,
    ) -> T:
        """The answer of a worker, checked. Where one is lost, another that is new is asked."""
        try:
            return self._ask_once(what, source, read, on_progress, fresh=False)
        except _OfAnotherFile:
            return self._ask_once(what, source, read, on_progress, fresh=True)

    def _ask_once(
        self,
        what: str,
        source: Path | HandedOver,
        read: Callable[[Any], T],
        on_progress: OnProgress | None,
        *,
        fresh: bool,
    ) -> T:
        size = _size_of(source)
        handed_over = source if isinstance(source, HandedOver) else None
        where = (
            {"path": path_to_text(absolute(source))} if isinstance(source, Path) else {"size": size}
        )
        seconds = self._limits.seconds + size / _SLOW_DISK
        at_most = seconds + size / _SLOWEST_VIDEO
        with self._worker(fresh) as worker:
            before, worker.asked = worker.asked, worker.asked + 1
            try:
                try:
                    answer = worker.ask({what: where}, seconds, on_progress, at_most, handed_over)
                    return read(answer)
                except DocumentInvalid as error:  # it was taken over: it must not see another file
                    raise DecoderCrashed from error
            except (DecoderCrashed, TooMuchMemory, TookTooLong) as error:
                if before:
                    raise _OfAnotherFile from error
                raise

    @contextmanager
    def _worker(self, fresh: bool) -> Iterator[WorkerProcess]:
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
        """A new worker. Where others could be started, this machine is only short of something, and
        perhaps not for long: try again, and give up the file rather than the run."""
        for pause in _PAUSES:
            try:
                return WorkerProcess(self._options, self._limits)
            except WorkerUnavailable:
                if not self._has_started:
                    raise
                if self._closed:
                    raise Cancelled from None
                time.sleep(pause)
        raise WorkerLost
