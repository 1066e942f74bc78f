"""Who can read the memory of the command, and what the command can do to other processes.

An attacker is a process of the same user without the right to trace all processes, which root has.
Each attempt is also made where nothing is locked, and succeeds there.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
LOCKS = ["lock_network", "lock_outgoing", "lock_to_send"]
ANYBODY = """
import ctypes, sys
ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0)  # where only parents may trace
"""
READY = "print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def start(ordinary):
    """Starts programs of Python that say when they are ready and end with the test."""
    running = []

    def begin(code, *arguments):
        command = [sys.executable, "-c", ANYBODY + code, *map(str, arguments)]
        running.append(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                preexec_fn=ordinary,  # noqa: PLW1509 (no threads here)
            )
        )
        assert running[-1].stdout.readline() == "ready\n"
        return running[-1].pid

    yield begin
    for process in running:
        process.communicate()


class TestOtherProcessesAreOutOfReach:
    """For the command and for the page's server, which could make one with a network send."""

    def test_without_a_lock(self, start, attack):
        worked = {"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "mem"}
        assert worked <= attack(start(READY))

    @pytest.mark.parametrize("lock", LOCKS)
    def test_with_it(self, lock, start, attack):
        assert attack(start(READY), lock) == set()

    @pytest.mark.parametrize("lock", LOCKS)
    def test_from_a_thread_that_ran_before(self, lock, start, attack):
        """There, seccomp alone holds, which cannot see which file is opened."""
        assert attack(start(READY), lock, "thread") == {"mem"}

    @pytest.mark.parametrize("lock", LOCKS)
    def test_files_can_be_moved_between_folders(self, lock, tmp_path):
        """Landlock refuses it to any process that has a ruleset, unless it is allowed."""
        code = f"""
import os, sys
from hashkit.sandbox import lockdown
lockdown.{lock}()
os.rename("one/a", "other/a")
os.link("other/a", "one/b")
"""
        for folder in ("one", "other"):
            (tmp_path / folder).mkdir()
        (tmp_path / "one" / "a").touch()
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
        assert sorted(path.name for path in tmp_path.rglob("?")) == ["a", "b"]


LOCKED = """
from hashkit.sandbox import lockdown
assert all(each.active for each in getattr(lockdown, sys.argv[1])())
"""

# The real command, held where it has begun to hash, or to look for the cluster.
HASHING = """
from hashkit.cli.actions import hash
from hashkit.cli import app
def wait(*arguments, **options):
    print("ready", flush=True)
    sys.stdin.read()
    sys.exit()
hash.hash_files = hash.cluster = wait
app(sys.argv[1:])
"""


# The real command, held where it asks before it sends; its credentials are in memory then.
SENDING = """
from hashkit.cli.actions import sending
from hashkit.cli import app
def wait(*arguments, **options):
    print("ready", flush=True)
    sys.stdin.read()
    sys.exit()
sending.ask = wait
app(sys.argv[1:])
"""
PROFILE = """[test]
kind = "hma"
address = "https://hma.invalid"
bank = "BANK"
token = "env:PATH"
"""


@pytest.fixture
def profiles(tmp_path):
    (tmp_path / "profiles.toml").write_text(PROFILE)
    return tmp_path / "profiles.toml"


@pytest.fixture
def submission(tmp_path):
    from hashkit import Submission
    from hashkit.models import Hash, MediaKind
    from hashkit.submission.document import Item

    item = Item(MediaKind.IMAGE, (Hash("pdq", "0" * 64, 90),))
    (tmp_path / "s.json").write_text(Submission.from_items([item]).to_json())
    return tmp_path / "s.json"


class TestMemoryIsOutOfReach:
    def test_without_a_lock(self, start, attack):
        assert {"process_vm_readv", "mem", "ptrace"} <= attack(start(READY))

    @pytest.mark.parametrize("lock", [*LOCKS, "lock_memory"])
    def test_with_it(self, lock, start, attack):
        assert attack(start(LOCKED + READY, lock)) == set()

    @pytest.mark.parametrize("options", [[], ["--dask", "tcp://127.0.0.1:1"]])
    def test_of_the_command(self, options, start, attack, samples):
        pid = start(HASHING, "hash", samples / "bmp.bmp", *options)
        assert attack(pid) == set()
        assert "Max core file size        0                    0 " in limits_of(pid)

    @pytest.mark.test_all
    def test_of_sending(self, submission, profiles, start, attack):
        pid = start(SENDING, "send", submission, "--to", "test", "--profiles", profiles)
        assert attack(pid) == set()
        assert "Max core file size        0                    0 " in limits_of(pid)


def limits_of(pid):
    return Path(f"/proc/{pid}/limits").read_text()


CRASH = """
import ctypes, sys
from hashkit.sandbox import lockdown
if sys.argv[1]:
    getattr(lockdown, sys.argv[1])()
ctypes.CDLL(None).abort()
"""


def allow_core_dumps():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if not os.geteuid():
        hard = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


@pytest.mark.parametrize("lock", ["", *LOCKS, "lock_memory"])
def test_a_crash_leaves_nothing(lock, tmp_path):
    pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    done = subprocess.run(
        [sys.executable, "-c", CRASH, lock],
        cwd=tmp_path,
        preexec_fn=allow_core_dumps,
        check=False,
        timeout=60,
    )
    assert done.returncode < 0
    left = [*tmp_path.iterdir()]
    if lock:
        assert left == []
    elif "/" in pattern or "|" in pattern or not left:
        pytest.skip("core dumps go elsewhere here, or are not allowed")


AS_ANYBODY = """
import codecs, json, os, resource, socket, subprocess, sys
import landlock, pyseccomp
from hashkit.sandbox import lockdown
from hashkit.web import peers
lockdown.load_seccomp()
codecs.lookup("ascii")  # all before: this Python may be one that only root can read
listening = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listening.getsockname())
far, peer = listening.accept()
tables = peers.SocketTables(listening.getsockname())
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
lockdown.ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as any program is
reasons = [each.reason for each in lockdown.lock_outgoing()]
assert reasons == [""] * 4, reasons
print(json.dumps({
    "owner": tables.owner_of(peer, far.getsockname()),
    "status": "Threads:" in open("/proc/self/status").read(),
    "descriptors": len(os.listdir("/proc/self/fd")) > 2,
    "a program": subprocess.run(["/bin/true"], close_fds=True).returncode,
}))
"""


def test_what_the_server_reads_of_itself_is_there_for_anybody():
    """Not dumpable, a process does not own its files in /proc any more. Without rights of root, the
    guard still reads whose a connection is."""
    done = subprocess.run(
        [sys.executable, "-c", AS_ANYBODY], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("owner") == os.geteuid()
    assert found == {"status": True, "descriptors": True, "a program": 0}
