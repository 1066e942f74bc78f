"""What a process that opens hostile files may not do, held by the operating system.

A worker (``hashkit.sandbox.worker``) calls ``lock_down`` before it sees the first file. From then
on it can read files, compute, and answer through the pipe that it was given; it has no way to
open a connection, to write or create a file, to start a program or another process, or to take
more memory than it was allowed. The walls, from the outside in:

    system calls   Linux, seccomp: what is not on the list below does not exist
    files          Linux, Landlock: files may be read, folders not even listed, nothing written
    memory         POSIX: a limit of the address space
    file size      POSIX: a limit on what could be written, should all else fail
    core dumps     POSIX: a crash leaves no copy of the picture on disk
    Python         everywhere: an audit hook that refuses the same from Python code

Where the system offers less, those that it has stand, and ``hashkit doctor`` says which. A process
that hands files to workers has no business on the network either: ``lock_network``. One that has to
answer somebody on this machine gives up all else: ``lock_outgoing``.
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
from types import ModuleType
from typing import Any

_DECODER_WORDS = 1 << 20
"""Bytes that a worker may write to one file: the memory in which decoders' complaints are kept."""

_OPEN_FILES = 128

# All that decoding takes. Everything else answers "no such call", and so will what is invented
# after this was written. Calls that take flags which matter are in ``_allow_in_part``.
_SYSTEM_CALLS = """
    read readv pread64 preadv preadv2 write writev pwrite64 lseek close close_range
    dup dup2 dup3 pipe pipe2 eventfd eventfd2 memfd_create
    stat lstat fstat newfstatat fstatat64 statx statfs fstatfs access faccessat faccessat2
    readlink readlinkat getcwd getdents getdents64 fadvise64
    mmap mmap2 munmap mprotect mremap madvise mincore msync brk membarrier get_mempolicy
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

# What is left is to accept, and to answer.
_OUTGOING_CALLS = """
    socket connect bind io_uring_setup io_uring_enter io_uring_register
    ptrace process_vm_writev pidfd_getfd
