"""Restrictions on a process that opens hostile files, enforced by the operating system.

A worker (``hashkit.sandbox.worker``) calls ``lock_down`` before it sees the first file. After that
it can read files, compute, and answer through its pipe. It cannot open a connection, write or
create a file, start a program or another process, or exceed its memory limit. The restrictions,
from the outermost in:

    system calls   Linux, seccomp: calls that are not listed in ``system_calls`` fail
    files          Linux, Landlock: files can be read; nothing can be listed or written
    memory         POSIX: a limit on the address space; seccomp refuses memory beside it
    file size      POSIX: a limit on written bytes, in case the others fail
    core dumps     POSIX: a crash leaves no copy of the picture on disk; Linux: other processes of
                   the same user cannot read its memory
    Python         everywhere: an audit hook that refuses the same from Python code

A system that lacks some of these uses the rest, and ``hashkit doctor`` names those that are
missing. The client of a cluster may connect to one address (``hashkit.sandbox.connecting``), and
reads no files but Python's own. ``lock_network`` is for processes that pass files to workers and
need no network. ``lock_outgoing`` is for the local page's server, which only answers connections
from this machine. ``lock_to_send`` is for processes that send, and ``lock_memory`` for those that
start one that connects. All four are for processes that are hashkit's own: they hold to the end of
a process, so a library never calls them in the process of its caller.

Not limited on Linux: how many threads a worker starts. seccomp cannot count, and RLIMIT_NPROC does
not hold root and counts all processes of a user.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from hashkit.sandbox.connecting import Endpoint, Unavailable, refuses, restrict_ports
from hashkit.sandbox.system_calls import (
    WRITE_FLAGS,
    load_seccomp,
    restrict_network_calls,
    restrict_outgoing_calls,
    restrict_reaching_calls,
    restrict_system_calls,
)

_MAX_WRITTEN = 1 << 20
"""Bytes that a worker may write to one file. Decoders' messages are kept in a memory file."""

_MAX_OPEN_FILES = 128

