"""When hashkit ends by itself: what was hashed must not lie about in memory for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

_OPENING = 600.0
"""Seconds in which the page should be opened."""

_AWAY = 10.0
"""Seconds without any page, after which none will come back. (One is away while it is reloaded.)"""

_IDLE = 1800.0
"""Seconds in which the person does nothing, and no file is being hashed."""


class Lifetime:
    """Told what happens, it knows whether that was all. ``now`` gives seconds that only grow."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._here = 0
        self._left = self._active = now()
        self._was_opened = False

    def opened(self) -> None:
        """A page is here."""
        self._here += 1
        self._was_opened = True
        self.active()

    def closed(self) -> None:
        """A page is not here any more."""
        self._here -= 1
        self._left = self._now()

    def active(self) -> None:
        """The person does something."""
        self._active = self._now()

    def is_over(self, *, busy: bool) -> bool:
        """Is it time to end? ``busy``: files are being hashed, which counts as doing something."""
        now = self._now()
        if busy:
            self._active = now
        if not self._here:
            return now - self._left > (_AWAY if self._was_opened else _OPENING)
        return now - self._active > _IDLE
