"""``hashkit compare``: how far apart two files are, and whether a submission covers a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.options import Threshold


def compare_command(
    first: Annotated[
        Path,
        typer.Argument(metavar="A", help="A picture, a video or a submission.", readable=False),
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one.", readable=False)],
    threshold: Threshold = 31,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether two files show the same, by all hashes.

    Edited copies are recognised by the hashes of likely edits. With a submission, this says whether
    a file is covered by what was submitted; a picture and a video, where it is in it.
    """
    from hashkit.cli.actions.compare import run  # noqa: PLC0415 (NumPy)

    run(first, second, threshold, as_json)
