"""A Dask cluster that is compromised: real, and what it sends runs code when it is unpickled.

The code reports what it could do by lying: in the MD5 of its answer, a digit for each attempt. The
same code runs in a client without restrictions first, where all attempts must succeed.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress

import pytest

pytestmark = pytest.mark.test_all
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs seccomp and Landlock")

# What runs in the client. ``targets`` is given, ``answer`` is what it says the file's hash is.
ATTACK = r"""
import os, signal, socket, subprocess, sys
def say(**hashes):
    from hashkit.models import Hash, HashedFile, MediaKind
    from hashkit.sandbox.protocol import WorkerResult
    found = tuple(Hash(name, text) for name, text in hashes.items())
    return WorkerResult(HashedFile(None, MediaKind.IMAGE, found), None).to_line()

def close(made):
    made.close()

def connect(family, kind, where):
    with socket.socket(family, kind) as made:
        made.settimeout(5)
        made.connect(where)

def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("127.0.0.1", targets["other"]))

def fast_open():
    with socket.socket() as made:
        made.sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", targets["other"]))

def fork():
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)

TCP = socket.AF_INET, socket.SOCK_STREAM
ATTEMPTS = {
    "the scheduler": lambda: connect(*TCP, ("127.0.0.1", targets["scheduler"])),
    "another port": lambda: connect(*TCP, ("127.0.0.1", targets["other"])),
    "UNIX socket": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, targets["unix"]),
    "UDP": udp,
    "TCP Fast Open": fast_open,
    "listen": lambda: close(socket.create_server(("127.0.0.1", 0))),
    "write": lambda: close(open(targets["marker"], "w")),
    "make a folder": lambda: os.mkdir(targets["marker"] + ".folder"),
    "delete": lambda: os.remove(targets["victim"]),
    "read": lambda: close(open(targets["secret"])),
    "list": lambda: os.listdir(targets["folder"]),
    "environment": lambda: close(open("/proc/self/environ")),
    "parent's memory": lambda: close(open(f"/proc/{os.getppid()}/mem", "rb")),
    "signal": lambda: os.kill(os.getppid(), 0),
    "start a program": lambda: subprocess.run(["/bin/true"], check=True),
    "fork": fork,
}

def attempts():
    done = ""
    for attempt in ATTEMPTS.values():
        try:
            attempt()
        except BaseException:
            done += "0"
        else:
            done += "1"
    return done.ljust(32, "e")

def to_parent(data):
    import gc
    from hashkit.batch.dask_client import _Answers
    (answers,) = (each for each in gc.get_objects() if type(each) is _Answers)
    answers._stream.write(data)
    answers._stream.flush()

def forge(*tasks):
    import json
    for task in tasks:
        line = {"task": task, "answer": say(md5="f" * 32).decode()}
        to_parent(json.dumps(line).encode() + b"\n")

def endless():
    to_parent(b'{"task": "')
    while True:
        to_parent(b"a" * 65536)

def loud():
    for descriptor in (0, 1, 2):
        try:
            os.write(descriptor, b"\x1b[2Jhello")
        except OSError:
            pass

answer = say(md5="d" * 32)
what = targets["attack"]
if what == "attempts":
    answer = say(md5=attempts())
elif what == "lie":
    pass
elif what == "loud":
    loud()
elif what == "unasked":
    answer = say(md5="d" * 32, sha1="d" * 40)
elif what == "escapes":
    line = b'{"outcome": {"kind": null, "hashes": {}, "variants": [], "notices": [], '
    answer = line + b'"error": ["file_missing", "\\u001b[2J"]}, "sha256": null}\n'
elif what == "no-bytes":
    answer = object()
elif what == "raises":
    raise ValueError("\x1b[2J")
elif what == "not-json":
    answer = b"cos\nsystem\n(S'touch " + targets["marker"].encode() + b"'\ntR."
elif what == "rubbish":
    to_parent(b"cos\nsystem\n(S'touch " + targets["marker"].encode() + b"'\ntR.\n")
elif what == "twice":
    forge(1, 1)
elif what == "others":
    forge(77)
elif what == "odd-number":
    forge([])
elif what == "true":
    forge(True)
elif what == "endless":
    endless()
elif what == "exit":
    os._exit(0)
elif what == "killed":
    signal.raise_signal(signal.SIGKILL)
"""

CLUSTER = r"""
import json, os, sys
from distributed import LocalCluster
from hashkit.batch import executors
from hashkit.errors import WorkerUnavailable

given, attack = json.loads(sys.argv[1]), sys.argv[2]

class Evil:
    def __init__(self, path):
        self.targets = {**given, "attack": os.path.basename(path)}
    def __reduce__(self):
        return eval, ("(names := {'targets': t}, exec(c, names), names['answer'])[2]",
                      {"t": self.targets, "c": attack})

def hash_in_worker(path, options, limits, alone=False):
    if path.endswith("/raise"):
        raise ValueError("\x1b[2J")
    if path.endswith("/unavailable"):
        raise WorkerUnavailable("\x1b[2J")
    return Evil(path)

executors.hash_in_worker = hash_in_worker
if __name__ == "__main__":
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://",
        host="127.0.0.1", scheduler_port=given["scheduler"], dashboard_address=None,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""

WITHOUT_RESTRICTIONS = """
import sys
from distributed import Client
from hashkit.batch.executors import hash_in_worker
with Client(sys.argv[1]) as client:
    print(client.submit(hash_in_worker, "attempts", None, None).result().decode())
"""


