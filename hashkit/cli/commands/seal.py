"""``hashkit seal`` and ``hashkit open``: a submission that only one person can open, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from hashkit.cli.output.terminal import ExitCode, fail, fail_on, fail_on_submission, say, shown_name
from hashkit.cli.targets import check_target, same_file

_MAX_IDENTITY_BYTES = 1 << 16


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
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file at --out if there is one.")
    ] = False,
) -> None:
    """Seal a submission, so that only the person it is for can read the hashes."""
    from hashkit.errors import HashkitError, RecipientUnknown
    from hashkit.sandbox.lockdown import lock_network
    from hashkit.submission.document import read_submission
    from hashkit.submission.sealing import check_available, seal, seal_with_passphrase
    from hashkit.submission.writing import write_whole

    if bool(to) == passphrase:
        raise typer.BadParameter("give either --to or --passphrase", param_hint="--to")
    out = submission.with_name(f"{submission.name}.age") if out is None else out
    _check_names(out, [submission], force)
    lock_network()
    try:
        read = read_submission(submission)
    except HashkitError as error:
        fail_on_submission(error, submission)
    try:
        check_available()  # before a passphrase is asked for
        sealed = seal(read, to) if to else seal_with_passphrase(read, _new_passphrase())
    except RecipientUnknown as error:
        fail(error, None, ExitCode.WRONG_USE)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    try:
        write_whole(out, sealed, replace=force)
    except HashkitError as error:
        fail(error, out, ExitCode.SOME_FAILED)
    typer.echo(f"Sealed: {shown_name(out)}. The submission itself is still there, as it was.")
    if passphrase:
        say("Give the passphrase on another way than the file. Nobody can open it without.")


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
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file at --out if there is one.")
    ] = False,
) -> None:
    """Open a sealed submission. It is checked before it is written."""
    from hashkit.errors import HashkitError, IdentityUnknown
    from hashkit.sandbox.lockdown import lock_network
    from hashkit.submission.document import write_submission
    from hashkit.submission.sealing import unseal, unseal_with_passphrase

    if identity is not None and passphrase:
        raise typer.BadParameter("give either --identity or --passphrase", param_hint="--identity")
    _check_names(out, [sealed] if identity is None else [sealed, identity], force)
    lock_network()
    untrusted = _read_sealed(sealed, wants_key=identity is not None)
    try:
        if identity is not None:
            submission = unseal(untrusted, _keys(identity))
        else:
            submission = unseal_with_passphrase(untrusted, _ask("Passphrase: "))
    except IdentityUnknown as error:
        fail(error, identity, ExitCode.SOME_FAILED)
    except HashkitError as error:
        fail_on_submission(error, sealed)
    try:
        write_submission(submission, out, replace=force)
    except HashkitError as error:
        fail(error, out, ExitCode.SOME_FAILED)
    typer.echo(f"Opened: {shown_name(out)}. See what is in it with: hashkit inspect")


def _check_names(out: Path, given: Sequence[Path], force: bool) -> None:
    if any(same_file(out, each) for each in given):
        told = "This file is to be read. It was left as it is. Choose another name for --out."
        fail(told, out, ExitCode.WRONG_USE)
    check_target(out, force, ())


def _read_sealed(path: Path, wants_key: bool) -> bytes:
    """The bytes of a sealed file that opens in the way that was asked for."""
    from hashkit.errors import HashkitError, SealDamaged
    from hashkit.pipeline.files import open_untrusted
    from hashkit.submission.sealing import MAX_SEALED_BYTES, SealKind, seal_kind

    try:
        with open_untrusted(path) as source:
            kind = seal_kind(source.head)
            if source.size > MAX_SEALED_BYTES:
                raise SealDamaged("This is too big for a sealed submission.")
            untrusted = source.read()
    except HashkitError as error:
        fail_on(error, path)
    if wants_key and kind is SealKind.PASSPHRASE:
        _wrong_way("This file was sealed with a passphrase. Leave out --identity.", path)
    if not wants_key and kind is SealKind.KEY:
        _wrong_way("This file was sealed for a key. Give yours with --identity KEYFILE.", path)
    return untrusted


def _wrong_way(text: str, path: Path) -> NoReturn:
    fail(text, path, ExitCode.WRONG_USE)


def _keys(path: Path) -> tuple[str, ...]:
    from hashkit.errors import HashkitError, IdentityUnknown
    from hashkit.pipeline.files import open_untrusted
    from hashkit.submission.sealing import identities_in

    try:
        with open_untrusted(path) as source:
            if source.size > _MAX_IDENTITY_BYTES:
                raise IdentityUnknown
            return identities_in(source.read().decode("utf-8", "replace"))
    except HashkitError as error:
        fail_on(error, path)


def _new_passphrase() -> str:
    from hashkit.errors import PassphraseShort
    from hashkit.submission.sealing import MIN_PASSPHRASE

    first = _ask("Passphrase: ")
    if len(first.strip()) < MIN_PASSPHRASE:
        raise PassphraseShort
    if _ask("The same passphrase again: ") != first:
        fail("The two were not the same. Nothing was sealed.", None, ExitCode.WRONG_USE)
    return first


def _ask(prompt: str) -> str:
    """Ask in the terminal, and show nothing of what is typed. There is no other way to give a
    passphrase: what stands in a command stays in the shell's history and in lists of processes."""
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            told = "The passphrase is asked for in a terminal, and there is none."
        except EOFError:
            told = "There was no passphrase."
        except UnicodeDecodeError:
            told = "There are letters in it that this terminal cannot pass on. Take others."
    fail(told, None, ExitCode.WRONG_USE)