"""
_SOCKET_TYPE, _DATAGRAM = 0xF, 2  # without its flags
_SENDTO_ADDRESS = 4  # which argument of sendto says where to

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_O_TMPFILE = 0o20000000
_CLONE_THREAD = 0x00010000
_PR_SET_DUMPABLE, _PR_SET_NAME = 4, 15
_UNKNOWN_CALL = -1
_LIBSECCOMP = "libseccomp.so.2"
_O_ASYNC = 0o20000
_DESCRIPTORS = (0, 1, 2, 3, 1030)  # of fcntl: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_SET_FLAGS = 4  # of fcntl: F_SETFL
_TERMINAL_OR_NOT = (0x5401, 0x5450, 0x5451)  # TCGETS, FIONCLEX, FIOCLEX

# Audit events (docs.python.org/3/library/audit_events.html) that a worker has no use for.
_REFUSED = (
    *("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("os.system", "pty.", "os.kill", "os.putenv", "os.unsetenv", "winreg.", "webbrowser."),
    *("os.chflags", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.mkfifo", "os.mknod"),
    *("os.remove", "os.rename", "os.rmdir", "os.setxattr", "os.removexattr", "os.symlink"),
    *("os.truncate", "os.utime", "shutil.", "tempfile.", "ftplib.", "http.client.", "urllib."),
    *("smtplib.", "sqlite3.connect", "ctypes.", "msvcrt.", "_winapi."),
)


@dataclass(frozen=True, slots=True)
class Wall:
    """One of the walls: whether it stands, and if not, why."""

    name: str
    stands: bool
    reason: str = ""


def lock_down(max_memory: int) -> tuple[Wall, ...]:
    """Build all walls around this process, for good. ``max_memory`` is in bytes.

    Call it before any thread is started: Landlock holds the thread that asks for it, and those
    that it starts. Never raises: the walls that the system does not offer say why.
    """
    with suppress(_NotHere):
        _seccomp()  # import it while files can still be found
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("memory", lambda: _limit("RLIMIT_AS", max_memory)),
        ("file size", _limit_files),
        ("core dumps", _no_core_dumps),
        ("files", _hold_files),
        ("system calls", _hold_system_calls),
        ("Python", _hold_python),
    )
    return tuple(_build(name, step) for name, step in steps)


def lock_network() -> tuple[Wall, ...]:
    """Take the network from this process and all that it starts, for good. Never raises."""
    return (
        _build("system calls", _hold_network_calls),
        _build("Python", lambda: sys.addaudithook(_refuse_network)),
    )


def lock_outgoing() -> tuple[Wall, ...]:
    """Keep this process, and all that it starts, to the connections that others make to the port
    that it listens at already: it can open none, and no other port, for good. Never raises."""
    return (
        _build("system calls", _hold_outgoing_calls),
        _build("Python", lambda: sys.addaudithook(_refuse_outgoing)),
    )


def _build(name: str, step: Callable[[], None]) -> Wall:
    try:
        step()
    except Exception as error:  # whatever keeps this wall from standing, the others must
        return Wall(name, stands=False, reason=str(error) or type(error).__name__)
    return Wall(name, stands=True)


class _NotHere(Exception):
    """This system has no such wall."""


def _limit(name: str, value: int) -> None:
    try:
        import resource  # noqa: PLC0415 (POSIX only)
    except ImportError:
        raise _NotHere("this system has no such limit") from None
    which = getattr(resource, name)
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _limit_files() -> None:
    _limit("RLIMIT_FSIZE", _DECODER_WORDS)
    _limit("RLIMIT_NOFILE", _OPEN_FILES)  # each could be memory of that size


def _no_core_dumps() -> None:
    _limit("RLIMIT_CORE", 0)
    if sys.platform == "linux":  # there, a program that collects dumps need not ask for the limit
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def _hold_files() -> None:
    if sys.platform != "linux":
        raise _NotHere("only Linux has Landlock")
    try:
        import landlock  # noqa: PLC0415 (Linux only)
    except ImportError:
        raise _NotHere("the package landlock is not installed") from None
    ctypes.set_errno(0)  # the package takes a leftover for its own
    try:
        rules = landlock.Ruleset()
    except OSError as error:
        raise _NotHere(f"this kernel has no Landlock ({os.strerror(error.errno or 0)})") from None
    for entry in os.scandir("/"):
        if entry.name not in _NO_FILES_OF_PEOPLE:
            with suppress(OSError):
                rules.allow(entry.path, rules=landlock.FSAccess.READ_FILE)
    with suppress(OSError):
        rules.allow(_SHARED_MEMORY, rules=landlock.FSAccess.READ_FILE)
    for folder in _python_folders():  # a module may be imported late, and is looked for in lists
        with suppress(OSError):
            rules.allow(folder, rules=landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR)
    rules.apply()


_NO_FILES_OF_PEOPLE = ("dev", "proc", "sys")  # but terminals, and what other processes do
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 (where people keep files that are not to touch the disk)


def _python_folders() -> set[str]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(name) for name in names}
    return {path for path in sys.path if any(path.startswith(folder) for folder in folders)}


def _seccomp() -> ModuleType:
    """The package pyseccomp. To find its library it would run programs, and a compiler if need be:
    it is told instead."""
    if sys.platform != "linux":
        raise _NotHere("only Linux has seccomp")
    try:
        ctypes.CDLL(_LIBSECCOMP)
    except OSError:
        raise _NotHere("libseccomp is not installed") from None
    original = ctypes.util.find_library
    known = {"seccomp": _LIBSECCOMP}  # and None, for "c", is this program
    setattr(ctypes.util, "find_library", known.get)  # noqa: B010 (mypy takes it for a definition)
    try:
        import pyseccomp  # noqa: F401, PLC0415 (Linux only)
    except ImportError:
        raise _NotHere("the package pyseccomp is not installed") from None
    finally:
        setattr(ctypes.util, "find_library", original)  # noqa: B010
    return sys.modules["pyseccomp"]


def _hold_system_calls() -> None:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)  # all threads, should there be others already
    for name in _SYSTEM_CALLS.split():
        _add(seccomp, rules, seccomp.ALLOW, name)
    _allow_in_part(seccomp, rules)
    rules.load()


def _allow_in_part(seccomp: ModuleType, rules: Any) -> None:
    """Calls that are allowed with some flags only."""
    allow, refuse = seccomp.ALLOW, seccomp.ERRNO(errno.EPERM)
    only = seccomp.MASKED_EQ
    writing = _WRITING | _O_TMPFILE
    for name, flags in (("open", 1), ("openat", 2)):
        _add(seccomp, rules, allow, name, seccomp.Arg(flags, only, writing, 0))
        for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_APPEND, _O_TMPFILE):
            _add(seccomp, rules, refuse, name, seccomp.Arg(flags, only, flag, flag))
    # A thread, and not a process. (clone3 hides its flags: without it, libraries use clone.)
    _add(seccomp, rules, allow, "clone", seccomp.Arg(0, only, _CLONE_THREAD, _CLONE_THREAD))
    _add(seccomp, rules, refuse, "clone", seccomp.Arg(0, only, _CLONE_THREAD, 0))
    for name in ("fork", "vfork", "execve", "execveat", *_NETWORK_CALLS.split()):
        _add(seccomp, rules, refuse, name)
    _add(seccomp, rules, allow, "tgkill", seccomp.Arg(0, seccomp.EQ, os.getpid()))  # abort()
    _add(seccomp, rules, allow, "prctl", seccomp.Arg(0, seccomp.EQ, _PR_SET_NAME))
    _add(seccomp, rules, allow, "prlimit64", seccomp.Arg(2, seccomp.EQ, 0))  # look, do not change
    for command in _DESCRIPTORS:
        _add(seccomp, rules, allow, "fcntl", seccomp.Arg(1, seccomp.EQ, command))
    set_flags = seccomp.Arg(1, seccomp.EQ, _SET_FLAGS)
    # With O_ASYNC, the kernel would send signals, to any process that one likes.
    _add(seccomp, rules, allow, "fcntl", set_flags, seccomp.Arg(2, only, _O_ASYNC, 0))
    for request in _TERMINAL_OR_NOT:
        _add(seccomp, rules, allow, "ioctl", seccomp.Arg(1, seccomp.EQ, request))


def _hold_network_calls() -> None:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    for name in _NETWORK_CALLS.split():
        _add(seccomp, rules, seccomp.ERRNO(errno.EPERM), name)
    rules.load()


def _hold_outgoing_calls() -> None:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in _OUTGOING_CALLS.split():
        _add(seccomp, rules, refuse, name)
    _add(seccomp, rules, refuse, "sendto", seccomp.Arg(_SENDTO_ADDRESS, seccomp.NE, 0))
    # An address that sendmsg is given cannot be seen from here; only a datagram would heed it.
    datagram = seccomp.Arg(1, seccomp.MASKED_EQ, _SOCKET_TYPE, _DATAGRAM)
    _add(seccomp, rules, refuse, "socketpair", datagram)
    rules.load()


def _add(seccomp: ModuleType, rules: Any, action: int, name: str, *arguments: Any) -> None:
    number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
    if number != _UNKNOWN_CALL:  # not every libseccomp knows every call
        rules.add_rule(action, number, *arguments)


def _hold_python() -> None:
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(errno.EPERM, f"{event} is refused in a worker of hashkit")
    if event == "open" and arguments[2] & _WRITING:
        raise PermissionError(errno.EPERM, "writing is refused in a worker of hashkit")


def _refuse_network(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith("socket."):
        raise PermissionError(errno.EPERM, "hashkit does not use the network")


_LOOPBACK = ("127.0.0.1", "::1")


def _refuse_outgoing(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        # To itself it may: that is how an event loop wakes itself up on Windows.
        where = arguments[1]
        if where is None or (isinstance(where, tuple) and where and where[0] in _LOOPBACK):
            return
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return
    raise PermissionError(errno.EPERM, "hashkit opens no connection")
