"""Memory: how much of it a taken-over worker can get, and who can read that of a process."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
X86_64 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="numbers of system calls are x86-64's"
)


def run(code, *arguments, **options):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, **options
    )


def answer(code, *arguments):
    done = run(code, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# Each way takes 64 MiB, of which a limit on address space sees next to nothing.
PAST_THE_LIMIT = """
import ctypes, json, os, re, sys
from hashkit.sandbox import lockdown
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
MIB, PAGE, SHARED, ANONYMOUS = 1 << 20, 4096, 0x01, 0x20
def call(*arguments):
    returned = libc.syscall(*(ctypes.c_long(each) for each in arguments))
    if returned < 0:
        raise OSError("refused")
    return returned
def mmap(size, flags, descriptor=-1):
    return call(9, 0, size, 3, flags, descriptor, 0)
def shared_mapping():
    address = mmap(64 * MIB, SHARED | ANONYMOUS)
    ctypes.memset(address, 1, 64 * MIB)
    call(11, address + PAGE, 64 * MIB - PAGE)  # one page keeps them all
def files_in_memory():
    name = ctypes.create_string_buffer(b"m")
    for _ in range(64):
        descriptor = call(319, ctypes.addressof(name), 0)
        os.write(descriptor, bytes(MIB))
        mmap(PAGE, 0x02, descriptor)  # private, and keeps all of it
        os.close(descriptor)
def segments():
    segment = call(29, 0, 64 * MIB, 0o1600)
    address = call(30, segment, 0, 0)
    ctypes.memset(address, 1, 64 * MIB)
    call(67, address)
    return lambda: call(31, segment, 0, 0)
meminfo = open("/proc/meminfo")
def shared_now():
    meminfo.seek(0)
    return int(re.search(r"^Shmem:\\s+(\\d+) kB", meminfo.read(), re.M)[1]) << 10
way, how = sys.argv[1:]
if how == "locked":
    lockdown._restrict_python = lambda *_: None  # it would refuse to let us try
    assert all(each.active for each in lockdown.lock_down(1 << 30))
before, tidy = shared_now(), None
try:
    tidy = globals()[way]()
    result = shared_now() - before
except OSError as error:
    result = str(error)
if tidy:
    tidy()
print(json.dumps(result))
"""


@LINUX
@X86_64
@pytest.mark.parametrize("way", ["shared_mapping", "files_in_memory", "segments"])
def test_no_memory_beside_the_limit(way):
    assert answer(PAST_THE_LIMIT, way, "free") > 32 << 20
    assert answer(PAST_THE_LIMIT, way, "locked") == "refused"


@LINUX
@X86_64
def test_private_memory_is_left_and_limited():
    """What decoders need, up to the limit."""
    code = """
import json, mmap
from hashkit.sandbox import lockdown
lockdown.lock_down(1 << 30)
kept, taken = [], 0
try:
    while taken < 4 << 30:
        kept.append(mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        taken += 64 << 20
except (OSError, MemoryError):
    pass
print(json.dumps(taken))
"""
    assert 128 << 20 < answer(code) < 1 << 30


@LINUX
def test_messages_of_decoders_are_captured_in_a_file_made_before():
    """A worker cannot make it later; each capture holds its own messages only."""
    code = """
import json, os
from hashkit.media import decoder_messages
from hashkit.sandbox import lockdown
decoder_messages.keep_file()
lockdown.lock_down(1 << 30)
found = []
for text in (b"TIFFReadDirectory: a long one\\nNothing of a decoder\\n", b"LZWDecode: b\\n", b""):
    with decoder_messages.decoder_messages() as complaints:
        os.write(2, text)
    found.append(complaints)
print(json.dumps(found))
"""
    done = run(code)
    assert json.loads(done.stdout) == [["TIFFReadDirectory: a long one"], ["LZWDecode: b"], []]
    assert done.stderr == "Nothing of a decoder\n"
