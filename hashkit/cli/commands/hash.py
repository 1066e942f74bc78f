"""``hashkit hash``: hashes of pictures, on the screen, as JSON Lines, or as a submission."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashkit.cli.actions.hash import run
from hashkit.cli.actions.hash_run import HashOptions
from hashkit.cli.options import Force, Workers
from hashkit.variants.sets import DEFAULT_LEVEL


def hash_command(
    paths: Annotated[
        list[Path],
        # readable=False: Typer is not to check it, or one bad file would stop all.
        typer.Argument(
            metavar="PATH…", help="Pictures and videos; folders with -r.", readable=False
        ),
    ],
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Hash the pictures in folders too.")
    ] = False,
    algorithms: Annotated[
        str | None,
        typer.Option(
            help="Which hashes: names with commas between them, 'services' for what takedown "
            "services take, or 'all'.",
            show_default="services",
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="SERVICE",
            help="Say what a service does itself, and make only the hashes that it uses: stopncii, "
            "take-it-down, report-remove or meri-trustline.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the submission to this file: hashes only, no names, no dates. With --json "
            "and a name that ends in .jsonl: the JSON objects, with names, instead.",
            readable=False,
        ),
    ] = None,
    force: Force = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a file instead of a table.")
    ] = False,
    sample: Annotated[
        str,
        typer.Option(
            help="Which frames of a video get a hash: one every so many seconds, 'all', or "
            "'keyframes' (quick, without TMK).",
        ),
    ] = "1",
    variants: Annotated[
        str,
        typer.Option(
            help="Which hashes to make beside that of the original: 'readings' (of the same file "
            "as services' own tools read it; most files have none), 'none'; or beside readings, "
            "those of likely edits, to find edited copies: 'orientations' (mirrored and turned), "
            "'standard' (at most 16 hashes a picture) or 'wide' (48).",
        ),
    ] = DEFAULT_LEVEL,
    save_tmk: Annotated[
        Path | None,
        typer.Option(help="Also write the TMK hash of each video to this folder, as a .tmk file."),
    ] = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(min=1, help="Refuse larger pictures. [default: 200 million]"),
    ] = None,
    workers: Workers = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            min=1, max=1e6, help="Seconds after which a file that gets nowhere is given up."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="With --json --out NAME.jsonl: go on where an earlier run was interrupted.",
        ),
    ] = False,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Hash on a Dask cluster, such as tls://scheduler:8786, that can read the files.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors, and JSON if asked for.")
    ] = False,
) -> None:
    """Hash pictures. They stay where they are and are not changed."""
    options = HashOptions(
        recursive=recursive,
        algorithms=algorithms,
        service=service,
        out=out,
        force=force,
        as_json=as_json,
        sample=sample,
        variants=variants,
        save_tmk=save_tmk,
        max_pixels=max_pixels,
        workers=workers,
        time_limit=time_limit,
        resume=resume,
        dask=dask,
        quiet=quiet,
    )
    run(paths, options)
