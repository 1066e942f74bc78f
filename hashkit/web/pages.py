"""The open pages and their results: in memory, and only as long as the page is open.

A page is one browser tab. It knows the names of its files; the server knows them by number.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hashkit.batch.executors import cores
from hashkit.errors import FileEmpty, WorkerLost
from hashkit.models import FailedFile, Outcome
from hashkit.pipeline.options import Options
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Limits
from hashkit.submission.document import Submission
from hashkit.web.transfers import Transfer

WORKERS = min(cores(), 4)
"""How many files are hashed at a time."""

MAX_FILES = 20_000
"""For one page, so that a faulty page cannot fill the memory."""

MAX_PAGES = 4
"""At a time: a browser opens six connections to a server, and each open page holds one."""

VARIANTS = "wide"
"""The level of variants, if the user wants edited copies to be found."""

_RECONNECT_TIMEOUT = 10.0
"""Seconds for which a page may be disconnected. Browsers sometimes lose connections."""

_FIRST_CONNECTION_TIMEOUT = 60.0
"""Seconds in which a page that was sent should connect."""

_IDLE_WORKER_SECONDS = 60.0


@dataclass
class Page:
    """One tab: its ``language``, its running transfers, and its outcomes, by the numbers that the
    page gives its files. ``connections`` is how many it holds, and ``expires`` when the page is
    dropped if it holds none."""

    language: str
    expires: float
    connections: int = 0
    transfers: dict[int, Transfer] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def finish(self, number: int, outcome: Outcome) -> None:
        """Store the outcome of a transfer."""
        del self.transfers[number]
        self.outcomes[number] = outcome

    def remove(self, number: int) -> None:
        """Cancel the transfer, or forget its outcome."""
        self.outcomes.pop(number, None)
        if (transfer := self.transfers.pop(number, None)) is not None:
            transfer.cancel()

    def drop(self) -> None:
        """Cancel and forget everything."""
        for number in [*self.transfers, *self.outcomes]:
            self.remove(number)

    @property
    def is_full(self) -> bool:
        """Whether it has as many files as a page may have."""
        return len(self.transfers) + len(self.outcomes) >= MAX_FILES

    def submission(self) -> Submission:
        """The submission of all its outcomes."""
        return Submission.of(self.outcomes.values())


class Pages:
    """The open pages and the pools of sandboxed workers. ``now`` is a monotonic clock in
    seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pages: dict[str, Page] = {}
        self._pools: dict[bool, WorkerPool] = {}
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="hashkit")
        self._closed = False

    def open(self, language: str) -> str | None:
        """Open a page. Returns its random name, or None if there are too many."""
        if self._closed or sum(page.connections > 0 for page in self._pages.values()) >= MAX_PAGES:
            return None
        name = secrets.token_urlsafe(16)
        self._pages[name] = Page(language, self._now() + _FIRST_CONNECTION_TIMEOUT)
        return name

    def find(self, name: str) -> Page | None:
        """The open page of this name."""
        return self._pages.get(name)

    def connected(self, page: Page) -> None:
        """Note one more connection of the page."""
        page.connections += 1

    def disconnected(self, page: Page) -> None:
        """Note the end of a connection. The page may reconnect."""
        page.connections -= 1
        page.expires = self._now() + _RECONNECT_TIMEOUT

    def drop_disconnected(self) -> None:
        """Drop the pages that were closed or never connected."""
        for name, page in [*self._pages.items()]:
            if not page.connections and self._now() > page.expires:
                self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a page that was closed, with all its data."""
        if (page := self._pages.pop(name, None)) is not None:
            page.drop()

    def hash(self, page: Page, number: int, size: int, *, variants: bool) -> None:
        """Start to hash a file of ``size`` bytes, unless it was started before: a page that got no
        response repeats its request."""
        if number in page.transfers or number in page.outcomes:
            return
        if self._closed:
            page.outcomes[number] = FailedFile(None, WorkerLost())
        elif size == 0:
            page.outcomes[number] = FailedFile(None, FileEmpty())
        else:
            page.transfers[number] = Transfer(size, self._pool(variants), self._threads)

    @property
    def busy(self) -> bool:
        """Whether any file is being hashed."""
        transfers = [
            transfer for page in self._pages.values() for transfer in page.transfers.values()
        ]
        return any(transfer.outcome is None for transfer in transfers)

    def close(self) -> None:
        """Drop all pages and kill the workers."""
        self._closed = True
        for name in [*self._pages]:
            self.drop(name)
        for pool in self._pools.values():
            pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _pool(self, variants: bool) -> WorkerPool:
        if variants not in self._pools:
            options = Options(variants=VARIANTS) if variants else Options()
            self._pools[variants] = WorkerPool(options, Limits(), _IDLE_WORKER_SECONDS)
        return self._pools[variants]
