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
from hashkit.cli.commands.app import app_command
from hashkit.cli.commands.compare import compare_command
from hashkit.cli.commands.doctor import doctor_command
from hashkit.cli.commands.find import find_command
from hashkit.cli.commands.formats import export_command, import_command
from hashkit.cli.commands.guide import guide_command
from hashkit.cli.commands.hash import hash_command
from hashkit.cli.commands.inspect import inspect_command
from hashkit.cli.commands.report import report_command
from hashkit.cli.commands.schema import schema_command
from hashkit.cli.commands.seal import open_command, seal_command
from hashkit.cli.commands.send import profiles_command, send_command, withdraw_command
from hashkit.cli.output.terminal import ExitCode, reader_left, say

_LOOKED_AT = sys.stdout is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ

app = typer.Typer(
    name="hashkit",
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


app.command("guide")(guide_command)
app.command("app")(app_command)
app.command("hash")(hash_command)
app.command("compare")(compare_command)
app.command("find")(find_command)
app.command("inspect")(inspect_command)
app.command("report")(report_command)
app.command("export")(export_command)
app.command("import")(import_command)
app.command("seal")(seal_command)
app.command("open")(open_command)
app.command("send")(send_command)
app.command("withdraw")(withdraw_command)
app.command("profiles")(profiles_command)
app.command("schema")(schema_command)
app.command("doctor")(doctor_command)


def main() -> None:
    """Run the command that the arguments name."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before we began
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (for the whole process)
        elif reconfigure := getattr(stream, "reconfigure", None):
            # A name that this terminal cannot show must not end the run.
            reconfigure(errors="backslashreplace")
    warnings.simplefilter("ignore")  # libraries' words to developers, not to this person
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
