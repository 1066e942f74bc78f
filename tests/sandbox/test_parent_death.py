"""A worker ends with its parent, however that ends, and whatever the worker is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hashkit.models import HashedFile
from hashkit.pipeline.options import Options
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Limits

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

# What the worker does is put into its start: it reports, and then does not look at its pipe.
PARENT = r"""
import sys
from pathlib import Path
from hashkit.pipeline.options import Options
from hashkit.sandbox import process
from hashkit.sandbox.pool import WorkerPool
doing, path = sys.argv[1:]
process._BOOTSTRAP = process._BOOTSTRAP.replace("main(start)", doing + "; main(start)")
workers = WorkerPool(Options(("md5",)), process.Limits())
def report(part):
    print(*(worker._process.pid for worker in workers._all), flush=True)
workers.hash(Path(path), report)
"""
PATCHED = (
    "exec('''import itertools, time, hashkit.sandbox.worker as worker\n"
    "from hashkit.sandbox import parent_death\n"
    "real = worker.hash_or_fail\n"
    "def hash_or_fail(path, options, report):\n"
    "    report(0.0)\n"
    "    %s\n"
    "    return real(path, options)\n"
    "worker.hash_or_fail = hash_or_fail\n"
    "%s''')"
)
BY_THREAD = "parent_death.end_with_parent = parent_death.watch_parent"  # as not on Linux
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends native code")


@pytest.fixture
def sparse(tmp_path):
    """A video by its first bytes, which would take minutes to read."""
    path = tmp_path / "sparse.mp4"
    with path.open("wb") as stream:
        stream.write(b"\0\0\0\x18ftypisom\0\0\2\0isommp42")
        stream.truncate(60 << 30)  # takes no space
    return path


@pytest.mark.parametrize(
    ("doing", "how"),
    [
        pytest.param("pass", "pass", id="reading"),
        pytest.param("max(itertools.repeat(1))", "pass", id="native code", marks=linux),
        pytest.param("time.sleep(1000)", "pass", id="waiting"),
        pytest.param("pass", BY_THREAD, id="reading, by a thread"),
        pytest.param("time.sleep(1000)", BY_THREAD, id="waiting, by a thread"),
    ],
)
def test_when_the_parent_is_killed(doing, how, sparse):
    command = [sys.executable, "-c", PARENT, PATCHED % (doing, how), str(sparse)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 1
        assert is_alive(pids[0])
        parent.kill()
    assert_gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_when_the_command_is_killed(sparse):
    command = [sys.executable, "-m", "hashkit", "hash", str(sparse), "--algorithms", "md5"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as parent:
        pids = []
        while not pids or seconds_of(pids[0]) < 3:  # more than its start takes
            time.sleep(0.05)
            tasks = Path(f"/proc/{parent.pid}/task").glob("*/children")
            pids = [int(pid) for each in tasks for pid in each.read_text().split()]
            assert parent.poll() is None
        parent.kill()
    assert_gone(pids)


def test_not_when_a_thread_of_the_parent_ends(samples):
    """The kernel takes the thread that started a worker for its parent."""
    workers = WorkerPool(Options(), Limits())
    pids, outcomes = set(), []

    def work():
        outcomes.append(workers.hash(samples / "bmp.bmp").outcome)
        pids.update(worker._process.pid for worker in workers._all)

    try:
        for _ in range(3):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert all(isinstance(each, HashedFile) for each in outcomes)
        assert len(pids) == 1
    finally:
        workers.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_in_a_forked_process(samples):
    """It has none of the threads of its parent, so it starts its own."""
    code = """
import os, sys
import hashkit
def hashed():
    return len(next(hashkit.hash_files([sys.argv[1]])).hashes)
assert hashed() == 4
pid = os.fork()
if not pid:
    os._exit(hashed())
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    command = [sys.executable, "-c", code, str(samples / "bmp.bmp")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "4\n"


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def seconds_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def assert_gone(pids):
    """They end by themselves. (If not, end them: they would run for hours.)"""
    deadline = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = [pid for pid in pids if is_alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
