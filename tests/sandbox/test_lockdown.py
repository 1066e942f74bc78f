"""Escape attempts from a worker. Each is also made without restrictions, where it must succeed;
otherwise its failure would prove nothing."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from hashkit.pipeline.options import Options
from hashkit.sandbox import lockdown, process
from hashkit.sandbox.lockdown import Restriction
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Limits, WorkerProcess

LINUX = sys.platform == "linux"
needs_linux = pytest.mark.skipif(not LINUX, reason="Linux only")
THROUGH_PYTHON = {
    *("connect", "connect by IPv6", "UNIX socket"),
    *("write a file", "start a program", "fork"),
}
MEMORY = {"file in memory", "shared memory, without Python"}
THROUGH_C = {
    *("connect, without Python", "write a file, without Python"),
    *("make a folder, without Python", "fork, without Python"),
}
EVERYTHING = THROUGH_PYTHON | THROUGH_C | MEMORY | {"list a folder"}


def python(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def listeners(folder):
    """Listens on IPv4, IPv6 and a UNIX socket and checks that nobody connects: (port, path)."""
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as six,
        socket.socket(socket.AF_UNIX) as local,
    ):
        port = four.getsockname()[1]
        if has_ipv6():
            six.bind(("::1", port))
            six.listen()
        path = os.path.join(folder, "s")
        local.bind(path)
        local.listen()
        yield port, path
        for each in (four, six, local):
            each.setblocking(False)
            with pytest.raises(OSError):  # noqa: PT011 (nobody connected, or it does not listen)
                each.accept()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as six:
            six.bind(("::1", 0))
    except OSError:
        return False
    return True


def refused(attempts):
    return {name for name, what in attempts.items() if what == "refused"}


@needs_linux
def test_a_worker_can_do_nothing_but_hash(tmp_path):
    worker = WorkerProcess(Options(), Limits(), with_escape_tests=True)
    try:
        assert [restriction for restriction in worker.restrictions if not restriction.active] == []
        with tempfile.TemporaryDirectory() as short, listeners(short) as (port, path):
            beside_the_input = tmp_path
            for folder in (beside_the_input, Path.home(), Path(tempfile.gettempdir())):
                before = {*os.listdir(folder)}
                targets = {"folder": str(folder), "port": port, "unix_path": path}
                attempts = worker.ask({"escape_tests": targets}, 60)["escape_tests"]
                assert {*attempts} == EVERYTHING
                assert refused(attempts) == EVERYTHING
                assert not [name for name in {*os.listdir(folder)} - before if "probe" in name]
    finally:
        worker.kill()


def refused_with_only(steps, folder):
    """The attempts that are refused in a process with only these restrictions."""
    code = """
import json, sys
from hashkit.sandbox import lockdown, escape_tests
for step in sys.argv[1].split():
    getattr(lockdown, step)()
