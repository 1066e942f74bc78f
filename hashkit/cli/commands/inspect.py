"""``hashkit inspect``: what a submission holds, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.output.terminal import fail_on_submission, shown_name

_NOT_IN_IT = """\
What is not in it: no picture and no video, not even a small one. No file names, no folders. No
sizes and no dates. Nothing about a camera, a place, a person or this computer. Of a video, its
hashes show how long it is.

Keep it safe all the same. PDQ and the other perceptual hashes can give a skilled person a blurred
idea of the picture. Give this file only to a service or a person you trust."""


def inspect_command(
    path: Annotated[
        Path, typer.Argument(metavar="SUBMISSION", help="A file made with --out.", readable=False)
    ],
) -> None:
    """Say in plain words what is in a submission, all of it, and what is not."""
    from hashkit.errors import HashkitError
    from hashkit.models import ORIGINAL
    from hashkit.submission.document import read_submission

    try:
        submission = read_submission(path)
    except HashkitError as error:
        fail_on_submission(error, path)
    kinds = [item.kind.value for item in submission.items]
    counts = [
        f"{kinds.count(kind)} {kind}{'' if kinds.count(kind) == 1 else 's'}"
        for kind in ("image", "video")
        if kind in kinds
    ]
    typer.echo(f"{shown_name(path)} is a hashkit submission.")
    typer.echo(f"What is in it: the hashes of {' and '.join(counts) or 'nothing'}.")
    for number, item in enumerate(submission.items, 1):
        typer.echo(f"\n{number}. {item.kind.value}")
        for found in item.hashes:
            quality = "" if found.quality is None else f" (quality {found.quality} of 100)"
            edit = "" if found.variant == ORIGINAL else f" (of an edit: {found.variant})"
            typer.echo(f"   {found.algorithm:<15} {found.text}{quality}{edit}")
        for frames in ([item.frames] if item.frames else []) + [*item.frame_variants]:
            edit = "" if frames.variant == ORIGINAL else f" of an edit, {frames.variant}"
            typer.echo(f"   vpdq            one hash for each sample ({frames.interval}){edit}:")
            for each in frames.hashes:
                when = f"frame {each.frame}, {each.timestamp:.3f} s"
                typer.echo(f"      {each.value} ({when}, quality {each.quality} of 100)")
    typer.echo(f"\n{_NOT_IN_IT}")
