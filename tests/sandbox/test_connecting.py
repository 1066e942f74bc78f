"""A process that may connect to one port: what the kernel refuses, and what Python's hook does,
each alone. Without restrictions, all attempts succeed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from hashkit.sandbox import connecting, lockdown
from hashkit.sandbox.connecting import Endpoint

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")

ATTEMPTS = r"""
import json, os, socket, sys
from hashkit.sandbox import connecting, lockdown

port, other, folder = json.loads(sys.argv[1])

def connect(family, kind, where, protocol=0):
    with socket.socket(family, kind, protocol) as made:
        made.settimeout(5)
        made.connect(where)
        return made.send(b"x")

def send(work):
    with socket.socket() as made:
        getattr(made, work)(*{
            "sendto": (b"x", socket.MSG_FASTOPEN, ("127.0.0.1", port)),
            "sendmsg": ([b"x"], [], socket.MSG_FASTOPEN, ("127.0.0.1", port)),
        }[work])

def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("127.0.0.1", port))

def options():
    with socket.socket() as made:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

def other_option():
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes(8))

def pair():
    one, two = socket.socketpair()
    one.send(b"x")
    two.recv(1)

TCP = socket.AF_INET, socket.SOCK_STREAM
MPTCP = 262
work = {
    "port": lambda: connect(*TCP, ("127.0.0.1", port)),
    "port, TCP by its number": lambda: connect(*TCP, ("127.0.0.1", port), 6),
    "port of another address": lambda: connect(*TCP, ("127.0.0.2", port)),
    "other port": lambda: connect(*TCP, ("127.0.0.1", other)),
    "other protocol": lambda: connect(*TCP, ("127.0.0.1", port), MPTCP),
    "sendto": lambda: send("sendto"),
    "sendmsg": lambda: send("sendmsg"),
    "UDP": udp,
    "UNIX": lambda: socket.socket(socket.AF_UNIX).close(),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "datagram pair": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    "packet pair": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
    "options": options,
    "other option": other_option,
    "pair": pair,
    "numbers": lambda: socket.getaddrinfo("127.0.0.1", port),
    "names": lambda: socket.getaddrinfo("localhost", port),
    "read": lambda: open(folder + "/secret").close(),
    "read Python's": lambda: open(os.__file__).close(),
    "write": lambda: open(folder + "/made", "w").close(),
}
exec(sys.argv[2])
found = []
for name, attempt in work.items():
    try:
        attempt()
    except OSError:
        pass
    else:
        found.append(name)
