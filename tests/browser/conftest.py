"""Browsers for the tests of the engine: each started once, when it is first asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsers import NAMES, Browser, missing

Named = Callable[[str], Browser]


@pytest.fixture(scope="session")
def browser_named() -> Iterator[Named]:
    """The browser of a name (``chromium``, ``firefox``, ``webkit``). The test is skipped where it
    is not installed."""
    started: dict[str, Browser] = {}

    def named(name: str) -> Browser:
        if (lack := missing(name)) is not None:
            pytest.skip(f"needs {lack}")
        return started.setdefault(name, Browser(name))

    yield named
    for each in started.values():
        each.end()


@pytest.fixture
def chromium(browser_named: Named) -> Browser:
    """For what need not be tried in every browser."""
    return browser_named("chromium")


@pytest.fixture(params=NAMES)
def each_browser(request: pytest.FixtureRequest, browser_named: Named) -> Browser:
    """One browser after the other."""
    return browser_named(request.param)
