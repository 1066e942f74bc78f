"""When the server ends by itself, so that hashes do not stay in memory for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

_OPEN_TIMEOUT = 600.0
"""Seconds in which the page should be opened."""

_RECONNECT_TIMEOUT = 10.0
"""Seconds without a page before the server ends. A page that reloads is briefly away."""

_IDLE_TIMEOUT = 1800.0
"""Seconds without user activity and without a file being hashed."""


class Lifetime:
    """Tracks pages and activity. ``now`` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._open_pages = 0
        self._left = self._active = now()
        self._was_opened = False

    def opened(self) -> None:
        """Note that a page connected."""
        self._open_pages += 1
        self._was_opened = True
        self.active()

    def closed(self) -> None:
        """Note that a page disconnected."""
        self._open_pages -= 1
        self._left = self._now()

    def active(self) -> None:
        """Note user activity."""
        self._active = self._now()

    def is_over(self, *, busy: bool) -> bool:
        """Whether to end now. ``busy``: files are being hashed, which counts as activity."""
        now = self._now()
        if busy:
            self._active = now
        if not self._open_pages:
            return now - self._left > (_RECONNECT_TIMEOUT if self._was_opened else _OPEN_TIMEOUT)
        return now - self._active > _IDLE_TIMEOUT
