"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import stat

import pytest

from hashkit.errors import OutputExists, OutputUnwritable
from hashkit.submission.writing import write_whole


def test_writes(tmp_path):
    path = tmp_path / "a"
    write_whole(path, b"content")
    assert path.read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [path]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keeps_what_is_there(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(OutputExists):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", replace=True)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_stay(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputExists):
        write_whole(tmp_path / "a", b"new")
    with pytest.raises(OutputExists):
        write_whole(tmp_path / "a", b"new", replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
def test_pipes_stay(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for replace in (False, True):
        with pytest.raises(OutputExists):
            write_whole(tmp_path / "pipe", b"new", replace=replace)
    assert (tmp_path / "pipe").is_fifo()


def test_the_unfinished_file_is_beside_its_target(tmp_path, monkeypatch):
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: seen.extend(os.listdir(tmp_path)) or fsync(fd))
    write_whole(tmp_path / "a", b"content")
    assert len(seen) == 1
    assert seen[0].endswith(".part")


def test_no_folder_to_write_to(tmp_path):
    with pytest.raises(OutputUnwritable):
        write_whole(tmp_path / "none" / "a", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("step", ["fsync", "write"])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, replace, step):
    path = tmp_path / "a"
    if replace:
        path.write_bytes(b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "no space left")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:

        class Full(io.FileIO):
            write = full

        monkeypatch.setattr(os, "fdopen", Full)
    with pytest.raises(OutputUnwritable):
        write_whole(path, b"new", replace=replace)
    assert [each.name for each in tmp_path.iterdir()] == (["a"] if replace else [])
    if replace:
        assert path.read_bytes() == b"old"


def test_a_disk_without_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    with pytest.raises(OutputExists):
        write_whole(path, b"newer")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_interrupted(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", b"new")
    assert list(tmp_path.iterdir()) == []
