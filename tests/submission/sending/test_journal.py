"""The journal: what was written is there, whatever ended the process, and nothing is guessed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from hashkit.errors import AlreadySending, RecordDamaged, RecordUnwritable
from hashkit.submission.sending import journal as module
from hashkit.submission.sending.journal import (
    Entry,
    State,
    journal_beside,
    open_journal,
    read_journal,
)

TO = "hma https://hma.example BANK"


@pytest.fixture
def path(tmp_path):
    return journal_beside(tmp_path / "s.json")


def test_its_name(tmp_path, path):
    assert path == tmp_path / "s.json.sent.jsonl"


def test_written_and_read_again(path):
    with open_journal(path, TO) as journal:
        journal.write("a", Entry(State.TRYING))
        journal.write("a", Entry(State.ACCEPTED, "17"))
        journal.write("b", Entry(State.TRYING))
        journal.write("c", Entry(State.REJECTED))
        assert (journal.has("a"), journal.has("b"), journal.has("d")) == (True, False, False)
    with open_journal(path, TO) as journal:
        assert journal.entry("a") == Entry(State.ACCEPTED, "17")
        assert journal.maybe_held() == ("a", "b")
        journal.write("a", Entry(State.WITHDRAWN))
        journal.write("b", Entry(State.WITHDRAWN, again=True))
    seen = read_journal(path, TO)
    assert seen.entry("a") == Entry(State.WITHDRAWN)
    assert seen.maybe_held() == ("b",)
    assert not seen.has("a")
    with pytest.raises(ValueError, match="to be read"):
        seen.write("a", Entry(State.TRYING))


def test_what_may_be_there_twice_is_kept(path):
    entry = Entry(State.ACCEPTED, "17", again=True)
    with open_journal(path, TO) as journal:
        journal.write("a", entry)
    assert read_journal(path, TO).entry("a") == entry


@pytest.mark.skipif(os.name != "posix", reason="links are of POSIX")
def test_a_link_to_the_submission_has_its_journal(tmp_path, path):
    (tmp_path / "s.json").touch()
    (tmp_path / "link.json").symlink_to(tmp_path / "s.json")
    assert journal_beside(tmp_path / "link.json") == path.resolve()


def test_destinations_are_kept_apart(path):
    with open_journal(path, TO) as journal:
        journal.write("a", Entry(State.ACCEPTED, "17"))
    assert read_journal(path, TO + "2").entry("a") is None
    with open_journal(path, TO + "2") as journal:
        journal.write("a", Entry(State.REJECTED))
    assert read_journal(path, TO).has("a")


def test_looking_makes_no_file(path):
    assert read_journal(path, TO).maybe_held() == ()
    assert not path.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_it_is_the_owners_only(path):
    with open_journal(path, TO):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_cut_off_anywhere(path):
    """The lines before it count, and what is written then is read again."""
    with open_journal(path, TO) as journal:
        journal.write("a", Entry(State.TRYING))
        journal.write("a", Entry(State.ACCEPTED, "17"))
    whole = path.read_bytes()
    lines = [end for end, byte in enumerate(whole, 1) if byte == ord("\n")]
    ends = {*range(0, len(whole), 13), *lines, *(end - 1 for end in lines)}
    for end in sorted(ends):
        path.write_bytes(whole[:end])
        expected = [None, None, Entry(State.TRYING), Entry(State.ACCEPTED, "17")]
        entry = expected[sum(line <= end for line in lines)]
        assert read_journal(path, TO).entry("a") == entry
        with open_journal(path, TO) as journal:
            assert journal.entry("a") == entry
            journal.write("b", Entry(State.REJECTED))
        assert read_journal(path, TO).entry("a") == entry
        assert read_journal(path, TO).entry("b") == Entry(State.REJECTED)


HEADER = json.dumps({"format": "hashkit-sent", "version": 1})


@pytest.mark.parametrize(
    "content",
    [
        "hello",
        "hello\n",
        '{"format": "hashkit-sent", "version": 2}\n',
        f"{HEADER}\nhello\n",
        f"{HEADER}\n[]\n",
        f'{HEADER}\n{{"to": "{TO}", "key": "a"}}\n',
        f'{HEADER}\n{{"to": "{TO}", "key": "a", "state": "eaten"}}\n',
        f'{HEADER}\n{{"to": "{TO}", "key": "../x", "state": "accepted"}}\n',
        f'{HEADER}\n{{"to": "{TO}", "key": "a/x", "state": "accepted"}}\n',
        f'{HEADER}\n{{"to": "{TO}", "key": "a", "state": "accepted", "id": "../x"}}\n',
        f'{HEADER}\n{{"to": "{TO}", "key": "a", "state": "accepted", "id": 7}}\n',
        f"{HEADER}\n" + "[" * 100_000 + "\n",
    ],
)
def test_what_is_no_journal_is_left_as_it_is(path, content):
    path.write_text(content)
    if content != "hello":  # a line without an end was never written
        with pytest.raises(RecordDamaged):
            read_journal(path, TO)
    with pytest.raises(RecordDamaged), open_journal(path, TO):
        pass
    assert path.read_text() == content


def test_one_at_a_time(path):
    code = f"""
import pathlib
from hashkit.errors import AlreadySending
from hashkit.submission.sending.journal import open_journal
try:
    with open_journal(pathlib.Path({str(path)!r}), {TO!r}):
        print("open")
except AlreadySending:
    print("already")
"""

    def another():
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    with open_journal(path, TO):
        assert another() == "already"
        with pytest.raises(AlreadySending), open_journal(path, TO):
            pass
    assert another() == "open"


def test_where_nothing_can_be_written(path, monkeypatch):
    path.mkdir()
    with pytest.raises(RecordUnwritable), open_journal(path, TO):
        pass
    path.rmdir()

    def full(*_):
        raise OSError(28, "no space")

    with open_journal(path, TO) as journal:
        monkeypatch.setattr(module.os, "fsync", full)
        with pytest.raises(RecordUnwritable):
            journal.write("a", Entry(State.ACCEPTED))
        assert journal.entry("a") is None


@pytest.mark.skipif(os.name != "posix", reason="pipes are of POSIX")
def test_a_pipe_is_no_journal(path):
    os.mkfifo(path)
    with pytest.raises(RecordDamaged):
        read_journal(path, TO)
    with pytest.raises(RecordDamaged), open_journal(path, TO):
        pass


@pytest.mark.skipif(os.name != "posix", reason="links are of POSIX")
def test_a_link_is_not_followed(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordUnwritable), open_journal(path, TO):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_marks_are_kept(path):
    entry = Entry(State.TRYING, "17", mark="0f" * 16, lost=2, newest=True)
    with open_journal(path, TO) as journal:
        journal.write("a", entry)
        journal.write("b", Entry(State.WITHDRAWN, mark="0f" * 16, lost=1))
        journal.write("c", Entry(State.WITHDRAWN, mark="0f" * 16))
    seen = read_journal(path, TO)
    assert seen.entry("a") == entry
    assert seen.maybe_held() == ("a", "b")


@pytest.mark.parametrize(
    "fields",
    [{"lost": -1}, {"lost": True}, {"lost": "1"}, {"mark": "a/b"}, {"mark": 5}, {"mark": ""}],
)
def test_marks_that_we_do_not_write(path, fields):
    with open_journal(path, TO):
        pass
    line = {"to": TO, "key": "a", "state": "trying", **fields}
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    with pytest.raises(RecordDamaged):
        read_journal(path, TO)
