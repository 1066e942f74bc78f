"""``hashkit schema``: what a submission may hold."""

from __future__ import annotations

import typer

from hashkit.submission.document import submission_schema


def schema_command() -> None:
    """Print the JSON Schema of the submission."""
    typer.echo(submission_schema(), nl=False)
