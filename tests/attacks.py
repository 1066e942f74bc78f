"""Run as a program: tries to reach into another process of the same user. Prints which ways worked.

The arguments are the process's id and, optionally, the name of a function of
``hashkit.sandbox.lockdown`` to call before, and ``thread`` for a thread that runs before the call.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
import threading
from collections.abc import Callable

_SEIZE = 0x4206
_PIDFD_GETFD = 438
_KCMP = {"x86_64": 312, "aarch64": 272}.get(os.uname().machine, -1)
_REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSYS)
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Span(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


def ways(pid: int) -> dict[str, Callable[[], object]]:
    """The attempts by name. Each raises an OSError where it is refused."""
    buffer = ctypes.create_string_buffer(8)
    here, there = _Span(ctypes.addressof(buffer), 8), _Span(4096, 8)
    null = ctypes.c_void_p(None)

    def copy(call: Callable[..., int]) -> None:
        _check(call(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))

    def take_a_descriptor() -> None:
        os.close(_check(_LIBC.syscall(_PIDFD_GETFD, os.pidfd_open(pid), 0, 0)))

    def open_memory() -> None:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))

    found: dict[str, Callable[[], object]] = {
        "ptrace": lambda: _check(_LIBC.ptrace(_SEIZE, pid, null, null)),
        "process_vm_readv": lambda: copy(_LIBC.process_vm_readv),
        "process_vm_writev": lambda: copy(_LIBC.process_vm_writev),
        "pidfd_getfd": take_a_descriptor,
        "mem": open_memory,
    }
    if _KCMP >= 0:
        found["kcmp"] = lambda: _check(_LIBC.syscall(_KCMP, os.getpid(), pid, 1, 0, 0))
    return found


def _check(returned: int) -> int:
    if returned < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return returned


def attempt(pid: int) -> list[str]:
    """The names of the ways that worked."""
    worked = []
    for name, way in ways(pid).items():
        try:
            way()
        except OSError as error:  # a wrong address is found out after permission was given
            if error.errno in _REFUSALS:
                continue
        worked.append(name)
    return worked


def main(pid: str, lock: str = "", where: str = "") -> None:
    """See the docstring of the module."""
    locked, worked = threading.Event(), []

    def strike() -> None:
        locked.wait()
        worked.extend(attempt(int(pid)))

    thread = threading.Thread(target=strike)
    if where == "thread":
        thread.start()
    if lock:
        from hashkit.sandbox import lockdown

        assert all(each.active for each in getattr(lockdown, lock)())
    locked.set()
    if where != "thread":
        thread.run()
    else:
        thread.join()
    print(json.dumps(worked))


if __name__ == "__main__":
    main(*sys.argv[1:])
