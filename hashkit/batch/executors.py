"""Executors that hash files: local workers, or an executor given by the caller.

In both cases only sandboxed workers open the files: a process of an executor needs the same
protection as this one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

from hashkit.batch.threads import ThreadPool
from hashkit.errors import DocumentInvalid, HashkitError, WorkerLost
from hashkit.models import FailedFile
from hashkit.pipeline.files import open_untrusted
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.pool import WorkerPool, absolute
from hashkit.sandbox.process import Limits
from hashkit.sandbox.protocol import (
    WorkerResult,
    check_asked_for,
    checked_sha256,
    from_line,
    path_from_text,
    path_to_text,
)

_IDLE_SECONDS = 60.0

T = TypeVar("T")


class HashExecutor(Protocol):
    """Hashes files as the ``options`` say, ``width`` at a time. A context manager; leaving it
    cancels the rest."""

    width: int
    options: Options

    def __enter__(self) -> HashExecutor: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def hash(
        self, path: Path, on_progress: OnProgress, *, alone: bool = False
    ) -> Future[WorkerResult] | Future[bytes]:
        """Start hashing a file; ``alone`` if no other worker may hold memory meanwhile."""

    def sha256(self, path: Path) -> Future[str | None]:
        """Start computing the SHA-256 of a file; None if it cannot be read."""


def cores() -> int:
    """The number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutor:
    """Sandboxed workers on this machine, one for each of ``width`` threads."""

    def __init__(self, options: Options, limits: Limits, width: int) -> None:
        self.width, self.options = width, options
        self._pool = WorkerPool(options, limits)
        self._threads = ThreadPool(width)

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()
        self._threads.shutdown(cancel_futures=True)

    def hash(
        self, path: Path, on_progress: OnProgress, *, alone: bool = False
    ) -> Future[WorkerResult]:
        """As ``HashExecutor.hash``."""
        work = self._pool.hash_alone if alone else self._pool.hash
        return self._threads.submit(work, path, on_progress)

    def sha256(self, path: Path) -> Future[str | None]:
        """As ``HashExecutor.sha256``."""
        return self._threads.submit(compute_sha256, path_to_text(absolute(path)))


class ExecutorAdapter:
    """An executor of the caller: threads, processes or a cluster. The files must be readable where
    it runs. It is not shut down."""

    def __init__(self, executor: Executor, options: Options, limits: Limits, width: int) -> None:
        self.width, self.options = width, options
        self._executor, self._limits = executor, limits
        self._started: set[Future[Any]] = set()

    def __enter__(self) -> ExecutorAdapter:
        return self

    def __exit__(self, *_: object) -> None:
        for future in [*self._started]:
            future.cancel()

    def hash(
        self,
        path: Path,
        on_progress: OnProgress,  # noqa: ARG002
        *,
        alone: bool = False,
    ) -> Future[bytes]:
        """As ``HashExecutor.hash``, but without progress: the work may be remote. ``alone`` holds
        for the process that does the work; its neighbours may keep idle workers for a minute."""
        where = path_to_text(absolute(path))
        return self._submit(hash_in_worker, where, self.options, self._limits, alone)

    def sha256(self, path: Path) -> Future[str | None]:
        """As ``HashExecutor.sha256``."""
        return self._submit(compute_sha256, path_to_text(absolute(path)))

    def _submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        future: Future[T]
        try:
            future = self._executor.submit(work, *arguments)
        except Exception as error:  # broken or shut down: only this file fails
            future = Future()
            future.set_exception(error)
        self._started.add(future)
        future.add_done_callback(self._started.discard)
        return future


def result_of(
    future: Future[WorkerResult] | Future[bytes], path: Path, options: Options
) -> WorkerResult:
    """The result of hashing a file, with nothing that the options do not ask for. Raises
    WorkerUnavailable."""
    try:
        found = future.result()
        if isinstance(found, WorkerResult):
            return found
        result = WorkerResult.from_json(from_line(found), path)
        check_asked_for(result.outcome, options)
    except DocumentInvalid:
        return WorkerResult(FailedFile(path, WorkerLost()), None)
    except HashkitError:
        raise
    except Exception:  # executors raise anything when they lose work
        return WorkerResult(FailedFile(path, WorkerLost()), None)
    return result


def sha256_of(future: Future[str | None]) -> str | None:
    """The SHA-256, or None if the executor failed, or gave something else."""
    try:
        return checked_sha256(future.result())
    except Exception:  # hashing the file will report the error
        return None


_pools: dict[tuple[int, Options, Limits], WorkerPool] = {}


def _pool(options: Options, limits: Limits) -> WorkerPool:
    """The pool of this process. (The process id keeps a forked process from using its parent's.)"""
    key = (os.getpid(), options, limits)
    return _pools.setdefault(key, WorkerPool(options, limits, _IDLE_SECONDS))


def hash_in_worker(path: str, options: Options, limits: Limits, alone: bool = False) -> bytes:
    """Runs in an executor: hash a file in a sandboxed worker."""
    pool = _pool(options, limits)
    work = pool.hash_alone if alone else pool.hash
    return work(path_from_text(path)).to_line()


def compute_sha256(path: str) -> str | None:
    """Runs in an executor or a thread: the SHA-256 of a file, None if it cannot be read.

    Not computed by a worker, since a compromised one could lie about it. Nothing is decoded.
    """
    digest = sha256()
    try:
        with open_untrusted(path_from_text(path)) as untrusted:
            for chunk in untrusted.chunks():
                digest.update(chunk)
    except HashkitError:
        return None
    return digest.hexdigest()
