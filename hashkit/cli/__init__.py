"""The command line: parse, call, render. Results on stdout, everything else on stderr.

Exit codes: 0 all done, 1 some files failed (the rest was done), 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated

import typer

from hashkit._version import __version__
from hashkit.cli.commands import COMMANDS, LazyGroup
from hashkit.cli.output.terminal import ExitCode, reader_left, say

_LOOKED_AT = sys.stdout is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ

app = typer.Typer(
    name="hashkit",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich" if _LOOKED_AT else None,  # its boxes are for people
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Make hashes of pictures on this computer. A hash is a fingerprint of a picture: takedown "
        "services can find and block copies with it, without seeing the picture. The picture "
        "itself stays here."
    ),
    epilog="Exit codes: 0 all done, 1 some files failed, 2 wrong use, 130 interrupted.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hashkit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    pass


def _listed() -> None:
    """Stands for a command in the list, until it is imported."""


for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(_listed)


def main() -> None:
    """Run the command that the arguments name."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before we began
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (for the whole process)
        elif reconfigure := getattr(stream, "reconfigure", None):
            # A name that this terminal cannot show must not end the run.
            reconfigure(errors="backslashreplace")
    warnings.simplefilter("ignore")  # libraries warn developers, not this person
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        # Our output has nowhere to go: the reader has seen enough, or the disk is full.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not reader_left(error):
            say("The output could not be written completely.")
        sys.exit(ExitCode.SOME_FAILED)
