"""Commands that read what somebody else may have made give up the network before they open it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from hashkit.cli import app
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
]


class Locked(Exception):
    """Raised where the network would be given up, so that nothing after it happens."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_the_network_goes_first(command, tmp_path, monkeypatch):
    given = tmp_path / "given.json"
    given.write_text("anything")
    opened = []

    def lock():
        raise Locked

    monkeypatch.setattr(lockdown, "lock_network", lock)
    monkeypatch.setattr("hashkit.pipeline.files.open_untrusted", lambda *_: opened.append(_))
    places = {"given": given, "out": tmp_path / "out", "folder": tmp_path}
    done = CliRunner().invoke(app, [word.format(**places) for word in command])
    assert isinstance(done.exception, Locked), done.output
    assert opened == []
