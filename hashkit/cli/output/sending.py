"""Sending and withdrawing, as it goes: what is said meanwhile, and in the end."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import typer

from hashkit.cli.output.terminal import ExitCode, fail, say, shown_name
from hashkit.errors import AlreadySending, HashkitError, RecordDamaged, RecordUnwritable
from hashkit.submission.sending.batch import Batch
from hashkit.submission.sending.delivering import Delivery, Outcome
from hashkit.submission.sending.plan import Plan
from hashkit.submission.sending.submitting import Sent, delivering, sent

Steps = Iterator[tuple[Batch | None, Outcome]]


def run(
    plan: Plan,
    beside: Path,
    credentials: Mapping[str, str],
    tries: int,
    as_json: bool,
    go: Callable[[Delivery], Steps],
) -> None:
    """Do it, with the record at ``beside``, and say what became of each request. The command ends
    with an exit code of its own where not everything was done."""
    states: Counter[str] = Counter()
    failure: HashkitError | None = None
    done = True
    try:
        with delivering(plan, beside, credentials, tries, _wait) as delivery:
            for each in map(sent, go(delivery)):
                _tell(each, as_json)
                states[each.state] += 1
                done = done and each.reason is None
    except HashkitError as error:
        failure = error
    if states or failure is None:
        say(" ".join(f"{state.capitalize()}: {count}." for state, count in states.items()))
    if failure is not None:
        of_record = isinstance(failure, RecordDamaged | RecordUnwritable | AlreadySending)
        fail(failure, beside if of_record else None, ExitCode.SOME_FAILED)
    if not done:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _tell(sent: Sent, as_json: bool) -> None:
    if as_json:
        fields = asdict(sent)
        item, hashes = fields.pop("item"), Counter(fields.pop("algorithms"))
        typer.echo(json.dumps({"item": item, "hashes": hashes, **fields}))
        return
    what = f"request {sent.key[:8]}"
    if sent.item is not None:
        what = f"item {sent.item} ({', '.join(dict.fromkeys(sent.algorithms))})"
    why = "" if sent.reason is None else f": {shown_name(sent.reason)}"
    typer.echo(f"{what}: {sent.state}{why}")


def _wait(seconds: float) -> None:
    say(f"Waiting {seconds:.0f} s, then trying again.")
    time.sleep(seconds)
