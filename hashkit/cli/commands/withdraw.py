"""``hashkit withdraw``: takes back what was sent to a service."""

from __future__ import annotations

from hashkit.cli.actions.sending import (
    AsJson,
    DryRun,
    Profiles,
    To,
    Tries,
    Yes,
    ask,
    credentials_or_fail,
    journal_or_fail,
    plan_or_fail,
    print_bytes,
    requests_in_words,
    service_in_words,
)
from hashkit.cli.options import SubmissionFile
from hashkit.cli.output.sending import run
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.errors import NoWithdrawal
from hashkit.submission.sending.journal import journal_beside
from hashkit.submission.sending.plan import requests_to_withdraw


def withdraw_command(
    submission: SubmissionFile,
    to: To,
    profiles: Profiles = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    tries: Tries = 5,
) -> None:
    """Take back what was sent to a service, where the service has a way to."""
    plan = plan_or_fail(submission, to, profiles)
    if not plan.backend.withdraws:
        fail(NoWithdrawal(), None, ExitCode.SOME_FAILED)
    beside = journal_beside(submission)
    journal = journal_or_fail(beside, plan)
    there = journal.perhaps_there()
    say(f"From {service_in_words(plan)}")
    if not there:
        say("It has nothing of this submission, as far as the record beside it says.")
        return
    if dry_run:
        print_bytes(plan, requests_to_withdraw(plan, journal))
        return
    credentials = credentials_or_fail(plan)
    question = f"Take back what it got in {requests_in_words(len(there))}?"
    ask(question, "Nothing was taken back.", yes)
    run(plan, beside, credentials, tries, as_json, lambda delivery: delivery.withdraw())
