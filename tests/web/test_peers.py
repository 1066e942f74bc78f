"""Which user a connection belongs to, as the kernel says."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest

from hashkit.web import peers
from hashkit.web.connections import Connections
from hashkit.web.peers import TABLES, SocketTables

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

MPTCP = 262  # socket.IPPROTO_MPTCP, where the kernel has it
WAYS = {
    "IPv4": (socket.AF_INET, "127.0.0.1", 0),
    "another address of this machine": (socket.AF_INET, "127.0.0.1", 0),
    "IPv6": (socket.AF_INET6, "::ffff:127.0.0.1", 0),
    "MPTCP": (socket.AF_INET, "127.0.0.1", MPTCP),
    "MPTCP over IPv6": (socket.AF_INET6, "::ffff:127.0.0.1", MPTCP),
}


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


@pytest.fixture
def tables(listening):
    with SocketTables(listening.getsockname()) as found:
        yield found


def connect(way, listening):
    family, address, protocol = WAYS[way]
    try:
        client = socket.socket(family, socket.SOCK_STREAM, protocol)
    except OSError as error:
        pytest.skip(f"this system has no such sockets: {error}")
    if way.startswith("another"):
        client.bind(("127.0.0.9", 0))
    client.connect((address, listening.getsockname()[1]))
    served, peer = listening.accept()
    return client, served, peer


@pytest.mark.parametrize("way", WAYS)
def test_this_user_is_found_however_it_connects(way, listening, tables):
    client, served, peer = connect(way, listening)
    with client, served:
        assert tables.tell_owners
        assert tables.owner_of(peer, served.getsockname()) == os.getuid()
        client.shutdown(socket.SHUT_WR)
        assert tables.owner_of(peer, served.getsockname()) == os.getuid()


CONNECT = """
family, protocol, port = map(int, sys.argv[1:4])
client = socket.socket(family, socket.SOCK_STREAM, protocol)
client.connect((sys.argv[4], port))
if sys.argv[5] == "half closed":
    client.shutdown(socket.SHUT_WR)
print(client.getsockname()[1], flush=True)
client.recv(1)
"""


@pytest.mark.parametrize("state", ["open", "half closed"])
@pytest.mark.parametrize("way", [each for each in WAYS if not each.startswith("another")])
def test_another_user_is_found_however_they_connect(way, state, as_another_user, tables, listening):
    family, address, protocol = WAYS[way]
    for each in connect(way, listening)[:2]:  # skips where there are no such sockets
        each.close()
    found = []

    def wait():
        served, peer = listening.accept()
        found.append((tables.owner_of(peer, served.getsockname()), peer[1]))
        served.sendall(b"x")
        served.close()

    thread = threading.Thread(target=wait)
    thread.start()
    port = listening.getsockname()[1]
    output = as_another_user(CONNECT, int(family), protocol, port, address, state)
    thread.join()
    assert found == [(65534, int(output))]


@pytest.mark.parametrize("way", [each for each in WAYS if "MPTCP" not in each])
def test_a_closed_socket_is_nobodys(way, listening, tables):
    """Many kernels list it as root's."""
    client, served, peer = connect(way, listening)
    with served:
        client.send(b"x")
        client.close()
        assert tables.owner_of(peer, served.getsockname()) is None


def test_a_socket_that_is_not_listed_is_nobodys(listening, tables):
    client, served, peer = connect("IPv4", listening)
    with client, served:
        here = served.getsockname()
        assert tables.owner_of((peer[0], peer[1] ^ 1), here) is None
        assert tables.owner_of(peer, (here[0], here[1] ^ 1)) is None
        assert tables.owner_of(("127.0.0.2", peer[1]), here) is None
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # with a reset: the kernel forgets it
        assert tables.owner_of(peer, here) is None


def test_a_line_that_was_missed_is_found_when_read_again(listening, tables, monkeypatch):
    """A table is read while other sockets come and go."""
    client, served, peer = connect("IPv4", listening)
    find, reads = peers._find, []

    def missed(table, wanted):
        reads.append(table.name)
        return None if len(reads) <= len(TABLES) else find(table, wanted)

    monkeypatch.setattr(peers, "_find", missed)
    with client, served:
        assert tables.owner_of(peer, served.getsockname()) == os.getuid()


def test_no_more_files_do_not_hide_who_it_is(listening, tables):
    """Another user may open connections until this process has no file left."""
    client, served, peer = connect("IPv4", listening)
    taken = []
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            os.open("/dev/null", os.O_RDONLY)
        assert tables.owner_of(peer, served.getsockname()) == os.getuid()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for each in taken:
            os.close(each)
        client.close()
        served.close()


def test_a_table_that_can_no_longer_be_read_lets_nobody_in(listening):
    tables = SocketTables(listening.getsockname())
    client, served, peer = connect("IPv4", listening)
    for table in tables._tables:
        os.close(table.fileno())
    with client, served:
        assert tables.tell_owners
        assert tables.owner_of(peer, served.getsockname()) is None
    for table in tables._tables:
        with suppress(OSError):
            table.close()


def test_without_ipv6_there_is_one_table(listening, tmp_path):
    client, served, peer = connect("IPv4", listening)
    names = ("/proc/net/tcp", str(tmp_path / "none"))
    with client, served, SocketTables(listening.getsockname(), names) as tables:
        assert tables.tell_owners
        assert tables.owner_of(peer, served.getsockname()) == os.getuid()


def test_a_system_that_does_not_say(listening, tmp_path):
    """Some list no socket, and some have no table."""
    empty = tmp_path / "tcp"
    empty.write_bytes(b"  sl  local_address rem_address   st tx_queue rx_queue\n")
    for names in ((str(tmp_path / "none"),), (str(empty),), (str(tmp_path),)):
        with SocketTables(listening.getsockname(), names) as tables:
            assert not tables.tell_owners


# The owner of the socket, None if it is not listed; whether the tables say; admitted, and surely.
PERSONS = [
    (1000, True, (True, True)),
    (0, True, (True, False)),
    (1001, True, None),
    (None, True, None),
    (None, False, (True, False)),
]


@pytest.mark.parametrize(("owner", "tell", "expected"), PERSONS)
def test_who_is_admitted_and_who_is_surely_this_user(owner, tell, expected, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    tables = SimpleNamespace(tell_owners=tell, owner_of=lambda local, remote: owner)
    transport = SimpleNamespace(get_extra_info=lambda name: ("127.0.0.1", 1))
    peer = Connections(tables).peer_of(transport)
    assert (peer and (True, peer.same_user)) == expected
