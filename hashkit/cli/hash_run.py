"""What comes of the files of one ``hashkit hash``: printed, counted, and written at the end."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import typer

from hashkit.cli.for_service import ForService
from hashkit.cli.output.json_lines import ToFile, ToStandardOutput
from hashkit.cli.output.outcomes import Outcome, print_table, summary, tally, what_was_written
from hashkit.cli.output.terminal import STAYED, ExitCode, fail, reader_left, say, shown_name, told
from hashkit.errors import HashkitError
from hashkit.models import FailedFile
from hashkit.submission.document import Submission, write_submission
from hashkit.submission.writing import write_whole

_READ_ELSEWHERE = "The pictures and videos were read by the machines of the cluster."


@dataclass
class HashRun:
    """``lines`` is where JSON Lines go, None for a table. ``out`` is where the submission goes.
    ``chosen`` is the service that it all is for, if one was named."""

    lines: ToStandardOutput | ToFile | None
    quiet: bool
    out: Path | None
    force: bool
    save_tmk: Path | None
    elsewhere: bool
    from_folders: set[Path]
    chosen: ForService | None = None
    _outcomes: list[Outcome] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _failed: bool = False

    def has(self, path: Path) -> bool:
        """Was this file done by the run that is resumed?"""
        done = isinstance(self.lines, ToFile) and self.lines.has(path)
        self._counts["before"] += done
        return done

    def take(self, outcome: Outcome) -> None:
        """Count an outcome, and print what can be printed already."""
        if self.chosen is not None:
            outcome = self.chosen.only(outcome)
        if isinstance(outcome, FailedFile):
            if outcome.error.code == "not_media" and outcome.path in self.from_folders:
                self._counts["skipped"] += 1
                return
            self._failed = True
            if self.lines is None:  # else, the error is in the line
                say(f"{shown_name(outcome.path or '')}: {told(outcome.error)}")
        self._counts[tally(outcome)] += 1
        if self.save_tmk is not None:  # before its line says that the file is done
            self._save_tmk(outcome, self.save_tmk)
        if self.lines is not None:
            self._write_line(outcome, self.lines)
        if self.lines is None or self.out is not None:  # else nobody asks for it again
            self._outcomes.append(outcome)

    def interrupted(self) -> str:
        """What to say when the person stops the run."""
        if isinstance(self.lines, ToFile):
            return "Stopped. What was done is kept. To go on later, add --resume."
        return "Stopped. Nothing was written." if self.out is not None else "Stopped."

    def finish(self) -> None:
        """Write the submission, print the table, say what was done, and exit."""
        told_at_end = [summary(self._counts)]
        if self.out is not None:
            told_at_end.append(what_was_written(self.out, self._write(self.out)))
        if isinstance(self.lines, ToFile):
            self._failed |= self.lines.failed_before > 0
            told_at_end.append("The list holds the names of your files: it is not for sending.")
        told_at_end.append(_READ_ELSEWHERE if self.elsewhere else STAYED)
        if not self.quiet:
            if self.lines is None:
                print_table(self._outcomes)
                print(*told_at_end, sep="\n", flush=True)
            else:
                say("\n".join(told_at_end))
        raise typer.Exit(ExitCode.SOME_FAILED if self._failed else ExitCode.DONE)

    def _write_line(self, outcome: Outcome, lines: ToStandardOutput | ToFile) -> None:
        try:
            lines.write(outcome)
        except OSError as error:  # whoever read our output has seen enough; --out is still wanted
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
                    say(f"{shown_name(target)}: {told(error)}")

    def _write(self, out: Path) -> Submission:
        submission = Submission.of(self._outcomes)
        if submission.items:
            try:
                write_submission(submission, out, replace=self.force)
            except HashkitError as error:
                fail(error, out, ExitCode.SOME_FAILED)
        return submission
