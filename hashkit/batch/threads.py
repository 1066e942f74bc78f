"""Threads that an interrupt cannot keep from ending.

Ctrl-C may reach the main thread while it holds a lock of ``concurrent.futures``, which is then
never given back. Threads that wait for it wait for ever, and ThreadPoolExecutor for them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

_PATIENCE = 3.0  # seconds to wait for the threads at the end

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool(Executor):
    """As ThreadPoolExecutor, with ``width`` threads from the start. They end with the process at
    the latest, and a shutdown waits for them for a few seconds only."""

    def __init__(self, width: int) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._cancelled = False
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(width)]
        for each in self._threads:
            each.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` in one of the threads, when one is free."""
        future: Future[T] = Future()

        def work() -> None:
            if self._cancelled:
                future.cancel()
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        self._work.put(work)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads when their work is done, or when what they are at is done."""
        self._cancelled = cancel_futures
        for _ in self._threads:
            self._work.put(None)
        deadline = time.monotonic() + _PATIENCE
        for each in self._threads if wait else ():
            each.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