print(json.dumps(found))
"""
ALL = {
    *("port", "port, TCP by its number", "port of another address", "other port"),
    *(
        "other protocol",
        "sendto",
        "sendmsg",
        "UDP",
        "UNIX",
        "netlink",
        "datagram pair",
        "packet pair",
    ),
    *("listen", "options", "other option", "pair", "numbers", "names"),
    *("read", "read Python's", "write"),
}
# What a client does, and what the kernel cannot tell from it.
ALLOWED = {"port", "port, TCP by its number", "options", "pair", "numbers", "read Python's"}


@pytest.fixture
def succeeds(tmp_path):
    """The attempts that succeed after some code has run."""
    (tmp_path / "secret").write_text("a picture")

    def attempt(code):
        with (
            socket.create_server(("", 0)) as one,
            socket.create_server(("127.0.0.1", 0)) as two,
        ):
            targets = [one.getsockname()[1], two.getsockname()[1], str(tmp_path)]
            done = subprocess.run(
                [sys.executable, "-c", ATTEMPTS, json.dumps(targets), code],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        return {*json.loads(done.stdout)}

    return attempt


@needs_linux
class TestEachAlone:
    def test_nothing(self, succeeds):
        assert ALL - {"other protocol"} <= succeeds("") <= ALL

    def test_ports(self, succeeds):
        gone = ALL - succeeds("connecting.restrict_ports(port)")
        assert {"other port", "listen"} <= gone
        assert not gone & {"port", "port of another address", "pair", "options"}

    def test_system_calls(self, succeeds):
        """They cannot tell one address from another."""
        found = succeeds("lockdown.restrict_system_calls(may_connect=True)")
        unseen = {"port of another address", "other port", "read", "names"}
        assert found - {"names"} == (ALLOWED | unseen) - {"names"}

    def test_files(self, succeeds):
        found = succeeds("lockdown._restrict_files(None)")
        assert "read Python's" in found
        assert not found & {"read", "write"}

    def test_python(self, succeeds):
        where = "lockdown.Endpoint('127.0.0.1', port)"
        found = succeeds(f"lockdown._restrict_python({where})")
        # Files are read by Python code too. Options and kinds of sockets are for the kernel.
        harmless = {"other option", "UNIX", "netlink", "other protocol", "read"}
        harmless |= {"datagram pair", "packet pair"}
        assert found - harmless == ALLOWED

    def test_together(self, succeeds):
        where = "lockdown.Endpoint('127.0.0.1', port)"
        code = f"assert all(each.active for each in lockdown.lock_down(4 << 30, {where}))"
        assert succeeds(code) == ALLOWED


@needs_linux
def test_a_worker_may_not_connect(succeeds):
    """The exception is for those alone that are given an address."""
    assert not succeeds("lockdown.lock_down(4 << 30)") & {"port", "pair", "options", "numbers"}


class TestOlderSystems:
    def test_no_landlock_for_connections(self, monkeypatch):
        monkeypatch.setattr(connecting, "_NETWORK_SINCE", 1000)
        with pytest.raises(connecting.Unavailable, match="Landlock"):
            connecting.restrict_ports(8786)

    @needs_linux
    def test_the_reason_is_given_and_the_others_apply(self, succeeds):
        where = "lockdown.Endpoint('127.0.0.1', port)"
        code = (
            "connecting._NETWORK_SINCE = 1000\n"
            f"all_ = lockdown.lock_down(4 << 30, {where})\n"
            "missing = [each for each in all_ if not each.active]\n"
            "assert [each.name for each in missing] == ['connections']\n"
            "assert 'does not hold connections' in missing[0].reason\n"
        )
        assert succeeds(code) == ALLOWED


class TestTheHook:
    """Which events of Python's sockets are refused."""

    HERE = Endpoint("10.0.0.1", 8786)

    @pytest.mark.parametrize(
        ("event", "arguments"),
        [
            ("socket.connect", (None, ("10.0.0.1", 8786))),
            ("socket.connect", (None, ("10.0.0.1", 8786, 0, 0))),
            ("socket.getaddrinfo", ("10.0.0.1", 8786, 0, 0, 0)),
            ("socket.__new__", (None, 2, 1, 0)),
            ("socket.gethostname", ()),
        ],
    )
    def test_allows(self, event, arguments):
        assert not connecting.refuses(event, arguments, self.HERE)

    @pytest.mark.parametrize(
        ("event", "arguments"),
        [
            ("socket.connect", (None, ("10.0.0.1", 8787))),
            ("socket.connect", (None, ("10.0.0.2", 8786))),
            ("socket.connect", (None, "/run/socket")),
            ("socket.getaddrinfo", ("scheduler", 8786, 0, 0, 0)),
            ("socket.gethostbyname", ("scheduler",)),
            ("socket.bind", (None, ("10.0.0.1", 8786))),
            ("socket.sendto", (None, ("10.0.0.1", 8786))),
            ("socket.sendmsg", (None, None)),
        ],
    )
    def test_refuses(self, event, arguments):
        assert connecting.refuses(event, arguments, self.HERE)
        with pytest.raises(PermissionError):
            lockdown._refuse(self.HERE, event, arguments)

    def test_all_else_is_refused_as_in_a_worker(self):
        for event in ("os.system", "subprocess.Popen", "ctypes.dlopen", "os.remove"):
            with pytest.raises(PermissionError):
                lockdown._refuse(self.HERE, event, ())
