"""Opening and reading what somebody else may have made."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import socket
import sys
import threading
import time

import pytest

from hashkit import errors
from hashkit.pipeline import files

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")


def read(source):
    with files.open_untrusted(source) as untrusted:
        return untrusted.read()


def test_reads_what_is_there(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc" * 3_000_000)
    with files.open_untrusted(path) as untrusted:
        assert untrusted.size == 9_000_000
        assert untrusted.head == (b"abc" * 1366)[:4096]
        assert b"".join(untrusted.chunks()) == path.read_bytes()
    assert read(str(path)) == path.read_bytes()


def test_file_objects_stay_open(tmp_path):
    stream = io.BytesIO(b"xyz")
    stream.seek(2)
    assert read(stream) == b"xyz"
    assert not stream.closed


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: None, errors.FileMissing),
        (lambda path: path.touch(), errors.FileEmpty),
        (lambda path: path.mkdir(), errors.IsAFolder),
        pytest.param(lambda path: os.mkfifo(path, 0o600), errors.NotAFile, marks=posix),
        pytest.param(lambda path: path.symlink_to(path), errors.LinkLoop, marks=posix),
        pytest.param(lambda path: path.symlink_to("nowhere"), errors.FileMissing, marks=posix),
    ],
)
def test_what_is_no_file(tmp_path, make, error):
    path = tmp_path / "it"
    make(path)
    with pytest.raises(error):
        read(path)


@posix
def test_sockets_and_devices(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # socket names must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(errors.NotAFile):
            read("s")
    for device in ("/dev/null", "/dev/zero"):
        with pytest.raises(errors.NotAFile):
            read(device)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "file/inside", "*.jpg"])
def test_names_that_cannot_be(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(errors.FileMissing):
        read(f"{tmp_path}/{name}")


def test_names_that_a_disk_cannot_have(tmp_path, monkeypatch):
    """That is no file; but one that is there, and cannot be opened for some other reason, is."""
    (tmp_path / "there").touch()

    def refuse(*_):
        raise OSError(errno.EINVAL, "as Windows says it")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(errors.FileMissing):
        read(tmp_path / "a:b|c?")
    with pytest.raises(errors.FileUnreadable):
        read(tmp_path / "there")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to give up root's rights")
def test_files_that_may_not_be_opened(tmp_path):
    path = tmp_path / "private"
    path.write_bytes(b"private")
    path.chmod(0)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            read(path)
        except errors.FileUnreadable as error:
            code = 0 if isinstance(error.__cause__, PermissionError) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class _Failing(io.BytesIO):
    def read(self, size=-1):
        raise OSError(errno.EIO, "the card was pulled out")


def test_disks_that_fail():
    with pytest.raises(errors.FileUnreadable) as caught:
        read(_Failing(b"abc"))
    assert isinstance(caught.value.__cause__, OSError)


class _Changing(io.FileIO):
    """A file that somebody changes between two reads."""

    def __init__(self, path, change):
        super().__init__(path)
        self._change = change

    def read(self, size=-1):
        piece = super().read(min(size, 100_000))
        if self._change and self.tell() >= 100_000:
            change, self._change = self._change, None
            change()
        return piece


CHANGES = {
    "grows": lambda path: path.open("ab").write(b"more"),
    "shrinks": lambda path: os.truncate(path, 150_000),
    "is written over": lambda path: path.open("r+b").write(b"other"),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_files_that_change_meanwhile(tmp_path, how):
    path = tmp_path / "growing"
    path.write_bytes(bytes(300_000))
    with (
        pytest.raises(errors.FileChanged),
        _Changing(path, lambda: CHANGES[how](path)) as stream,
        files.open_untrusted(stream) as untrusted,
    ):
        for _ in untrusted.chunks():
            pass


@pytest.mark.skipif(
    os.name != "posix", reason="on Windows, the time stamp may change when the writer closes it"
)
def test_never_two_versions_at_once(tmp_path):
    """Somebody writes version after version in place while we read: what is read is one of them,
    or an error that the file changed. (A writer that stops for longer than we wait leaves a file
    at rest, half of each; a busy machine may make ours stop. That is then no fault.)"""
    path = tmp_path / "busy"
    size = 4_000_000
    path.write_bytes(b"\0" * size)
    stop = threading.Event()
    began = {}
    took = {}

    def write():
        with path.open("r+b") as stream:
            for version in range(1, 10_000):
                if stop.is_set():
                    return
                began[version % 256] = time.monotonic()
                took.pop(version % 256, None)
                stream.seek(0)
                stream.write(bytes([version % 256]) * size)
                stream.flush()
                took[version % 256] = time.monotonic() - began[version % 256]

    def was_stopped(versions):
        return any(
            took.get(each, time.monotonic() - began[each]) >= files._QUIET / 2
            for each in versions
            if each in began
        )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        changed = 0
        for _ in range(40):
            try:
                content = read(path)
            except errors.FileChanged:
                changed += 1
                continue
            assert content.count(content[:1]) == size or was_stopped({*content})
    finally:
        stop.set()
        writer.join()
    assert changed
    assert len(read(path)) == size  # and when it is left alone, it can be read


def test_files_are_opened_read_only(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    seen = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda p, flags, *a: seen.append(flags) or real(p, flags, *a))
    read(path)
    access = os.O_RDONLY | os.O_WRONLY | os.O_RDWR
    assert [flags & access for flags in seen] == [os.O_RDONLY]
    assert not any(flags & (os.O_CREAT | os.O_TRUNC) for flags in seen)


def test_reading_writes_nothing(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    before = path.stat()
    read(path)
    after = path.stat()
    assert list(tmp_path.iterdir()) == [path]
    assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)


@pytest.mark.skipif(sys.platform != "linux", reason="counts open descriptors")
def test_nothing_stays_open(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    (tmp_path / "empty").touch()
    before = len(os.listdir("/proc/self/fd"))
    for source in (path, tmp_path, tmp_path / "empty", "/dev/null"):
        with contextlib.suppress(errors.FileError):
            read(source)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("more", [0, 1])
def test_the_limit_of_size(tmp_path, monkeypatch, more):
    """Of a file over it, nothing can be had but its first bytes."""
    monkeypatch.setattr(files, "MAX_BYTES", 5000)
    path = tmp_path / "a"
    path.write_bytes(bytes(5000 + more))
    ways = (lambda f: f.read(), lambda f: b"".join(f.chunks()), lambda f: f.stream.read())
    for way in ways:
        with files.open_untrusted(path) as untrusted:
            assert len(untrusted.head) == 4096
            if more:
                with pytest.raises(errors.FileTooBig):
                    way(untrusted)
            else:
                assert len(way(untrusted)) == 5000


def test_a_traceback_names_the_path_and_the_text_does_not(tmp_path):
    path = tmp_path / "anna.jpg"
    with pytest.raises(errors.FileMissing) as missing, files.open_untrusted(path):
        pass
    assert "anna" not in str(missing.value) + missing.value.advice
    assert missing.value.__notes__ == [f"The path was {str(path)!r}."]
    with pytest.raises(errors.IsAFolder), files.open_untrusted(tmp_path):
        pass
