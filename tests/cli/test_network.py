"""Commands that read what somebody else may have made give up the network before they open it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from hashkit.cli import app
from hashkit.cli.actions import hash as hash_action
from hashkit.sandbox import lockdown

COMMANDS = [
    ["export", "{given}", "--format", "csv"],
    ["import", "{given}"],
    ["seal", "{given}", "--to", "age1"],
    ["open", "{given}", "--identity", "{given}", "--out", "{out}"],
    ["report", "{given}", "--out", "{out}.pdf"],
    ["compare", "{given}", "{given}"],
    ["find", "{given}", "--in", "{folder}"],
    ["hash", "{given}"],
    ["inspect", "{given}"],
    ["guide"],
]
SENDING = [
    ["send", "{given}", "--to", "a", "--profiles", "{given}"],
    ["withdraw", "{given}", "--to", "a", "--profiles", "{given}"],
    ["profiles", "--profiles", "{given}"],
]
"""These reach no other program, and nobody reads their memory."""

OTHERS = {"app", "doctor", "schema", "site"}  # tests/web; test_doctor.py; these read nothing


class Locked(Exception):
    """Raised where the network would be given up, so that nothing after it happens."""


def test_every_command_is_here(commands):
    assert {command[0] for command in COMMANDS + SENDING} | OTHERS == set(commands)


@pytest.mark.parametrize("command", COMMANDS + SENDING, ids=lambda command: command[0])
def test_the_network_or_at_least_the_rest_goes_first(command, tmp_path, monkeypatch):
    given = tmp_path / "given.json"
    given.write_text("anything")
    opened = []

    def lock():
        raise Locked

    name = "lock_to_send" if command in SENDING else "lock_network"
    monkeypatch.setattr(lockdown, name, lock)
    monkeypatch.setattr("hashkit.pipeline.files.open_untrusted", lambda *_: opened.append(_))
    places = {"given": given, "out": tmp_path / "out", "folder": tmp_path}
    done = CliRunner().invoke(app, [word.format(**places) for word in command])
    assert isinstance(done.exception, Locked), done.output
    assert opened == []


def test_with_a_cluster_it_goes_when_the_process_that_connects_was_started(tmp_path, monkeypatch):
    """The command itself needs none then, and connects to nothing."""
    done = []

    @contextmanager
    def cluster(address, *, quiet):
        done.append(address)
        yield None, 1

    def lock():
        done.append("locked")
        raise Locked

    monkeypatch.setattr(hash_action, "cluster", cluster)
    monkeypatch.setattr(lockdown, "lock_network", lock)
    monkeypatch.setattr(lockdown, "lock_memory", lambda: ())  # it would hold for all later tests
    (tmp_path / "a.jpg").write_bytes(b"")
    found = CliRunner().invoke(app, ["hash", str(tmp_path / "a.jpg"), "--dask", "tcp://x:1"])
    assert isinstance(found.exception, Locked), found.output
    assert done == ["tcp://x:1", "locked"]
