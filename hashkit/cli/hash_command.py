"""``hashkit hash``: hashes of pictures, on the screen, as JSON Lines, or as a submission."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hashkit.cli.terminal import ExitCode, fail, say, shown_name, told

if TYPE_CHECKING:
    from hashkit.media.sampling import Sample
    from hashkit.records import FailedFile, HashedFile
    from hashkit.submission.document import Submission


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
        str,
        typer.Option(
            help="Which hashes: names with commas between them, 'services' for what takedown "
            "services take, or 'all'.",
        ),
    ] = "services",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the submission to this file: hashes only, no names, no dates.",
            readable=False,
        ),
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
    found = list(_expand(paths, recursive))
    if out is not None:
        _check_target(out, force, found)
    run = _Run(as_json, quiet, out, force, save_tmk)
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
    run.finish()


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
        from_folder = recursive and os.path.isdir(given)
        for path in files_in(given) if from_folder else (given,):
            if path not in seen:
                seen.add(path)
                yield _Found(path, from_folder)


def _check_target(out: Path, force: bool, inputs: list[_Found]) -> None:
    """Refuse before the work what would fail after it, and never write over a picture."""
    from hashkit.errors import OutputExists, OutputUnwritable

    if not os.path.isdir(out.parent) or not os.access(out.parent, os.W_OK):
        fail(OutputUnwritable(), out, ExitCode.WRONG_USE)
    if not os.path.lexists(out):
        return
    if os.path.isdir(out):
        fail("There is a folder with this name. Choose another.", out, ExitCode.WRONG_USE)
    if not force:
        fail(OutputExists(), out, ExitCode.WRONG_USE)
    if any(_same_file(out, each.path) for each in inputs) or not _may_be_replaced(out):
        told = "This may be a picture or a video. It was left as it is. Choose another name."
        fail(told, out, ExitCode.WRONG_USE)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _may_be_replaced(path: Path) -> bool:
    """Only what can be read and is surely neither picture nor video, or is a link to nowhere."""
    from hashkit.errors import FileEmpty, FileMissing, HashkitError, NotMedia
    from hashkit.files import open_untrusted
    from hashkit.media import kinds

    try:
        with open_untrusted(path) as existing:
            kinds.identify(existing.head)
    except (NotMedia, FileEmpty, FileMissing):
        return True
    except HashkitError:
        return False
    return False


@dataclass
class _Run:
    """What has come of the files so far."""

    as_json: bool
    quiet: bool
    out: Path | None
    force: bool
    save_tmk: Path | None
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
            self._print(json_line(outcome))
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

    def _print(self, line: str) -> None:
        try:
            print(line, flush=True)
        except BrokenPipeError:  # whoever read our output has seen enough; --out is still wanted
            if self.out is None:
                raise
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (for the rest of the process)

    def finish(self) -> None:
        """Write the submission, print the table, say what was done, and exit."""
        from hashkit.cli.report import print_table, summary

        submission = self._write()
        if not self.quiet:
            text = summary(self.outcomes, self.skipped, self.out, submission)
            if self.as_json:
                say(text)
            else:
                print_table(self.outcomes)
                self._print(text)
        raise typer.Exit(ExitCode.SOME_FAILED if self.failed else ExitCode.DONE)

    def _write(self) -> Submission | None:
        from hashkit.errors import HashkitError
        from hashkit.submission.document import Submission, write_submission

        if self.out is None:
            return None
        submission = Submission.of(self.outcomes)
        if submission.items:
            try:
                write_submission(submission, self.out, replace=self.force)
            except HashkitError as error:
                fail(error, self.out, ExitCode.SOME_FAILED)
        return submission
