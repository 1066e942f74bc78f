"""``hashkit send``, ``hashkit withdraw`` and ``hashkit profiles``: handing hashes to a service."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hashkit.cli.output.formats import count_in_words, left_out_in_words
from hashkit.cli.output.sending import print_sent, say_and_wait
from hashkit.cli.output.terminal import (
    ExitCode,
    fail,
    fail_on,
    fail_on_submission,
    say,
    shown_name,
)

if TYPE_CHECKING:
    from hashkit.submission.sending.batch import Batch, Request
    from hashkit.submission.sending.journal import Journal
    from hashkit.submission.sending.plan import Plan
    from hashkit.submission.sending.profile import Profile

Given = Annotated[
    Path,
    typer.Argument(metavar="SUBMISSION", help="A file made with hash --out.", readable=False),
]
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

_NO_PROFILES = "There is no file of profiles. How to write one: docs/sending.md"


def send_command(
    submission: Given,
    to: To,
    profiles: Profiles = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    tries: Tries = 5,
) -> None:
    """Send the hashes of a submission to a service that you have an agreement with.

    It says what will go, and asks, before anything is sent. What the service has is noted beside
    the submission: run it again after anything went wrong, and only the rest is sent.
    """
    from hashkit.submission.sending.delivering import send
    from hashkit.submission.sending.journal import journal_beside
    from hashkit.submission.sending.plan import requests_to_send

    plan = _prepare(submission, to, profiles)
    beside = journal_beside(submission)
    journal = _journal(beside, plan)
    left = [batch for batch in plan.batches if not journal.has(batch.key)]
    _show(plan, left)
    if unsure := sum(journal.unsure(batch.key) for batch in left):
        say(f"The service may have {_requests(unsure)} of these: an answer was lost.")
    if dry_run:
        _print_bytes(plan, requests_to_send(plan, journal))
        return
    if not left:
        say("Nothing is left to send.")
        return
    credentials = _credentials(plan)
    _ask("Send them?", "Nothing was sent.", yes)
    print_sent(send(plan, beside, credentials, tries, say_and_wait), beside, as_json)


def withdraw_command(
    submission: Given,
    to: To,
    profiles: Profiles = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    tries: Tries = 5,
) -> None:
    """Take back what was sent to a service, where the service has a way to."""
    from hashkit.errors import NoWithdrawal
    from hashkit.submission.sending.delivering import withdraw
    from hashkit.submission.sending.journal import journal_beside
    from hashkit.submission.sending.plan import requests_to_withdraw

    plan = _prepare(submission, to, profiles)
    if not plan.backend.withdraws:
        fail(NoWithdrawal(), None, ExitCode.SOME_FAILED)
    beside = journal_beside(submission)
    journal = _journal(beside, plan)
    there = journal.maybe_held()
    say(f"From {_service(plan)}")
    if not there:
        say("It has nothing of this submission, as far as the record beside it says.")
        return
    if dry_run:
        _print_bytes(plan, requests_to_withdraw(plan, journal))
        return
    credentials = _credentials(plan)
    question = f"Take back what it got in {_requests(len(there))}?"
    _ask(question, "Nothing was taken back.", yes)
    print_sent(withdraw(plan, beside, credentials, tries, say_and_wait), beside, as_json)


def profiles_command(profiles: Profiles = None) -> None:
    """List the profiles that there are, and check them. Nothing is sent."""
    from hashkit.errors import FileMissing, HashkitError, ProfileUnfit
    from hashkit.submission.sending.profiles import default_profiles, read_profiles

    path = profiles or default_profiles()
    try:
        found = read_profiles(path)
    except FileMissing:
        fail(_NO_PROFILES, path, ExitCode.SOME_FAILED)
    except HashkitError as error:
        fail_on(error, path)
    fits = True
    for name, profile in found.items():
        if isinstance(profile, ProfileUnfit):
            fits = False
            typer.echo(f"{shown_name(name)}: cannot be used. {shown_name(str(profile))}")
        else:
            fits = _list(profile) and fits
    if not found:
        say("There are no profiles in this file.")
    if not fits:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _list(profile: Profile) -> bool:
    """Show a profile. Returns whether all is there that it needs."""
    from hashkit.errors import SendingError
    from hashkit.submission.sending.backends import backend_for
    from hashkit.submission.sending.credentials import credential

    typer.echo(f"{profile.name}: {profile.kind}, {profile.address}")
    if profile.proxy is not None:
        typer.echo(f"  through the proxy {profile.proxy}")
    fits = True
    credentials = {}
    for name, where in profile.credentials.items():
        try:
            credentials[name] = credential(where)
            typer.echo(f"  {name}: {shown_name(str(where))}, there")
        except SendingError as error:
            fits = False
            typer.echo(f"  {name}: {shown_name(str(error))}")
    if fits:
        try:
            backend_for(profile).check_credentials(credentials)
        except SendingError as error:
            fits = False
            typer.echo(f"  {error}")
    if profile.ca is not None and not profile.ca.is_file():
        fits = False
        typer.echo("  ca: There is no such file.")
    return fits


def _prepare(submission: Path, to: str, profiles: Path | None) -> Plan:
    from hashkit.errors import FileMissing, HashkitError, ProfileUnknown
    from hashkit.submission.sending.plan import prepare

    @contextmanager
    def reading(path: Path) -> Iterator[None]:
        try:
            yield
        except ProfileUnknown as error:
            fail(error, None, ExitCode.WRONG_USE)
        except HashkitError as error:
            if isinstance(error, FileMissing) and path != submission:
                fail(_NO_PROFILES, path, ExitCode.WRONG_USE)
            fail_on_submission(error, path)

    return prepare(submission, to, profiles, reading)


def _credentials(plan: Plan) -> dict[str, str]:
    from hashkit.errors import HashkitError
    from hashkit.submission.sending.delivering import load_credentials

    try:
        return load_credentials(plan)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)


def _journal(path: Path, plan: Plan) -> Journal:
    from hashkit.errors import HashkitError
    from hashkit.submission.sending.journal import read_journal

    try:
        return read_journal(path, plan.backend.destination)
    except HashkitError as error:
        fail_on(error, path)


def _service(plan: Plan) -> str:
    proxy = plan.profile.proxy
    through = "" if proxy is None else f", through the proxy {proxy}"
    return f"{plan.profile.name}: {plan.profile.kind}, {plan.profile.address}{through}"


def _show(plan: Plan, left: list[Batch]) -> None:
    """Say what will go, and what will not."""
    say(f"To {_service(plan)}")
    if not plan.batches and not plan.left_out:
        say("There are no hashes in this submission.")
        return
    if left:
        say(f"What goes, in {_requests(len(left))}:")
    for name, count in Counter(name for batch in left for name in batch.algorithms).items():
        say(f"  {count:>6}  {name}")
    if plan.left_out:
        say("What does not:")
    for line in left_out_in_words(plan.left_out):
        say(f"- {line}")
    if before := len(plan.batches) - len(left):
        say(f"The service has {_requests(before)} already.")


def _print_bytes(plan: Plan, requests: Iterable[Request]) -> None:
    from hashkit.sandbox.lockdown import lock_network
    from hashkit.submission.sending.plan import as_sent

    lock_network()
    for request in requests:
        sys.stdout.buffer.write(as_sent(plan, request) + b"\r\n")


def _requests(number: int) -> str:
    return count_in_words(number, "request", "requests")


def _ask(question: str, otherwise: str, yes: bool) -> None:
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
