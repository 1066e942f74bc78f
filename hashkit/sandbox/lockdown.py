"""Restrictions on a process that opens hostile files, enforced by the operating system.

A worker (``hashkit.sandbox.worker``) calls ``lock_down`` before it sees the first file. After that
it can read files, compute, and answer through its pipe. It cannot open a connection, write or
create a file, start a program or another process, or exceed its memory limit. The restrictions,
from the outermost in:

    system calls   Linux, seccomp: calls that are not listed below fail
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
import ctypes.util
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

from hashkit.sandbox.connecting import (
    CONNECTING_CALLS,
    Endpoint,
    allow_connecting,
    refuses,
    restrict_ports,
)

_MAX_WRITTEN = 1 << 20
"""Bytes that a worker may write to one file. Decoders' messages are kept in a memory file."""

_MAX_OPEN_FILES = 128

# All that decoding needs. Every other call, also a future one, fails with ENOSYS. Calls whose
# arguments matter are in ``_allow_by_arguments``.
_ALLOWED_CALLS = """
    read readv pread64 preadv preadv2 write writev pwrite64 lseek close close_range
    dup dup2 dup3 pipe pipe2 eventfd eventfd2
    stat lstat fstat newfstatat fstatat64 statx statfs fstatfs access faccessat faccessat2
    readlink readlinkat getcwd getdents getdents64 fadvise64
    munmap mprotect mremap madvise mincore msync brk membarrier get_mempolicy
    futex futex_waitv set_robust_list get_robust_list rseq set_tid_address arch_prctl
    sched_yield sched_getaffinity sched_getparam sched_getscheduler
    sched_get_priority_min sched_get_priority_max getpriority getcpu
    getpid getppid gettid getpgrp getsid getuid geteuid getgid getegid getgroups
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times
    clock_gettime64 clock_nanosleep_time64 futex_time64
    setitimer getitimer alarm pause
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigpending sigaltstack
    poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait
    uname sysinfo getrandom getrusage getrlimit
    restart_syscall exit exit_group
"""

_NETWORK_CALLS = """
    socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvmsg recvmmsg
    io_uring_setup io_uring_enter io_uring_register
"""

# Refused to a server that may only accept connections and answer.
_OUTGOING_CALLS = """
    socket connect bind io_uring_setup io_uring_enter io_uring_register
"""

# What reaches into other processes, which may have a network: memory, files, performance.
_OTHER_PROCESSES_CALLS = """
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp
    perf_event_open move_pages migrate_pages
"""
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: commands typed for the user's shell
_SOCKET_TYPE, _DATAGRAM = 0xF, 2  # without its flags
_SENDTO_ADDRESS = 4  # the argument of sendto that holds the address

_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_O_TMPFILE = 0o20000000
_CLONE_THREAD = 0x00010000
_MAP_TYPE, _MAP_PRIVATE = 0xF, 0x2
_PR_SET_DUMPABLE, _PR_SET_NAME = 4, 15
_UNKNOWN_CALL = -1
_LIBSECCOMP = "libseccomp.so.2"
_O_ASYNC = 0o20000
_ALLOWED_FCNTLS = (0, 1, 2, 3, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_SET_FLAGS = 4  # of fcntl: F_SETFL
_ALLOWED_IOCTLS = (0x5401, 0x5450, 0x5451)  # TCGETS, FIONCLEX, FIOCLEX

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
    with suppress(_Unavailable):
        _seccomp()  # import it while files can still be found
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("memory", lambda: _limit("RLIMIT_AS", max_memory)),
        ("file size", _limit_files),
        ("core dumps", _no_core_dumps),
        ("files", lambda: _restrict_files("/" if connect_to is None else None)),
        ("system calls", lambda: _restrict_system_calls(connect_to is not None)),
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
        _apply("system calls", _restrict_network_calls),
        _apply("Python", lambda: sys.addaudithook(_refuse_network)),
    )


