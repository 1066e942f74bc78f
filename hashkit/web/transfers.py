"""Transfers one file from the page, range by range, to a sandboxed worker.

A thread waits for the worker, while the page polls for the next range. Only one range is held at a
time, never on disk.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from hashkit.errors import FileUnreadable, HashkitError, WorkerLost
from hashkit.models import FailedFile, Outcome
from hashkit.sandbox.pool import WorkerPool, may_succeed_alone
from hashkit.sandbox.process import Cancelled
from hashkit.sandbox.remote_file import RemoteSource

_RANGE_TIMEOUT = 120.0
"""Seconds in which the page must send a range: a disk may have to spin up."""

_LARGE_FILE = 64 << 20  # bytes


@dataclass(frozen=True, slots=True)
class RangeRequest:
    """A requested range: serial number, offset, length."""

    serial: int
    start: int
    length: int


class Transfer:
    """A file of ``size`` bytes that a page sends. Create it inside an event loop.

    ``requested`` is the next range, None if there is none. ``part`` is the progress, 0 to 1.
    ``outcome`` is None until the file is hashed.
    """

    def __init__(self, size: int, pool: WorkerPool, threads: Executor) -> None:
        self.size = size
        self.requested: RangeRequest | None = None
        self.part = 0.0
        self.outcome: Outcome | None = None
        self.cancelled = False
        self._serial = 0
        self._pool, self._received = pool, 0
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._answers: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        threads.submit(self._work)

    async def wait_for_change(self, seconds: float) -> None:
        """Wait until a range is requested or the file is hashed, at most so long."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    def receive(self, serial: int, data: bytes) -> None:
        """Take the range with this serial number. Earlier ones are ignored: a page that got no
        response repeats its request. ValueError for any other range than the requested one."""
        requested = self.requested
        if 0 < serial <= self._serial and (requested is None or serial < requested.serial):
            return
        if requested is None or (serial, len(data)) != (requested.serial, requested.length):
            raise ValueError("this range was not requested")
        self._answer(data)

    def fail(self, error: HashkitError) -> None:
        """Note that the page cannot read the file any more."""
        self._answer(error)

    def cancel(self) -> None:
        """Cancel: the worker is killed within a second."""
        self.cancelled = True
        self._answer(Cancelled())

    def _answer(self, answer: bytes | Exception) -> None:
        self.requested = None
        if self.outcome is None:
            self._changed.clear()
        self._answers.put(answer)

    # The methods below run in the thread.

    def _work(self) -> None:
        try:
            outcome = self._hash()
        except Cancelled:
            return
        except HashkitError as error:  # no worker can be started
            outcome = FailedFile(None, error)
        except Exception:  # out of resources: the page must not wait for ever
            outcome = FailedFile(None, WorkerLost())
        self._update(lambda: setattr(self, "outcome", outcome))

    def _hash(self) -> Outcome:
        if self.cancelled:
            raise Cancelled
        file = RemoteSource(self.size, self._read_range, lambda: self.cancelled)
        outcome = self._pool.hash(file, self._progress).outcome
        if may_succeed_alone(outcome):
            outcome = self._pool.hash_alone(file, self._progress).outcome
        return outcome

    def _read_range(self, start: int, length: int) -> bytes:
        self._update(lambda: self._request(start, length))
        try:
            answer = self._answers.get(timeout=_RANGE_TIMEOUT)
        except queue.Empty:
            raise FileUnreadable from None
        if isinstance(answer, Exception):
            raise answer
        self._received += len(answer)
        if self.size > _LARGE_FILE:  # reading after the last frame is progress, too
            self.part = max(self.part, min(1.0, self._received / self.size))
        return answer

    def _request(self, start: int, length: int) -> None:
        self._serial += 1
        self.requested = RangeRequest(self._serial, start, length)

    def _progress(self, part: float) -> None:
        if self.cancelled:
            raise Cancelled
        self.part = max(self.part, part)

    def _update(self, change: Callable[[], None]) -> None:
        """Run a change in the loop's thread and wake up those that wait for it."""

        def update() -> None:
            change()
            self._changed.set()

        try:
            self._loop.call_soon_threadsafe(update)
        except RuntimeError:  # the loop has ended
            raise Cancelled from None
