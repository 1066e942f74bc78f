"""Where the work of ``hash_files`` is done: workers of its own, or any executor.

Wherever it is, files are opened by isolated workers only: an executor's process is as much in need
of protection from them as this one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

from hashkit.errors import DocumentInvalid, HashkitError, WorkerLost
from hashkit.models import FailedFile
from hashkit.pipeline.files import open_untrusted
from hashkit.pipeline.options import OnProgress, Options
from hashkit.sandbox.pool import WorkerPool, absolute
from hashkit.sandbox.process import Limits
from hashkit.sandbox.protocol import Answer, from_line, path_from_text, path_to_text

_IDLE_SECONDS = 60.0

T = TypeVar("T")


class Engine(Protocol):
    """Hashes files, ``width`` at a time. To be used as a context; leaving it calls off the rest."""

    width: int

    def __enter__(self) -> Engine: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def hash(self, path: Path, on_progress: OnProgress) -> Future[Answer] | Future[bytes]:
        """Begin to hash a file."""

    def sha256(self, path: Path) -> Future[str | None]:
        """Begin to compute the SHA-256 of a file; None where it cannot be read."""


def cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class OwnWorkers:
    """Isolated workers on this machine, one for each of ``width`` threads that wait for them."""

    def __init__(self, options: Options, limits: Limits, width: int) -> None:
        self.width = width
        self._pool = WorkerPool(options, limits)
        self._threads = ThreadPoolExecutor(width, thread_name_prefix="hashkit")

    def __enter__(self) -> OwnWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()
        self._threads.shutdown(cancel_futures=True)

    def hash(self, path: Path, on_progress: OnProgress) -> Future[Answer]:
        """As ``Engine.hash``."""
        return self._threads.submit(self._pool.hash, path, on_progress)

    def sha256(self, path: Path) -> Future[str | None]:
        """As ``Engine.sha256``."""
        return self._threads.submit(sha256_apart, path_to_text(absolute(path)))


class ExecutorAdapter:
    """An executor that the caller runs: threads, processes, a cluster. The files must be readable
    where its work is done. It is left running."""

    def __init__(self, executor: Executor, options: Options, limits: Limits, width: int) -> None:
        self.width = width
        self._executor, self._options, self._limits = executor, options, limits
        self._begun: set[Future[Any]] = set()

    def __enter__(self) -> ExecutorAdapter:
        return self

    def __exit__(self, *_: object) -> None:
        for future in [*self._begun]:
            future.cancel()

    def hash(self, path: Path, on_progress: OnProgress) -> Future[bytes]:  # noqa: ARG002
        """As ``Engine.hash``, without progress: it may be far away."""
        where = path_to_text(absolute(path))
        return self._submit(hash_apart, where, self._options, self._limits)

    def sha256(self, path: Path) -> Future[str | None]:
        """As ``Engine.sha256``."""
        return self._submit(sha256_apart, path_to_text(absolute(path)))

    def _submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        future: Future[T]
        try:
            future = self._executor.submit(work, *arguments)
        except Exception as error:  # it is broken, or gone: the file is lost, and not the run
            future = Future()
            future.set_exception(error)
        self._begun.add(future)
        future.add_done_callback(self._begun.discard)
        return future


def answer_of(future: Future[Answer] | Future[bytes], path: Path) -> Answer:
    """What came of hashing this file. Raises WorkerUnavailable."""
    try:
        found = future.result()
        return found if isinstance(found, Answer) else Answer.from_json(from_line(found), path)
    except DocumentInvalid:
        return Answer(FailedFile(path, WorkerLost()), None)
    except HashkitError:
        raise
    except Exception:  # whatever an executor raises when it loses its work
        return Answer(FailedFile(path, WorkerLost()), None)


def sha256_of(future: Future[str | None]) -> str | None:
    """What came of it; None where nothing did."""
    try:
        return future.result()
    except Exception:  # whatever an executor raises: hashing the file will say what is wrong
        return None


_pools: dict[tuple[int, Options, Limits], WorkerPool] = {}


def _pool(options: Options, limits: Limits) -> WorkerPool:
    """That of this process. (Not of the one that it was forked from.)"""
    key = (os.getpid(), options, limits)
    return _pools.setdefault(key, WorkerPool(options, limits, _IDLE_SECONDS))


def hash_apart(path: str, options: Options, limits: Limits) -> bytes:
    """Runs in an executor: hash a file in an isolated worker beside."""
    return _pool(options, limits).hash(path_from_text(path)).to_line()


def sha256_apart(path: str) -> str | None:
    """Runs in an executor, or a thread: the SHA-256 of a file, None where it cannot be read.

    Not by a worker, since one that was taken over could claim that its file is another. Nothing is
    decoded for it.
    """
    digest = sha256()
    try:
        with open_untrusted(path_from_text(path)) as untrusted:
            for chunk in untrusted.chunks():
                digest.update(chunk)
    except HashkitError:
        return None
    return digest.hexdigest()