def lock_outgoing() -> tuple[Restriction, ...]:
    """Limit this process, and all that it starts, to incoming connections on ports that it already
    listens on, permanently. The rest is as in ``lock_network``. Never raises."""
    return (
        *_lock_own_process(),
        _apply("system calls", _restrict_outgoing_calls),
        _apply("Python", lambda: sys.addaudithook(_refuse_outgoing)),
    )


def lock_to_send() -> tuple[Restriction, ...]:
    """Deny other processes to this process and all that it starts, permanently, and its memory to
    others (``lock_memory``). It keeps the network. Never raises."""
    return (*_lock_own_process(), _apply("system calls", _restrict_reaching_calls))


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
    if isinstance(error, _Unavailable):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return type(error).__name__


class _Unavailable(Exception):
    """This system does not offer the restriction."""


def _limit(name: str, value: int) -> None:
    try:
        import resource  # noqa: PLC0415 (POSIX only)
    except ImportError:
        raise _Unavailable("this system has no such limit") from None
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
        raise _Unavailable("only Linux has Landlock")
    try:
        import landlock  # noqa: PLC0415 (Linux only)
    except ImportError:
        raise _Unavailable("the package landlock is not installed") from None
    ctypes.set_errno(0)  # else the package reports a stale errno
    try:
        landlock.landlock_abi_version()
    except OSError as error:
        raise _Unavailable(
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


def _seccomp() -> ModuleType:
    """The package pyseccomp. Importing it normally runs programs, even a compiler, to find its
    library, so ``find_library`` is replaced during the import."""
    if sys.platform != "linux":
        raise _Unavailable("only Linux has seccomp")
    try:
        ctypes.CDLL(_LIBSECCOMP)
    except OSError:
        raise _Unavailable("libseccomp is not installed") from None
    original = ctypes.util.find_library
    known = {"seccomp": _LIBSECCOMP}  # None for "c": the running program
    setattr(ctypes.util, "find_library", known.get)  # noqa: B010 (mypy rejects plain assignment)
    try:
        import pyseccomp  # noqa: F401, PLC0415 (Linux only)
    except ImportError:
        raise _Unavailable("the package pyseccomp is not installed") from None
    except Exception:  # a library that lacks what the package needs
        raise _Unavailable("libseccomp does not fit the package pyseccomp") from None
    finally:
        setattr(ctypes.util, "find_library", original)  # noqa: B010
    return sys.modules["pyseccomp"]


def _restrict_system_calls(may_connect: bool = False) -> None:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)  # applies to all existing threads
    for name in _ALLOWED_CALLS.split():
        _add(seccomp, rules, seccomp.ALLOW, name)
    _allow_by_arguments(seccomp, rules)
    for name in _NETWORK_CALLS.split():
        if not (may_connect and name in CONNECTING_CALLS):
            _add(seccomp, rules, seccomp.ERRNO(errno.EPERM), name)
    if may_connect:
        allow_connecting(seccomp, partial(_add, seccomp, rules))
    rules.load()


