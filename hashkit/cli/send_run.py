"""Sending and withdrawing, as it goes: what is said meanwhile, and in the end."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hashkit.cli.terminal import ExitCode, fail, say, shown_name

if TYPE_CHECKING:
    from hashkit.submission.sending.delivering import Delivery, Outcome
    from hashkit.submission.sending.parcels import Parcel
    from hashkit.submission.sending.plan import Plan

Steps = Iterator["tuple[Parcel | None, Outcome]"]


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
    from hashkit.errors import AlreadySending, HashkitError, RecordDamaged, RecordUnwritable
    from hashkit.submission.sending.submitting import delivering

    states: Counter[str] = Counter()
    failure: HashkitError | None = None
    done = True
    try:
        with delivering(plan, beside, credentials, tries, _wait) as delivery:
            for parcel, outcome in go(delivery):
                _tell(parcel, outcome, as_json)
                states[outcome.state] += 1
                done = done and outcome.reason is None
    except HashkitError as error:
        failure = error
    if states or failure is None:
        say(" ".join(f"{state.capitalize()}: {count}." for state, count in states.items()))
    if failure is not None:
        of_record = isinstance(failure, RecordDamaged | RecordUnwritable | AlreadySending)
        fail(failure, beside if of_record else None, ExitCode.SOME_FAILED)
    if not done:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _tell(parcel: Parcel | None, outcome: Outcome, as_json: bool) -> None:
    if as_json:
        fields = {
            "item": None if parcel is None else parcel.item,
            "hashes": {} if parcel is None else Counter(parcel.algorithms),
            "key": outcome.key,
            "state": outcome.state.value,
            "id": outcome.id,
            "reason": outcome.reason,
        }
        typer.echo(json.dumps(fields))
        return
    what = f"request {outcome.key[:8]}"
    if parcel is not None:
        what = f"item {parcel.item} ({', '.join(dict.fromkeys(parcel.algorithms))})"
    why = "" if outcome.reason is None else f": {shown_name(outcome.reason)}"
    typer.echo(f"{what}: {outcome.state}{why}")


def _wait(seconds: float) -> None:
    say(f"Waiting {seconds:.0f} s, then trying again.")
    time.sleep(seconds)
