"""Remote files, read by ranges: the same outcomes as files read from disk."""

from __future__ import annotations

import io
import os
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit import hash_file
from hashkit.errors import DecoderCrashed, FileChanged
from hashkit.models import FailedFile
from hashkit.pipeline.options import Options
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Cancelled, Limits
from hashkit.sandbox.remote_file import MAX_RANGE, RemoteFile, RemoteSource

FILES = [
    *("scene-1.jpg", "heic.heic", "webp-animated.webp", "png-tiny.png", "jpeg-truncated.jpg"),
    *("film-h264.mp4", "film-variable-rate.mp4", "film-trimmed.mkv", "film-reencoded.webm"),
    *("film-mpeg4.avi", "film-portrait-turned.mp4", "generate.py"),
]


class Holder:
    """Holds the bytes of a file and records the requested ranges."""

    def __init__(self, data):
        self.data, self.requested = data, []

    def read_range(self, start, length):
        self.requested.append((start, length))
        return self.data[start : start + length]

    @property
    def source(self):
        return RemoteSource(len(self.data), self.read_range)


@pytest.fixture(scope="module")
def pool():
    pool = WorkerPool(Options.checked("services", 1.0, 50_000_000, "none"), Limits())
    yield pool
    pool.close()


@pytest.mark.parametrize("name", FILES)
def test_the_outcome_is_that_of_the_file(name, samples, pool):
    holder = Holder((samples / name).read_bytes())
    by_path = pool.hash(samples / name)
    by_ranges = pool.hash(holder.source)
    assert by_ranges.sha256 == by_path.sha256
    assert by_ranges.outcome.path is None
    for field in ("kind", "hashes", "notices"):
        assert getattr(by_ranges.outcome, field) == getattr(by_path.outcome, field)
    if isinstance(by_path.outcome, FailedFile):
        assert str(by_ranges.outcome.error) == str(by_path.outcome.error)
    else:
        assert by_ranges.outcome.frames == by_path.outcome.frames
        assert by_ranges.outcome.hashes == hash_file(samples / name).hashes
    assert all(length <= MAX_RANGE for _, length in holder.requested)


JUMPS = st.lists(
    st.tuples(st.integers(-10, 300_000), st.sampled_from([0, 1, 2]), st.integers(-1, 200_000))
)


@given(size=st.integers(1, 400_000), jumps=JUMPS)
def test_it_reads_like_any_file(size, jumps):
    data = bytes(range(251)) * (size // 251 + 1)
    holder = Holder(data[:size])
    mine, other = RemoteFile(size, holder.read_range), io.BytesIO(data[:size])
    for offset, whence, length in jumps:
        there = offset - size if whence == 2 else offset
        try:
            expected = other.seek(max(there, -other.tell()) if whence == 1 else there, whence)
        except ValueError:
            with pytest.raises(ValueError, match="beginning"):
                mine.seek(there, whence)
            continue
        if whence == 2 and size + there < 0:  # io.BytesIO stops at the beginning
            with pytest.raises(ValueError, match="beginning"):
                mine.seek(there, whence)
            mine.seek(0)
        else:
            there = max(there, -mine.tell()) if whence == 1 else there
            assert mine.seek(there, whence) == expected
        assert mine.read(length) == other.read(length)
        assert mine.tell() == other.tell()
    assert all(start >= 0 and start + length <= size for start, length in holder.requested)


def test_sequential_reads_make_few_requests():
    size = 64 << 20
    requested = []
    remote = RemoteFile(
        size, lambda start, length: requested.append((start, length)) or bytes(length)
    )
    while remote.read(1 << 18):
        pass
    assert sum(length for _, length in requested) == size
    assert len(requested) < 30


def test_memory_does_not_grow_with_the_file():
    remote = RemoteFile(1 << 40, lambda start, length: bytes(length))
    for _ in range(50):
        remote.read(1 << 20)
    for jump in range(200):
        remote.seek(jump << 30)
        remote.read(10)
    assert sum(map(len, remote._cached.values())) <= 5 * MAX_RANGE
    assert len(remote._cached) <= 5


def test_a_read_error_fails_only_that_file(pool, samples):
    def read_range(start, length):
        raise FileChanged

    outcome = pool.hash(RemoteSource(1000, read_range)).outcome
    assert outcome.error.code == "file_changed"
    assert outcome.path is None
    assert pool.hash(samples / "scene-1.jpg").outcome.hashes


class CancelledByTest(Exception):
    pass


def test_cancelling_ends_the_worker_and_not_the_others(pool, samples):
    data = (samples / "film-h264.mp4").read_bytes() + bytes(1 << 20)

    def read_range(start, length):
        if start > 0:
            raise CancelledByTest
        return data[start : start + length]

    with pytest.raises(CancelledByTest):
        pool.hash(RemoteSource(len(data), read_range))
    assert pool.hash(samples / "scene-1.jpg").outcome.hashes


def test_waiting_for_the_holder_does_not_count(samples):
    pool = WorkerPool(Options.checked("services", 1.0, 50_000_000, "none"), Limits(seconds=1.0))
    holder = Holder((samples / "scene-1.jpg").read_bytes())

    def slowly(start, length):
        time.sleep(3.0)
        return holder.read_range(start, length)

    try:
        outcome = pool.hash(RemoteSource(len(holder.data), slowly)).outcome
        assert outcome.hashes == hash_file(samples / "scene-1.jpg").hashes
    finally:
        pool.close()


@pytest.mark.parametrize(
    "untrusted",
    [
        [-1, 10],
        [0, 0],
        [0, -5],
        [0, MAX_RANGE + 1],
        [999, 2],
        [0],
        [0, 1, 2],
        ["0", 1],
        [0.0, 1],
        None,
        {"start": 0},
        [10**30, 1],
    ],
)
def test_only_ranges_of_the_file_are_read(untrusted):
    holder = Holder(bytes(1000))
    with pytest.raises(DecoderCrashed):
        holder.source.read_requested(untrusted)
    assert holder.requested == []


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_busy_worker_is_killed_when_cancelled(samples):
    """Also one that reports nothing: it is killed in the middle of native code."""
    pool = WorkerPool(Options.checked("services", 1.0, 50_000_000, "none"), Limits())
    data = (samples / "scene-1.jpg").read_bytes()
    cancelled = threading.Event()

    def read_range(start, length):
        cancelled.set()
        for worker in pool._all:  # it reads the range and then stops
            os.kill(worker._process.pid, signal.SIGSTOP)
        return data[start : start + length]

    try:
        with pytest.raises(Cancelled):
            pool.hash(RemoteSource(len(data), read_range, cancelled.is_set))
        assert pool.hash(samples / "scene-1.jpg").outcome.hashes
    finally:
        pool.close()


def test_a_file_over_the_limit_is_not_read(pool):
    """Of what the page would send, the worker asks for the beginning only."""
    head, asked = b"\0\0\0\x18ftypisom\0\0\2\0isommp42", []

    def read_range(start, length):
        asked.append(start)
        return (head + bytes(length))[:length]

    outcome = pool.hash(RemoteSource((64 << 30) + 1, read_range)).outcome
    assert outcome.error.code == "file_too_big"
    assert set(asked) == {0}
