"""No file gives an option by its name: in every command of the table, with every option it has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hashkit.cli import app
from hashkit.cli.commands import COMMANDS, load
from hashkit.sandbox import lockdown

needs_any_name = pytest.mark.skipif(os.name == "nt", reason="needs names that are any bytes")


def options_of(name):
    """Each option of a command, as a shell would pass it from a name: ``--out=x``, ``-rq``."""
    given = {"-h", "--help"}
    for parameter in load(name).params:
        if parameter.param_type_name == "option":
            value = "" if getattr(parameter, "is_flag", False) else "x"
            for each in (*parameter.opts, *parameter.secondary_opts):
                given |= {each, f"{each}={value}" if each.startswith("--") else f"{each}{value}"}
    return sorted(given)


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Runs ``hashkit`` in a folder with files of these names, and nothing else."""

    def run(arguments, *names):
        folder = tmp_path / "folder"
        folder.mkdir()
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_bytes(b"")
        before = {*folder.rglob("*")}
        monkeypatch.chdir(folder)
        for lock in (
            "lock_network",
            "lock_outgoing",
            "lock_to_send",
            "lock_memory",
        ):  # else it would hold for all later tests
            monkeypatch.setattr(lockdown, lock, lambda: ())
        done = CliRunner().invoke(app, arguments)
        assert {*folder.rglob("*")} == before
        return done

    return run


def is_refused(done, name):
    assert done.exit_code == 2, done.output
    assert done.output.startswith(f"{name} is also the name of a file here: write ./{name} ")
    assert done.output.count("\n") == 1
    return True


CASES = [(name, option) for name in COMMANDS for option in options_of(name)]


@pytest.mark.parametrize(("name", "option"), CASES)
def test_an_option_that_is_a_file_is_refused(name, option, in_folder):
    done = in_folder([name, option, "a.jpg"], option, "a.jpg")
    assert is_refused(done, option)


@pytest.mark.parametrize(("name", "option"), CASES)
def test_after_the_name_of_the_command_too(name, option, in_folder):
    """Here, the group sees no options: all stands behind a ``--``."""
    assert is_refused(in_folder(["--", name, "a.jpg", option], option, "a.jpg"), option)


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_before_the_name_of_the_command(option, in_folder):
    assert is_refused(in_folder([option], option), option)


class TestHash:
    def test_what_was_reported(self, in_folder):
        names = ["--dask=127.0.0.1:18786", "a.jpg"]
        assert is_refused(in_folder(["hash", *names], *names), names[0])

    @pytest.mark.parametrize("option", ["-rq", "-qr", "-x", "--", "--resum", "---", "-"])
    def test_whatever_it_would_mean(self, option, in_folder):
        """Short options in one, unknown ones, the beginning of one, the end of all, a dash."""
        assert is_refused(in_folder(["hash", option, "a.jpg"], option, "a.jpg"), option)

    @pytest.mark.parametrize("option", ["-x", "--force", "-"])
    def test_the_value_of_an_option(self, option, in_folder):
        assert is_refused(in_folder(["hash", "a.jpg", "--out", option], option, "a.jpg"), option)

    def test_a_folder_of_this_name(self, in_folder):
        done = in_folder(["hash", "-q", "--out=x/a.jpg"], "--out=x/a.jpg")
        assert is_refused(done, "--out=x/a.jpg")

    @needs_any_name
    def test_a_link_that_leads_nowhere(self, tmp_path, monkeypatch):
        os.symlink("nowhere", tmp_path / "--json")
        monkeypatch.chdir(tmp_path)
        assert is_refused(CliRunner().invoke(app, ["hash", "--json"]), "--json")

    @needs_any_name
    def test_the_name_is_shown_with_escapes(self, in_folder):
        name = "--out=\x1b[2J\u202e\n"
        done = in_folder(["hash", name], name)
        assert is_refused(done, r"--out=\x1b[2J\u202e\n")

    def test_every_argument_is_looked_at(self, in_folder):
        done = in_folder(["hash", "a.jpg", "-q", "b.jpg", "--json"], "a.jpg", "b.jpg", "--json")
        assert is_refused(done, "--json")


class TestWhatIsMeant:
    """Behind ``--``, and with ``./``, a file is a file; without such a file, all is as before."""

    NAMES = ("--out=x", "--help")

    def test_behind_two_dashes(self, in_folder):
        done = in_folder(["hash", "--", *self.NAMES], *self.NAMES)
        assert done.exit_code == 1
        assert all(f"{name}: The file is empty." in done.output for name in self.NAMES)

    def test_with_its_folder(self, in_folder):
        done = in_folder(["hash", *(f"./{name}" for name in self.NAMES)], *self.NAMES)
        assert done.exit_code == 1
        assert all(f"{name}: The file is empty." in done.output for name in self.NAMES)

    def test_a_file_named_two_dashes_behind_two_dashes(self, in_folder):
        done = in_folder(["hash", "--", "--", "--json"], "--", "--json")
        assert done.exit_code == 1
        assert "--: The file is empty." in done.output
        assert "--json: The file is empty." in done.output

    def test_no_such_file(self, in_folder):
        done = in_folder(["hash", "-q", "a.jpg"], "a.jpg", "--json", "q")
        assert done.exit_code == 1
        assert done.output == (
            "a.jpg: The file is empty. If it is in a cloud, open it there and download it first. "
            "If it was copied, copy it again.\n"
        )

    def test_options_without_such_a_file(self, in_folder):
        assert in_folder(["--version"], "--help").output.startswith("hashkit ")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells expand the star")
def test_a_star_in_a_real_shell(tmp_path):
    """Nothing is written, and no cluster is asked, whatever stands in the folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("--dask=127.0.0.1:9", "--out=pwn.json", "a.jpg"):
        (folder / name).write_bytes(b"")
    command = ["/bin/sh", "-c", '"$1" -m hashkit hash *', "sh", sys.executable]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("--dask=127.0.0.1:9 is also the name of a file here: ")
    assert sorted(Path(each).name for each in folder.iterdir()) == [
        "--dask=127.0.0.1:9",
        "--out=pwn.json",
        "a.jpg",
    ]
