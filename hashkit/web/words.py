"""The result of a file in the words of the local page.

The sentences of ``notices`` and ``errors`` are written for a terminal: they mention options and
file names. Here the same codes have sentences for a page. All texts are marked, and translated when
they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hashkit.hashes.registry import MIN_QUALITY
from hashkit.locale.language import marked
from hashkit.models import FailedFile, HashedFile, Outcome, best_quality


class Usability(StrEnum):
    """How useful the hashes of a file are to services."""

    GOOD = "good"
    PLAIN = "plain"
    EXACT_ONLY = "exact_only"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class FileDescription:
    """The result of a file. ``title`` and each of ``points`` is a marked text."""

    usability: Usability
    title: str
    points: tuple[str, ...] = ()


TITLES = {
    Usability.GOOD: marked("Good to submit"),
    Usability.PLAIN: marked("Too plain to match"),
    Usability.EXACT_ONLY: marked("Exact copies only"),
    Usability.UNREADABLE: marked("Could not be read"),
}

_TOO_PLAIN = marked(
    "There is too little detail in it. Services do not use a hash like this. Only a service that "
    "looks for exact copies may find them."
)
_EXACT_ONLY = marked(
    "The hashes of the file itself were made. Only a service that looks for exact copies may find "
    "them."
)
MEANINGS = {Usability.PLAIN: _TOO_PLAIN, Usability.EXACT_ONLY: _EXACT_ONLY}
"""What a result means, where its title does not say it."""

_ANOTHER_COPY = marked("If you have the original on this device, choose that one.")
_TRY_AGAIN = marked("Try it again.")
_RIGHT_FILE = marked("Check that it is the file you mean.")
_OTHER_FILES = marked("Your other files are fine.")

NOTICES: dict[str, str] = {
    "low_quality": _TOO_PLAIN,
    "small": marked("The picture is very small. Its hash may miss other copies."),
    "flat": marked("The picture is all one colour. Its hash cannot tell it from others like it."),
    "animated": marked(
        "The picture moves. One hash is of its first frame, and there are hashes of all of it too."
    ),
    "several_images": marked(
        "There are several pictures in this file. Only the main one has a hash."
    ),
    "truncated": marked(
        "The file is cut short. The hash is of the part of the picture that could be read."
    ),
    "damaged": marked(
        "Part of the file is damaged. The hash is of what could be read of the picture."
    ),
    "may_be_incomplete": marked(
        "Part of the picture is plain, or it is missing. If the picture looks right to you, all is "
        "well."
    ),
    "embedded_video": marked(
        "This photo has a short video in it. The hashes are of the photo only."
    ),
    "exact_only": _EXACT_ONLY,
    "no_hash": marked("No hash can be made of this file."),
    "video_truncated": marked(
        "The video is cut short. The hashes are of the part that could be read."
    ),
    "video_damaged": marked(
        "Part of the video is damaged. The hashes are of the parts that could be read."
    ),
    "tmk_left_out": marked("One kind of video hash was left out. The others were made."),
    "video_without_times": marked(
        "The video does not say how fast it plays. A usual speed was assumed."
    ),
    "transparent": marked(
        "Parts of the picture are transparent. Some services see what lies under them, so a hash "
        "of that was made too."
    ),
    "variable_rate": marked(
        "Some services count the frames of this video and look at others, so hashes of those were "
        "made too."
    ),
    "several_tracks": marked(
        "There are several videos in this file. The hashes are of the one that players show."
    ),
    "more_behind": marked(
        "Something else follows behind the video in this file, perhaps another one. The hashes are "
        "of the first only."
    ),
}
"""The page's sentence for each notice, by its code."""

