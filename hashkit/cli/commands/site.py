"""``hashkit site``: builds the page that hashes in the browser, as a file or to be hosted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.files import write_or_fail
from hashkit.cli.options import check_choice
from hashkit.cli.output.terminal import ExitCode, fail, say, shown_name
from hashkit.errors import OutputUnwritable
from hashkit.locale.language import LANGUAGES

_NOT_EMPTY = (
    "This folder is not empty. It was left as it is. Choose another, or add --force to replace "
    "files in it."
)


def site_command(
    what: Annotated[str, typer.Argument(metavar="build", help="What to do: build.")],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT]",
            help="A new or empty folder for what a web server needs: the page, and headers.",
            readable=False,
        ),
    ] = None,
    single_file: Annotated[
        Path | None,
        typer.Option(
            help="Write the page alone, to this file, which opens from disk.", readable=False
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Only this language: en, es or fr. May be given several times."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already.")
    ] = False,
) -> None:
    """Build the page that hashes in the browser, for people who have nothing installed.

    It cannot send anything: its policy allows no request, wherever it is opened from."""
    from hashkit.web.site.building import build  # noqa: PLC0415 (templates take long to import)
    from hashkit.web.site.hosting import files_to_host  # noqa: PLC0415

    check_choice(what, ("build",), "WHAT")
    if (out is None) == (single_file is None):
        raise typer.BadParameter("give either a folder or --single-file", param_hint="OUT")
    languages = [check_choice(each, LANGUAGES, "--language") for each in language or LANGUAGES]
    built = build([*dict.fromkeys(languages)])
    if single_file is not None:
        _write(single_file, built.html, force)
        typer.echo(f"Written: {shown_name(single_file)}.")
    elif out is not None:
        _prepare(out, force)
        for name, content in files_to_host(built).items():
            _write(out / name, content, force)
        typer.echo(f"Written: {shown_name(out)}.")
    say(f"SHA-256 of the page: {hashlib.sha256(built.html).hexdigest()}")


def _prepare(out: Path, force: bool) -> None:
    """Make the folder. Ends the command if it cannot be made, or is not empty."""
    try:
        out.mkdir(exist_ok=True)
        if not force and any(out.iterdir()):
            fail(_NOT_EMPTY, out, ExitCode.WRONG_USE)
    except OSError:
        fail(OutputUnwritable(), out, ExitCode.WRONG_USE)


def _write(path: Path, content: bytes, force: bool) -> None:
    """Write a file that a web server may read: there is nothing of anybody in it."""
    write_or_fail(path, content, force)
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
