"""``hashkit doctor``: what stands between hostile files and this computer, tried out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from hashkit.cli.output.terminal import ExitCode, fail
from hashkit.errors import HashkitError
from hashkit.sandbox.doctor import Examination, examine

_WHAT_RESTRICTIONS_DO = {
    "memory": "a file cannot take all memory",
    "file size": "nothing large can be written, should all else fail",
    "core dumps": "a crash leaves no copy of a picture on the disk, and no debugger gets in",
    "files": "files can be read only, and folders not even listed (Landlock)",
    "system calls": "no network, no programs, no processes (seccomp)",
    "Python": "the same again, from Python code",
}


def doctor_command(
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="Print the facts alone, to be passed on: no path, no name is in them.",
        ),
    ] = False,
) -> None:
    """Check that pictures cannot leave, and what can be opened here."""
    try:
        found = examine()
    except HashkitError as error:
        fail(f"{error} Install hashkit again.", None, ExitCode.SOME_FAILED)
    typer.echo("\n".join(_facts(found) if report else _in_words(found)))
    raise typer.Exit(ExitCode.DONE if found.all_refused else ExitCode.SOME_FAILED)


def _facts(found: Examination) -> Iterable[str]:
    for name, value in (found.system | found.versions).items():
        yield f"{name}: {value}"
    for where, restrictions in (
        ("worker", found.restrictions),
        ("network", found.network_restrictions),
    ):
        for each in restrictions:
            yield f"{where} wall, {each.name}: {'stands' if each.active else each.reason}"
    for name, what in found.attempts.items():
        yield f"attempt, {name}: {what}"
    for name, can in (found.pictures | found.videos).items():
        yield f"format, {name}: {'yes' if can else 'no'}"


def _in_words(found: Examination) -> Iterable[str]:
    yield "Your files are opened by separate processes, with walls around them:"
    for each in found.restrictions:
        what = _WHAT_RESTRICTIONS_DO[each.name] if each.active else f"NOT THERE: {each.reason}"
        yield f"  {each.name:<15} {what}"
    yield "The command itself gives up the network too, and reaches no other program:"
    for each in found.network_restrictions:
        yield f"  {each.name:<15} {'done' if each.active else f'NOT THERE: {each.reason}'}"
    yield "Such a process has just tried to get out:"
    for name, what in found.attempts.items():
        yield f"  {name:<28} {what}"
    yield "Pictures that can be opened:"
    yield f"  {_list(found.pictures)}"
    yield "Videos that can be opened:"
    yield f"  {_list(found.videos)}"
    yield "Versions:"
    for name, value in (found.system | found.versions).items():
        yield f"  {name:<24} {value}"
    yield ""
    if found.all_refused:
        yield (
            "All is in place. What opens your pictures can neither send them anywhere nor write "
            "them down."
        )
    else:
        yield (
            "On this computer the system does not refuse everything. hashkit itself sends and "
            "copies nothing, here as elsewhere. But if a file made to do harm took over a decoder, "
            "what is not refused above would be open to it. If you do not trust whoever sent you a "
            "file, a Linux computer is safer for it."
        )


def _list(formats: dict[str, bool]) -> str:
    missing = [name for name, can in formats.items() if not can]
    there = ", ".join(name for name, can in formats.items() if can)
    return f"{there} (but not: {', '.join(missing)})" if missing else there
