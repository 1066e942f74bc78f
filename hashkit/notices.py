"""What hashkit tells a person about a file that it could hash. The codes are stable."""

from __future__ import annotations

from hashkit.records import Notice

LOW_QUALITY = Notice(
    "low_quality",
    "little detail",
    "This picture has little detail (PDQ quality below 50). Services discard such a hash, so only "
    "exact copies of the file can be found.",
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
    "This picture moves. The perceptual hash is of its first frame only.",
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
EMBEDDED_VIDEO = Notice(
    "embedded_video",
    "holds a video",
    "This photo also holds a short video (a live or motion photo). Only the photo was hashed.",
)
EXACT_ONLY = Notice(
    "exact_only",
    "exact copies only",
    "The picture could not be opened. The hashes of the file itself were still made, and services "
    "can find exact copies with them.",
)
VIDEO_EXACT_ONLY = Notice(
    "video_exact_only",
    "exact copies only",
    "This is a video. This version of hashkit makes only the hashes that find exact copies of it.",
)

ALL: tuple[Notice, ...] = (
    LOW_QUALITY,
    SMALL,
    FLAT,
    ANIMATED,
    SEVERAL_IMAGES,
    TRUNCATED,
    DAMAGED,
    EMBEDDED_VIDEO,
    EXACT_ONLY,
    VIDEO_EXACT_ONLY,
)
