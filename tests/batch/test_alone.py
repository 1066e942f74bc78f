"""Memory that is enough for one worker, but not for several at the same time.

Real workers, killed with the signal that the system sends when memory runs out: all that hash one
of the large files at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import hashkit
from hashkit.batch import executors
from hashkit.batch import run as batch
from hashkit.errors import WorkerUnavailable
from hashkit.models import FailedFile, HashedFile
from hashkit.pipeline.options import Options
from hashkit.sandbox import pool
from hashkit.sandbox.occupancy import Occupancy
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Limits, WorkerProcess
from hashkit.web.transfers import Transfer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

_LARGE = 100_000  # bytes, in these tests


class Machine:
    """``tries`` has, for each try to hash a large file, how many workers there were."""

    def __init__(self, monkeypatch, meet=2):
        self.lock, self.large, self.living = threading.Lock(), set(), set()
        self.tries, self.never_enough = [], False
        self.meeting = threading.Barrier(meet) if meet else None
        machine = self

        class Worker(WorkerProcess):
            def __init__(self, *arguments, **named):
                super().__init__(*arguments, **named)
                machine.living.add(self)

            def ask(self, request, *arguments):
                if machine.is_large(request):
                    machine.begin(self)
                try:
                    return super().ask(request, *arguments)
                finally:
                    machine.large.discard(self)

            def kill(self):
                machine.living.discard(self)
                super().kill()

        monkeypatch.setattr(pool, "WorkerProcess", Worker)

    def is_large(self, request):
        file = request.get("hash")
        if file is None:
            return False
        size = file["size"] if "size" in file else os.path.getsize(file["path"])
        return size > _LARGE

    def begin(self, worker):
        self.tries.append(len(self.living))
        self.large.add(worker)
        if self.meeting is not None and len(self.tries) <= self.meeting.parties:
            self.meeting.wait(60)
        with self.lock:
            if len(self.large) > 1 or self.never_enough:
                for each in [*self.large]:
                    with contextlib.suppress(ProcessLookupError):  # the other try was first
                        os.kill(each._process.pid, signal.SIGKILL)


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


@pytest.fixture
def large(samples, tmp_path):
    """Two large files, of different sizes: else one would wait for the SHA-256 of the other."""
    return [
        picture(samples, tmp_path / f"large-{number}.bmp", _LARGE + number) for number in range(2)
    ]


@pytest.fixture
def small(samples, tmp_path):
    return [picture(samples, tmp_path / f"small-{number}.bmp", number) for number in range(6)]


def picture(samples, path, more):
    data = (samples / "bmp.bmp").read_bytes()
    assert len(data) < _LARGE
    path.write_bytes(data + bytes(more) + path.name.encode())
    return path


class TestHashFiles:
    def test_is_hashed_alone(self, machine, large, small):
        seen = []
        paths = [*large, *small]
        outcomes = list(hashkit.hash_files(paths, workers=2, on_progress=seen.append))
        assert outcomes == [hashkit.hash_file(path) for path in paths]
        assert machine.tries[2:] == [1, 1]  # no other worker holds memory then
        assert seen[-1] == len(paths)
        assert max(seen) == len(paths)

    def test_at_the_end(self, machine, large, small):
        outcomes = hashkit.hash_files([*large, *small], workers=2, ordered=False)
        found = [each.path for each in outcomes]
        assert sorted(found[:-2]) == sorted(small)
        assert sorted(found[-2:]) == sorted(large)

    def test_others_do_not_begin_beside_it(self, machine, large, small, monkeypatch):
        """Not before the limit of those that are ahead, and not while it is hashed."""
        monkeypatch.setattr(batch, "_MAX_AHEAD", 0)
        paths = [*large, *(path for _ in range(5) for path in small)]
        outcomes = list(hashkit.hash_files(paths, workers=2))
        assert [each.path for each in outcomes] == paths
        assert all(isinstance(each, HashedFile) for each in outcomes)
        assert machine.tries[2:] == [1, 1]

    def test_its_turn_comes_among_endless_paths(self, machine, large, small, monkeypatch):
        monkeypatch.setattr(batch, "_MAX_AHEAD", 0)
        paths = itertools.chain(large, itertools.cycle(small))
        outcomes = hashkit.hash_files(paths, workers=2, ordered=False)
        found = [each.path for each in itertools.islice(outcomes, 30)]
        assert {*large} < {*found}
        outcomes.close()

    def test_too_large_even_alone(self, machine, large, small):
        machine.never_enough = True
        outcomes = list(hashkit.hash_files([*large, *small], workers=2))
        assert [each.error.code for each in outcomes[:2]] == ["too_much_memory"] * 2
        assert all(len(each.hashes) >= 3 for each in outcomes)
        assert all(isinstance(each, HashedFile) for each in outcomes[2:])
        assert len(machine.tries) == 4

    @pytest.mark.parametrize("workers", [1, 2])
    def test_one_that_was_alone_is_not_tried_again(self, workers, monkeypatch, large):
        machine = Machine(monkeypatch, meet=0)
        machine.never_enough = True
        (outcome,) = hashkit.hash_files(large[:1], workers=workers)
        assert isinstance(outcome, FailedFile)
        assert len(machine.tries) == 1

    def test_its_copies_wait_for_it(self, machine, large, tmp_path):
        copy = tmp_path / "copy.bmp"
        copy.write_bytes(large[0].read_bytes())
        paths = [*large, copy]
        outcomes = list(hashkit.hash_files(paths, workers=2))
        assert outcomes == [hashkit.hash_file(path) for path in paths]
        assert len(machine.tries) == 4

    def test_in_the_executor_of_a_caller(self, machine, large, small):
        executors._pools.clear()
        with ThreadPoolExecutor(2) as executor:
            outcomes = list(hashkit.hash_files([*large, *small], executor=executor))
        assert outcomes == [hashkit.hash_file(path) for path in [*large, *small]]
        assert machine.tries[2:] == [1, 1]
        for each in executors._pools.values():
            each.close()
        executors._pools.clear()

    def test_nothing_else_is_given_to_an_executor_meanwhile(
        self, machine, large, small, monkeypatch
    ):
        """It may be of processes, which do not know of one another."""
        monkeypatch.setattr(batch, "_MAX_AHEAD", 0)
        executors._pools.clear()
        busy, beside = [], []

        class Watching(ThreadPoolExecutor):
            def submit(self, work, /, *arguments):
                beside.extend([*busy] if True in arguments or True in busy else [])
                busy.append(True in arguments)
                future = super().submit(work, *arguments)
                future.add_done_callback(lambda _: busy.remove(True in arguments))
                return future

        paths = [*large, *(path for _ in range(5) for path in small)]
        with Watching(2) as executor:
            outcomes = list(hashkit.hash_files(paths, executor=executor, workers=2, ordered=False))
        assert sorted(each.path for each in outcomes) == sorted(paths)
        assert len(machine.tries) == 4
        assert not beside
        for each in executors._pools.values():
            each.close()
        executors._pools.clear()

    def test_a_worker_that_could_not_be_started(self, monkeypatch, large, small):
        """The system gives no second process."""
        monkeypatch.setattr(pool, "_RETRY_DELAYS", (0.01,))
        first = threading.Lock()
        started = threading.Event()

        class Worker(WorkerProcess):
            def __init__(self, *arguments, **named):
                if not first.acquire(blocking=False):
                    started.wait(60)
                    raise WorkerUnavailable
                super().__init__(*arguments, **named)

            def ask(self, *arguments):
                started.set()
                return super().ask(*arguments)

            def kill(self):
                super().kill()
                first.release()

        monkeypatch.setattr(pool, "WorkerProcess", Worker)
        # The first worker is known to the pool before the second is asked for.
        monkeypatch.setattr(WorkerPool, "_has_started", True, raising=False)
        paths = [*large, *small]
        outcomes = list(hashkit.hash_files(paths, workers=2))
        assert outcomes == [hashkit.hash_file(path) for path in paths]

    def test_closing_before_its_turn(self, machine, large, small):
        outcomes = hashkit.hash_files([*large, *small], workers=2, ordered=False)
        assert next(outcomes).path
        outcomes.close()
        assert not machine.living


def test_two_files_of_the_page(machine, large):
    """A page sends several files at the same time."""

    async def send(transfer, data):
        while transfer.outcome is None:
            if (wanted := transfer.requested) is not None:
                end = wanted.start + wanted.length
                transfer.receive(wanted.serial, data[wanted.start : end])
            await asyncio.sleep(0.01)
        return transfer.outcome

    async def both():
        data = [path.read_bytes() for path in large]
        transfers = [Transfer(len(each), workers, threads) for each in data]
        sending = [send(*each) for each in zip(transfers, data, strict=True)]
        return await asyncio.wait_for(asyncio.gather(*sending), 120)

    workers = WorkerPool(Options(), Limits())
    with ThreadPoolExecutor(2) as threads:
        outcomes = asyncio.run(both())
        workers.close()
    assert [each.hashes for each in outcomes] == [hashkit.hash_file(each).hashes for each in large]
    assert machine.tries[2:] == [1, 1]


def test_alone_means_alone():
    occupancy, inside, wrong = Occupancy(), [], []

    def work(number):
        for _ in range(200):
            alone = number % 3 == 0
            with occupancy.alone() if alone else occupancy.together():
                inside.append(alone)
                wrong.extend([True] if True in inside and len(inside) > 1 else [])
                threading.Event().wait(0.0001)
                inside.remove(alone)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not any(each.is_alive() for each in threads)
    assert not wrong


def test_who_works_together_does_so():
    occupancy, both = Occupancy(), threading.Barrier(2, timeout=60)

    def work():
        with occupancy.together():
            both.wait()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not both.broken
