"""``hashkit send``: hands the hashes of a submission to a service."""

from __future__ import annotations

from collections import Counter

from hashkit.cli.actions import sending
from hashkit.cli.options import SubmissionFile
from hashkit.cli.output.formats import left_out_in_words
from hashkit.cli.output.sending import print_sent, say_and_wait
from hashkit.cli.output.terminal import say
from hashkit.submission.sending.batch import Batch
from hashkit.submission.sending.delivering import send
from hashkit.submission.sending.journal import journal_beside
from hashkit.submission.sending.plan import Plan, requests_to_send


def send_command(
    submission: SubmissionFile,
    to: sending.To,
    profiles: sending.Profiles = None,
    dry_run: sending.DryRun = False,
    yes: sending.Yes = False,
    as_json: sending.AsJson = False,
    tries: sending.Tries = 5,
) -> None:
    """Send the hashes of a submission to a service that you have an agreement with.

    It says what will go, and asks, before anything is sent. What the service has is noted beside
    the submission: run it again after anything went wrong, and only the rest is sent.
    """
    plan = sending.prepare_or_fail(submission, to, profiles)
    beside = journal_beside(submission)
    journal = sending.journal_or_fail(beside, plan)
    left = [batch for batch in plan.batches if not journal.has(batch.key)]
    _show(plan, left)
    if unsure := sum(journal.unsure(batch.key) for batch in left):
        requests = sending.requests_in_words(unsure)
        say(f"The service may have {requests} of these: an answer was lost.")
    if dry_run:
        sending.print_bytes(plan, requests_to_send(plan, journal))
        return
    if not left:
        say("Nothing is left to send.")
        return
    credentials = sending.credentials_or_fail(plan)
    sending.ask("Send them?", "Nothing was sent.", yes)
    print_sent(send(plan, beside, credentials, tries, say_and_wait), beside, as_json)


def _show(plan: Plan, left: list[Batch]) -> None:
    """Say what will go, and what will not."""
    say(f"To {sending.service_in_words(plan)}")
    if not plan.batches and not plan.left_out:
        say("There are no hashes in this submission.")
        return
    if left:
        say(f"What goes, in {sending.requests_in_words(len(left))}:")
    for name, count in Counter(name for batch in left for name in batch.algorithms).items():
        say(f"  {count:>6}  {name}")
    if plan.left_out:
        say("What does not:")
    for line in left_out_in_words(plan.left_out):
        say(f"- {line}")
    if before := len(plan.batches) - len(left):
        say(f"The service has {sending.requests_in_words(before)} already.")
