"""What each open page has hashed: in memory, and only as long as the page is open.

A page is one tab. It knows what its files are called; here they have numbers.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hashkit.batch.executors import cores
from hashkit.errors import FileEmpty, WorkerLost
from hashkit.models import FailedFile
from hashkit.pipeline.options import Options
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Limits
from hashkit.submission.document import Submission
from hashkit.web.transfers import Outcome, Transfer

WORKERS = min(cores(), 4)
"""How many files are opened at a time."""

MAX_FILES = 20_000
"""In one page, so that a page gone wild cannot fill the memory."""

MAX_PAGES = 4
"""At a time: a browser has six connections to a server, and each open page holds one."""

VARIANTS = "wide"
"""The level at which edited copies are caught, where the person wants that."""

_AWAY = 10.0
"""Seconds for which a page may be out of touch. Browsers lose connections now and then."""

_COMING = 60.0
"""Seconds in which a page that was sent should be in touch."""

_IDLE_WORKER = 60.0  # seconds


@dataclass
class Page:
    """One tab: its ``language``, the files on their way, and what became of others, by the numbers
    that the page gives them. ``in_touch`` is how many connections it holds, and ``until`` the time
    at which it is given up if it holds none."""

    language: str
    until: float
    in_touch: int = 0
    transfers: dict[int, Transfer] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def finish(self, number: int, outcome: Outcome) -> None:
        """The file is done."""
        del self.transfers[number]
        self.outcomes[number] = outcome

    def remove(self, number: int) -> None:
        """Call it off, or forget what became of it."""
        self.outcomes.pop(number, None)
        if (transfer := self.transfers.pop(number, None)) is not None:
            transfer.call_off()

    def drop(self) -> None:
        """Call off and forget everything."""
        for number in [*self.transfers, *self.outcomes]:
            self.remove(number)

    @property
    def is_full(self) -> bool:
        """Has it as many files as a page may have?"""
        return len(self.transfers) + len(self.outcomes) >= MAX_FILES

    def submission(self) -> Submission:
        """All that has hashes."""
        return Submission.of(self.outcomes.values())


class Pages:
    """The pages that are open, and the isolated workers behind them. ``now`` gives seconds that
    only grow."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pages: dict[str, Page] = {}
        self._pools: dict[bool, WorkerPool] = {}
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="hashkit")
        self._closed = False

    def open(self, language: str) -> str | None:
        """A new page. Returns the name by which it is known, or None if there are enough."""
        if self._closed or sum(page.in_touch > 0 for page in self._pages.values()) >= MAX_PAGES:
            return None
        name = secrets.token_urlsafe(16)
        self._pages[name] = Page(language, self._now() + _COMING)
        return name

    def find(self, name: str) -> Page | None:
        """The page of this name, if it is open."""
        return self._pages.get(name)

    def is_here(self, page: Page) -> None:
        """The page is in touch, with one more connection."""
        page.in_touch += 1

    def is_away(self, page: Page) -> None:
        """A connection of the page has ended. Perhaps it makes another."""
        page.in_touch -= 1
        page.until = self._now() + _AWAY

    def drop_those_away(self) -> None:
        """Forget the pages that were closed, or never came."""
        for name, page in [*self._pages.items()]:
            if not page.in_touch and self._now() > page.until:
                self.drop(name)

    def drop(self, name: str) -> None:
        """The page was closed: nothing of it is kept."""
        if (page := self._pages.pop(name, None)) is not None:
            page.drop()

    def hash(self, page: Page, number: int, size: int, *, variants: bool) -> None:
        """Begin to hash a file of ``size`` bytes, unless it has been begun: a page that had no
        answer asks twice."""
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
        """Is any file on its way?"""
        transfers = [
            transfer for page in self._pages.values() for transfer in page.transfers.values()
        ]
        return any(transfer.outcome is None for transfer in transfers)

    def close(self) -> None:
        """Drop all pages, and end the workers at once."""
        self._closed = True
        for name in [*self._pages]:
            self.drop(name)
        for pool in self._pools.values():
            pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _pool(self, variants: bool) -> WorkerPool:
        if variants not in self._pools:
            options = Options(variants=VARIANTS) if variants else Options()
            self._pools[variants] = WorkerPool(options, Limits(), _IDLE_WORKER)
        return self._pools[variants]
