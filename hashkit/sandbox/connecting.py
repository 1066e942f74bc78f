"""Restrictions on a process that may connect to one TCP address, and do no more than a worker else.

Used by ``hashkit.sandbox.lockdown`` for the client of a cluster, whose library runs what the
cluster sends. From the outermost in:

    system calls   Linux, seccomp: TCP over IP only; nothing listens, sends datagrams, or passes
                   descriptors on. seccomp cannot see the address that is connected to
    connections    Linux 6.7 and later, Landlock: connect to one port, of any machine
    Python         everywhere: an audit hook that refuses other addresses to Python code
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls, on every architecture
_VERSION = 1  # flag of the first: give the ABI version
_NETWORK_SINCE = 4  # ABI
_BIND_TCP, _CONNECT_TCP = 1, 2
_RULE_NET_PORT = 2
_PR_SET_NO_NEW_PRIVS = 38

_UNIX, _IP = 1, (2, 10)  # address families
_STREAM, _TYPE = 1, 0xF  # the type of a socket, without its flags
_PROTOCOLS = (0, 6)  # the default, which is TCP, and TCP. Landlock does not see others, as MPTCP
_FIONBIO = 0x5421
_SOCKET_LEVEL, _TCP_LEVEL = 1, 6
_OPTIONS = (
    *((_SOCKET_LEVEL, name) for name in (2, 7, 8, 9)),  # REUSEADDR, SNDBUF, RCVBUF, KEEPALIVE
    *((_TCP_LEVEL, name) for name in (1, 4, 5, 6, 18)),  # NODELAY, KEEPIDLE to KEEPCNT, timeout
)
# sendto, not sendmsg: seccomp would not see its address, with which TCP Fast Open connects.
_SENDTO_ADDRESS = 4
_CALLS = "connect recvfrom getsockopt getsockname getpeername shutdown"
CONNECTING_CALLS = ("socket", "socketpair", "connect", "sendto")
"""Calls of the network that are allowed to such a process, some with certain arguments only."""

_RESOLVING = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_HARMLESS = ("socket.__new__", "socket.gethostname")


class Unavailable(Exception):
    """This system does not offer a restriction. The text says why, and holds no path."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A numeric IP address, and a TCP port."""

    host: str
    port: int


class _Rules(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64), ("handled_access_net", ctypes.c_uint64))


class _PortRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def restrict_ports(port: int) -> None:
    """Landlock: this thread, and those that it starts, may connect to this TCP port alone, and
    listen on none. Raises Unavailable where the kernel cannot do this, or OSError."""
    if sys.platform != "linux":
        raise Unavailable("only Linux has Landlock")
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < _NETWORK_SINCE:
        raise Unavailable("this kernel's Landlock does not hold connections")
    rules = _Rules(0, _BIND_TCP | _CONNECT_TCP)
    descriptor = _checked(
        libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(ctypes.sizeof(rules)), 0)
    )
    try:
        rule = _PortRule(_CONNECT_TCP, port)
        _checked(libc.syscall(_ADD_RULE, descriptor, _RULE_NET_PORT, ctypes.byref(rule), 0))
        _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT_SELF, descriptor, 0))
    finally:
        os.close(descriptor)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def allow_connecting(seccomp: Any, add: Callable[..., None]) -> None:
    """Add what a TCP client calls to a list of allowed calls. ``add`` takes an action, a name, and
    conditions on the arguments."""
    allow, refuse, equal = seccomp.ALLOW, seccomp.ERRNO(errno.EPERM), seccomp.EQ
    for name in _CALLS.split():
        add(allow, name)
    stream = seccomp.Arg(1, seccomp.MASKED_EQ, _TYPE, _STREAM)
    for family in _IP:
        for protocol in _PROTOCOLS:
            add(
                *(allow, "socket", seccomp.Arg(0, equal, family), stream),
                seccomp.Arg(2, equal, protocol),
            )
    add(allow, "socketpair", seccomp.Arg(0, equal, _UNIX), stream)  # wakes an event loop up
    add(allow, "sendto", seccomp.Arg(_SENDTO_ADDRESS, equal, 0))
    add(refuse, "sendto", seccomp.Arg(_SENDTO_ADDRESS, seccomp.NE, 0))
    for level, option in _OPTIONS:
        add(allow, "setsockopt", seccomp.Arg(1, equal, level), seccomp.Arg(2, equal, option))
    add(allow, "ioctl", seccomp.Arg(1, equal, _FIONBIO))


def refuses(event: str, arguments: tuple[Any, ...], endpoint: Endpoint) -> bool:
    """Whether an audit event of Python's sockets is anything but connecting to the endpoint."""
    if event == "socket.connect":
        return bool(arguments[1][:2] != (endpoint.host, endpoint.port))
    if event in _RESOLVING:
        return bool(arguments[0] != endpoint.host)
    return event not in _HARMLESS
