"""How long results of pages are kept, with a fake clock."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from hashkit.errors import FileEmpty
from hashkit.models import FailedFile
from hashkit.web import lifetime, pages, serving
from hashkit.web.app import LocalPage
from hashkit.web.pages import Pages


@pytest.fixture
def opened(clock):
    found = Pages(clock)
    yield found
    found.close()


def test_a_page_that_never_comes_is_forgotten(opened, clock):
    name = opened.open("en")
    clock.seconds += pages._FIRST_CONNECTION_TIMEOUT
    opened.drop_disconnected()
    assert opened.find(name)
    clock.seconds += 1
    opened.drop_disconnected()
    assert opened.find(name) is None


def test_a_page_that_loses_touch_may_come_back(opened, clock):
    name = opened.open("en")
    page = opened.find(name)
    page.outcomes[1] = FailedFile(None, FileEmpty())
    opened.connected(page)
    clock.seconds += 10_000
    opened.drop_disconnected()
    opened.disconnected(page)
    clock.seconds += pages._RECONNECT_TIMEOUT
    opened.drop_disconnected()
    assert opened.find(name) is page
    opened.connected(page)
    opened.connected(page)
    opened.disconnected(page)
    clock.seconds += 10_000
    opened.drop_disconnected()
    assert opened.find(name) is page
    opened.disconnected(page)
    clock.seconds += pages._RECONNECT_TIMEOUT + 1
    opened.drop_disconnected()
    assert opened.find(name) is None
    assert page.outcomes == {}


def test_after_the_end_there_is_nothing(opened):
    name = opened.open("en")
    page = opened.find(name)
    opened.close()
    assert opened.find(name) is None
    assert opened.open("en") is None
    opened.hash(page, 1, 10, variants=False)
    assert page.outcomes[1].error.code == "worker_lost"


def test_a_page_has_only_so_many_files(opened, monkeypatch):
    monkeypatch.setattr(pages, "MAX_FILES", 2)
    page = opened.find(opened.open("en"))
    opened.hash(page, 1, 0, variants=False)
    assert not page.is_full
    opened.hash(page, 2, 0, variants=False)
    assert page.is_full


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_when_nobody_does_anything(busy, monkeypatch):
    monkeypatch.setattr(lifetime, "_IDLE_TIMEOUT", -1.0 if not busy else 0.05)
    monkeypatch.setattr(serving, "_CHECK_INTERVAL", 0.01)
    monkeypatch.setattr(Pages, "busy", busy)
    ended = []

    async def watch():
        page = LocalPage(lambda: ended.append(True))
        page.lifetime.opened()
        try:
            await asyncio.wait_for(serving._watch(page, SimpleNamespace(should_exit=False)), 0.5)
        except TimeoutError:
            assert busy
        finally:
            page.pages.close()

    with ThreadPoolExecutor(1) as apart:  # a browser of other tests may have a loop here
        apart.submit(lambda: asyncio.run(watch())).result()
    assert bool(ended) is not busy
