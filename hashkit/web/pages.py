"""What each open page has hashed: in memory, and only as long as the page is open.

A page is one tab. It knows what its files are called; here they have numbers.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

from hashkit.crew import Crew
from hashkit.engines import cores
from hashkit.errors import FileEmpty
from hashkit.options import Options
from hashkit.records import FailedFile
from hashkit.submission.document import Submission
from hashkit.supervisor import Limits
from hashkit.web.pulls import Outcome, Pull

WORKERS = min(cores(), 4)
"""How many files are opened at a time."""

MOST_FILES = 20_000
"""In one page, so that a page gone wild cannot fill the memory."""

VARIANTS = "wide"
"""The level at which edited copies are caught, where the person wants that."""

_IDLE_WORKER = 60.0  # seconds


@dataclass
class Page:
    """One tab: its ``language``, the files on their way, and what became of others."""

    language: str
    pulls: dict[int, Pull] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def add(self, pull: Pull | None, outcome: Outcome | None = None) -> int:
        """A file on its way, or one that is done already. Returns its number."""
        number = next(self._numbers)
        if pull is not None:
            self.pulls[number] = pull
        if outcome is not None:
            self.outcomes[number] = outcome
        return number

    def finish(self, number: int, outcome: Outcome) -> None:
        """The file is done."""
        del self.pulls[number]
        self.outcomes[number] = outcome

    def remove(self, number: int) -> None:
        """Call it off, or forget what became of it."""
        self.outcomes.pop(number, None)
        if (pull := self.pulls.pop(number, None)) is not None:
            pull.call_off()

    def drop(self) -> None:
        """Call off and forget everything."""
        for number in [*self.pulls, *self.outcomes]:
            self.remove(number)

    @property
    def is_full(self) -> bool:
        """Has it as many files as a page may have?"""
        return len(self.pulls) + len(self.outcomes) >= MOST_FILES

    def submission(self) -> Submission:
        """All that has hashes."""
        return Submission.of(self.outcomes.values())


class Pages:
    """The pages that are open, and the isolated workers behind them."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._crews: dict[bool, Crew] = {}
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="hashkit")

    def open(self, language: str) -> str:
        """A new page. Returns the name by which it is known."""
        name = secrets.token_urlsafe(16)
        self._pages[name] = Page(language)
        return name

    def find(self, name: str) -> Page | None:
        """The page of this name, if it is open."""
        return self._pages.get(name)

    def drop(self, name: str) -> None:
        """The page was closed: nothing of it is kept."""
        if (page := self._pages.pop(name, None)) is not None:
            page.drop()

    def hash(self, page: Page, size: int, *, variants: bool) -> int:
        """Begin to hash a file of ``size`` bytes. Returns its number in the page."""
        if size == 0:
            return page.add(None, FailedFile(None, FileEmpty()))
        return page.add(Pull(size, self._crew(variants), self._threads))

    @property
    def busy(self) -> bool:
        """Is any file on its way?"""
        return any(page.pulls for page in self._pages.values())

    def close(self) -> None:
        """Drop all pages, and end the workers at once."""
        for name in [*self._pages]:
            self.drop(name)
        for crew in self._crews.values():
            crew.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _crew(self, variants: bool) -> Crew:
        if variants not in self._crews:
            options = Options(variants=VARIANTS) if variants else Options()
            self._crews[variants] = Crew(options, Limits(), _IDLE_WORKER)
        return self._crews[variants]
