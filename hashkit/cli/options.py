"""Arguments and options that several commands have."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from hashkit.locale.language import LANGUAGES, PSEUDO

SubmissionFile = Annotated[
    Path,
    typer.Argument(metavar="SUBMISSION", help="A file made with hash --out.", readable=False),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file at --out if there is one.")]
Threshold = Annotated[
    int, typer.Option(min=0, max=256, help="PDQ hashes at most so many bits apart match.")
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="How many files to open at a time. [default: one a core]"),
]


def check_choice(given: str, choices: Collection[str], option: str) -> str:
    """What was given for an option. BadParameter for what is none of the choices."""
    if given not in choices:
        raise typer.BadParameter(f"give one of {', '.join(choices)}", param_hint=option)
    return given


def check_language(code: str) -> str:
    """The same code. BadParameter for a language that hashkit does not speak."""
    return code if code == PSEUDO else check_choice(code, LANGUAGES, "--language")
