"""What sending and withdrawing share: options, the plan, credentials, the journal, the question."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.output.counts import count_in_words
from hashkit.cli.output.terminal import ExitCode, fail, fail_on, fail_on_submission, say
from hashkit.errors import FileMissing, HashkitError, ProfileUnknown
from hashkit.sandbox import lockdown
from hashkit.submission.sending.batch import Request
from hashkit.submission.sending.delivering import load_credentials
from hashkit.submission.sending.journal import Journal, read_journal
from hashkit.submission.sending.plan import Plan, as_sent, prepare

To = Annotated[str, typer.Option(metavar="NAME", help="The profile of the service.")]
Profiles = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The file of profiles. [default: hashkit/profiles.toml in the folder for settings]",
        readable=False,
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Send nothing: print what would be sent, every byte.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object for each request.")]
Tries = Annotated[
    int, typer.Option(min=1, max=100, help="How often to try each request before giving up.")
]

NO_PROFILES = "There is no file of profiles. How to write one: docs/sending.md"


def prepare_or_fail(submission: Path, to: str, profiles: Path | None) -> Plan:
    """What is to be sent, and where. Ends the command where a file cannot be read. Locks this
    process, except for the network."""
    lockdown.lock_to_send()

    @contextmanager
    def reading(path: Path) -> Iterator[None]:
        try:
            yield
        except ProfileUnknown as error:
            fail(error, None, ExitCode.WRONG_USE)
        except HashkitError as error:
            if isinstance(error, FileMissing) and path != submission:
                fail(NO_PROFILES, path, ExitCode.WRONG_USE)
            fail_on_submission(error, path)

    return prepare(submission, to, profiles, reading)


def credentials_or_fail(plan: Plan) -> dict[str, str]:
    """The credentials that the service needs. Ends the command where one is missing."""
    try:
        return load_credentials(plan)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)


def journal_or_fail(path: Path, plan: Plan) -> Journal:
    """The journal of what was sent to this service. Ends the command where it cannot be read."""
    try:
        return read_journal(path, plan.backend.destination)
    except HashkitError as error:
        fail_on(error, path)


def service_in_words(plan: Plan) -> str:
    """The profile, the kind of service, its address and the proxy."""
    proxy = plan.profile.proxy
    through = "" if proxy is None else f", through the proxy {proxy}"
    return f"{plan.profile.name}: {plan.profile.kind}, {plan.profile.address}{through}"


def print_bytes(plan: Plan, requests: Iterable[Request]) -> None:
    """Print every byte that would be sent."""
    lockdown.lock_network()
    for request in requests:
        sys.stdout.buffer.write(as_sent(plan, request) + b"\r\n")


def requests_in_words(number: int) -> str:
    """``1 request``, ``2 requests``."""
    return count_in_words(number, "request")


def ask(question: str, otherwise: str, yes: bool) -> None:
    """Ask before anything is sent. Ends the command unless the person agrees."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        fail("There is nobody to ask. Add --yes to go on.", None, ExitCode.WRONG_USE)
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl+C, or the end of what is typed
        say(f"\n{otherwise}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if not agreed:
        say(otherwise)
        raise typer.Exit(ExitCode.DONE)
