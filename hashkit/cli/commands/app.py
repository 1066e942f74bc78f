"""``hashkit app``: the local page, for everybody who would rather not type."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hashkit.cli.options import check_language
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.errors import PageUnavailable


def app_command(
    language: Annotated[
        str | None,
        typer.Option(help="Language of the page: en, es or fr. [default: that of the browser]"),
    ] = None,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open the page, or only print its address."),
    ] = True,
) -> None:
    """Open a page in your own browser, served from this computer only, that leads you through."""
    from hashkit.web.opening import open_in_browser  # noqa: PLC0415 (as below)
    from hashkit.web.serving import serve  # noqa: PLC0415 (the server takes long to import)

    if language is not None:
        check_language(language)

    def open_page(address: str, for_this_user_only: str | None) -> None:
        say("hashkit is ready. Nothing that you choose leaves this computer.")
        if browser and open_in_browser(address, for_this_user_only):
            say("A page is opening in your browser. If you see none, open this address yourself:")
        else:
            say("Open this address in your browser:")
        typer.echo(f"\n    {address}\n")
        sys.stdout.flush()
        say("The address works once. hashkit ends when you close the page, or with Ctrl-C here.")

    try:
        serve(open_page, language)
    except PageUnavailable as error:
        fail(error, None, ExitCode.SOME_FAILED)
    except KeyboardInterrupt:
        say("\nhashkit has ended. Nothing was kept.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    say("hashkit has ended. Nothing was kept.")
