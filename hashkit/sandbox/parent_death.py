"""Ends a worker when its parent process ends, however that ends, and whatever the worker does.

A worker that waits sees that its pipe is closed. One that reads a large file or decodes a long
video would not look at the pipe for hours.

    Linux     the kernel sends SIGKILL, also into native code. It does so when the thread ends that
              started the worker, so a thread that lasts starts them all: ``in_lasting_thread``
    others    a thread of the worker waits for the end of the parent. Native code that holds the
              interpreter lock keeps it from acting; there, the worker's own alarm ends it

``end_with_parent`` is for the worker, and the rest for its parent.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_PR_SET_PDEATHSIG = 1
_POLL_INTERVAL = 1.0  # seconds

T = TypeVar("T")


def end_with_parent() -> None:
    """End this process at once when its parent process ends. Call it before ``lock_down``.

    If the parent ends before this call, the pipe to it is closed, and the first answer fails.
    """
    if sys.platform == "linux":  # no thread: Landlock would not apply to it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        watch_parent()


def watch_parent() -> None:
    """As ``end_with_parent``, by a thread that waits for the end of the parent."""
    wait = _waiting_for_parent()
    threading.Thread(target=lambda: (wait(), os._exit(1)), daemon=True).start()


def _waiting_for_parent() -> Callable[[], None]:
    """What returns when the parent process has ended."""
    parent = os.getppid()
    if sys.platform == "win32":
        import _winapi  # noqa: PLC0415 (Windows only)

        handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, parent)
        return lambda: _winapi.WaitForSingleObject(handle, _winapi.INFINITE)

    def poll() -> None:
        while os.getppid() == parent:  # then it is the process that adopts orphans
            time.sleep(_POLL_INTERVAL)

    return poll


class _LastingThread:
    """One thread that is started when it is first needed, and lasts as long as the process.

    It is a daemon: those of an executor end before the threads that a program still waits for.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start another thread next time: a forked process has none of its parent's threads."""
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[Callable[[], None]] | None = None

    def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` there, and wait for it."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        self._queue().put(run)
        return future.result()

    def _queue(self) -> queue.SimpleQueue[Callable[[], None]]:
        with self._lock:
            if self._work is None:
                work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
                threading.Thread(target=_run_all, args=(work,), daemon=True).start()
                self._work = work
            return self._work


def _run_all(queued: queue.SimpleQueue[Callable[[], None]]) -> None:
    while True:
        queued.get()()


_lasting = _LastingThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_lasting.forget)


def in_lasting_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread that ends with this process, and wait for it.

    Raises what ``work`` raises, and RuntimeError if the system gives no thread.
    """
    return _lasting.run(work)
