"""Asks the system to open the page in the user's browser, and does not wait for it.

A browser gets the address as an argument, and so do the programs that start it. On Linux every user
can read the arguments of every program. So the address that it gets there is of no use to
another user; where there is no such address, nothing is opened, and the user opens the page. On
macOS the address goes to the system as an Apple event, and on Windows other users cannot read
arguments.

What opens the page is a process of its own. It stays if the browser does not return, it does not
take over the terminal, and Ctrl-C does not end it. It must be started before
``lockdown.lock_outgoing``: a browser must be able to open connections.
"""

from __future__ import annotations

import os
import subprocess
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress

_OSASCRIPT = ("/usr/bin/osascript",)  # webbrowser of Python 3.15 passes the address as an argument
_BY_PYTHON = (
    *(sys.executable, "-I", "-B", "-W", "ignore", "-c"),
    "import sys, webbrowser; webbrowser.open(sys.stdin.readline().strip())",
)


def open_in_browser(address: str, for_this_user_only: str | None) -> bool:
    """Whether a browser was asked to open the page.

    ``for_this_user_only`` is an address that other users may read, None if there is none.
    """
    if sys.platform == "darwin":
        return start_with(_OSASCRIPT, f'open location "{address}"')
    if sys.platform == "win32":
        return start_with(_BY_PYTHON, address)
    if for_this_user_only is None or not _has_browser():
        return False
    return start_with(_BY_PYTHON, for_this_user_only)


def _has_browser() -> bool:
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & {*os.environ}:
        return False  # a browser in text mode cannot show the page
    with suppress(webbrowser.Error):
        webbrowser.get()
        return True
    return False


def start_with(command: Sequence[str], line: str) -> bool:
    """Start a command in a session of its own and give it a line to read, which is in no argument.

    False if it does not start or does not take it."""
    try:
        started = subprocess.Popen(  # noqa: S603 (no external input)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with started.stdin:  # type: ignore[union-attr]
            started.stdin.write(f"{line}\n".encode())  # type: ignore[union-attr]
    except OSError:
        return False
    return True
