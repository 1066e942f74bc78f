"""Hashes many files in sandboxed workers; a bad file does not stop the rest."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from hashkit.batch.deduplication import Deduplication, Task, memory_of
from hashkit.batch.executors import (
    ExecutorAdapter,
    HashExecutor,
    LocalExecutor,
    cores,
    result_of,
    sha256_of,
)
from hashkit.hashes.registry import DEFAULT
from hashkit.media.limits import MAX_PIXELS
from hashkit.media.sampling import DEFAULT_SAMPLE, Sample
from hashkit.models import Outcome
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.pool import may_succeed_alone
from hashkit.sandbox.process import TIME_LIMIT, Limits
from hashkit.variants.sets import DEFAULT_LEVEL

_MAX_TIME_LIMIT = 1e6  # seconds
_PROGRESS_INTERVAL = 0.2  # seconds
_MAX_AHEAD = 1_000  # files that may be done before an earlier one
_MAX_AHEAD_BYTES = 64 << 20  # approximate memory of their outcomes
_EXECUTOR_WIDTH = 64


def hash_files(
    paths: Iterable[str | os.PathLike[str]],
    *,
    algorithms: str | Iterable[str] = DEFAULT,
    sample: Sample = DEFAULT_SAMPLE,
    max_pixels: int = MAX_PIXELS,
    variants: str = DEFAULT_LEVEL,
    workers: int | None = None,
    executor: Executor | None = None,
    time_limit: float = TIME_LIMIT,
    ordered: bool = True,
    on_progress: OnProgress | None = None,
) -> Generator[Outcome, None, None]:
    """Hash many files in isolated processes, which cannot write, or reach the network.

    ``paths`` may be endless: a few are taken at a time. ``algorithms``, ``sample``, ``max_pixels``
    and ``variants`` are as for ``hash_file``. Yields one outcome for each path, in the order of the
    paths, or as they finish if ``ordered`` is false. A file that fails gives a FailedFile, also if
    it crashes the decoder, makes no progress for ``time_limit`` seconds (180 if not given), or
    takes too much memory. Files with the same bytes are decoded once. A file that found too little
    memory beside others is hashed once more, with no other beside it, when the rest is done.

    ``workers`` is the number of processes (default: the number of cores). With an ``executor``, the
    work is submitted to it (at most ``workers`` files at a time, 64 if not given); the files must
    be readable where it runs, and it is not shut down.

    ``on_progress`` is called, in this thread, with the number of files that are done; half of a
    file counts as half.

    Raises UnknownAlgorithm, ValueError or TypeError for a wrong argument, and WorkerUnavailable if
    no worker can be started.
    """
    if isinstance(paths, str | bytes | os.PathLike):
        raise TypeError("paths is an iterable of paths; for one path there is hash_file")
    if workers is not None and workers < 1:
        raise ValueError("workers is at least 1")
    if not 0 < time_limit <= _MAX_TIME_LIMIT:
        raise ValueError("time_limit is more than 0, and at most a million seconds")
    options, limits = Options.checked(algorithms, sample, max_pixels, variants), Limits(time_limit)
    hash_executor: HashExecutor
    if executor is None:
        hash_executor = LocalExecutor(options, limits, workers or cores())
    else:
        hash_executor = ExecutorAdapter(executor, options, limits, workers or _EXECUTOR_WIDTH)
    return _Run(hash_executor, ordered, on_progress).outcomes(paths)


class _Run:
    """The files in progress, and the outcomes that are not yielded yet."""

    def __init__(
        self, hash_executor: HashExecutor, ordered: bool, on_progress: OnProgress | None
    ) -> None:
        self._hash_executor, self._ordered, self._on_progress = hash_executor, ordered, on_progress
        self._deduplication = Deduplication()
        self._hashing: dict[Future[Any], Task] = {}
        self._reading: dict[Future[Any], Task] = {}
        self._done: dict[int, Outcome] = {}
        self._parts: dict[int, float] = {}
        self._put_off: deque[Task] = deque()
        self._is_alone = False
        self._started = self._finished = self._yielded = 0

    def outcomes(self, paths: Iterable[str | os.PathLike[str]]) -> Generator[Outcome, None, None]:
        """Yield the outcomes of these paths."""
        remaining = iter(paths)
        exhausted = False
        with self._hash_executor:
            while True:
                while not exhausted and self._may_begin():
                    try:
                        path = Path(next(remaining))
                    except StopIteration:
                        exhausted = True
                    else:
                        self._begin(path)
                if not self._hashing and not self._reading:
                    if not self._put_off:
                        break
                    self._hash_alone(self._put_off.popleft())
                self._collect()
                yield from self._ready()

    def _may_begin(self) -> bool:
        busy = len(self._hashing) + len(self._reading)
        oldest = self._put_off[0].number if self._put_off else self._started
        max_ahead = max(_MAX_AHEAD, 4 * self._hash_executor.width)
        waiting = sum(memory_of(done) for done in self._done.values())
        return (
            not self._is_alone
            and busy < 2 * self._hash_executor.width
            and self._started - self._yielded < max_ahead
            and self._started - oldest < max_ahead  # else, of endless paths, its turn never comes
            and waiting < _MAX_AHEAD_BYTES
        )

    def _begin(self, path: Path) -> None:
        task = Task(self._started, path, _size_of(path))
        self._started += 1
        if self._deduplication.may_be_known(task):
            self._reading[self._hash_executor.sha256(path)] = task
        else:
            self._hash(task)

    def _hash(self, task: Task) -> None:
        self._deduplication.begin(task)
        self._hashing[self._hash_executor.hash(task.path, self._reporter(task))] = task
        if self._hash_executor.width > 1 and len(self._hashing) > 1:
            for each in self._hashing.values():
                each.had_company = True

    def _hash_alone(self, task: Task) -> None:
        """Hash a task that was put off. Copies of it wait for it still."""
        self._is_alone, task.had_company = True, False
        report = self._reporter(task)
        self._hashing[self._hash_executor.hash(task.path, report, alone=True)] = task

    def _reporter(self, task: Task) -> OnProgress:
        def report(part: float) -> None:
            self._parts[task.number] = part

        return report

    def _identified(self, task: Task) -> None:
        """Continue with a task whose SHA-256 is known, or known to be unreadable."""
        known = self._deduplication.known(task)
        if known is not None:
            self._finish(task, replace(known, path=task.path))
            return
        unverified = self._deduplication.take_unverified(task)
        if unverified is not None:
            self._reading[self._hash_executor.sha256(unverified.path)] = unverified
        if not self._deduplication.waits(task):
            self._hash(task)

    def _finish(self, task: Task, outcome: Outcome) -> None:
        self._done[task.number] = outcome
        self._parts.pop(task.number, None)
        self._finished += 1

    def _collect(self) -> None:
        """Wait until some work is done, and process its results."""
        done, _ = wait([*self._hashing, *self._reading], _PROGRESS_INTERVAL, FIRST_COMPLETED)
        for future in done:
            if future in self._reading:
                task = self._reading.pop(future)
                if task.is_done:
                    for freed in self._deduplication.verify(task, sha256_of(future)):
                        self._identified(freed)
                else:
                    task.sha256 = sha256_of(future)
                    self._identified(task)
                continue
            task = self._hashing.pop(future)
            self._is_alone = False
            result = result_of(future, task.path, self._hash_executor.options)
            if task.had_company and may_succeed_alone(result.outcome):
                self._parts.pop(task.number, None)
                self._put_off.append(task)
                continue
            task.is_done = True
            self._finish(task, result.outcome)
            for freed in self._deduplication.finish(task, result.outcome, result.sha256):
                self._identified(freed)
        if self._on_progress is not None:
            self._on_progress(self._finished + sum([*self._parts.values()]))

    def _ready(self) -> Iterator[Outcome]:
        if not self._ordered:
            for number in [*self._done]:
                self._yielded += 1
                yield self._done.pop(number)
            return
        while self._yielded in self._done:
            self._yielded += 1
            yield self._done.pop(self._yielded - 1)


def _size_of(path: Path) -> int | None:
    """Bytes of a regular file that is not empty and is readable from here, else None."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size or None if stat.S_ISREG(status.st_mode) else None