_PR_SET_DUMPABLE = 4
# Audit events (docs.python.org/3/library/audit_events.html) that a worker does not need.
_REFUSED_EVENTS = (
    *("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("os.system", "pty.", "os.kill", "os.putenv", "os.unsetenv", "winreg.", "webbrowser."),
    *("os.chflags", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.mkfifo", "os.mknod"),
    *("os.remove", "os.rename", "os.rmdir", "os.setxattr", "os.removexattr", "os.symlink"),
    *("os.truncate", "os.utime", "shutil.", "tempfile.", "ftplib.", "http.client.", "urllib."),
    *("smtplib.", "sqlite3.connect", "ctypes.", "msvcrt.", "_winapi."),
)


@dataclass(frozen=True, slots=True)
class Restriction:
    """One restriction, whether it is active, and the reason if it is not."""

    name: str
    active: bool
    reason: str = ""


def lock_down(max_memory: int, connect_to: Endpoint | None = None) -> tuple[Restriction, ...]:
    """Apply all restrictions to this process, permanently. ``max_memory`` is in bytes. With
    ``connect_to``, it may connect there, and can read no files but those of Python's folders.

    Call it before any thread is started: Landlock applies to the calling thread and to those that
    it starts later. Never raises; restrictions that the system does not offer give a reason.
    """
    with suppress(Unavailable):
        load_seccomp()  # import it while files can still be found
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("memory", lambda: _limit("RLIMIT_AS", max_memory)),
        ("file size", _limit_files),
        ("core dumps", _no_core_dumps),
        ("files", lambda: _restrict_files("/" if connect_to is None else None)),
        ("system calls", lambda: restrict_system_calls(connect_to is not None)),
        ("Python", lambda: _restrict_python(connect_to)),
    )
    if connect_to is not None:  # first: Landlock takes calls that are refused later
        steps = (("connections", lambda: restrict_ports(connect_to.port)), *steps)
    return tuple(_apply(name, step) for name, step in steps)


def lock_network() -> tuple[Restriction, ...]:
    """Deny the network and other processes to this process and all that it starts, permanently,
    and its memory to others (``lock_memory``). Never raises."""
    return (
        *_lock_own_process(),
        _apply("system calls", restrict_network_calls),
        _apply("Python", lambda: sys.addaudithook(_refuse_network)),
    )


def lock_outgoing() -> tuple[Restriction, ...]:
    """Limit this process, and all that it starts, to incoming connections on ports that it already
    listens on, permanently. The rest is as in ``lock_network``. Never raises."""
    return (
        *_lock_own_process(),
        _apply("system calls", restrict_outgoing_calls),
        _apply("Python", lambda: sys.addaudithook(_refuse_outgoing)),
    )


def lock_to_send() -> tuple[Restriction, ...]:
    """Deny other processes to this process and all that it starts, permanently, and its memory to
    others (``lock_memory``). It keeps the network. Never raises."""
    return (*_lock_own_process(), _apply("system calls", restrict_reaching_calls))


def lock_memory() -> tuple[Restriction, ...]:
    """Keep the memory of this process from core dumps and, on Linux, from other processes of the
    same user (not from root), until it ends. Never raises.

    On Linux, files of this process in ``/proc`` then belong to root, and no debugger can be
    attached. Programs that it starts decide for themselves.
    """
    return (_apply("core dumps", _no_core_dumps),)


def _lock_own_process() -> tuple[Restriction, ...]:
    """What processes have in common that pass files to workers."""
    return (*lock_memory(), _apply("other processes", _restrict_other_processes))


def _apply(name: str, step: Callable[[], None]) -> Restriction:
    try:
        step()
    except Exception as error:  # the other restrictions still apply
        return Restriction(name, active=False, reason=_reason(error))
    return Restriction(name, active=True)


def _reason(error: Exception) -> str:
    """What the doctor says, also in a report that is passed on: errors of the system and of
    libraries may hold a path."""
    if isinstance(error, Unavailable):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return type(error).__name__


def _limit(name: str, value: int) -> None:
    try:
        import resource  # noqa: PLC0415 (POSIX only)
    except ImportError:
        raise Unavailable("this system has no such limit") from None
    which = getattr(resource, name)
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _limit_files() -> None:
    _limit("RLIMIT_FSIZE", _MAX_WRITTEN)
    _limit("RLIMIT_NOFILE", _MAX_OPEN_FILES)  # each could be memory of that size


def _no_core_dumps() -> None:
    _limit("RLIMIT_CORE", 0)
    if sys.platform == "linux":  # a core_pattern program ignores the limit
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def _landlock() -> ModuleType:
    """The package landlock, where the kernel has Landlock."""
    if sys.platform != "linux":
        raise Unavailable("only Linux has Landlock")
    try:
        import landlock  # noqa: PLC0415 (Linux only)
    except ImportError:
        raise Unavailable("the package landlock is not installed") from None
    ctypes.set_errno(0)  # else the package reports a stale errno
    try:
        landlock.landlock_abi_version()
    except OSError as error:
        raise Unavailable(
            f"this kernel has no Landlock ({os.strerror(error.errno or 0)})"
        ) from None
    return sys.modules["landlock"]


def _restrict_other_processes() -> None:
    """Keep this process, and those that it starts, out of the memory and the files of any other.

    Landlock does so as soon as it refuses anything, whichever way is taken: system calls, or
    ``/proc/PID/mem``, which seccomp cannot see. It holds the calling thread and later ones.
    """
    landlock = _landlock()
    access = landlock.FSAccess
    moving = access.REFER & access.all()  # between folders: refused unless allowed
    rules = landlock.Ruleset(access.MAKE_BLOCK | moving)
    if moving:
        rules.allow("/", rules=moving)
    rules.apply()


def _restrict_files(root: str | None = "/") -> None:
    landlock = _landlock()
    rules = landlock.Ruleset()
    readable = [] if root is None else [_SHARED_MEMORY]
    if root is not None:
        readable += [each.path for each in os.scandir(root) if each.name not in _SYSTEM_FOLDERS]
    for path in readable:
        with suppress(OSError):
            rules.allow(path, rules=landlock.FSAccess.READ_FILE)
    for folder in _python_folders():  # importing a module later lists its folder
        with suppress(OSError):
            rules.allow(folder, rules=landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR)
    rules.apply()


_SYSTEM_FOLDERS = ("dev", "proc", "sys")  # terminals and other processes, no user files
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 (users keep files there to avoid the disk)


def _python_folders() -> set[str]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(name) for name in names}
    return {path for path in sys.path if any(path.startswith(folder) for folder in folders)}


def _restrict_python(connect_to: Endpoint | None = None) -> None:
    sys.addaudithook(partial(_refuse, connect_to))


def _refuse(connect_to: Endpoint | None, event: str, arguments: tuple[Any, ...]) -> None:
    if connect_to is not None and event.startswith("socket."):
        if refuses(event, arguments, connect_to):
            raise PermissionError(errno.EPERM, f"{event} is refused in a client of hashkit")
    elif event.startswith(_REFUSED_EVENTS):
        raise PermissionError(errno.EPERM, f"{event} is refused in a worker of hashkit")
    if event == "open" and arguments[2] & WRITE_FLAGS:
        raise PermissionError(errno.EPERM, "writing is refused in a worker of hashkit")


def _refuse_network(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith("socket."):
        raise PermissionError(errno.EPERM, "hashkit does not use the network")


_LOOPBACK = ("127.0.0.1", "::1")


def _refuse_outgoing(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        # Loopback is allowed: on Windows an event loop wakes itself up through it.
        where = arguments[1]
        if where is None or (isinstance(where, tuple) and where and where[0] in _LOOPBACK):
            return
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return
    raise PermissionError(errno.EPERM, "hashkit opens no connection")
