"""Asks for a passphrase in the terminal."""

from __future__ import annotations

import getpass
import warnings

from hashkit.cli.output.terminal import ExitCode, fail


def ask_passphrase(prompt: str) -> str:
    """Ask in the terminal, and show nothing of what is typed. There is no other way to give a
    passphrase: a command is kept in the shell's history, and shown in lists of processes."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            why = "The passphrase is asked for in a terminal, and there is none."
        except EOFError:
            why = "There was no passphrase."
        except UnicodeDecodeError:
            why = "There are letters in it that this terminal cannot pass on. Take others."
    fail(why, None, ExitCode.WRONG_USE)