print(json.dumps(escape_tests.attempt(*json.loads(sys.argv[2]))))
"""
    with socket.create_server(("127.0.0.1", 0)) as four, socket.socket(socket.AF_UNIX) as local:
        path = os.path.join(folder, "s")
        local.bind(path)
        local.listen()
        port = four.getsockname()[1]
        return refused(json.loads(python(code, steps, json.dumps([str(folder), port, path]))))


@pytest.fixture
def short_folder():
    with tempfile.TemporaryDirectory() as folder:  # a UNIX socket's path must be short
        yield folder


@pytest.mark.skipif(os.name != "posix", reason="needs the C library")
def test_without_restrictions_all_attempts_succeed(short_folder):
    assert refused_with_only("", short_folder) - {"connect by IPv6"} == set()


@needs_linux
class TestEachRestrictionAlone:
    def test_system_calls(self, short_folder):
        assert refused_with_only("restrict_system_calls", short_folder) == EVERYTHING - {
            "list a folder"
        }

    def test_files(self, short_folder):
        assert refused_with_only("_restrict_files", short_folder) - {"connect by IPv6"} == {
            *("write a file", "write a file, without Python", "make a folder, without Python"),
            *("list a folder", "start a program"),
        }

    def test_python(self, short_folder):
        assert refused_with_only("_restrict_python", short_folder) == THROUGH_PYTHON

    def test_network_of_the_command(self, short_folder):
        assert refused_with_only("restrict_network_calls", short_folder) == {
            *("connect", "connect by IPv6", "UNIX socket", "connect, without Python"),
        }


# Raw system calls by their x86-64 numbers, as hostile code would make them.
RAW = """
import ctypes, json, os, sys
folder = os.fsencode(sys.argv[1])
victim, new = folder + b"/victim", folder + b"/new"
libc = ctypes.CDLL(None, use_errno=True)
syscall, get_errno, set_errno = libc.syscall, ctypes.get_errno, ctypes.set_errno
syscall.restype = ctypes.c_long
null = ctypes.c_void_p(None)
buffer = ctypes.create_string_buffer(256)
how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, 0o600, 0)
clone = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)
program = (ctypes.c_char_p * 2)(b"/bin/true", None)
calls = {
    "socket": (41, 1, 1, 0),
    "socketpair": (53, 1, 1, 0, buffer),
    "io_uring_setup": (425, 4, buffer),
    "openat2 for writing": (437, -100, new, how, 24),
    "creat": (85, new, 0o600),
    "open for appending": (2, victim, os.O_WRONLY | os.O_APPEND, 0),
    "open without a name": (257, -100, folder, os.O_RDWR | 0o20200000, 0o600),
    "truncate": (76, victim, 0),
    "unlink": (87, victim),
    "rename": (82, victim, new),
    "link": (86, victim, new),
    "symlink": (88, victim, new),
    "mknod": (133, new, 0o10600, 0),
    "chmod": (90, victim, 0),
    "utimensat": (280, -100, victim, null, 0),
    "setxattr": (188, victim, b"user.a", b"b", 1, 0),
    "execve": (59, b"/bin/true", program, null),
    "execveat": (322, -100, b"/bin/true", program, null, 0),
    "signals by fcntl": (72, os.pipe()[0], 4, 0o20000),
    "owner of a pipe": (72, os.pipe()[0], 8, os.getppid()),
    "lock a file": (73, os.open(victim, os.O_RDONLY), 2),
    "affinity of another": (203, os.getppid(), 8, buffer),
    "clone as a process": (56, 17, 0, 0, 0, 0),
    "clone3": (435, clone, 88),
    "kill the parent": (62, os.getppid(), 0),
    "tgkill another": (234, os.getppid(), os.getppid(), 0),
    "ptrace": (101, 16, os.getppid(), 0, 0),
    "read the parent's memory": (310, os.getppid(), buffer, 1, buffer, 1, 0),
    "take the parent's files": (438, 0, 0, 0),
    "open by handle": (304, -100, buffer, 0),
    "core dumps on again": (157, 4, 1, 0, 0, 0),
    "a larger limit": (302, 0, 4, (ctypes.c_uint64 * 2)(1 << 20, 1 << 20), null),
    "type into the terminal": (16, 0, 0x5412, b"x"),
    "shared memory": (29, 0, 4096, 0o1600),
    "a message queue": (240, b"hashkit", os.O_CREAT | os.O_RDWR, 0o600, null),
    "another namespace": (272, 0x10000000),
    "mount": (165, b"none", folder, b"tmpfs", 0, null),
    "bpf": (321, 0, buffer, 128),
    "shared memory by mmap": (9, 0, 4096, 3, 0x21, -1, 0),
    "shared memory by mmap, checked": (9, 0, 4096, 1, 0x03, os.open(victim, os.O_RDONLY), 0),
    "a file in memory": (319, b"hashkit", 0),
    "secret memory": (447, 0),
    "attach shared memory": (30, 0, 0, 0),
    "a larger pipe": (72, os.pipe()[1], 1031, 1 << 20),
    "pages into a pipe": (278, os.pipe()[1], buffer, 1, 0),
    "lock memory": (149, buffer, 4096),
    "userfaultfd": (323, 0),
    "a larger file": (77, os.open(victim, os.O_RDONLY), 1 << 20),
    "read another's memory map": (312, os.getpid(), os.getppid(), 0, 0, 0),
    "advise another": (440, 0, buffer, 1, 4, 0),
    "a key": (248, b"user", b"hashkit", b"x", 1, -2),
}
from hashkit.sandbox import lockdown
lockdown._restrict_python = lambda *_: None  # it would refuse to let us try
lockdown.lock_down(4 << 30)
done = {}
for name, arguments in calls.items():
    set_errno(0)
    returned = syscall(*arguments)
    done[name] = "" if returned >= 0 else os.strerror(get_errno())
    if returned == 0 and "clone" in name:
        os._exit(0)
