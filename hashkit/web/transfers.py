"""One file on its way from the page, piece by piece, into an isolated worker.

A thread waits for the worker, and the page asks what is wanted next: whatever comes first is
told. The bytes are never more than one piece at a time, and never on the disk.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from hashkit.errors import FileUnreadable, HashkitError, WorkerLost
from hashkit.models import FailedFile, HashedFile
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Cancelled
from hashkit.sandbox.remote_file import HandedOver

_PATIENCE = 120.0
"""Seconds in which the page must hand over a piece: a disk may have to wake up."""

_LONG = 64 << 20  # bytes: many pieces

Outcome = HashedFile | FailedFile


@dataclass(frozen=True, slots=True)
class Want:
    """A piece that is wanted: the how many-th, where it starts, and how many bytes it has."""

    serial: int
    start: int
    length: int


class Transfer:
    """A file of ``size`` bytes that a page hands over. Made inside an event loop.

    ``want`` is the next piece, None while none is wanted. ``part`` is how much is done, 0 to 1.
    ``outcome`` is None until it is done.
    """

    def __init__(self, size: int, pool: WorkerPool, threads: Executor) -> None:
        self.size = size
        self.want: Want | None = None
        self.part = 0.0
        self.outcome: Outcome | None = None
        self.called_off = False
        self._serial = 0
        self._pool, self._handed_over = pool, 0
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._given: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        threads.submit(self._work)

    async def news(self, seconds: float) -> None:
        """Wait until a piece is wanted or the file is done, but not longer than this."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    def give(self, serial: int, piece: bytes) -> None:
        """Hand over the piece of this number. One that was given before is not taken again: a page
        that had no answer asks twice. ValueError for any other than the one that is wanted."""
        if 0 < serial <= self._serial and (self.want is None or serial < self.want.serial):
            return
        if self.want is None or (serial, len(piece)) != (self.want.serial, self.want.length):
            raise ValueError("this piece was not asked for")
        self._answer(piece)

    def give_up(self, error: HashkitError) -> None:
        """The page cannot read the file any more."""
        self._answer(error)

    def call_off(self) -> None:
        """Stop: the worker is ended, within a second."""
        self.called_off = True
        self._answer(Cancelled())

    def _answer(self, answer: bytes | Exception) -> None:
        self.want = None
        if self.outcome is None:
            self._news.clear()
        self._given.put(answer)

    # From here on, in the thread.

    def _work(self) -> None:
        try:
            outcome = self._hash()
        except Cancelled:
            return
        except HashkitError as error:  # no worker can be started
            outcome = FailedFile(None, error)
        except Exception:  # whatever this machine is short of: the page must not wait for ever
            outcome = FailedFile(None, WorkerLost())
        self._tell(lambda: setattr(self, "outcome", outcome))

    def _hash(self) -> Outcome:
        if self.called_off:
            raise Cancelled
        file = HandedOver(self.size, self._piece, lambda: self.called_off)
        return self._pool.hash(file, self._progress).outcome

    def _piece(self, start: int, length: int) -> bytes:
        self._tell(lambda: self._ask_for(start, length))
        try:
            given = self._given.get(timeout=_PATIENCE)
        except queue.Empty:
            raise FileUnreadable from None
        if isinstance(given, Exception):
            raise given
        self._handed_over += len(given)
        if self.size > _LONG:  # what is read after the last frame is work, too
            self.part = max(self.part, min(1.0, self._handed_over / self.size))
        return given

    def _ask_for(self, start: int, length: int) -> None:
        self._serial += 1
        self.want = Want(self._serial, start, length)

    def _progress(self, part: float) -> None:
        if self.called_off:
            raise Cancelled
        self.part = max(self.part, part)

    def _tell(self, change: Callable[[], None]) -> None:
        """Change something in the loop's thread, and wake up whoever waits for news."""

        def tell() -> None:
            change()
            self._news.set()

        try:
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:  # the loop has ended, and everything with it
            raise Cancelled from None
