"""Notices shown to a person about a hashed file, with stable codes, and the words for quality."""

from __future__ import annotations

from dataclasses import replace

from hashkit.locale.language import marked
from hashkit.models import Notice

LOW_QUALITY = Notice(
    "low_quality",
    "little detail",
    "This picture or video has little detail (PDQ quality below 50). Services discard such a hash, "
    "so only exact copies of the file can be found.",
)
SMALL = Notice(
    "small",
    "small",
    "This picture is less than 64 pixels wide or high. Its perceptual hash may miss other copies.",
)
FLAT = Notice(
    "flat",
    "plain",
    "This picture is one plain colour. Its perceptual hash cannot tell it from other plain ones.",
)
ANIMATED = Notice(
    "animated",
    "moves",
    "This picture moves. Its PDQ hash is of the first frame; its video hashes are of all of it.",
)
SEVERAL_IMAGES = Notice(
    "several_images",
    "several pictures",
    "This file holds several pictures. The perceptual hash is of the main one only.",
)
TRUNCATED = Notice(
    "truncated",
    "cut short",
    "This file is cut short. The perceptual hash is of the part that could be read.",
)
DAMAGED = Notice(
    "damaged",
    "damaged",
    "Part of this file is damaged. The perceptual hash is of what could be read.",
)
MAY_BE_INCOMPLETE = Notice(
    "may_be_incomplete",
    "may be incomplete",
    "A part of this file holds nothing but zeros. It may be a plain part of the picture, or a part "
    "may be missing. If the picture looks right to you, all is well.",
)
EMBEDDED_VIDEO = Notice(
    "embedded_video",
    "holds a video",
    "This photo also holds a short video (a live or motion photo). Only the photo was hashed.",
)
EXACT_ONLY = Notice(
    "exact_only",
    "exact copies only",
    "The picture or video could not be opened. The hashes of the file itself were still made, and "
    "services can find exact copies with them.",
)
NO_HASH = Notice(
    "no_hash",
    "no hash of this kind",
    "None of the hashes that were asked for can be made of this kind of file.",
)
VIDEO_TRUNCATED = Notice(
    "video_truncated",
    "cut short",
    "This video is cut short. It could be read {span}. The hashes are of that part.",
)
VIDEO_DAMAGED = Notice(
    "video_damaged",
    "damaged",
    "Part of this video is damaged. It could be read {span}, with gaps. The hashes are of that.",
)
TMK_LEFT_OUT = Notice(
    "tmk_left_out",
    "no TMK hash",
    "The TMK hash needs every frame, so it was not made. Leave out --sample keyframes to make it.",
)
VIDEO_WITHOUT_TIMES = Notice(
    "video_without_times",
    "no times",
    "This video does not say when its frames are shown. {rate} frames a second were assumed.",
)
TRANSPARENT = Notice(
    "transparent",
    "transparent parts",
    "Parts of this picture are transparent. Some services see what lies under them, so a hash of "
    "that was made as well.",
)
VARIABLE_RATE = Notice(
    "variable_rate",
    "variable frame rate",
    "The frame rate varies. Some services count the frames and look at others, so hashes of those "
    "were made as well.",
)
SEVERAL_TRACKS = Notice(
    "several_tracks",
    "several videos",
    "This file holds several videos. The one that players show was hashed.",
)
MORE_BEHIND = Notice(
    "more_behind",
    "more behind it",
    "Something else follows behind the video in this file, perhaps another one. Only the first was "
    "hashed.",
)


def with_rate(notice: Notice, rate: float) -> Notice:
    """The notice with the frames a second that a video was taken to have."""
    return replace(notice, text=notice.text.format(rate=f"{rate:.3f}".rstrip("0").rstrip(".")))


def with_span(notice: Notice, start: float, end: float, whole: float | None) -> Notice:
    """The notice with the times in seconds between which a video could be read."""
    span = f"from {clock(start)} to {clock(end)}"
    if whole is not None and whole > end:
        span += f" of {clock(whole)}"
    return replace(notice, text=notice.text.format(span=span))


def clock(seconds: float) -> str:
    """A time in a video as text: ``m:ss.s``, or ``h:mm:ss.s`` from an hour on."""
    minutes, rest = divmod(int(seconds * 10), 600)
    hours, minutes = divmod(minutes, 60)
    shown = f"{minutes}:{rest / 10:04.1f}"
    return f"{hours}:{shown:0>7}" if hours else shown


ALL: tuple[Notice, ...] = (
    LOW_QUALITY,
    SMALL,
    FLAT,
    ANIMATED,
    SEVERAL_IMAGES,
    TRUNCATED,
    DAMAGED,
    MAY_BE_INCOMPLETE,
    EMBEDDED_VIDEO,
    EXACT_ONLY,
    NO_HASH,
    VIDEO_TRUNCATED,
    VIDEO_DAMAGED,
    TMK_LEFT_OUT,
    VIDEO_WITHOUT_TIMES,
    TRANSPARENT,
    VARIABLE_RATE,
    SEVERAL_TRACKS,
    MORE_BEHIND,
)

GOOD = marked("good")
FAIR = marked("fair")
TOO_PLAIN = marked("too plain")

_GOOD_FROM = 80


def quality_in_words(quality: int, min_quality: int) -> str:
    """What a service makes of a PDQ hash of this ``quality``, 0 to 100, if it discards those below
    ``min_quality`` (a marked text)."""
    if quality < min_quality:
        return TOO_PLAIN
    return GOOD if quality >= _GOOD_FROM else FAIR
