"""``hashkit withdraw``: takes back what was sent to a service."""

from __future__ import annotations

from hashkit.cli.actions import sending
from hashkit.cli.options import SubmissionFile
from hashkit.cli.output.sending import print_sent, say_and_wait
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.errors import NoWithdrawal
from hashkit.submission.sending.delivering import withdraw
from hashkit.submission.sending.journal import journal_beside
from hashkit.submission.sending.plan import requests_to_withdraw


def withdraw_command(
    submission: SubmissionFile,
    to: sending.To,
    profiles: sending.Profiles = None,
    dry_run: sending.DryRun = False,
    yes: sending.Yes = False,
    as_json: sending.AsJson = False,
    tries: sending.Tries = 5,
) -> None:
    """Take back what was sent to a service, where the service has a way to."""
    plan = sending.prepare_or_fail(submission, to, profiles)
    if not plan.backend.withdraws:
        fail(NoWithdrawal(), None, ExitCode.SOME_FAILED)
    beside = journal_beside(submission)
    journal = sending.journal_or_fail(beside, plan)
    there = journal.maybe_held()
    say(f"From {sending.service_in_words(plan)}")
    if not there:
        say("It has nothing of this submission, as far as the record beside it says.")
        return
    if dry_run:
        sending.print_bytes(plan, requests_to_withdraw(plan, journal))
        return
    credentials = sending.credentials_or_fail(plan)
    question = f"Take back what it got in {sending.requests_in_words(len(there))}?"
    sending.ask(question, "Nothing was taken back.", yes)
    print_sent(withdraw(plan, beside, credentials, tries, say_and_wait), beside, as_json)
