"""Which edits are hashed in advance, at which level; and whether other readings are."""

from __future__ import annotations

from hashkit.models import BARS_REMOVED, ORIENTATIONS

NONE = "none"
DEFAULT_LEVEL = "readings"
LEVELS = (NONE, DEFAULT_LEVEL, "orientations", "standard", "wide")
"""What ``variants`` may be. All but the first include the other readings of the file."""

UNFRAMED = "unframed"
"""A level for what is searched, not for what is submitted: videos without their bars, no more."""

MAX_HASHES = {"standard": 16, "wide": 48}
"""PDQ hashes of a picture, that of the original among them, other readings beside them."""

# In the order of what each finds beside those before it: bench/variants.py of 2026-11-22.
# fmt: off
BY_COVERAGE: tuple[str, ...] = (
    "mirrored", "bordered-grey-3", "rotated-90", "screenshot-dark", "crop-2.5", "rotated-180",
    "rotated-270", "crop-5.5", "padded-9x16-black", "rotated-357", "padded-4x5-black",
    "rotated-2.5", "rotated-357.5-grey", "padded-16x9-black", "rotated-2.5-grey",
    "padded-4x3-black", "bordered-white-6", "caption-top-11", "crop-ends-13", "crop-8.5",
    "bordered-black-6", "padded-1x1-black", "caption-bottom-10", "padded-9x18-black",
    "crop-9x16", "crop-4x5", "crop-12.5", "rotated-5", "rotated-355", "crop-4x3",
    "caption-bottom-5", "caption-top-16", "rotated-356-grey", "caption-bottom-15",
    "caption-top-5", "crop-left-4", "crop-bottom-5", "bordered-white-1", "crop-top-6",
    "rotated-4-grey", "crop-16x9", "padded-3x4-black", "bordered-black-8", "rotated-355-white",
    "crop-right-7", "padded-9x20-black-at-58", "crop-10", "rotated-5.5-grey", "square",
    "crop-3x4", "rotated-358", "padded-9x20-black-at-46", "rotated-2.5-white", "crop-4",
)
# fmt: on


def names_at(level: str) -> tuple[str, ...]:
    """The edits of a level, the most useful first. A level that has a limit takes from the front
    of a longer list. ValueError for no level."""
    check_level(level)
    if level == "orientations":
        return ORIENTATIONS[1:]
    return BY_COVERAGE if level in MAX_HASHES else ()


def moving_names_at(level: str) -> tuple[str, ...]:
    """The edits of a video at a level. Turned by quarters and the like, videos are rare: only
    ``orientations`` has them."""
    without_bars = BARS_REMOVED, f"{BARS_REMOVED}+mirrored"
    if level in MAX_HASHES:
        return "mirrored", *without_bars
    return without_bars if level == UNFRAMED else names_at(level)


def has_readings(level: str) -> bool:
    """Whether other readings of a file are hashed at this level."""
    return level in LEVELS and level != NONE


def check_level(level: str) -> str:
    """The level. ValueError where there is none of this name."""
    if level not in (*LEVELS, UNFRAMED):
        raise ValueError(f"variants are one of {', '.join(LEVELS)}, not {level!r}")
    return level
