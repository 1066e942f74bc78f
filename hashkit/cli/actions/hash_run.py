"""The options of ``hashkit hash``, and its outcomes: printed, counted, and written at the end."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import typer

from hashkit.cli.actions.for_service import ForService
from hashkit.cli.files import write_or_fail
from hashkit.cli.output.counts import UNPACK, count_in_words
from hashkit.cli.output.json_lines import SUFFIX, ToFile, ToStandardOutput
from hashkit.cli.output.outcomes import Outcome, summary, tally, what_was_written
from hashkit.cli.output.terminal import STAYED, ExitCode, reader_left, say, shown_name, with_advice
from hashkit.errors import HashkitError, NotMedia
from hashkit.models import FailedFile
from hashkit.pipeline.other_files import failure_as_listed, kind_of_other
from hashkit.submission.document import Submission, is_submission
from hashkit.submission.writing import write_whole

_READ_ELSEWHERE = "The pictures and videos were read by the machines of the cluster."


@dataclass(frozen=True, slots=True)
class HashOptions:
    """The options of the command, as they were given."""

    recursive: bool
    algorithms: str | None
    service: str | None
    out: Path | None
    force: bool
    as_json: bool
    sample: str
    variants: str
    save_tmk: Path | None
    max_pixels: int | None
    workers: int | None
    time_limit: float | None
    resume: bool
    dask: str | None
    quiet: bool

    @property
    def to_lines(self) -> bool:
        """Whether JSON Lines go to the file at ``out``, instead of a submission."""
        return self.as_json and self.out is not None and self.out.suffix.lower() == SUFFIX


@dataclass
class HashRun:
    """``lines`` is where JSON Lines go, None for a table. ``service`` is the one that the hashes
    are for, if one was named. ``hidden`` files of the folders are left out."""

    options: HashOptions
    lines: ToStandardOutput | ToFile | None
    from_folders: set[Path]
    service: ForService | None = None
    hidden: int = 0
    _outcomes: list[Outcome] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _others: Counter[str] = field(default_factory=Counter)
    _failed: bool = False

    @property
    def out(self) -> Path | None:
        """Where the submission goes, if one is wanted."""
        return None if self.options.to_lines else self.options.out

    def has(self, path: Path) -> bool:
        """Whether the run that is resumed has done this file."""
        done = isinstance(self.lines, ToFile) and self.lines.has(path)
        self._counts["before"] += done
        return done

    def take(self, outcome: Outcome) -> None:
        """Count an outcome, and print what can be printed already."""
        if self.service is not None:
            outcome = self.service.only(outcome)
        if isinstance(outcome, FailedFile):
            listed = self._listed(outcome)
            if listed is None:
                return
            outcome = listed
            self._failed = True
            if self.lines is None:  # else, the error is in the line
                say(f"{shown_name(outcome.path or '')}: {with_advice(outcome.error)}")
        self._counts[tally(outcome)] += 1
        if self.options.save_tmk is not None:  # before its line says that the file is done
            self._save_tmk(outcome, self.options.save_tmk)
        if self.lines is not None:
            self._write_line(outcome, self.lines)
        if self.lines is None or self.out is not None:  # else it is not used again
            self._outcomes.append(outcome)

    def _listed(self, outcome: FailedFile) -> FailedFile | None:
        """A failure with its reason. None for a file that was found in a folder and is neither a
        picture nor named like one: it is counted."""
        if outcome.path is None:
            return outcome
        listed = failure_as_listed(outcome)
        if outcome.path not in self.from_folders:
            return listed or _named_by_path(outcome, outcome.path)
        if listed is None:
            self._others[kind_of_other(outcome.path)] += 1
        return listed

    def interrupted(self) -> str:
        """What to say when the person stops the run."""
        if isinstance(self.lines, ToFile):
            return "Stopped. What was done is kept. To go on later, add --resume."
        return "Stopped. Nothing was written." if self.out is not None else "Stopped."

    def finish(self) -> None:
        """Write the submission, print the table, say what was done, and exit."""
        closing = [summary(self._counts, self._others)]
        if self._others["archive"]:
            closing.append(UNPACK)
        if self.hidden:
            were = "was" if self.hidden == 1 else "were"
            closing.append(f"{count_in_words(self.hidden, 'hidden file')} {were} not looked at.")
        if self.out is not None:
            closing.append(what_was_written(self.out, self._write(self.out)))
        if isinstance(self.lines, ToFile):
            self._failed |= self.lines.failed_before > 0
            closing.append("The list holds the names of your files: it is not for sending.")
        closing.append(STAYED if self.options.dask is None else _READ_ELSEWHERE)
        if not self.options.quiet:
            if self.lines is None:
                from hashkit.cli.output.outcome_table import print_table  # noqa: PLC0415 (Rich)

                print_table(self._outcomes)
                print(*closing, sep="\n", flush=True)
            else:
                say("\n".join(closing))
        raise typer.Exit(ExitCode.SOME_FAILED if self._failed else ExitCode.DONE)

    def _write_line(self, outcome: Outcome, lines: ToStandardOutput | ToFile) -> None:
        try:
            lines.write(outcome)
        except OSError as error:  # the reader of our output is gone; --out is still wanted
            if self.out is None or not reader_left(error):
                raise
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (for the rest of the process)

    def _save_tmk(self, outcome: Outcome, folder: Path) -> None:
        """Write the TMK hash of an outcome, if it has one, under the file's own name."""
        for found in outcome.hashes:
            if isinstance(found.value, bytes) and outcome.path is not None:
                target = folder / f"{outcome.path.name}.tmk"
                try:
                    write_whole(target, found.value)
                except HashkitError as error:
                    self._failed = True
                    say(f"{shown_name(target)}: {with_advice(error)}")

    def _write(self, out: Path) -> Submission:
        submission = Submission.of(self._outcomes)
        if submission.items:
            write_or_fail(out, submission.to_json().encode(), self.options.force)
        return submission


def _named_by_path(failed: FailedFile, path: Path) -> FailedFile:
    """The failure of a file that is no picture by its name either, but that the person named."""
    try:
        if isinstance(failed.error, NotMedia) and is_submission(path):
            advice = "To see what is in it, use: hashkit inspect"
            error = NotMedia(
                "This is a file of hashes already, as hashkit wrote it.", advice=advice
            )
            return replace(failed, error=error)
    except HashkitError:  # it cannot be read any more
        pass
    return failed
