"""Hashes files as the options say: checks them, finds the files, and takes their outcomes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import typer

from hashkit.batch.run import hash_files
from hashkit.cli.actions.dask_cluster import cluster
from hashkit.cli.actions.for_service import ForService
from hashkit.cli.actions.hash_run import HashOptions, HashRun
from hashkit.cli.files import check_target, same_file
from hashkit.cli.options import check_choice
from hashkit.cli.output.json_lines import ToFile, ToStandardOutput, open_lines
from hashkit.cli.output.progress import progress
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.errors import HashkitError, OutputUnwritable
from hashkit.hashes.registry import resolve
from hashkit.media.limits import MAX_PIXELS
from hashkit.media.sampling import Sample, check_sample
from hashkit.pipeline.folders import files_in, hidden_in
from hashkit.sandbox import lockdown
from hashkit.sandbox.process import TIME_LIMIT
from hashkit.variants.sets import LEVELS


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the options ask for, checked."""

    algorithms: tuple[str, ...]
    sample: Sample
    service: ForService | None


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    from_folder: bool


def run(paths: list[Path], options: HashOptions) -> None:
    """Hash files, and end the command with its exit code."""
    wanted = _check(options)
    if options.dask is None:
        lockdown.lock_network()
    else:  # the cluster is reached through the network
        lockdown.lock_memory()
    found = list(_expand(paths, options))
    if options.out is not None:
        check_target(options.out, options.force or options.resume, [each.path for each in found])
    hash_run = HashRun(
        options,
        lines=_lines(options) if options.as_json else None,
        from_folders={each.path for each in found if each.from_folder},
        service=wanted.service,
        hidden=sum(map(hidden_in, filter(os.path.isdir, paths))) if options.recursive else 0,
    )
    if wanted.service is not None and not options.quiet:
        wanted.service.explain()
    try:
        _hash_all([each.path for each in found if not hash_run.has(each.path)], hash_run, wanted)
    except HashkitError as error:
        fail(error, None, ExitCode.SOME_FAILED)
    except KeyboardInterrupt:
        say(hash_run.interrupted())
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    hash_run.finish()


def _check(options: HashOptions) -> _Wanted:
    """Ends the command where options are wrong or do not fit together."""
    sample = _parse_sample(options.sample)
    check_choice(options.variants, LEVELS, "--variants")
    if options.save_tmk is not None and not options.save_tmk.is_dir():
        fail(OutputUnwritable(), options.save_tmk, ExitCode.WRONG_USE)
    service = _service(options)
    try:
        if service is not None:
            algorithms = service.algorithms
        else:
            algorithms = resolve("services" if options.algorithms is None else options.algorithms)
    except HashkitError as error:
        fail(error, None, ExitCode.WRONG_USE)
    if options.resume and not options.to_lines:
        raise typer.BadParameter(
            "needs --json and --out with a name that ends in .jsonl", param_hint="--resume"
        )
    return _Wanted(algorithms, sample, service)


def _service(options: HashOptions) -> ForService | None:
    """The service that the hashes are for. Ends the command where there is nothing to do for it."""
    if options.service is None:
        return None
    if options.algorithms is not None:
        raise typer.BadParameter(
            "says which hashes are made: leave out --algorithms", param_hint="--for"
        )
    if options.resume:  # what is in the list already may hold other hashes, or too few
        raise typer.BadParameter("begins a new list: leave out --resume", param_hint="--for")
    service = ForService.named(options.service)
    service.check(options.out, options.save_tmk)
    return service


def _hash_all(paths: list[Path], hash_run: HashRun, wanted: _Wanted) -> None:
    options = hash_run.options
    with ExitStack() as stack:
        executor, width = None, None
        if options.dask is not None:
            executor, width = stack.enter_context(cluster(options.dask, quiet=options.quiet))
            lockdown.lock_network()  # the process that connects was started before
        show = stack.enter_context(progress(len(paths), wanted=not options.quiet))
        outcomes = hash_files(
            paths,
            algorithms=wanted.algorithms,
            sample=wanted.sample,
            max_pixels=options.max_pixels or MAX_PIXELS,
            variants=options.variants,
            workers=options.workers or width,
            executor=executor,
            time_limit=options.time_limit or TIME_LIMIT,
            # A person sees them as they are done.
            ordered=options.as_json or not sys.stdout.isatty(),
            on_progress=show,
        )
        # Closed at once when interrupted, not when it is garbage-collected.
        for outcome in stack.enter_context(closing(outcomes)):
            hash_run.take(outcome)


def _lines(options: HashOptions) -> ToStandardOutput | ToFile:
    out = options.out if options.to_lines else None
    try:
        return open_lines(out, resume=options.resume, replace=options.force)
    except HashkitError as error:
        fail(str(error), out, ExitCode.WRONG_USE)


def _parse_sample(text: str) -> Sample:
    try:
        return check_sample(text if text in ("all", "keyframes") else float(text))
    except ValueError:
        raise typer.BadParameter(
            "give a number of seconds, 'all' or 'keyframes'", param_hint="--sample"
        ) from None


def _expand(paths: list[Path], options: HashOptions) -> Iterator[_Found]:
    """The files to hash, each once, without the list that is written."""
    seen: set[Path] = set()
    lines = options.out if options.to_lines else None
    for given in paths:
        from_folder = options.recursive and os.path.isdir(given)
        for path in files_in(given) if from_folder else (given,):
            if path in seen:
                continue
            seen.add(path)
            if not (from_folder and lines is not None and same_file(lines, path)):
                yield _Found(path, from_folder)
