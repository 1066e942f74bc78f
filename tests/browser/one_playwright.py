"""Playwright, started once for a process: a second one cannot run beside it."""

from __future__ import annotations

import atexit
from functools import cache
from typing import Any


@cache
def playwright() -> Any:
    """The one of this process. It ends with the process."""
    from playwright.sync_api import sync_playwright

    started = sync_playwright().start()
    atexit.register(started.stop)
    return started
