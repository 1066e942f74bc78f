"""Many files, over isolated workers: no bad one stops the rest, and none is decoded twice."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from hashkit.batch.deduplication import Deduplication, Outcome, Task, room
from hashkit.batch.executors import Engine, ExecutorAdapter, OwnWorkers, answer_of, cores, sha256_of
from hashkit.hashes.registry import DEFAULT
from hashkit.media.limits import MAX_PIXELS
from hashkit.media.sampling import DEFAULT_SAMPLE, Sample
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.process import TIME_LIMIT, Limits
from hashkit.variants.sets import NONE

_MAX_TIME_LIMIT = 1e6  # seconds
_BETWEEN_PROGRESS = 0.2  # seconds
_AHEAD = 1_000  # files that may be done before one that they must come after
_AHEAD_BYTES = 64 << 20  # of TMK and frame hashes in them, roughly
_AT_A_TIME_ELSEWHERE = 64


def hash_files(
    paths: Iterable[str | os.PathLike[str]],
    *,
    algorithms: str | Iterable[str] = DEFAULT,
    sample: Sample = DEFAULT_SAMPLE,
    max_pixels: int = MAX_PIXELS,
    variants: str = NONE,
    workers: int | None = None,
    executor: Executor | None = None,
    time_limit: float = TIME_LIMIT,
    ordered: bool = True,
    on_progress: OnProgress | None = None,
) -> Generator[Outcome, None, None]:
    """Hash many files in isolated processes, which cannot write, or reach the network.

    ``paths`` may be endless: a few are taken at a time. ``algorithms``, ``sample``, ``max_pixels``
    and ``variants`` are as for ``hash_file``. One outcome comes for each path, in their order, or
    as they are done if ``ordered`` is false. What goes wrong with a file is its outcome, a
    FailedFile: also where it crashes the decoder, keeps it busy for more than ``time_limit``
    seconds (180 if not given) without getting anywhere, or takes too much memory. Files that are
    byte for byte the same are decoded once.

    ``workers`` is the number of processes, as many as there are cores if not given. With an
    ``executor``, the work is handed to it (at most ``workers`` files at a time, 64 if not given);
    the files must be readable where it runs, and it is left running.

    ``on_progress`` is called, in this thread, with the number of files that are done; one that is
    half done counts half.

    Raises UnknownAlgorithm, ValueError or TypeError for a wrong argument, and WorkerUnavailable
    where no worker can be started.
    """
    if isinstance(paths, str | bytes | os.PathLike):
        raise TypeError("paths is an iterable of paths; for one path there is hash_file")
    if workers is not None and workers < 1:
        raise ValueError("workers is at least 1")
    if not 0 < time_limit <= _MAX_TIME_LIMIT:
        raise ValueError("time_limit is more than 0, and at most a million seconds")
    options, limits = Options.checked(algorithms, sample, max_pixels, variants), Limits(time_limit)
    engine: Engine
    if executor is None:
        engine = OwnWorkers(options, limits, workers or cores())
    else:
        engine = ExecutorAdapter(executor, options, limits, workers or _AT_A_TIME_ELSEWHERE)
    return _Run(engine, ordered, on_progress).outcomes(paths)


class _Run:
    """What is being done, and what is done but not yet given out."""

    def __init__(self, engine: Engine, ordered: bool, on_progress: OnProgress | None) -> None:
        self._engine, self._ordered, self._on_progress = engine, ordered, on_progress
        self._deduplication = Deduplication()
        self._hashing: dict[Future[Any], Task] = {}
        self._reading: dict[Future[Any], Task] = {}
        self._done: dict[int, Outcome] = {}
        self._parts: dict[int, float] = {}
        self._begun = self._finished = self._given = 0

    def outcomes(self, paths: Iterable[str | os.PathLike[str]]) -> Generator[Outcome, None, None]:
        """The outcomes of these paths."""
        remaining = iter(paths)
        exhausted = False
        with self._engine:
            while True:
                while not exhausted and self._has_room():
                    try:
                        path = Path(next(remaining))
                    except StopIteration:
                        exhausted = True
                    else:
                        self._begin(path)
                if not self._hashing and not self._reading:
                    break
                self._collect()
                yield from self._ready()

    def _has_room(self) -> bool:
        busy = len(self._hashing) + len(self._reading)
        waiting_their_turn = sum(room(done) for done in self._done.values())
        return (
            busy < 2 * self._engine.width
            and self._begun - self._given < max(_AHEAD, 4 * self._engine.width)
            and waiting_their_turn < _AHEAD_BYTES
        )

    def _begin(self, path: Path) -> None:
        task = Task(self._begun, path, _size_of(path))
        self._begun += 1
        if self._deduplication.may_be_known(task):
            self._reading[self._engine.sha256(path)] = task
        else:
            self._hash(task)

    def _hash(self, task: Task) -> None:
        def report(part: float) -> None:
            self._parts[task.number] = part

        self._deduplication.begin(task)
        self._hashing[self._engine.hash(task.path, report)] = task

    def _identified(self, task: Task) -> None:
        """The SHA-256 is known, or it is known that the file cannot be read."""
        known = self._deduplication.known(task)
        if known is not None:
            self._finish(task, replace(known, path=task.path))
            return
        doubtful = self._deduplication.take_unverified(task)
        if doubtful is not None:
            self._reading[self._engine.sha256(doubtful.path)] = doubtful
        if not self._deduplication.waits(task):
            self._hash(task)

    def _finish(self, task: Task, outcome: Outcome) -> None:
        self._done[task.number] = outcome
        self._parts.pop(task.number, None)
        self._finished += 1

    def _collect(self) -> None:
        """Wait until something is done, and see what it is."""
        done, _ = wait([*self._hashing, *self._reading], _BETWEEN_PROGRESS, FIRST_COMPLETED)
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
            answer = answer_of(future, task.path)
            task.is_done = True
            self._finish(task, answer.outcome)
            for freed in self._deduplication.finish(task, answer.outcome, answer.sha256):
                self._identified(freed)
        if self._on_progress is not None:
            self._on_progress(self._finished + sum([*self._parts.values()]))

    def _ready(self) -> Iterator[Outcome]:
        if not self._ordered:
            for number in [*self._done]:
                self._given += 1
                yield self._done.pop(number)
            return
        while self._given in self._done:
            self._given += 1
            yield self._done.pop(self._given - 1)


def _size_of(path: Path) -> int | None:
    """Bytes of a file that has some, and can be looked at from here."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size or None if stat.S_ISREG(status.st_mode) else None
