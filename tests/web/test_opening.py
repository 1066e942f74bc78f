"""The page is handed to the browser, and to nobody else."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from hashkit.web import opening

pytestmark = pytest.mark.test_all

pytestmark = [
    pytest.mark.test_all,
    pytest.mark.skipif(os.name != "posix", reason="the browser is a shell script"),
]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


class Browser:
    """A command that opens addresses: it says what it was given, and stays."""

    def __init__(self, folder, stays=60):
        self.report = folder / "report"
        script = folder / "browser"
        # Not the last command: the shell, and its arguments, must stay.
        script.write_text(f'#!/bin/sh\necho "$$ $1" >> {self.report}\nsleep {stays}\n:\n')
        script.chmod(0o755)
        self.command = f"{script} %s"

    @property
    def given(self):
        """Its process ids and addresses, when it was started."""
        deadline = time.monotonic() + 60
        while not (self.report.exists() and self.report.read_text().endswith("\n")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return [line.split() for line in self.report.read_text().splitlines()]

    def end(self):
        """End those that run."""
        for pid, _ in self.given if self.report.exists() else ():
            with suppress(ProcessLookupError):
                group = os.getpgid(int(pid))
                if group != os.getpgrp():  # and not these tests
                    os.killpg(group, signal.SIGKILL)


@pytest.fixture
def browser_command(tmp_path):
    found = Browser(tmp_path)
    yield found
    found.end()


def path_of(address):
    return re.sub(r"^http://[^/]+", "", address)


def test_the_page_answers_while_the_browser_command_stays(serve, browser_command):
    server = serve(browser=browser_command.command)
    ((pid, address),) = browser_command.given
    assert server.ask("GET", path_of(address))[0] == 303
    os.kill(int(pid), 0)  # it is still there
    assert server.end()[0] == 130
    os.kill(int(pid), 0)  # nor does Ctrl-C end the browser
    assert os.getsid(int(pid)) != os.getsid(0)


READ_ARGUMENTS = """
for each in Path("/proc").glob("[0-9]*/cmdline"):
    try:
        print(each.read_bytes().replace(b"\\0", b" ").decode("utf-8", "replace"))
    except OSError:
        pass
"""
ASK = """
family, port, address = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with socket.socket(family, socket.SOCK_STREAM) as client:
    client.settimeout(30)
    client.connect((address, port))
    try:
        client.sendall(sys.argv[4].encode())
        print(client.recv(12).decode() or "cut")
    except ConnectionError:
        print("cut")
