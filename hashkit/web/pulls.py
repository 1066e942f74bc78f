"""One file on its way from the page, piece by piece, into an isolated worker.

A thread waits for the worker, and the page asks what is wanted next: whatever comes first is
told. The bytes are never more than one piece at a time, and never on the disk.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import Executor

from hashkit.crew import Crew
from hashkit.errors import FileUnreadable, HashkitError
from hashkit.pieces import HandedOver
from hashkit.records import FailedFile, HashedFile
from hashkit.supervisor import Closed

_PATIENCE = 120.0
"""Seconds in which the page must hand over a piece: a disk may have to wake up."""

Outcome = HashedFile | FailedFile


class CalledOff(Exception):
    """Nobody wants the hashes of this file any more."""


class Pull:
    """A file of ``size`` bytes that a page hands over. Made inside an event loop.

    ``want`` is where the next piece starts and how long it is, None while none is wanted. ``part``
    is how much is done, 0 to 1. ``outcome`` is None until it is done.
    """

    def __init__(self, size: int, crew: Crew, threads: Executor) -> None:
        self.want: tuple[int, int] | None = None
        self.part = 0.0
        self.outcome: Outcome | None = None
        self.called_off = False
        self._size, self._crew = size, crew
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

    def give(self, piece: bytes) -> None:
        """Hand over the piece that is wanted. ValueError for anything else."""
        if self.want is None or len(piece) != self.want[1]:
            raise ValueError("this piece was not asked for")
        self._answer(piece)

    def give_up(self, error: HashkitError) -> None:
        """The page cannot read the file any more."""
        self._answer(error)

    def call_off(self) -> None:
        """Stop: the worker is ended, within a second."""
        self.called_off = True
        self._answer(CalledOff())

    def _answer(self, answer: bytes | Exception) -> None:
        self.want = None
        if self.outcome is None:
            self._news.clear()
        self._given.put(answer)

    # From here on, in the thread.

    def _work(self) -> None:
        try:
            outcome = self._hash()
        except (CalledOff, Closed):
            return
        except HashkitError as error:  # no worker can be started
            outcome = FailedFile(None, error)
        self._tell(lambda: setattr(self, "outcome", outcome))

    def _hash(self) -> Outcome:
        if self.called_off:
            raise CalledOff
        file = HandedOver(self._size, self._piece, lambda: self.called_off)
        return self._crew.hash(file, self._progress).outcome

    def _piece(self, start: int, length: int) -> bytes:
        self._tell(lambda: setattr(self, "want", (start, length)))
        try:
            given = self._given.get(timeout=_PATIENCE)
        except queue.Empty:
            raise FileUnreadable from None
        if isinstance(given, Exception):
            raise given
        return given

    def _progress(self, part: float) -> None:
        if self.called_off:
            raise CalledOff
        self.part = part

    def _tell(self, change: Callable[[], None]) -> None:
        """Change something in the loop's thread, and wake up whoever waits for news."""

        def tell() -> None:
            change()
            self._news.set()

        try:
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:  # the loop has ended, and everything with it
            raise CalledOff from None
