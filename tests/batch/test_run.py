"""``hash_files`` over sandboxed workers, threads, processes and a real Dask cluster: the same
outcomes."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import hashkit
from hashkit import errors
from hashkit.batch import deduplication, executors
from hashkit.batch import run as batch
from hashkit.hashes.registry import ALGORITHMS
from hashkit.models import FailedFile, Hash, HashedFile, MediaKind
from hashkit.pipeline.hashing import hash_or_fail
from hashkit.pipeline.options import Options
from hashkit.sandbox.pool import WorkerPool


def same(outcome, expected):
    """Comparable outcomes: errors are not equal to one another, but their texts are."""
    if isinstance(expected, FailedFile):
        assert isinstance(outcome, FailedFile)
        assert (outcome.path, outcome.kind, outcome.hashes, outcome.notices) == (
            *(expected.path, expected.kind, expected.hashes, expected.notices),
        )
        assert (outcome.error.code, str(outcome.error)) == (
            *(expected.error.code, str(expected.error)),
        )
    else:
        assert outcome == expected
    return True


@pytest.fixture
def count(monkeypatch):
    """Counts the requests to workers."""
    asked = {"hash": []}
    real_hash = WorkerPool.hash

    def hash_(self, path, on_progress=None):
        asked["hash"].append(path.name)
        return real_hash(self, path, on_progress)

    monkeypatch.setattr(WorkerPool, "hash", hash_)
    return asked


class TestSameAsInThisProcess:
    @pytest.mark.test_all
    def test_all_samples_all_algorithms(self, samples):
        paths = list(hashkit.files_in(samples))
        outcomes = hashkit.hash_files(paths, algorithms="all")
        options = Options.checked("all", 1.0, hashkit.MAX_PIXELS)
        assert all(same(o, hash_or_fail(p, options)) for o, p in zip(outcomes, paths, strict=True))

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_each_algorithm_alone(self, algorithm, samples, tmp_path):
        """Workers always compute SHA-256. It must not appear if it was not requested."""
        broken = tmp_path / "broken.jpg"
        broken.write_bytes((samples / "scene-1.jpg").read_bytes()[:300])
        named = ("scene-1.jpg", "film-h264.mp4", "gif-animated.gif", "generate.py", "png-flat.png")
        paths = [*(samples / name for name in named), broken, tmp_path / "none"]
        options = Options.checked([algorithm], 1.0, hashkit.MAX_PIXELS)
        outcomes = hashkit.hash_files(paths, algorithms=[algorithm])
        assert all(same(o, hash_or_fail(p, options)) for o, p in zip(outcomes, paths, strict=True))

    def test_options_come_through(self, samples):
        film = samples / "film-h264.mp4"
        for sample in (0.5, "all", "keyframes"):
            (outcome,) = hashkit.hash_files([film], sample=sample)
            assert outcome == hashkit.hash_file(film, sample=sample)
        (outcome,) = hashkit.hash_files([samples / "scene-1.jpg"], max_pixels=100)
        assert outcome.error.code == "too_many_pixels"

    @pytest.mark.skipif(sys.platform != "linux", reason="needs names that are any bytes")
    def test_odd_names(self, samples, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        names = [b"\xff\xfe.bmp", b"a\nb.bmp", "\u202egnp.bmp".encode(), b'"\\.bmp', b" "]
        for number, name in enumerate(names):
            Path(os.fsdecode(name)).write_bytes((samples / "bmp.bmp").read_bytes() + bytes(number))
        outcomes = list(hashkit.hash_files([os.fsdecode(name) for name in names]))
        assert [os.fsencode(each.path) for each in outcomes] == names
        assert all(isinstance(each, HashedFile) for each in outcomes)
        (outcome,) = hashkit.hash_files(["a\0b"])
        assert outcome.error.code == "file_missing"


def test_wrong_arguments_raise_at_once():
    with pytest.raises(errors.UnknownAlgorithm):
        hashkit.hash_files([], algorithms="crc32")
    with pytest.raises(ValueError, match="sample"):
        hashkit.hash_files([], sample="often")
    with pytest.raises(ValueError, match="workers"):
        hashkit.hash_files([], workers=0)
    for wrong in (float("nan"), float("inf"), 0, -1):
        with pytest.raises(ValueError, match="time_limit"):
            hashkit.hash_files([], time_limit=wrong)
    assert list(hashkit.hash_files([])) == []


class TestOrder:
    def paths(self, samples):
        films = [samples / name for name in ("film-reencoded.webm", "film-mpeg4.avi")]
        return [films[0], *hashkit.files_in(samples), films[1]]

    def test_of_paths(self, samples):
        paths = self.paths(samples)
        assert [each.path for each in hashkit.hash_files(paths)] == paths

    def test_as_they_finish(self, samples, monkeypatch):
        slow = samples / "film-reencoded.webm"
        real = WorkerPool.hash

        def hash_(self, path, on_progress=None):
            time.sleep(2 if path == slow else 0)
            return real(self, path, on_progress)

        monkeypatch.setattr(WorkerPool, "hash", hash_)
        quick = [samples / "bmp.bmp", samples / "gif.gif", samples / "png-tiny.png"]
        outcomes = hashkit.hash_files([slow, *quick], ordered=False, workers=2)
        found = [each.path for each in outcomes]
        assert sorted(found) == sorted([slow, *quick])
        assert found[-1] == slow


class TestManyPaths:
    def test_an_endless_generator(self, samples):
        """Only a few paths are read ahead of the outcomes."""
        taken = 0

        def paths():
            nonlocal taken
            for taken in itertools.count(1):  # noqa: B007
                yield samples / "png-tiny.png"

        outcomes = hashkit.hash_files(paths())
        for given, outcome in enumerate(itertools.islice(outcomes, 3000), 1):
            assert isinstance(outcome, HashedFile)
            assert taken - given <= batch._MAX_AHEAD
        outcomes.close()

    def test_large_outcomes_are_not_piled_up(self, samples, monkeypatch):
        """Outcomes that wait behind a slow file are limited by their memory as well."""
        monkeypatch.setattr(batch, "_MAX_AHEAD_BYTES", 2 << 20)
        hanging, release = samples / "film-h264.mp4", threading.Event()
        real = WorkerPool.hash

        def hash_(self, path, on_progress=None):
            if path == hanging:
                release.wait(60)
            return real(self, path, on_progress)

        monkeypatch.setattr(WorkerPool, "hash", hash_)
        taken = 0

        def paths():
            nonlocal taken
            yield hanging
            for taken in range(1, 1000):  # noqa: B007
                yield samples / "film-trimmed.mkv"  # 263,344 bytes of TMK

        outcomes = hashkit.hash_files(paths(), workers=2)
        threading.Timer(3, release.set).start()
        next(outcomes)
        assert 5 < taken < 40
        outcomes.close()


class TestCopies:
    def test_are_decoded_once(self, samples, tmp_path, count):
        data = (samples / "scene-1.jpg").read_bytes()
        paths = [tmp_path / f"{number}.jpg" for number in range(20)]
        for path in paths:
            path.write_bytes(data)
        outcomes = list(hashkit.hash_files(paths, workers=3))
        assert len(count["hash"]) == 1
        assert [each.path for each in outcomes] == paths
        expected = hashkit.hash_file(paths[0]).hashes
        assert all(each.hashes == expected for each in outcomes)

    def test_of_more_bytes_than_are_read(self, tmp_path):
        """Not even to see whether they are copies."""
        paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
        for path in paths:
            with path.open("wb") as stream:
                stream.write(b"\0\0\0\x18ftypisom\0\0\2\0isommp42")
                stream.truncate((64 << 30) + 1)  # takes no space
        outcomes = list(hashkit.hash_files(paths))
        assert [each.error.code for each in outcomes] == ["file_too_big"] * 2

    def test_of_the_same_size_but_not_the_same(self, samples, tmp_path, count):
        data = (samples / "bmp.bmp").read_bytes()
        paths = []
        for number in range(6):
            for copy in range(2):
                paths.append(tmp_path / f"{number}-{copy}.bmp")
                paths[-1].write_bytes(data[:-1] + bytes([number]))
        outcomes = list(hashkit.hash_files(paths, workers=3))
        assert len(count["hash"]) == 6
        for outcome, path in zip(outcomes, paths, strict=True):
            assert outcome == hashkit.hash_file(path)

    def test_without_sha256(self, samples, tmp_path, count):
        for name in ("a.jpg", "b.jpg"):
            shutil.copy(samples / "scene-1.jpg", tmp_path / name)
        outcomes = hashkit.hash_files([tmp_path / "a.jpg", tmp_path / "b.jpg"], algorithms=["pdq"])
        assert [[each.algorithm for each in outcome.hashes] for outcome in outcomes] == [
            ["pdq"]
        ] * 2
        assert len(count["hash"]) == 1

    def test_of_a_file_that_cannot_be_opened(self, tmp_path, samples, count):
        data = (samples / "scene-1.jpg").read_bytes()[:300]
        for name in ("a.jpg", "b.jpg"):
            (tmp_path / name).write_bytes(data)
        one, other = hashkit.hash_files([tmp_path / "a.jpg", tmp_path / "b.jpg"])
        assert one.error.code == other.error.code == "media_truncated"
        assert (one.path, other.path) == (tmp_path / "a.jpg", tmp_path / "b.jpg")
        assert len(count["hash"]) == 1

    def test_a_file_that_changed_meanwhile_is_not_a_copy(self, samples, tmp_path, monkeypatch):
        """The second has the size of the first, but changes before it is hashed."""
        path = tmp_path / "a.bmp"
        data = (samples / "bmp.bmp").read_bytes()
        path.write_bytes(data)
        outcomes = hashkit.hash_files([path, path], workers=1)
        first = next(outcomes)
        changed = bytes([*data[:-500], *(255 - each for each in data[-500:])])
        real = executors.compute_sha256

        def compute_sha256(where):
            path.write_bytes(changed)
            return real(where)

        monkeypatch.setattr(executors, "compute_sha256", compute_sha256)
        # The outcome belongs to bytes that the file had at some time.
        second = next(outcomes)
        assert second["sha256"] in (first["sha256"], hashkit.hash_file(path)["sha256"])

    def test_remembered_outcomes_are_limited(self, monkeypatch):
        monkeypatch.setattr(deduplication, "_MAX_REMEMBERED", 10_000)
        known = deduplication.Deduplication()
        for number in range(100):
            task = deduplication.Task(number, Path("a"), size=1000 + number)
            assert not known.may_be_known(task)
            known.begin(task)
            sha256 = f"{number:064x}"
            found = HashedFile(Path("a"), MediaKind.IMAGE, (Hash("sha256", sha256),))
            assert known.finish(task, found, sha256) == []
        assert 0 < len(known._unverified) < 10
        assert len(known._sizes) == len(known._unverified)
        assert known._memory_used <= 10_000
        assert not known._unread
        assert not known._being_hashed
        assert not known._waiting


class TestProgress:
    def test_ends_with_the_number_of_files(self, samples):
        seen = []
        paths = [samples / "film-h264.mp4", samples / "bmp.bmp"]
        here = threading.get_ident()
        list(
            hashkit.hash_files(
                paths, on_progress=lambda done: seen.append((done, threading.get_ident()))
            )
        )
        assert seen[-1][0] == 2
        assert all(0 <= done <= 2 for done, _ in seen)
        assert {thread for _, thread in seen} == {here}


class TestClosing:
    def test_closing_ends_the_workers(self, samples):
        outcomes = hashkit.hash_files([samples / "bmp.bmp"] * 500, workers=2)
        next(outcomes)
        pool = outcomes.gi_frame.f_locals["self"]._hash_executor._pool
        workers = [*pool._all]
        assert workers
        outcomes.close()
        assert all(worker._process.poll() is not None for worker in workers)

    def test_so_does_an_error_of_the_caller(self, samples):
        def paths():
            yield samples / "bmp.bmp"
            raise RuntimeError("the caller's own")

        before = {thread.name for thread in threading.enumerate()}
        with pytest.raises(RuntimeError, match="own"):
            list(hashkit.hash_files(paths()))
        assert {t.name for t in threading.enumerate() if "hashkit" in t.name} <= before


class TestAnyExecutor:
    def paths(self, samples):
        named = ("scene-1.jpg", "film-h264.mp4", "generate.py", "scene-2.jpg", "bmp.bmp")
        return [*(samples / name for name in named), samples / "none", samples / "scene-1.jpg"]

    def check(self, samples, executor):
        paths = self.paths(samples)
        outcomes = list(hashkit.hash_files(paths, executor=executor))
        for outcome, path in zip(outcomes, paths, strict=True):
            same(outcome, hash_or_fail(path, Options()))

    def test_threads(self, samples):
        with ThreadPoolExecutor(3) as executor:
            self.check(samples, executor)
            self.check(samples, executor)  # it was not shut down

    def test_processes(self, samples):
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
            self.check(samples, executor)

    def test_a_broken_one_fails_its_files(self, samples):
        class Broken(ThreadPoolExecutor):
            def submit(self, function, /, *arguments, **named):
                failed = Future()
                failed.set_exception(RuntimeError("the cluster is gone"))
                return failed

        paths = self.paths(samples)
        with Broken() as executor:
            outcomes = list(hashkit.hash_files(paths, executor=executor))
        assert [each.error.code for each in outcomes] == ["worker_lost"] * len(paths)

    def test_one_that_was_shut_down(self, samples):
        paths = self.paths(samples)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
            executor.submit(os._exit, 1).exception()  # submit raises from now on
            outcomes = list(hashkit.hash_files(paths, executor=executor))
        assert [each.error.code for each in outcomes] == ["worker_lost"] * len(paths)

    @pytest.mark.parametrize("hashes", [{"md5": "0" * 32, "sha1": "0" * 40}, {"sha1": "0" * 40}])
    def test_hashes_that_were_not_asked_for_are_not_taken(self, hashes, samples, monkeypatch):
        answer = {"kind": "image", "hashes": hashes, "variants": [], "notices": [], "error": None}
        line = json.dumps({"outcome": answer, "sha256": None}).encode()
        monkeypatch.setattr(executors, "hash_in_worker", lambda *_: line)
        with ThreadPoolExecutor(1) as executor:
            given = {"executor": executor, "algorithms": ["md5"]}
            (outcome,) = hashkit.hash_files([samples / "bmp.bmp"], **given)
            assert outcome.error.code == "worker_lost"
            given["algorithms"] = [*hashes]
            (outcome,) = hashkit.hash_files([samples / "bmp.bmp"], **given)
            assert [each.algorithm for each in outcome.hashes] == [*hashes]

    @pytest.mark.parametrize("lie", ["x", "0" * 63, 5, b"0" * 64, ["0" * 64], "\x1b" * 64])
    def test_a_sha256_that_is_none_is_not_taken(self, lie):
        future = Future()
        future.set_result(lie)
        assert executors.sha256_of(future) is None

    def test_a_sha256_is_taken(self):
        future = Future()
        future.set_result("0" * 64)
        assert executors.sha256_of(future) == "0" * 64

    def test_no_more_than_workers_files_at_a_time(self, samples):
        running = most = 0
        lock = threading.Lock()

        class Counting(ThreadPoolExecutor):
            def submit(self, function, /, *arguments, **named):
                nonlocal running, most
                with lock:
                    running += 1
                    most = max(most, running)
                future = super().submit(function, *arguments, **named)
                future.add_done_callback(lambda _: self.done())
                return future

            def done(self):
                nonlocal running
                with lock:
                    running -= 1

        with Counting(8) as executor:
            list(hashkit.hash_files(hashkit.files_in(samples), executor=executor, workers=2))
        assert most <= 4

    def test_workers_of_an_executor_have_a_time_limit(self, samples):
        executors._pools.clear()
        with ThreadPoolExecutor(1) as executor:
            list(hashkit.hash_files([samples / "bmp.bmp"], executor=executor))
        (pool,) = executors._pools.values()
        (worker,) = pool._all
        assert [each.name for each in worker.restrictions if each.active]
        pool.close()
        executors._pools.clear()


CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=sys.argv[1]
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a real Dask cluster with two processes on this machine."""
    folder = tmp_path_factory.mktemp("dask")
    script = folder / "cluster.py"
    script.write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip()
    process.communicate("", timeout=60)