ERRORS: dict[str, tuple[str, ...]] = {
    "file_missing": (
        marked("The file is not there any more."),
        marked("If it was moved, choose it again."),
    ),
    "file_empty": (marked("The file is empty."), _ANOTHER_COPY),
    "file_unreadable": (
        marked("The browser could not read the file."),
        marked("If it is on a card or a stick, check that it is plugged in. Then try it again."),
    ),
    "not_downloaded": (
        marked("This is in a cloud, and not on this device."),
        marked("Download it first. Then choose it again."),
    ),
    "is_a_folder": (
        marked("This is a folder, not a file."),
        marked("Add it with the button for folders."),
    ),
    "not_a_file": (marked("This is not a file that can be read."), _RIGHT_FILE),
    "link_loop": (
        marked("This is a link that leads nowhere."),
        marked("Choose the picture or video itself."),
    ),
    "file_too_big": (marked("The file is too big to be opened here."), _RIGHT_FILE),
    "file_changed": (
        marked("The file was changed or moved while it was being read."),
        marked("Wait until it is saved completely. Then choose it again."),
    ),
    "not_media": (marked("This is not a picture or a video."), _RIGHT_FILE),
    "is_an_archive": (
        marked("This is an archive (such as a ZIP file), which may hold pictures."),
        marked("Unpack it first. Then choose the pictures that were in it."),
    ),
    "unsupported_media": (
        marked("This kind of picture or video cannot be opened here."),
        marked("If you have it as JPEG, PNG, HEIC or MP4 on this device, choose that file."),
    ),
    "media_truncated": (
        marked("The file is cut short. Nothing in it could be shown as a picture."),
        _ANOTHER_COPY,
    ),
    "media_corrupt": (marked("The file is damaged and could not be opened."), _ANOTHER_COPY),
    "too_many_pixels": (
        marked("The picture is larger than hashkit opens."),
        marked("If you have a smaller copy on this device, choose that one."),
    ),
    "too_long": (marked("The video says that it is longer than a day."), _ANOTHER_COPY),
    "no_video": (marked("There is sound in this file, but no video."), _RIGHT_FILE),
    "protected_media": (
        marked("This video is protected against copying, so it cannot be opened here."),
        marked("If you have a copy without protection on this device, choose that one."),
    ),
    "too_much_memory": (
        marked("This file needs more memory than hashkit may use."),
        marked("If you have a smaller copy on this device, choose that one."),
    ),
    "took_too_long": (
        marked("Opening this file took too long, so it was stopped."),
        _OTHER_FILES,
        _ANOTHER_COPY,
    ),
    "decoder_crashed": (
        marked("The file could not be opened. It may be damaged, or made to do harm."),
        _OTHER_FILES,
        _ANOTHER_COPY,
    ),
    "worker_lost": (marked("The work on this file was lost."), _TRY_AGAIN),
    "worker_unavailable": (
        marked("The part of hashkit that opens files could not start."),
        marked("Close this page and start hashkit again."),
    ),
}
"""For each error of a file by its code: what happened, and what to do next."""

SOMETHING_ELSE = (marked("Something went wrong with this file."), _TRY_AGAIN)
"""The same for an error of any other code."""


def describe(outcome: Outcome) -> FileDescription:
    """Describe the result of a file."""
    usability = _usability_of(outcome)
    happened, *what_next = _failure(outcome)
    points = [happened, MEANINGS.get(usability), *(NOTICES[each.code] for each in outcome.notices)]
    sentences = dict.fromkeys(point for point in (*points, *what_next) if point)
    return FileDescription(usability, TITLES[usability], tuple(sentences))


def _failure(outcome: Outcome) -> tuple[str, ...]:
    """What happened to a file, and what to do next."""
    if isinstance(outcome, HashedFile):
        return ("",)
    return ERRORS.get(outcome.error.code, SOMETHING_ELSE)


def _usability_of(outcome: Outcome) -> Usability:
    quality = None if isinstance(outcome, FailedFile) else _quality_of(outcome)
    if quality is not None:
        return Usability.GOOD if quality >= MIN_QUALITY else Usability.PLAIN
    # A file of unknown kind cannot be in a submission.
    useful = outcome.hashes and outcome.kind is not None
    return Usability.EXACT_ONLY if useful else Usability.UNREADABLE


def _quality_of(hashed: HashedFile) -> int | None:
    """The quality of a picture, or of the best frame of what moves; None if there is none."""
    found = [frame.quality for frame in hashed.frames.hashes] if hashed.frames else []
    still = best_quality(hashed.hashes)
    return max(found if still is None else [*found, still], default=None)