def accept(listener, accepted):
    """Note who connects, until the listener is closed."""
    with suppress(OSError):
        while True:
            made, _ = listener.accept()
            accepted.append(listener)
            made.close()


class TakenOver:
    def __init__(self, folder, short):
        self.folder, self.targets = folder, {}
        self.marker, self.victim = folder / "marker", folder / "victim"
        self.secret = folder / "secret"
        self.secret.write_text("a picture")
        self.victim.write_text("a picture")
        self.other, self.unix = (
            socket.create_server(("127.0.0.1", 0)),
            socket.socket(socket.AF_UNIX),
        )
        self.unix.bind(f"{short}/s")
        self.unix.listen()
        self.accepted = []
        for each in (self.other, self.unix):
            threading.Thread(target=accept, args=(each, self.accepted), daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        targets = {
            "scheduler": port,
            "other": self.other.getsockname()[1],
            "unix": f"{short}/s",
            "folder": str(folder),
            **{name: str(getattr(self, name)) for name in ("marker", "victim", "secret")},
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER, json.dumps(targets), ATTACK],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.address = self.process.stdout.readline().strip()
        assert self.address == f"tcp://127.0.0.1:{port}"

    def is_as_before(self):
        assert not self.marker.exists()
        assert not self.marker.with_suffix(".folder").exists()
        assert self.victim.read_text() == self.secret.read_text() == "a picture"
        return True


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with tempfile.TemporaryDirectory() as short:  # a UNIX socket's path must be short
        taken_over = TakenOver(tmp_path_factory.mktemp("dask"), short)
        yield taken_over
        taken_over.process.communicate("", timeout=60)
        taken_over.other.close()
        taken_over.unix.close()


def names_of_attempts():
    names = {"targets": {"attack": "lie"}}
    exec(ATTACK, names)
    return [*names["ATTEMPTS"]]


def attempts_in(md5):
    names = names_of_attempts()
    assert set(md5[len(names) :]) == {"e"}
    return {name for name, digit in zip(names, md5, strict=False) if digit == "1"}


@pytest.fixture
def hash_there(cluster, run, tmp_path):
    """Run ``hashkit hash`` on the cluster, for files of these names."""

    def hash_(*names, options=("--json", "--algorithms", "md5")):
        return run("hash", *names, *options, "--dask", cluster.address)

    return hash_


def errors_in(done):
    return [json.loads(line)["error"]["code"] for line in done.stdout.splitlines()]


@needs_linux
def test_code_of_the_cluster_gets_nowhere(cluster, hash_there):
    """It runs, and all that it can do is to lie, and to connect to the port of the scheduler."""
    cluster.accepted.clear()
    done = hash_there("attempts")
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, done.stdout.splitlines())
    assert attempts_in(line["hashes"]["md5"]) == {"the scheduler"}
    assert cluster.accepted == []
    assert cluster.is_as_before()


@needs_linux
def test_without_restrictions_it_gets_everywhere(cluster):
    """Else, the other tests would prove nothing."""
    command = [sys.executable, "-c", WITHOUT_RESTRICTIONS, cluster.address]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        md5 = json.loads(done.stdout)["outcome"]["hashes"]["md5"]
        assert {*names_of_attempts()} - attempts_in(md5) <= {"parent's memory"}  # Yama may refuse
        assert cluster.marker.exists()
        assert not cluster.victim.exists()
        assert {*cluster.accepted} == {cluster.other, cluster.unix}
    finally:
        cluster.marker.unlink(missing_ok=True)
        cluster.marker.with_suffix(".folder").rmdir()
        cluster.victim.write_text("a picture")


def test_it_can_lie(hash_there, cluster):
    """A hash that is not the file's is taken for it: nothing here has seen the file."""
    done = hash_there("lie")
    assert done.returncode == 0
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line["hashes"] == {"md5": "d" * 32}
    assert line["path"].endswith("lie")


def test_what_it_prints_is_not_shown(hash_there):
    assert "hello" not in (done := hash_there("loud")).stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(
    "attack", ["unasked", "escapes", "no-bytes", "not-json", "raise", "raises"]
)
def test_what_was_not_asked_for_is_not_taken(attack, hash_there, cluster):
    done = hash_there(attack)
    assert done.returncode == 1
    assert errors_in(done) == ["worker_lost"]
    assert "\x1b" not in done.stdout + done.stderr
    assert not cluster.marker.exists()


ENDED_BY = ["rubbish", "others", "odd-number", "true", "endless", "exit", "killed"]


@pytest.mark.parametrize("attack", ENDED_BY)
def test_a_client_that_breaks_the_protocol_is_ended(attack, hash_there, cluster):
    """The files that it had are lost, and so are those that would have gone to it."""
    done = hash_there(attack, "lie", "b", "c")
    assert done.returncode == 1
    assert len(errors_in(done)) == 4
    assert "worker_lost" in errors_in(done)
    assert cluster.is_as_before()


def test_a_second_answer_is_not_taken(hash_there):
    """The first may be forged: it is the cluster that says what it is."""
    done = hash_there("twice")
    assert done.returncode == 0
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line["hashes"] == {"md5": "f" * 32}


def test_its_error_is_ours(hash_there):
    done = hash_there("unavailable")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "The part of hashkit that opens files could not be started. Run: hashkit doctor\n"
    )


def test_no_process_is_left(hash_there, cluster):
    before = cluster_clients()
    hash_there("lie")
    assert cluster_clients() <= before


def cluster_clients():
    if sys.platform != "linux":
        return set()
    found = set()
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if b"hashkit.batch.dask_client" in file.read():
                    found.add(name)
        except OSError:
            pass
    return found
