"""When the server ends by itself, with a fake clock."""

from __future__ import annotations

from hashkit.web.lifetime import _IDLE_TIMEOUT, _OPEN_TIMEOUT, _RECONNECT_TIMEOUT, Lifetime


def test_a_page_that_is_never_opened(clock):
    lifetime = Lifetime(clock)
    clock.seconds += _OPEN_TIMEOUT
    assert not lifetime.is_over(busy=False)
    clock.seconds += 1
    assert lifetime.is_over(busy=False)


def test_a_page_that_is_closed(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    clock.seconds += _OPEN_TIMEOUT + 1
    assert not lifetime.is_over(busy=False)
    lifetime.closed()
    clock.seconds += _RECONNECT_TIMEOUT
    assert not lifetime.is_over(busy=False)
    clock.seconds += 1
    assert lifetime.is_over(busy=False)


def test_a_page_that_is_reloaded_or_one_of_two(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    lifetime.closed()
    clock.seconds += _RECONNECT_TIMEOUT / 2
    lifetime.opened()
    clock.seconds += _RECONNECT_TIMEOUT * 2
    assert not lifetime.is_over(busy=False)
    lifetime.opened()
    lifetime.closed()
    clock.seconds += _RECONNECT_TIMEOUT * 2
    assert not lifetime.is_over(busy=False)


def test_a_person_who_does_nothing(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    clock.seconds += _IDLE_TIMEOUT
    assert not lifetime.is_over(busy=False)
    lifetime.active()
    clock.seconds += _IDLE_TIMEOUT
    assert not lifetime.is_over(busy=False)
    clock.seconds += 1
    assert lifetime.is_over(busy=False)


def test_files_that_take_long(clock):
    lifetime = Lifetime(clock)
    lifetime.opened()
    for _ in range(5):
        clock.seconds += _IDLE_TIMEOUT
        assert not lifetime.is_over(busy=True)
    clock.seconds += _IDLE_TIMEOUT + 1
    assert lifetime.is_over(busy=False)
