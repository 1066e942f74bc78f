"""``hashkit hash``: hashes of pictures, on the screen, as JSON Lines, or as a submission."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.cli.targets import check_target, same_file

if TYPE_CHECKING:
    from hashkit.cli.for_service import ForService
    from hashkit.cli.hash_run import HashRun
    from hashkit.cli.output.json_lines import ToFile, ToStandardOutput
    from hashkit.media.sampling import Sample


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
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file at --out if there is one.")
    ] = False,
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
            help="Also make hashes of likely edits, to find edited copies: 'none', 'orientations' "
            "(mirrored and turned), 'standard' (at most 16 hashes a picture) or 'wide' (48).",
        ),
    ] = "none",
    save_tmk: Annotated[
        Path | None,
        typer.Option(help="Also write the TMK hash of each video to this folder, as a .tmk file."),
    ] = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(min=1, help="Refuse larger pictures. [default: 200 million]"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many files to open at a time. [default: one a core]"),
    ] = None,
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
            help="Hash on a Dask cluster, such as tcp://scheduler:8786, that can read the files.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors, and JSON if asked for.")
    ] = False,
) -> None:
    """Hash pictures. They stay where they are and are not changed."""
    from hashkit.cli.hash_run import HashRun
    from hashkit.cli.output.json_lines import SUFFIX
    from hashkit.errors import HashkitError, OutputUnwritable
    from hashkit.hashes.registry import resolve
    from hashkit.media.limits import MAX_PIXELS
    from hashkit.sandbox.lockdown import lock_network
    from hashkit.sandbox.process import TIME_LIMIT

    wanted_sample = _parse_sample(sample)
    level = _parse_level(variants)
    if save_tmk is not None and not save_tmk.is_dir():
        fail(OutputUnwritable(), save_tmk, ExitCode.WRONG_USE)
    chosen = _chosen(service, algorithms, out, save_tmk, resume)
    try:
        if chosen is not None:
            names = chosen.algorithms
        else:
            names = resolve("services" if algorithms is None else algorithms)
    except HashkitError as error:
        fail(error, None, ExitCode.WRONG_USE)
    to_lines = as_json and out is not None and out.suffix.lower() == SUFFIX
    if resume and not to_lines:
        raise typer.BadParameter(
            "needs --json and --out with a name that ends in .jsonl", param_hint="--resume"
        )
    if dask is None:
        lock_network()
    found = list(_expand(paths, recursive))
    if to_lines and out is not None:  # it may be in the folder that is hashed
        found = [each for each in found if not (each.from_folder and same_file(out, each.path))]
    if out is not None:
        check_target(out, force or resume, [each.path for each in found])
    run = HashRun(
        lines=_lines(out if to_lines else None, resume, force) if as_json else None,
        quiet=quiet,
        out=None if to_lines else out,
        force=force,
        save_tmk=save_tmk,
        elsewhere=dask is not None,
        from_folders={each.path for each in found if each.from_folder},
        chosen=chosen,
    )
    if chosen is not None and not quiet:
        chosen.explain()
    options = {
        "algorithms": names,
        "sample": wanted_sample,
        "max_pixels": max_pixels or MAX_PIXELS,
        "variants": level,
        "time_limit": time_limit or TIME_LIMIT,
        "workers": workers,
        "ordered": as_json or not sys.stdout.isatty(),  # a person sees them as they are done
    }
    try:
        _hash_all([each.path for each in found if not run.has(each.path)], run, options, dask)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    except KeyboardInterrupt:
        say(run.interrupted())
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    run.finish()


def _chosen(
    service: str | None,
    algorithms: str | None,
    out: Path | None,
    save_tmk: Path | None,
    resume: bool,
) -> ForService | None:
    """The service that the hashes are for. Ends the command where there is nothing to do for it."""
    from hashkit.cli.for_service import ForService

    if service is None:
        return None
    if algorithms is not None:
        raise typer.BadParameter(
            "says which hashes are made: leave out --algorithms", param_hint="--for"
        )
    if resume:  # what is in the list already may hold other hashes, or too few
        raise typer.BadParameter("begins a new list: leave out --resume", param_hint="--for")
    chosen = ForService.named(service)
    chosen.check(out, save_tmk)
    return chosen


def _hash_all(paths: list[Path], run: HashRun, options: dict[str, Any], dask: str | None) -> None:
    from hashkit.batch.run import hash_files
    from hashkit.cli.output.progress import progress

    with ExitStack() as stack:
        if dask is not None:
            from hashkit.cli.cluster import cluster

            options["executor"], width = stack.enter_context(cluster(dask))
            options["workers"] = options["workers"] or width
        show = stack.enter_context(progress(len(paths), wanted=not run.quiet))
        # Closed at once when interrupted, not when nobody remembers it any more.
        outcomes = stack.enter_context(closing(hash_files(paths, **options, on_progress=show)))
        for outcome in outcomes:
            run.take(outcome)


def _lines(out: Path | None, resume: bool, replace: bool) -> ToStandardOutput | ToFile:
    from hashkit.cli.output.json_lines import open_lines
    from hashkit.errors import HashkitError

    try:
        return open_lines(out, resume=resume, replace=replace)
    except HashkitError as error:
        fail(str(error), out, ExitCode.WRONG_USE)


def _parse_sample(text: str) -> Sample:
    from hashkit.media.sampling import check_sample

    try:
        return check_sample(text if text in ("all", "keyframes") else float(text))
    except ValueError:
        raise typer.BadParameter(
            "give a number of seconds, 'all' or 'keyframes'", param_hint="--sample"
        ) from None


def _parse_level(text: str) -> str:
    from hashkit.variants.sets import LEVELS

    if text not in LEVELS:
        raise typer.BadParameter(f"give one of {', '.join(LEVELS)}", param_hint="--variants")
    return text


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    from_folder: bool


def _expand(paths: list[Path], recursive: bool) -> Iterator[_Found]:
    """The files that are meant, each once."""
    from hashkit.pipeline.folders import files_in

    seen: set[Path] = set()
    for given in paths:
        from_folder = recursive and os.path.isdir(given)
        for path in files_in(given) if from_folder else (given,):
            if path not in seen:
                seen.add(path)
                yield _Found(path, from_folder)