print(json.dumps(done))
"""
REFUSALS = {os.strerror(1), os.strerror(13), os.strerror(38)}  # EPERM, EACCES, ENOSYS


@needs_linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls are x86-64's")
def test_system_calls_made_by_hand(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"as it was")
    before = victim.stat()
    done = json.loads(python(RAW, tmp_path))
    assert {name: what for name, what in done.items() if what not in REFUSALS} == {}
    assert victim.stat() == before
    assert victim.read_bytes() == b"as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]


@pytest.mark.skipif(os.name != "posix", reason="needs limits")
def test_memory_is_limited_and_a_crash_leaves_nothing():
    code = """
import ctypes, resource, sys
libc = ctypes.CDLL(None); prctl = getattr(libc, "prctl", None)
from hashkit.sandbox import lockdown
lockdown.lock_down(300 << 20)
try:
    bytearray(1 << 30)
except MemoryError:
    print("refused")
print(resource.getrlimit(resource.RLIMIT_CORE))
"""
    out = python(code).splitlines()
    assert out[-1] == "(0, 0)"
    if LINUX:
        assert out[0] == "refused"


@needs_linux
def test_a_worker_has_one_thread_when_it_restricts_itself():
    """Landlock applies to the calling thread: other threads would stay unrestricted."""
    worker = WorkerProcess(Options(), Limits())
    try:
        status = Path(f"/proc/{worker._process.pid}/status").read_text()
        assert "Threads:\t1\n" in status
        assert "Seccomp:\t2\n" in status
        assert "NoNewPrivs:\t1\n" in status
    finally:
        worker.kill()


@needs_linux
def test_a_worker_does_not_know_its_user():
    worker = WorkerProcess(Options(), Limits())
    try:
        environment = Path(f"/proc/{worker._process.pid}/environ").read_bytes()
        names = {entry.split(b"=")[0].decode() for entry in environment.split(b"\0") if entry}
        assert {"HOME", "OMP_NUM_THREADS"} <= names
        others = names - {*process._OWN_ENVIRONMENT}
        assert [name for name in others if not name.startswith(process._KEPT_ENVIRONMENT)] == []
        assert b"HOME=/nonexistent\0" in environment
    finally:
        worker.kill()


class TestMissingRestrictions:
    """Where a restriction is missing, the others apply, hashing works, and the doctor says so."""

    MISSING = (
        "import hashkit.sandbox.lockdown, sys; sys.modules['landlock'] = None; "
        "hashkit.sandbox.system_calls._LIBSECCOMP = 'libnothing.so.2'; "
        "from hashkit.sandbox.worker import main"
    )

    def test_the_others_apply(self, monkeypatch, samples):
        begin = process._BOOTSTRAP.replace("from hashkit.sandbox.worker import main", self.MISSING)
        assert begin != process._BOOTSTRAP
        monkeypatch.setattr(process, "_BOOTSTRAP", begin)
        pool = WorkerPool(Options(), Limits())
        try:
            hashed = pool.hash(samples / "scene-1.jpg").outcome
            assert hashed["pdq"].quality == 100
            (worker,) = pool._all
            inactive = [each for each in worker.restrictions if not each.active]
            missing = [each.name for each in inactive]
            assert {"files", "system calls"} <= {*missing}
            assert "Python" not in missing
            if LINUX:
                assert len(missing) == 2
            assert all(each.reason for each in inactive)
        finally:
            pool.close()

    def test_the_doctor_says_so(self, monkeypatch, capsys):
        from hashkit.sandbox import doctor

        missing = (
            Restriction("files", False, "this kernel has no Landlock"),
            Restriction("Python", True),
        )
        nothing = {key: {} for key in ("system", "versions", "pictures", "videos")}
        found = doctor.Examination(missing, missing, {"fork": "not refused"}, **nothing)
        from hashkit.cli.commands.doctor import _facts, _in_words

        assert not found.all_refused
        text = "\n".join(_in_words(found))
        assert "NOT THERE: this kernel has no Landlock" in text
        assert "not refused" in text
        assert "does not refuse everything" in text
        assert "worker wall, files: this kernel has no Landlock" in "\n".join(_facts(found))


def test_a_restriction_that_fails_gives_the_reason():
    def broken():
        raise OSError(1, "no")

    assert lockdown._apply("files", broken) == Restriction("files", False, os.strerror(1))
