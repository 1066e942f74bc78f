"""The table of commands, a module each: a command is imported when it is run or asked for help."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import MarkupMode, TyperCommand, TyperGroup

from hashkit.cli.dashes import check_dashes
from hashkit.cli.output.terminal import shown_name

COMMANDS = {
    "guide": ("guide", "Find out what to do, and which services help."),
    "app": (
        "app",
        "Open a page in your own browser, served from this computer only, that leads you through.",
    ),
    "hash": ("hash", "Hash pictures. They stay where they are and are not changed."),
    "compare": ("compare", "Say whether two files show the same, by all hashes."),
    "find": ("find", "Find the copies of pictures and videos on this computer."),
    "inspect": (
        "inspect",
        "Say in plain words what is in a submission, all of it, and what is not.",
    ),
    "report": (
        "report",
        "Make a case sheet of a submission: what was hashed, its checksums, and the services that "
        "fit.",
    ),
    "export": (
        "export",
        "Write a submission in the format of a service or a tool, for those who work with one.",
    ),
    "import": (
        "import_",
        "Make a submission of hashes that another tool wrote. Nothing but hashes is taken over.",
    ),
    "seal": ("seal", "Seal a submission, so that only the person it is for can read the hashes."),
    "open": ("open", "Open a sealed submission. It is checked before it is written."),
    "send": (
        "send",
        "Send the hashes of a submission to a service that you have an agreement with.",
    ),
    "withdraw": (
        "withdraw",
        "Take back what was sent to a service, where the service has a way to.",
    ),
    "profiles": (
        "profiles",
        "List the profiles that there are, and check them. Nothing is sent.",
    ),
    "site": (
        "site",
        "Build the page that hashes in the browser, for people who have nothing installed.",
    ),
    "schema": ("schema", "Print the JSON Schema of the submission."),
    "doctor": ("doctor", "Check that pictures cannot leave, and what can be opened here."),
}
"""The module of each command, and the first paragraph of its help, in the order of the list."""


class LazyGroup(TyperGroup):
    """Lists the commands from the table, and imports the one that is resolved."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name, with its options."""
        name, listed, rest = super().resolve_command(ctx, args)
        if listed is None or listed.name is None:
            return name, listed, rest
        return name, load(listed.name, self.rich_markup_mode), rest

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse options that are names of files, before any option has an effect."""
        check_dashes(args)
        return super().parse_args(ctx, args)


class Command(TyperCommand):
    """Refuses options that are names of files. (A ``--`` before the name of the command hides them
    from the group, and not from the command.)"""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Likewise. What is wrong with the arguments is said with their names escaped."""
        check_dashes(args)
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            message = getattr(error, "message", None)  # Typer's own errors, of any version
            if isinstance(message, str):
                setattr(error, "message", shown_name(message))  # noqa: B010 (mypy knows no such)
            raise


def load(name: str, rich_markup_mode: MarkupMode = None) -> Any:
    """Import the command of this name."""
    module = import_module(f"{__name__}.{COMMANDS[name][0]}")
    alone = typer.Typer(add_completion=False, rich_markup_mode=rich_markup_mode)
    alone.command(name, cls=Command)(getattr(module, f"{name}_command"))
    return typer.main.get_command(alone)
