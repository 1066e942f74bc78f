"""Which system calls a process may make (Linux, seccomp), for ``hashkit.sandbox.lockdown``."""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import os
import sys
from functools import partial
from types import ModuleType
from typing import Any

from hashkit.sandbox.connecting import CONNECTING_CALLS, Unavailable, allow_connecting

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

WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
"""Flags of opening a file for writing."""

_O_TMPFILE = 0o20000000
_CLONE_THREAD = 0x00010000
_MAP_TYPE, _MAP_PRIVATE = 0xF, 0x2
_PR_SET_NAME = 15
_UNKNOWN_CALL = -1
_LIBSECCOMP = "libseccomp.so.2"
_O_ASYNC = 0o20000
_ALLOWED_FCNTLS = (0, 1, 2, 3, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_SET_FLAGS = 4  # of fcntl: F_SETFL
_ALLOWED_IOCTLS = (0x5401, 0x5450, 0x5451)  # TCGETS, FIONCLEX, FIOCLEX


def load_seccomp() -> ModuleType:
    """The package pyseccomp. Importing it normally runs programs, even a compiler, to find its
    library, so ``find_library`` is replaced during the import."""
    if sys.platform != "linux":
        raise Unavailable("only Linux has seccomp")
    try:
        ctypes.CDLL(_LIBSECCOMP)
    except OSError:
        raise Unavailable("libseccomp is not installed") from None
    original = ctypes.util.find_library
    known = {"seccomp": _LIBSECCOMP}  # None for "c": the running program
    setattr(ctypes.util, "find_library", known.get)  # noqa: B010 (mypy rejects plain assignment)
    try:
        import pyseccomp  # noqa: F401, PLC0415 (Linux only)
    except ImportError:
        raise Unavailable("the package pyseccomp is not installed") from None
    except Exception:  # a library that lacks what the package needs
        raise Unavailable("libseccomp does not fit the package pyseccomp") from None
    finally:
        setattr(ctypes.util, "find_library", original)  # noqa: B010
    return sys.modules["pyseccomp"]


def restrict_system_calls(may_connect: bool = False) -> None:
    """Allow what decoding needs; with ``may_connect``, also what connecting over TCP needs."""
    seccomp = load_seccomp()
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
    writing = WRITE_FLAGS | _O_TMPFILE
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


def restrict_network_calls() -> None:
    """Allow all but the network, and reaching into other processes."""
    seccomp, rules = _all_but_reaching()
    for name in _NETWORK_CALLS.split():
        _add(seccomp, rules, seccomp.ERRNO(errno.EPERM), name)
    rules.load()


def restrict_outgoing_calls() -> None:
    """Allow all but opening connections, and reaching into other processes."""
    seccomp, rules = _all_but_reaching()
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in _OUTGOING_CALLS.split():
        _add(seccomp, rules, refuse, name)
    _add(seccomp, rules, refuse, "sendto", seccomp.Arg(_SENDTO_ADDRESS, seccomp.NE, 0))
    # seccomp cannot see the address given to sendmsg; only datagram sockets use it.
    datagram = seccomp.Arg(1, seccomp.MASKED_EQ, _SOCKET_TYPE, _DATAGRAM)
    _add(seccomp, rules, refuse, "socketpair", datagram)
    rules.load()


def restrict_reaching_calls() -> None:
    """Allow all but reaching into other processes."""
    _, rules = _all_but_reaching()
    rules.load()


def _all_but_reaching() -> tuple[ModuleType, Any]:
    """seccomp, and a filter that allows all but reaching into other processes: what Landlock does
    not hold of threads that run already."""
    seccomp = load_seccomp()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in _OTHER_PROCESSES_CALLS.split():
        _add(seccomp, rules, refuse, name)
    for request in _TERMINAL_INPUT:  # of the argument, the kernel takes 32 bits
        wanted = seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request)
        _add(seccomp, rules, refuse, "ioctl", wanted)
    return seccomp, rules


def _add(seccomp: ModuleType, rules: Any, action: int, name: str, *arguments: Any) -> None:
    number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
    if number != _UNKNOWN_CALL:  # old versions of libseccomp lack some
        rules.add_rule(action, number, *arguments)
