"""Files that are handed over piece by piece: as exact as those that are read from the disk."""

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
from hashkit.sandbox.remote_file import MAX_PIECE, HandedOver, RemoteFile

FILES = [
    *("scene-1.jpg", "heic.heic", "webp-animated.webp", "png-tiny.png", "jpeg-truncated.jpg"),
    *("film-h264.mp4", "film-variable-rate.mp4", "film-trimmed.mkv", "film-reencoded.webm"),
    *("film-mpeg4.avi", "film-portrait-turned.mp4", "generate.py"),
]


class Holder:
    """Has the bytes of a file, and remembers what was asked for."""

    def __init__(self, data):
        self.data, self.asked = data, []

    def piece(self, start, length):
        self.asked.append((start, length))
        return self.data[start : start + length]

    @property
    def handed_over(self):
        return HandedOver(len(self.data), self.piece)


@pytest.fixture(scope="module")
def pool():
    pool = WorkerPool(Options.checked("services", 1.0, 50_000_000, "none"), Limits())
    yield pool
    pool.close()


@pytest.mark.parametrize("name", FILES)
def test_the_outcome_is_that_of_the_file(name, samples, pool):
    holder = Holder((samples / name).read_bytes())
    by_path = pool.hash(samples / name)
    by_pieces = pool.hash(holder.handed_over)
    assert by_pieces.sha256 == by_path.sha256
    assert by_pieces.outcome.path is None
    for field in ("kind", "hashes", "notices"):
        assert getattr(by_pieces.outcome, field) == getattr(by_path.outcome, field)
    if isinstance(by_path.outcome, FailedFile):
        assert str(by_pieces.outcome.error) == str(by_path.outcome.error)
    else:
        assert by_pieces.outcome.frames == by_path.outcome.frames
        assert by_pieces.outcome.hashes == hash_file(samples / name).hashes
    assert all(length <= MAX_PIECE for _, length in holder.asked)


JUMPS = st.lists(
    st.tuples(st.integers(-10, 300_000), st.sampled_from([0, 1, 2]), st.integers(-1, 200_000))
)


@given(size=st.integers(1, 400_000), jumps=JUMPS)
def test_it_reads_like_any_file(size, jumps):
    data = bytes(range(251)) * (size // 251 + 1)
    holder = Holder(data[:size])
    mine, other = RemoteFile(size, holder.piece), io.BytesIO(data[:size])
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
    assert all(start >= 0 and start + length <= size for start, length in holder.asked)


def test_what_is_read_in_one_go_is_asked_for_once_and_in_few_pieces():
    size = 64 << 20
    asked = []
    pieces = RemoteFile(size, lambda start, length: asked.append((start, length)) or bytes(length))
    while pieces.read(1 << 18):
        pass
    assert sum(length for _, length in asked) == size
    assert len(asked) < 30


def test_memory_does_not_grow_with_the_file():
    pieces = RemoteFile(1 << 40, lambda start, length: bytes(length))
    for _ in range(50):
        pieces.read(1 << 20)
    for jump in range(200):
        pieces.seek(jump << 30)
        pieces.read(10)
    assert sum(map(len, pieces._kept.values())) <= 5 * MAX_PIECE
    assert len(pieces._kept) <= 5


def test_a_file_that_its_holder_cannot_read_costs_only_itself(pool, samples):
    def piece(start, length):
        raise FileChanged

    outcome = pool.hash(HandedOver(1000, piece)).outcome
    assert outcome.error.code == "file_changed"
    assert outcome.path is None
    assert pool.hash(samples / "scene-1.jpg").outcome.hashes


class CalledOff(Exception):
    pass


def test_calling_it_off_ends_the_worker_and_not_the_others(pool, samples):
    data = (samples / "film-h264.mp4").read_bytes() + bytes(1 << 20)

    def piece(start, length):
        if start > 0:
            raise CalledOff
        return data[start : start + length]

    with pytest.raises(CalledOff):
        pool.hash(HandedOver(len(data), piece))
    assert pool.hash(samples / "scene-1.jpg").outcome.hashes


def test_the_time_that_the_holder_takes_is_not_the_workers(samples):
    pool = WorkerPool(Options.checked("services", 1.0, 50_000_000, "none"), Limits(seconds=1.0))
    holder = Holder((samples / "scene-1.jpg").read_bytes())

    def slowly(start, length):
        time.sleep(3.0)
        return holder.piece(start, length)

    try:
        outcome = pool.hash(HandedOver(len(holder.data), slowly)).outcome
        assert outcome.hashes == hash_file(samples / "scene-1.jpg").hashes
    finally:
        pool.close()


@pytest.mark.parametrize(
    "wanted",
    [
        [-1, 10],
        [0, 0],
        [0, -5],
        [0, MAX_PIECE + 1],
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
def test_only_pieces_of_the_file_are_handed_over(wanted):
    holder = Holder(bytes(1000))
    with pytest.raises(DecoderCrashed):
        holder.handed_over.wanted(wanted)
    assert holder.asked == []


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_worker_that_is_busy_is_ended_when_nobody_wants_its_work(samples):
    """Also one that says nothing for long: it is stopped in the middle of native code."""
    pool = WorkerPool(Options.checked("services", 1.0, 50_000_000, "none"), Limits())
    data = (samples / "scene-1.jpg").read_bytes()
    called_off = threading.Event()

    def piece(start, length):
        called_off.set()
        for worker in pool._all:  # it reads what it asked for, and gets no further
            os.kill(worker._process.pid, signal.SIGSTOP)
        return data[start : start + length]

    try:
        with pytest.raises(Cancelled):
            pool.hash(HandedOver(len(data), piece, called_off.is_set))
        assert pool.hash(samples / "scene-1.jpg").outcome.hashes
    finally:
        pool.close()
