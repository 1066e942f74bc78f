"""Lets many threads work at the same time, or one alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Occupancy:
    """Who works waits for nobody but one who works alone, or waits to."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = self._waiting_alone = 0
        self._is_alone = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work beside others, as soon as nobody works alone or waits to."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone and not self._waiting_alone)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Work as soon as nobody else does; others wait until this is done."""
        with self._changed:
            self._waiting_alone += 1
            try:
                self._changed.wait_for(lambda: not self._is_alone and not self._together)
                self._is_alone = True
            finally:
                self._waiting_alone -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()