"""


def test_another_user_reads_an_address_that_is_of_no_use_to_them(
    serve, browser_command, as_another_user
):
    server = serve(browser=browser_command.command)
    ((_, given),) = browser_command.given
    arguments = as_another_user(READ_ARGUMENTS)
    assert given in arguments  # they can read it
    assert set(re.findall(rf"{server.origin}\S*", arguments)) == {given}
    assert server.start.split("/")[-1] not in arguments
    for family, address in [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET6, "::ffff:127.0.0.1"),
    ]:
        request = f"GET {path_of(given)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
        found = as_another_user(ASK, int(family), server.port, address, request)
        assert found.strip() == "cut"
    assert server.ask("GET", path_of(given))[0] == 303  # it was not used up
    assert server.ask("GET", path_of(given))[0] == 403
    assert server.ask("GET", server.start)[0] == 403  # nor is the other one good any more


@ON_LINUX
def test_the_printed_address_voids_the_other_one(serve, browser_command):
    server = serve(browser=browser_command.command)
    ((_, given),) = browser_command.given
    assert path_of(given).rsplit("/", 1)[0] == server.start.rsplit("/", 1)[0]
    assert given != server.address
    assert server.ask("GET", server.start)[0] == 303
    assert server.ask("GET", path_of(given))[0] == 403


@ON_LINUX
def test_a_real_browser_opens_the_page(serve, browser_command, window):
    serve(browser=browser_command.command)
    ((_, given),) = browser_command.given
    page = window.new_page()
    page.goto(given)
    expect(page.locator("#begin")).to_be_visible()


@ON_LINUX
def test_a_browser_that_is_started_by_the_command_may_use_the_network(serve, tmp_path):
    """The server takes the network from itself, and from what it starts later."""
    code = (
        "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30); "
        "print(s.fileno())"
    )
    report = tmp_path / "report"
    script = tmp_path / "browser"
    script.write_text(
        "#!/bin/sh\nport=${1#http://127.0.0.1:}\n"
        f'{sys.executable} -c "{code}" "${{port%%/*}}" > {report}.part 2>&1\n'
        f"mv {report}.part {report}\n"
    )
    script.chmod(0o755)
    serve(browser=f"{script} %s")
    deadline = time.monotonic() + 60
    while not report.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert report.read_text().strip().isdigit()


def test_without_a_browser_the_address_is_printed_only(serve, tmp_path):
    nothing = tmp_path / "bin"
    nothing.mkdir()
    server = serve(browser="", env={"PATH": str(nothing)})
    assert server.ask("GET", server.start)[0] == 303
    _, output = server.end()
    assert "Open this address in your browser:" in output
    assert "is opening" not in output


@pytest.mark.parametrize(
    ("platform", "display", "expected"),
    [  # what a system is asked to start, and the line that it reads
        ("linux", "WAYLAND_DISPLAY", ("python", "TICKET")),
        ("linux", "DISPLAY", ("python", "TICKET")),
        ("linux", None, None),
        ("freebsd14", "DISPLAY", ("python", "TICKET")),
        ("darwin", None, ("/usr/bin/osascript", 'open location "KEY"')),
        ("win32", None, ("python", "KEY")),
    ],
)
def test_what_is_started_on_each_system(platform, display, expected, monkeypatch):
    started = []
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if display:
        monkeypatch.setenv(display, ":0")
    monkeypatch.setenv("BROWSER", "/bin/true %s")
    monkeypatch.setattr(opening, "sys", SimpleNamespace(platform=platform))
    monkeypatch.setattr(opening, "start_with", lambda *both: started.append(both) or True)
    assert opening.open_in_browser("KEY", "TICKET") == (expected is not None)
    for command, line in started:
        program = "python" if command[0] == sys.executable else command[0]
        assert (program, line) == expected
        assert not [each for each in command if "KEY" in each or "TICKET" in each]
    assert len(started) == (expected is not None)


@pytest.mark.parametrize("platform", ["linux", "freebsd14"])
def test_where_the_system_does_not_say_who_connects_nothing_is_opened(platform, monkeypatch):
    """A key in the arguments would be everybody's."""
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("BROWSER", "/bin/true %s")
    monkeypatch.setattr(opening, "sys", SimpleNamespace(platform=platform))
    monkeypatch.setattr(opening, "start_with", pytest.fail)
    assert opening.open_in_browser("KEY", None) is False


def test_what_is_started_gets_a_line_and_no_argument(tmp_path):
    report = tmp_path / "report"
    assert opening.start_with(
        ("/bin/sh", "-c", f"cat > {report}.part; mv {report}.part {report}"), "KEY"
    )
    deadline = time.monotonic() + 60
    while not report.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert report.read_text() == "KEY\n"


def test_what_does_not_start_opens_nothing(tmp_path):
    assert opening.start_with((str(tmp_path / "none"),), "KEY") is False


def test_nothing_is_imported_from_the_folder_that_it_runs_in(serve, browser_command, tmp_path):
    """Nor is anything left there, or in the folders of the user."""
    folders = {name: tmp_path / name for name in ("HOME", "TMPDIR", "work")}
    for folder in folders.values():
        folder.mkdir()
    for name in ("webbrowser", "shlex"):
        (folders["work"] / f"{name}.py").write_text(f"open({str(tmp_path / 'bad')!r}, 'w')\n")
    before = sorted(folders["work"].iterdir())
    places = {name: str(folders[name]) for name in ("HOME", "TMPDIR")}
    command = [*opening._BY_PYTHON]
    done = subprocess.run(
        command,
        input="http://127.0.0.1:9/x\n",
        encoding="utf-8",
        check=True,
        timeout=60,
        cwd=folders["work"],
        env={**os.environ, **places, "BROWSER": "/bin/true %s"},
    )
    assert done.returncode == 0
    server = serve(browser=browser_command.command, env=places)
    assert len(browser_command.given) == 1
    server.end()
    assert not (tmp_path / "bad").exists()
    assert sorted(folders["work"].iterdir()) == before
    assert [*Path(places["HOME"]).iterdir(), *Path(places["TMPDIR"]).iterdir()] == []
