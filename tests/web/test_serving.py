"""The server opens no connection, and files of any size never touch the disk."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

TRY_TO_GET_OUT = """
import os, socket, sys, tempfile
unix = os.path.join(tempfile.mkdtemp(), "s")
mailbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
mailbox.bind(unix)
bind_unix = lambda: unix
listening = socket.create_server(("127.0.0.1", 0))
port = listening.getsockname()[1]
if sys.argv[1] == "locked":
    from hashkit.sandbox.lockdown import lock_outgoing
    assert all(each.active for each in lock_outgoing())

def attempt(name, work):
    try:
        work()
        print(name, "worked")
    except OSError as error:
        print(name, "failed", error.errno)

attempt("a connection", lambda: socket.create_connection(("127.0.0.1", port), 5).close())
attempt("a name", lambda: socket.getaddrinfo("localhost", 80))
attempt("a port", lambda: socket.create_server(("127.0.0.1", 0)).close())
attempt("a datagram", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print("a bare socket", "worked" if libc.socket(2, 1, 0) >= 0 else "failed")
def by_message():
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs = bind_unix()
    one.sendmsg([b"x"], [], 0, theirs)
attempt("a message", by_message)
one, other = socket.socketpair()
one.send(b"x")
print("a pair", "worked" if other.recv(1) == b"x" else "failed")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="held by the system on Linux only")
@pytest.mark.parametrize("how", ["free", "locked"])
def test_it_can_answer_and_nothing_else(how):
    done = subprocess.run(
        [sys.executable, "-c", TRY_TO_GET_OUT, how],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = dict(re.findall(r"^(an? .*?) (worked|failed)", done.stdout, re.M))
    expected = "worked" if how == "free" else "failed"
    assert found.pop("a pair") == "worked"
    assert len(found) == 6
    assert set(found.values()) == {expected}, done.stdout


NETWORK = "socket,connect,bind,listen,sendto,sendmsg,sendmmsg,io_uring_setup"
WRITING = (
    "open,openat,creat,openat2,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,"
    "symlinkat,truncate,unlink,unlinkat,memfd_create,mknod,mknodat"
)


@ON_LINUX
def test_the_server_itself_is_locked(serve, visit, attack, ordinary):
    """What it can do is tested above; here, that it has restricted itself."""
    visitor = visit(serve(preexec_fn=ordinary))
    process = Path(f"/proc/{visitor.server.process.pid}")
    assert re.search(r"^Seccomp:\s+2$", (process / "status").read_text(), re.M)
    assert re.search(r"^Max core file size +0 +0 ", (process / "limits").read_text(), re.M)
    assert attack(process.name) == set()


@ON_LINUX
def test_no_other_program_reads_a_worker(serve, visit, samples, attack, ordinary):
    visitor = visit(serve(preexec_fn=ordinary))
    visitor.hash((samples / "bmp.bmp").read_bytes())
    (worker,) = visitor.server.workers
    assert attack(worker) == set()


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_strace_sees_one_port_and_no_file_written(serve, visit, samples, tmp_path):
    """All system calls of the server and its workers while files are hashed."""
    log = tmp_path / "strace.log"
    watched = ["strace", "-f", "-qq", "-e", f"trace={NETWORK},{WRITING}", "-o", str(log)]
    visitor = visit(serve(under=watched))
    for name in ("scene-1.jpg", "heic.heic", "film-h264.mp4"):
        assert visitor.hash((samples / name).read_bytes())["verdict"] == "good"
    assert visitor.ask("GET", f"/submission?page={visitor.page}")[0] == 200
    assert visitor.ask("POST", f"/leave?page={visitor.page}", b"")[0] == 204
    visitor.server.process.wait(60)
    calls = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines()]
    calls = [call for call in calls if re.match(r"\w", call)]
    assert len(calls) > 500
    network = [call for call in calls if call.startswith(tuple(NETWORK.split(",")))]
    network = [call for call in network if not re.match(r"sendto\(\d+, .*, NULL, 0", call)]
    bound = [call for call in network if call.startswith("bind")]
    assert len(bound) == 1
    assert 'inet_addr("127.0.0.1")' in bound[0]
    for call in network:
        assert re.match(r"socket\(AF_INET, |bind|listen", call), call
    written = [call for call in calls if call not in network and not call.startswith("send")]
    written = [call for call in written if not re.search(r"O_RDONLY|O_PATH", call)]
    for call in written:
        assert "/dev/null" in call or call.startswith("memfd_create"), call


def test_nothing_is_left_behind(serve, visit, samples, tmp_path):
    folders = {name: tmp_path / name for name in ("HOME", "TMPDIR", "TEMP", "work")}
    for folder in folders.values():
        folder.mkdir()
    places = {name: str(folder) for name, folder in folders.items() if name != "work"}
    server = serve(env=places, cwd=folders["work"])
    visitor = visit(server)
    visitor.hash((samples / "film-h264.mp4").read_bytes(), variants=True)
    visitor.hash((samples / "heic.heic").read_bytes())
    assert visitor.ask("GET", f"/submission?page={visitor.page}")[0] == 200
    if os.name == "posix":
        server.end()
    else:  # nobody can press Ctrl-C for it
        assert visitor.ask("POST", f"/leave?page={visitor.page}", b"")[0] == 204
        server.process.wait(60)
    assert [each for folder in folders.values() for each in folder.rglob("*")] == []


@ON_LINUX
def test_a_very_long_video_takes_no_memory_and_no_disk(visitor, samples):
    """Half a gigabyte, of which only a few ranges are ever in memory."""
    film = (samples / "film-h264.mp4").read_bytes()
    padding = 512 << 20
    head = film + struct.pack(">I4sQ", 1, b"free", padding + 16)
    zeros = bytes(4 << 20)

    def read_range(start, length):
        part = head[start : start + length]
        return part + zeros[: length - len(part)]

    size = len(head) + padding
    number, state = visitor.begin(size)
    remote = 0
    while "done" not in state:
        remote += state["read"][2] if state["read"] else 0
        pids = [visitor.server.process.pid, *visitor.server.workers]
        assert [written for pid in pids for written in written_by(pid)] == []
        state = visitor.go_on(number, state, read_range)
    assert state["done"]["verdict"] == "good"
    assert remote < size + (16 << 20)
    for pid in pids:
        assert peak_memory_of(pid) < 300 << 20


def peak_memory_of(pid):
    """Peak memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10


def written_by(pid):
    """Writable files that a process holds open, whether they have a name or not."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed in the meantime
            flags = (
                Path(f"/proc/{pid}/fdinfo/{each.name}").read_text().split("flags:")[1].split()[0]
            )
            if int(flags, 8) & os.O_ACCMODE != os.O_RDONLY:
                found.append(os.readlink(each))
    # The decoders' messages are in memory, a megabyte of them at most.
    harmless = ("/dev/null", "/memfd:messages (deleted)")
    return [each for each in found if each.startswith("/") and each not in harmless]
