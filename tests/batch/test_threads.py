"""Threads that an interrupt cannot keep from ending."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from hashkit.batch import threads
from hashkit.batch.threads import ThreadPool


def test_results_and_errors_come_back():
    with ThreadPool(2) as pool:
        assert [each.result(60) for each in [pool.submit(pow, n, exp=2) for n in range(20)]] == [
            n * n for n in range(20)
        ]
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result(60)


def test_as_many_at_a_time_as_it_is_wide():
    meeting = threading.Barrier(3)
    with ThreadPool(3) as pool:
        found = [pool.submit(meeting.wait, 60) for _ in range(3)]
        assert sorted(each.result(60) for each in found) == [0, 1, 2]


def test_what_waits_is_cancelled_or_done():
    for cancel in (True, False):
        go, begun = threading.Event(), threading.Event()
        pool = ThreadPool(1)
        running = pool.submit(lambda go=go, begun=begun: (begun.set(), go.wait(60))[1])
        assert begun.wait(60)
        waiting = pool.submit(int, "7")
        pool.shutdown(wait=False, cancel_futures=cancel)
        go.set()
        assert running.result(60) is True
        if cancel:
            with pytest.raises(CancelledError):
                waiting.result(60)
        else:
            assert waiting.result(60) == 7


def test_a_thread_that_never_ends_is_left_behind(monkeypatch):
    """As one does that waits for a lock which was held when the person pressed Ctrl-C."""
    monkeypatch.setattr(threads, "_PATIENCE", 0.1)
    lock = threading.Lock()
    lock.acquire()
    pool = ThreadPool(1)
    stuck = pool.submit(lock.acquire)
    pool.shutdown()
    assert not stuck.done()
    assert all(each.daemon for each in pool._threads)
    lock.release()
    assert stuck.result(60) is True
