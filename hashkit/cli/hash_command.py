"""``hashkit hash``: hashes of pictures, on the screen, as JSON Lines, or as a submission."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hashkit.cli.terminal import ExitCode, fail, say, shown_name, told

if TYPE_CHECKING:
    from hashkit.media.sampling import Sample
    from hashkit.records import FailedFile, HashedFile


def hash_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Pictures and videos; folders with -r.")
    ],
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Hash the pictures in folders too.")
    ] = False,
    algorithms: Annotated[
        str,
        typer.Option(
            help="Which hashes: names with commas between them, 'services' for what takedown "
            "services take, or 'all'.",
        ),
    ] = "services",
    out: Annotated[
        Path | None,
        typer.Option(help="Write the submission to this file: hashes only, no names, no dates."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the submission at --out if there is one.")
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
    save_tmk: Annotated[
        Path | None,
        typer.Option(help="Also write the TMK hash of each video to this folder, as a .tmk file."),
    ] = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(min=1, help="Refuse larger pictures. [default: 200 million]"),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors, and JSON if asked for.")
    ] = False,
) -> None:
    """Hash pictures. They stay on this computer and are not changed."""
    from hashkit.batch import hash_files
    from hashkit.cli.progress import progress
    from hashkit.errors import HashkitError, OutputUnwritable
    from hashkit.hashes.registry import resolve
    from hashkit.media.images import lift_pillows_limit
    from hashkit.media.limits import MAX_PIXELS

    wanted_sample = _parse_sample(sample)
    if save_tmk is not None and not save_tmk.is_dir():
        fail(OutputUnwritable(), save_tmk, ExitCode.WRONG_USE)
    lift_pillows_limit()
    try:
        names = resolve(algorithms)
    except HashkitError as error:
        fail(error, None, ExitCode.WRONG_USE)
    if out is not None:
        _check_target(out, force)
    found = list(_expand(paths, recursive))
    run = _Run(as_json, quiet, save_tmk)
    try:
        with progress(len(found), wanted=not quiet) as show:
            outcomes = hash_files(
                (each.path for each in found),
                algorithms=names,
                sample=wanted_sample,
                max_pixels=max_pixels or MAX_PIXELS,
                on_progress=lambda part: show(run.done + part),
            )
            for each, outcome in zip(found, outcomes, strict=True):
                run.take(outcome, from_folder=each.from_folder)
                show(run.done)
    except KeyboardInterrupt:
        say("Stopped. Nothing was written." if out is not None else "Stopped.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    run.finish(out, force)


def _parse_sample(text: str) -> Sample:
    from hashkit.media.sampling import check_sample

    try:
        return check_sample(text if text in ("all", "keyframes") else float(text))
    except ValueError:
        raise typer.BadParameter(
            "give a number of seconds, 'all' or 'keyframes'", param_hint="--sample"
        ) from None


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    from_folder: bool


def _expand(paths: list[Path], recursive: bool) -> Iterator[_Found]:
    """The files that are meant, each once."""
    from hashkit.batch import files_in

    seen: set[Path] = set()
    for given in paths:
        from_folder = recursive and given.is_dir()
        for path in files_in(given) if from_folder else (given,):
            if path not in seen:
                seen.add(path)
                yield _Found(path, from_folder)


def _check_target(out: Path, force: bool) -> None:
    """Refuse before the work what would fail after it, and never write over a picture."""
    from hashkit.errors import HashkitError, IsAFolder, OutputExists, OutputUnwritable
    from hashkit.media import files, kinds

    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        fail(OutputUnwritable(), out, ExitCode.WRONG_USE)
    if not os.path.lexists(out):
        return
    if out.is_dir():
        fail(OutputExists("There is already a folder with this name."), out, ExitCode.WRONG_USE)
    if not force:
        fail(OutputExists(), out, ExitCode.WRONG_USE)
    try:
        with files.open_untrusted(out) as existing:
            kinds.identify(existing.head)
    except IsAFolder:
        pass
    except HashkitError:
        return  # neither picture nor video: --force may replace it
    say(f"{shown_name(out)}: This is a picture or a video. It was left as it is.")
    raise typer.Exit(ExitCode.WRONG_USE)


@dataclass
class _Run:
    """What has come of the files so far."""

    as_json: bool
    quiet: bool
    save_tmk: Path | None = None
    outcomes: list[HashedFile | FailedFile] = field(default_factory=list)
    done: int = 0
    skipped: int = 0
    failed: int = 0

    def take(self, outcome: HashedFile | FailedFile, *, from_folder: bool) -> None:
        """Count an outcome, and print what can be printed already."""
        from hashkit.cli.report import json_line
        from hashkit.records import FailedFile

        self.done += 1
        if isinstance(outcome, FailedFile):
            if from_folder and outcome.error.code == "not_media":
                self.skipped += 1
                return
            self.failed += 1
            if not self.as_json:  # there, the error is in the line
                say(f"{shown_name(outcome.path or '')}: {told(outcome.error)}")
        self.outcomes.append(outcome)
        if self.as_json:
            print(json_line(outcome), flush=True)
        if self.save_tmk is not None:
            self._save_tmk(outcome, self.save_tmk)

    def _save_tmk(self, outcome: HashedFile | FailedFile, folder: Path) -> None:
        """Write the TMK hash of an outcome, if it has one, under the file's own name."""
        from hashkit.errors import HashkitError
        from hashkit.submission.writing import write_whole

        for found in outcome.hashes:
            if isinstance(found.value, bytes) and outcome.path is not None:
                target = folder / f"{outcome.path.name}.tmk"
                try:
                    write_whole(target, found.value)
                except HashkitError as error:
                    self.failed += 1
                    say(f"{shown_name(target)}: {told(error)}")

    def finish(self, out: Path | None, force: bool) -> None:
        """Print the table, write the submission, say what was done, and exit."""
        from hashkit.cli.report import print_table, summary
        from hashkit.errors import HashkitError
        from hashkit.submission.document import Submission, write_submission

        if not self.as_json and not self.quiet:
            print_table(self.outcomes)
        submission = Submission.of(self.outcomes) if out is not None else None
        if submission is not None and out is not None and submission.items:
            try:
                write_submission(submission, out, replace=force)
            except HashkitError as error:
                fail(error, out, ExitCode.SOME_FAILED)
        if not self.quiet:
            text = summary(self.outcomes, self.skipped, out, submission)
            say(text) if self.as_json else print(text)
        raise typer.Exit(ExitCode.SOME_FAILED if self.failed else ExitCode.DONE)
