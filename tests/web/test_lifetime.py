"""When it ends by itself, without waiting for it."""

from __future__ import annotations

import pytest

from hashkit.web.lifetime import _AWAY, _IDLE, _OPENING, Lifetime


@pytest.fixture
def clock():
    class Clock:
        seconds = 1000.0

        def __call__(self):
            return self.seconds

    return Clock()


def test_a_page_that_is_never_opened(clock):
    lifetime = Lifetime(clock)
    clock.seconds += _OPENING
    assert not lifetime.is_over(busy=False)
    clock.seconds += 1
    assert lifetime.is_over(busy=False)


def test_a_page_that_is_closed(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    clock.seconds += _OPENING + 1
    assert not lifetime.is_over(busy=False)
    lifetime.closed()
    clock.seconds += _AWAY
    assert not lifetime.is_over(busy=False)
    clock.seconds += 1
    assert lifetime.is_over(busy=False)


def test_a_page_that_is_reloaded_or_one_of_two(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    lifetime.closed()
    clock.seconds += _AWAY / 2
    lifetime.opened()
    clock.seconds += _AWAY * 2
    assert not lifetime.is_over(busy=False)
    lifetime.opened()
    lifetime.closed()
    clock.seconds += _AWAY * 2
    assert not lifetime.is_over(busy=False)


def test_a_person_who_does_nothing(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    clock.seconds += _IDLE
    assert not lifetime.is_over(busy=False)
    lifetime.active()
    clock.seconds += _IDLE
    assert not lifetime.is_over(busy=False)
    clock.seconds += 1
    assert lifetime.is_over(busy=False)


def test_files_that_take_long(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    for _ in range(5):
        clock.seconds += _IDLE
        assert not lifetime.is_over(busy=True)
    clock.seconds += _IDLE + 1
    assert lifetime.is_over(busy=False)
