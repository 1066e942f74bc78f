"""``hashkit hash --for SERVICE``: what a service does itself, and only the hashes that it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import typer

from hashkit import notices
from hashkit.cli.options import check_choice
from hashkit.cli.output.outcomes import Outcome
from hashkit.cli.output.terminal import ExitCode, fail, say
from hashkit.guide.directory import Handling, Service, all_services
from hashkit.hashes.registry import ALGORITHMS, MIN_QUALITY, Family, of_family, resolve
from hashkit.models import HashedFile, MediaKind, Notice, best_quality

_OF_BYTES = {*of_family(ALGORITHMS, Family.CRYPTOGRAPHIC)}

_PLAIN_WITHOUT_EXACT = (
    "This picture or video has little detail (PDQ quality below 50). Services discard such a hash, "
    "so copies of it may not be found."
)
_MOVES_WITHOUT_VIDEO = "This picture moves. Its PDQ hash is of the first frame."

_ABOUT = {notices.TRANSPARENT.code: "pdq", notices.VARIABLE_RATE.code: "vpdq"}
"""Notices that are about hashes of one algorithm only."""


@dataclass(frozen=True, slots=True)
class ForService:
    """Keeps the hashes that one service uses, and drops all others."""

    service: Service

    @classmethod
    def named(cls, id: str) -> ForService:
        """For the service of this id. BadParameter for an unknown one, and for one that takes no
        files."""
        known = {each.id: each for each in all_services() if each.handling is not Handling.NO_FILES}
        return cls(known[check_choice(id.strip().lower(), known, "--for")])

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The hashes to make of pictures and videos."""
        return resolve((*self.service.image_hashes, *self.service.video_hashes))

    def check(self, out: Path | None, save_tmk: Path | None) -> None:
        """End the command where the service can use nothing that hashkit makes: then there is
        nothing to hash, and a file that was asked for is wrong use."""
        if not (self.service.image_hashes or self.service.video_hashes):
            self._end_with_nothing(out or save_tmk)
        if save_tmk is not None and "tmk_pdqf" not in self.algorithms:
            fail(f"{self.service.name} does not use TMK hashes.", None, ExitCode.WRONG_USE)

    def explain(self) -> None:
        """Say in one line what the service does itself, and what is made here."""
        uses = [
            f"{', '.join(names)} of {what}"
            for names, what in (
                (self.service.image_hashes, "pictures"),
                (self.service.video_hashes, "videos"),
            )
            if names
        ]
        sentences = [self._description]
        if self.service.handling is Handling.IN_BROWSER:
            sentences.append("It needs no file from here.")
        sentences.append(f"Only the hashes that it uses are made: {', '.join(uses)}.")
        say(" ".join(sentences))

    def only(self, outcome: Outcome) -> Outcome:
        """The outcome without every hash that the service does not use for this kind of file."""
        is_video = outcome.kind is MediaKind.VIDEO
        names = self.service.video_hashes if is_video else self.service.image_hashes
        kept = replace(
            outcome,
            hashes=tuple(each for each in outcome.hashes if each.algorithm in names),
            notices=tuple(_fitting(outcome.notices, names)),
        )
        if not isinstance(kept, HashedFile) or "vpdq" in names:
            return kept
        return _with_quality(replace(kept, frames=None, frame_variants=()), names)

    @property
    def _description(self) -> str:
        return f"{self.service.name}: {self.service.audience} {self.service.what_it_does}"

    def _end_with_nothing(self, wanted: Path | None) -> NoReturn:
        why = "hashkit knows of no hash from here that it can use"
        where = f" To use it, open {self.service.page} on this device." if self.service.page else ""
        if wanted is None:
            say(f"{self._description} {why}, so none was made.{where}")
            raise typer.Exit(ExitCode.DONE)
        fail(f"{self._description} {why}, so nothing was written.{where}", None, ExitCode.WRONG_USE)


def _with_quality(kept: HashedFile, names: tuple[str, ...]) -> HashedFile:
    """With the notice that a picture has little detail, which only its other frames made untrue."""
    quality = best_quality(kept.hashes)
    known = any(each.code == notices.LOW_QUALITY.code for each in kept.notices)
    if known or quality is None or quality >= MIN_QUALITY:
        return kept
    return replace(kept, notices=(*kept.notices, *_fitting([notices.LOW_QUALITY], names)))


def _fitting(given: Iterable[Notice], names: tuple[str, ...]) -> Iterator[Notice]:
    """The notices that hold of a file with hashes of these names only."""
    exact = not _OF_BYTES.isdisjoint(names)
    for each in given:
        if each.code == notices.LOW_QUALITY.code and not exact:
            yield replace(each, text=_PLAIN_WITHOUT_EXACT)
        elif each.code == notices.ANIMATED.code and "vpdq" not in names:
            yield replace(each, text=_MOVES_WITHOUT_VIDEO)
        elif each.code in _ABOUT and _ABOUT[each.code] not in names:
            continue
        elif each.code != notices.EXACT_ONLY.code or exact:
            yield each
