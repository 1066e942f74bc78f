"""``hashkit find``: every copy of some originals on this device, edited ones too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.options import Threshold, Workers


def find_command(
    originals: Annotated[
        list[Path],
        typer.Argument(
            metavar="ORIGINAL…", help="Pictures, videos, or a submission.", readable=False
        ),
    ],
    places: Annotated[
        list[Path],
        typer.Option(
            "--in", metavar="FOLDER", help="Where to look: folders, or files.", readable=False
        ),
    ],
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Look in the folders in these folders too.")
    ] = False,
    threshold: Threshold = 31,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a copy instead of a table.")
    ] = False,
    workers: Workers = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but what is found, and errors.")
    ] = False,
) -> None:
    """Find the copies of pictures and videos on this computer.

    Edited copies are found by the hashes of likely edits, closest first. Nothing is changed, moved
    or deleted.
    """
    from hashkit.cli.actions.find import FindOptions, run  # noqa: PLC0415 (NumPy)

    run(originals, places, FindOptions(recursive, threshold, as_json, workers, quiet))
