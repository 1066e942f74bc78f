"""``hashkit open``: a sealed submission, opened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.files import NOT_OVER_WHAT_IS_READ, check_other_target, write_or_fail
from hashkit.cli.options import Force
from hashkit.cli.output.terminal import ExitCode, fail, fail_on, fail_on_submission, shown_name
from hashkit.cli.passphrase import ask_passphrase
from hashkit.errors import HashkitError, IdentityUnknown, SealDamaged
from hashkit.pipeline.files import open_untrusted
from hashkit.sandbox import lockdown
from hashkit.submission.sealing import (
    MAX_SEALED_BYTES,
    SealKind,
    identities_in,
    seal_kind,
    unseal,
    unseal_with_passphrase,
)

_MAX_IDENTITY_BYTES = 1 << 16


def open_command(
    sealed: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A file made with hashkit seal.", readable=False),
    ],
    out: Annotated[Path, typer.Option(help="Write the submission to this file.", readable=False)],
    identity: Annotated[
        Path | None,
        typer.Option(
            metavar="KEYFILE", help="The file with your private key, as age-keygen writes it."
        ),
    ] = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for the passphrase.")
    ] = False,
    force: Force = False,
) -> None:
    """Open a sealed submission. It is checked before it is written."""
    if identity is not None and passphrase:
        raise typer.BadParameter("give either --identity or --passphrase", param_hint="--identity")
    given = [sealed] if identity is None else [sealed, identity]
    check_other_target(out, force, given, NOT_OVER_WHAT_IS_READ)
    lockdown.lock_network()
    untrusted = _read_sealed(sealed, wants_key=identity is not None)
    try:
        if identity is not None:
            submission = unseal(untrusted, _keys(identity))
        else:
            submission = unseal_with_passphrase(untrusted, ask_passphrase("Passphrase: "))
    except IdentityUnknown as error:
        fail(error, identity, ExitCode.SOME_FAILED)
    except HashkitError as error:
        fail_on_submission(error, sealed)
    write_or_fail(out, submission.to_json().encode(), force)
    typer.echo(f"Opened: {shown_name(out)}. See what is in it with: hashkit inspect")


def _read_sealed(path: Path, wants_key: bool) -> bytes:
    """The bytes of a sealed file that opens in the way that was asked for."""
    try:
        with open_untrusted(path) as source:
            kind = seal_kind(source.head)
            if source.size > MAX_SEALED_BYTES:
                raise SealDamaged("This is too big for a sealed submission.")
            untrusted = source.read()
    except HashkitError as error:
        fail_on(error, path)
    if wants_key and kind is SealKind.PASSPHRASE:
        why = "This file was sealed with a passphrase. Leave out --identity."
        fail(why, path, ExitCode.WRONG_USE)
    if not wants_key and kind is SealKind.KEY:
        why = "This file was sealed for a key. Give yours with --identity KEYFILE."
        fail(why, path, ExitCode.WRONG_USE)
    return untrusted


def _keys(path: Path) -> tuple[str, ...]:
    try:
        with open_untrusted(path) as source:
            if source.size > _MAX_IDENTITY_BYTES:
                raise IdentityUnknown
            return identities_in(source.read().decode("utf-8", "replace"))
    except HashkitError as error:
        fail_on(error, path)