ON_DASK = """
import sys, hashkit
from distributed import Client
from hashkit.pipeline.hashing import hash_or_fail
from hashkit.pipeline.options import Options
address, *paths = sys.argv[1:]
with Client(address) as client:
    outcomes = list(hashkit.hash_files(paths, executor=client.get_executor()))
for outcome, path in zip(outcomes, paths, strict=True):
    expected = hash_or_fail(path, Options())
    assert outcome.hashes == expected.hashes, path
    assert outcome.notices == expected.notices
    print(getattr(getattr(outcome, "error", None), "code", "hashed"))
"""


@pytest.mark.test_all
class TestDask:
    def test_the_library(self, cluster, samples):
        paths = [*hashkit.files_in(samples), samples / "none", samples / "bmp.bmp"]
        done = subprocess.run(
            [sys.executable, "-c", ON_DASK, cluster, *map(str, paths)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split().count("hashed") == len(paths) - 2
        assert done.stdout.split()[-2:] == ["file_missing", "hashed"]

    def test_the_command(self, cluster, samples, run):
        there = run("hash", "-r", samples, "--json", "--dask", cluster)
        here = run("hash", "-r", samples, "--json")
        assert there.returncode == here.returncode == 0, there.stderr
        assert there.stdout == here.stdout

    def test_the_name_of_a_machine(self, cluster, samples, run):
        """It may have several addresses, and the scheduler answer at one of them."""
        there = cluster.replace("127.0.0.1", "localhost")
        assert there != cluster
        done = run("hash", samples / "bmp.bmp", "--json", "--dask", there)
        assert done.returncode == 0, done.stderr
        # What the system cannot hold is said, and here it can.
        assert ("cannot hold" in done.stderr) == (sys.platform != "linux")

    @pytest.mark.parametrize(
        "address",
        ["tcp://127.0.0.1:9", "127.0.0.1:9", "x", "", "tcp://127.0.0.1:99999", "inproc://1/2/3"],
    )
    def test_no_scheduler(self, address, run, samples):
        done = run("hash", samples / "bmp.bmp", f"--dask={address}")
        assert done.returncode == 2
        assert done.stderr == (
            "There is no Dask scheduler at this address. "
            "Check the address, and that it is running.\n"
        )


def test_the_caller_needs_no_guard(samples, tmp_path):
    """A script without ``if __name__ == "__main__"`` works: workers do not import it again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, hashkit\n"
        "print('begin')\n"
        "print(len(list(hashkit.hash_files([sys.argv[1]] * 3))))\n"
    )
    command = [sys.executable, str(script), str(samples / "bmp.bmp")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "begin\n3\n"
    assert done.stderr == ""


def test_this_process_opens_nothing(samples):
    """Decoders are not even imported here."""
    code = """
import sys, hashkit
assert len(list(hashkit.hash_files(hashkit.files_in(sys.argv[1])))) > 50
print(*sys.modules)
"""
    command = [sys.executable, "-c", code, str(samples)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert not {"numpy", "cv2", "PIL", "av", "pillow_heif", "hashkit.pipeline.hashing"} & {
        *done.stdout.split()
    }
