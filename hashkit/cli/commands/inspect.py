"""``hashkit inspect``: what a submission holds, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.files import read_or_fail
from hashkit.cli.output.counts import count_in_words
from hashkit.cli.output.terminal import shown_name
from hashkit.models import ORIGINAL, READINGS
from hashkit.sandbox import lockdown
from hashkit.submission.formats.signals import signals_of

_READINGS = """\
Another reading is no edit: it is the same file as tools of services read it that do not see it as
people do. They leave out transparency, do not turn pictures, or count the frames of a video."""

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
    lockdown.lock_network()
    submission = read_or_fail(path)
    kinds = [item.kind.value for item in submission.items]
    counts = [
        count_in_words(kinds.count(kind), kind) for kind in ("image", "video") if kind in kinds
    ]
    typer.echo(f"{shown_name(path)} is a hashkit submission.")
    typer.echo(f"What is in it: the hashes of {' and '.join(counts) or 'nothing'}.")
    for number, item in enumerate(submission.items, 1):
        typer.echo(f"\n{number}. {item.kind.value}")
        for found in item.hashes:
            quality = "" if found.quality is None else f" (quality {found.quality} of 100)"
            typer.echo(f"   {found.algorithm:<15} {found.text}{quality}{_of(found.variant)}")
        for frames in ([item.frames] if item.frames else []) + [*item.frame_variants]:
            every = f"one hash for each sample ({frames.interval}){_of(frames.variant)}"
            typer.echo(f"   vpdq            {every}:")
            for each in frames.hashes:
                when = f"frame {each.frame}, {each.timestamp:.3f} s"
                typer.echo(f"      {each.value} ({when}, quality {each.quality} of 100)")
    if any(each.is_reading for each in signals_of(submission)):
        typer.echo(f"\n{_READINGS}")
    typer.echo(f"\n{_NOT_IN_IT}")


def _of(variant: str) -> str:
    """What a hash is of, if not of the original as people see it."""
    if variant == ORIGINAL:
        return ""
    return (
        f" (of another reading: {variant})" if variant in READINGS else f" (of an edit: {variant})"
    )
