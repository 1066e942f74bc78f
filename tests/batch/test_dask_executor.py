"""The side of ``--dask`` that trusts nothing: what it takes from a client process, line by line.

The client here is a real process that says what each test makes it say.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from hashkit.batch import dask_executor
from hashkit.batch.dask_executor import ClusterUnavailable, DaskExecutor
from hashkit.batch.executors import compute_sha256, hash_in_worker
from hashkit.errors import DocumentInvalid, WorkerUnavailable
from hashkit.pipeline.options import Options
from hashkit.sandbox import process
from hashkit.sandbox.process import Limits

FILES = {"name": "files", "active": False, "reason": "old"}
SHA = "a" * 64


# A client that says the first of its lines, ends if that is not a whole one, and says another for
# each task that it is given.
CLIENT = """
import json, pathlib, sys
first, *answers = pathlib.Path({file!r}).read_text("latin-1").split("|")
json.loads(sys.stdin.buffer.readline())

def say(text):
    sys.stdout.buffer.write(text.encode("latin-1"))
    sys.stdout.buffer.flush()

say(first)
if first.endswith(chr(10)):
    for answer in answers:
        sys.stdin.buffer.readline()
        say(answer)
    sys.stdin.buffer.read()
"""


@pytest.fixture
def client(monkeypatch, tmp_path):
    """An executor whose client process says one line at the start, and others for each task."""
    executors = []

    def start(*lines):
        file = tmp_path / "lines"
        file.write_text("|".join(each.decode("latin-1") for each in lines), "latin-1")
        monkeypatch.setattr(process, "_BOOTSTRAP", CLIENT.format(file=str(file)))
        executors.append(DaskExecutor("tcp://x:1", 60))
        return executors[-1]

    yield start
    for each in executors:
        each.shutdown()


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


HELD = line(restrictions=[FILES])
STARTED = HELD + line(cores=3)


def test_what_it_says_at_the_start(client):
    executor = client(STARTED)
    assert executor.cores == 3
    assert [(each.name, each.active) for each in executor.restrictions] == [("files", False)]


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"\n",
        b"{}\n",
        b"cos\nsystem\n",
        HELD[:-1],
        line(cores=3),
        line(restrictions=5),
        line(restrictions=[{"name": "files"}]),
        line(restrictions=["files"]),
        line(restrictions=[], more=1),
        line(failed="\x1b[2J"),
        line(failed=["scheduler"]),
        line(failed="scheduler"),
        b'{"failed": "' + b"s" * (dask_executor._SHORT_LINE + 1) + b'"}\n',
        HELD + line(failed="scheduler"),
        HELD + HELD,
        *(HELD + line(cores=cores) for cores in (-1, True, 1.5, "3", None, [3])),
        HELD + line(cores=3, more=1),
        HELD + line(cores=3)[:-1],
    ],
)
def test_no_start(client, first):
    with pytest.raises(ClusterUnavailable) as caught:
        client(first)
    assert caught.value.reason == "scheduler"


@pytest.mark.parametrize("reason", dask_executor._REASONS)
def test_the_reason(client, reason):
    with pytest.raises(ClusterUnavailable) as caught:
        client(line(failed=reason))
    assert caught.value.reason == reason
    with pytest.raises(ClusterUnavailable) as caught:
        client(HELD + line(failed=reason))
    assert caught.value.reason == reason


def test_cores_are_bounded(client):
    assert client(HELD + line(cores=10**30)).cores == dask_executor._MAX_CORES
    assert client(HELD + line(cores=0)).cores == 0


class TestAnswers:
    def test_a_sha256(self, client):
        executor = client(STARTED, line(task=1, answer=SHA), line(task=2, answer=None))
        assert executor.submit(compute_sha256, "/a").result(60) == SHA
        assert executor.submit(compute_sha256, "/a").result(60) is None

    def test_a_hash(self, client):
        executor = client(STARTED, line(task=1, answer="{}\n"))
        assert executor.submit(hash_in_worker, "/a", Options(), Limits()).result(60) == b"{}\n"

    def test_in_any_order(self, client):
        later = line(task=2, answer="b") + line(task=1, answer="a")
        executor = client(STARTED, b"", later)
        one, two = (executor.submit(compute_sha256, "/a") for _ in range(2))
        assert (one.result(60), two.result(60)) == ("a", "b")

    def test_a_long_one(self, client):
        """As long as an honest one may be, not as long as the lines of the start."""
        options = Options(sample=0.5)
        text = '"' * (
            dask_executor._max_answer(options) // 2 - 100
        )  # each takes two bytes on the way
        assert len(text) > dask_executor._SHORT_LINE
        executor = client(STARTED, line(task=1, answer=text))
        found = executor.submit(hash_in_worker, "/a", options, Limits())
        assert found.result(60) == text.encode()

    def test_one_that_is_too_long(self, client):
        text = "x" * dask_executor._max_answer(Options())
        executor = client(STARTED, line(task=1, answer=text))
        found = executor.submit(hash_in_worker, "/a", Options(), Limits())
        assert isinstance(found.exception(60), BrokenExecutor)

    def test_failures(self, client):
        answers = (line(task=1, failed="lost"), line(task=2, failed="unavailable"))
        executor = client(STARTED, *answers, line(task=3, failed="\x1b"))
        kinds = [type(executor.submit(compute_sha256, "/a").exception(60)) for _ in range(3)]
        assert kinds == [BrokenExecutor, WorkerUnavailable, BrokenExecutor]

    @pytest.mark.parametrize(
        "answer",
        [
            *(b"\n", b"[]\n", b"1\n", b"nonsense\n", b"[" * 100_000 + b"\n", b"\xff\n"),
            line(task=2, answer=SHA),
            line(task=0, answer=SHA),
            line(task=True, answer=SHA),
            line(task=1.0, answer=SHA),
            line(task="1", answer=SHA),
            line(task=[1], answer=SHA),
            line(task=1),
            line(task=1, answer=SHA, failed="lost"),
            line(task=1, answer=SHA, path="/b"),
            line(answer=SHA),
        ],
    )
    def test_anything_else_ends_the_client(self, client, answer):
        executor = client(STARTED, answer)
        assert isinstance(executor.submit(compute_sha256, "/a").exception(60), BrokenExecutor)
        executor._process.wait(60)
        with pytest.raises(BrokenExecutor):
            executor.submit(compute_sha256, "/a")

    @pytest.mark.parametrize("answer", [5, [SHA], {"a": 1}, True])
    def test_what_is_no_text_is_not_taken(self, client, answer):
        executor = client(STARTED, line(task=1, answer=answer))
        found = executor.submit(compute_sha256, "/a").exception(60)
        assert isinstance(found, DocumentInvalid)
        executor._process.wait(60)

    def test_null_is_no_hash(self, client):
        executor = client(STARTED, line(task=1, answer=None))
        found = executor.submit(hash_in_worker, "/a", Options(), Limits()).exception(60)
        assert isinstance(found, DocumentInvalid)

    def test_lone_surrogates(self, client):
        executor = client(STARTED, b'{"task": 1, "answer": "\\ud800"}\n')
        found = executor.submit(hash_in_worker, "/a", Options(), Limits())
        assert found.result(60) == b"?"


def test_no_other_work(client):
    executor = client(STARTED)
    with pytest.raises(TypeError):
        executor.submit(print, "hello")


def test_shutdown_fails_what_is_waited_for(client):
    executor = client(STARTED)
    waiting = executor.submit(compute_sha256, "/a")
    executor.shutdown()
    assert isinstance(waiting.exception(60), BrokenExecutor)
    assert executor._process.poll() is not None
    with pytest.raises(BrokenExecutor):
        executor.submit(compute_sha256, "/a")


def test_no_process(monkeypatch):
    monkeypatch.setattr(sys, "executable", str(Path("/nonexistent/python")))
    with pytest.raises(WorkerUnavailable):
        DaskExecutor("tcp://x:1", 1)


def test_nothing_of_dask_is_imported_here():
    """Nothing that unpickles, either: only the process of its own does."""
    code = "import sys, hashkit.cli.actions.hash, hashkit.batch.dask_executor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"distributed", "dask", "cloudpickle", "msgpack"} & {*done.stdout.split()}
