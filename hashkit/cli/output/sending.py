"""What is printed while requests are sent or withdrawn, and at the end."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import typer

from hashkit.cli.output.terminal import ExitCode, fail, say, shown_name
from hashkit.errors import AlreadySending, HashkitError, RecordDamaged, RecordUnwritable
from hashkit.submission.sending.batch import Sent


def print_sent(requests: Iterator[Sent], journal_file: Path, as_json: bool) -> None:
    """Print the outcome of each request, as it is made. Ends the command with an exit code of its
    own where not everything was done."""
    states: Counter[str] = Counter()
    failure: HashkitError | None = None
    done = True
    try:
        for sent in requests:
            _print(sent, as_json)
            states[sent.state] += 1
            done = done and sent.reason is None
    except HashkitError as error:
        failure = error
    if states or failure is None:
        say(" ".join(f"{state.capitalize()}: {count}." for state, count in states.items()))
    if failure is not None:
        of_journal = isinstance(failure, RecordDamaged | RecordUnwritable | AlreadySending)
        fail(failure, journal_file if of_journal else None, ExitCode.SOME_FAILED)
    if not done:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _print(sent: Sent, as_json: bool) -> None:
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


def say_and_wait(seconds: float) -> None:
    """Wait before a request is tried again."""
    say(f"Waiting {seconds:.0f} s, then trying again.")
    time.sleep(seconds)