def _allow_by_arguments(seccomp: ModuleType, rules: Any) -> None:
    """Allow calls with certain arguments only."""
    allow, refuse = seccomp.ALLOW, seccomp.ERRNO(errno.EPERM)
    only = seccomp.MASKED_EQ
    writing = _WRITE_FLAGS | _O_TMPFILE
    for name, flags in (("open", 1), ("openat", 2)):
        _add(seccomp, rules, allow, name, seccomp.Arg(flags, only, writing, 0))
        for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_APPEND, _O_TMPFILE):
            _add(seccomp, rules, refuse, name, seccomp.Arg(flags, only, flag, flag))
    # Shared memory lasts while any page of it is mapped, so the limit on the address space does not
    # hold it. (The same goes for memfd_create, shmget and memfd_secret, which are not allowed.)
    for name in ("mmap", "mmap2"):
        for kind in range(_MAP_TYPE + 1):
            action = allow if kind == _MAP_PRIVATE else refuse
            _add(seccomp, rules, action, name, seccomp.Arg(3, only, _MAP_TYPE, kind))
    _add(seccomp, rules, refuse, "memfd_create")
    # Threads, not processes. (clone3 hides its flags from seccomp; libraries fall back to clone.)
    _add(seccomp, rules, allow, "clone", seccomp.Arg(0, only, _CLONE_THREAD, _CLONE_THREAD))
    _add(seccomp, rules, refuse, "clone", seccomp.Arg(0, only, _CLONE_THREAD, 0))
    for name in ("fork", "vfork", "execve", "execveat"):
        _add(seccomp, rules, refuse, name)
    _add(seccomp, rules, allow, "tgkill", seccomp.Arg(0, seccomp.EQ, os.getpid()))  # abort()
    _add(seccomp, rules, allow, "prctl", seccomp.Arg(0, seccomp.EQ, _PR_SET_NAME))
    _add(seccomp, rules, allow, "prlimit64", seccomp.Arg(2, seccomp.EQ, 0))  # read only
    for command in _ALLOWED_FCNTLS:
        _add(seccomp, rules, allow, "fcntl", seccomp.Arg(1, seccomp.EQ, command))
    set_flags = seccomp.Arg(1, seccomp.EQ, _SET_FLAGS)
    # O_ASYNC would make the kernel send signals to any process.
    _add(seccomp, rules, allow, "fcntl", set_flags, seccomp.Arg(2, only, _O_ASYNC, 0))
    for request in _ALLOWED_IOCTLS:
        _add(seccomp, rules, allow, "ioctl", seccomp.Arg(1, seccomp.EQ, request))


def _restrict_network_calls() -> None:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    for name in _NETWORK_CALLS.split():
        _add(seccomp, rules, seccomp.ERRNO(errno.EPERM), name)
    _refuse_other_processes(seccomp, rules)
    rules.load()


def _restrict_outgoing_calls() -> None:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in _OUTGOING_CALLS.split():
        _add(seccomp, rules, refuse, name)
    _add(seccomp, rules, refuse, "sendto", seccomp.Arg(_SENDTO_ADDRESS, seccomp.NE, 0))
    # seccomp cannot see the address given to sendmsg; only datagram sockets use it.
    datagram = seccomp.Arg(1, seccomp.MASKED_EQ, _SOCKET_TYPE, _DATAGRAM)
    _add(seccomp, rules, refuse, "socketpair", datagram)
    _refuse_other_processes(seccomp, rules)
    rules.load()


def _restrict_reaching_calls() -> None:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    _refuse_other_processes(seccomp, rules)
    rules.load()


def _refuse_other_processes(seccomp: ModuleType, rules: Any) -> None:
    """The part of ``_restrict_other_processes`` that also holds threads that run already."""
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in _OTHER_PROCESSES_CALLS.split():
        _add(seccomp, rules, refuse, name)
    for request in _TERMINAL_INPUT:  # of the argument, the kernel takes 32 bits
        wanted = seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request)
        _add(seccomp, rules, refuse, "ioctl", wanted)


def _add(seccomp: ModuleType, rules: Any, action: int, name: str, *arguments: Any) -> None:
    number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
    if number != _UNKNOWN_CALL:  # old versions of libseccomp lack some
        rules.add_rule(action, number, *arguments)


def _restrict_python(connect_to: Endpoint | None = None) -> None:
    sys.addaudithook(partial(_refuse, connect_to))


def _refuse(connect_to: Endpoint | None, event: str, arguments: tuple[Any, ...]) -> None:
    if connect_to is not None and event.startswith("socket."):
        if refuses(event, arguments, connect_to):
            raise PermissionError(errno.EPERM, f"{event} is refused in a client of hashkit")
    elif event.startswith(_REFUSED_EVENTS):
        raise PermissionError(errno.EPERM, f"{event} is refused in a worker of hashkit")
    if event == "open" and arguments[2] & _WRITE_FLAGS:
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
