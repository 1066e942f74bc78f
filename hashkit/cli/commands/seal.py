"""``hashkit seal``: a submission that only the person it is for can open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.files import NOT_OVER_WHAT_IS_READ, check_other_target, read_or_fail, write_or_fail
from hashkit.cli.options import Force
from hashkit.cli.output.terminal import ExitCode, fail, say, shown_name
from hashkit.cli.passphrase import ask_passphrase
from hashkit.errors import HashkitError, PassphraseShort, RecipientUnknown
from hashkit.sandbox import lockdown
from hashkit.submission.sealing import (
    MIN_PASSPHRASE,
    check_available,
    seal,
    seal_with_passphrase,
)


def seal_command(
    submission: Annotated[
        Path,
        typer.Argument(metavar="SUBMISSION", help="A file made with --out.", readable=False),
    ],
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="age1...",
            help="The public key of who may open it. Give it again for more people: each of them "
            "can open it alone.",
        ),
    ] = None,
    passphrase: Annotated[
        bool,
        typer.Option("--passphrase", help="Ask for a passphrase: who knows it can open the file."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the sealed file here. [default: the submission's name and .age]",
            readable=False,
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Seal a submission, so that only the person it is for can read the hashes."""
    if bool(to) == passphrase:
        raise typer.BadParameter("give either --to or --passphrase", param_hint="--to")
    out = submission.with_name(f"{submission.name}.age") if out is None else out
    check_other_target(out, force, [submission], NOT_OVER_WHAT_IS_READ)
    lockdown.lock_network()
    read = read_or_fail(submission)
    try:
        check_available()  # before a passphrase is asked for
        sealed = seal(read, to) if to else seal_with_passphrase(read, _new_passphrase())
    except RecipientUnknown as error:
        fail(error, None, ExitCode.WRONG_USE)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    write_or_fail(out, sealed, force)
    typer.echo(f"Sealed: {shown_name(out)}. The submission itself is still there, as it was.")
    if passphrase:
        say("Give the passphrase on another way than the file. Nobody can open it without.")


def _new_passphrase() -> str:
    first = ask_passphrase("Passphrase: ")
    if len(first.strip()) < MIN_PASSPHRASE:
        raise PassphraseShort
    if ask_passphrase("The same passphrase again: ") != first:
        fail("The two were not the same. Nothing was sealed.", None, ExitCode.WRONG_USE)
    return first
