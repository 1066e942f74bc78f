"""What a comparison means, in words for people and in JSON for programs."""

from __future__ import annotations

import re
from dataclasses import asdict
from math import floor
from typing import TYPE_CHECKING, Any

from hashkit.hashes.registry import ALGORITHMS
from hashkit.models import ORIGINAL, MediaKind
from hashkit.notices import clock

if TYPE_CHECKING:
    from hashkit.matching.comparing import Comparison, Finding

_EDITS = {  # the first that fits
    r"mirrored": "mirrored",
    r"flipped": "flipped over",
    r"rotated-180": "upside down",
    r"rotated-(90|270)": "turned on its side",
    r"transposed|transverse": "turned on its side and mirrored",
    r"rotated-.*": "rotated a little",
    r"square.*|crop-\d+x.*": "cropped to another shape",
    r"crop-.*": "cropped",
    r"padded-.*": "in a frame of another shape",
    r"screenshot-.*": "on the screen of a phone",
    r"bordered-.*": "with a border",
    r"caption-top-.*": "with a bar above it",
    r"caption-bottom-.*": "with a bar below it",
    r"bars-removed": "without the bars around it",
    r"as-stored": "not turned upright",
    r"alpha-dropped": "with what was transparent in it",
    r"palette-indices": "with the numbers of its colours for grey",
    r"(cmyk|lab|ycbcr)-as-rgb": "with its colours taken for others",
    r"clipped-to-8-bits": "with its bright parts cut off",
    r"by-frame-count": "by the count of its frames",
    r"by-time": "by the time of its frames",
}


def edit_in_words(variant: str) -> str:
    """What the edit of this name does to a picture."""
    parts = [
        next((words for name, words in _EDITS.items() if re.fullmatch(name, part)), part)
        for part in variant.split("+")
    ]
    return " and ".join(parts)


def verdict_in_words(comparison: Comparison, kind: MediaKind) -> str:
    """The verdict as a sentence or two. ``kind`` is that of both, or of a video if one is."""
    on, what = comparison.on, kind.value if kind is MediaKind.VIDEO else "picture"
    match comparison.verdict:
        case "same_picture":
            return f"The same {what}. It may have been saved again, resized or changed a little."
        case "edited_copy":
            return f"An edited copy: {_how_edited(on)}."
        case "in_the_video":
            moving = "video" if kind is MediaKind.VIDEO else "moving picture"
            return f"The picture is in the {moving}, at {_when(on)}{_as_edited(on)}."
    return _VERDICTS[comparison.verdict]


_VERDICTS = {
    "same_file": "The same file: every byte is the same.",
    "perhaps_cropped": (
        "Perhaps a cropped copy: one of them may show a part of the other. Please look yourself: "
        "pictures that have nothing to do with each other can look like this too."
    ),
    "cannot_tell": (
        "hashkit cannot tell. There is too little detail in one of them, or there are no hashes of "
        "the same kind."
    ),
    "not_the_same": (
        "Not the same, as far as these hashes can tell. A copy that was changed a lot, or in a way "
        "that hashkit does not try, can look like this too."
    ),
}


def copy_in_words(comparison: Comparison) -> str:
    """What a copy that was found is, in a few words, the original being known."""
    on = comparison.on
    match comparison.verdict:
        case "same_file":
            return "the same file"
        case "same_picture":
            return "the same, perhaps saved again or resized"
        case "in_the_video" if on is not None and on.timestamp is not None:
            return f"shows it at {clock(on.timestamp)}{_as_edited(on)}"
    if on is None:
        return "an edited copy"
    edits = [edit_in_words(on.variant)] if on.variant != ORIGINAL else []
    if on.variant_of == "second":  # the edit undoes what was done to the copy
        edits = [_UNDONE.get(on.variant, f"the original is this, {edits[0]}")]
    if on.algorithm == "vpdq" and on.scores is not None:
        edits += _parts(*on.scores, "it contains the original", "a part of the original")
    return ": ".join(["an edited copy", *([" and ".join(edits)] if edits else [])])


_UNDONE = {
    "bars-removed": "with bars around it",
    "bars-removed+mirrored": "with bars around it and mirrored",
}


def _parts(of_first: float, of_second: float, contains: str, contained: str) -> list[str]:
    """Which of the two contains the other, by the shares of frames that match."""
    if max(of_first, of_second) < 80 or min(of_first, of_second) >= 80:
        return []
    return [contains if of_first > of_second else contained]


def _when(on: Finding | None) -> str:
    return clock(on.timestamp) if on is not None and on.timestamp is not None else "some point"


def _as_edited(on: Finding | None) -> str:
    return "" if on is None or on.variant == ORIGINAL else f", {edit_in_words(on.variant)}"


def _how_edited(on: Finding | None) -> str:
    if on is None:
        return "it was changed"
    parts = []
    if on.variant != ORIGINAL:
        one, other = ("second", "first") if on.variant_of == "first" else ("first", "second")
        if on.variant in _UNDONE:
            parts.append(f"the {other} is the {one}, {_UNDONE[on.variant]}")
        else:
            parts.append(f"the {one} shows the {other}, {edit_in_words(on.variant)}")
    if on.algorithm == "vpdq" and on.scores is not None:
        parts += _parts(
            *on.scores, "the first is a part of the second", "the second is a part of the first"
        )
    if not parts:
        little = "a little was changed"
        return little if on.distance is not None else "they share much of what they show"
    return "; ".join(parts)


def finding_in_words(
    finding: Finding, first: str = "the first", second: str = "the second"
) -> tuple[str, str, str]:
    """What was compared, how far apart it is, and whether that is a match. ``first`` and ``second``
    are what the two sides are called."""
    what = finding.algorithm
    if finding.variant != ORIGINAL:
        what += f", {finding.variant} of {first if finding.variant_of == 'first' else second}"
    if finding.timestamp is not None:
        what += f", at {clock(finding.timestamp)}"
    match = {True: "yes", False: "no", None: "-"}[finding.match]
    if finding.distance is not None:
        bits = ALGORITHMS[finding.algorithm].bits
        limit = "" if finding.threshold is None else f" (at most {finding.threshold:g})"
        return what, f"{finding.distance} of {bits} bits differ{limit}", match
    if finding.scores is not None and finding.algorithm == "vpdq":
        one, other = finding.scores
        shares = f"{one:.0f} % of {first}, {other:.0f} % of {second}"
        return what, f"{shares} (at least {finding.threshold:g} % of one)", match
    if finding.scores is not None:
        one, other = finding.scores
        return what, f"{_cut(one)} and {_cut(other)} (both at least {finding.threshold:g})", match
    if finding.threshold is not None:
        return what, "cannot be compared", match
    return what, "equal" if finding.match else "different", match


def _cut(score: float) -> str:
    """Two digits, rounded down, so that a score below the threshold is not shown as equal to it."""
    return f"{floor(score * 100) / 100:.2f}"


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """``verdict``, the finding it rests ``on`` and all ``findings``, without what is empty."""
    return {
        "verdict": comparison.verdict.value,
        "on": None if comparison.on is None else finding_to_json(comparison.on),
        "findings": [finding_to_json(each) for each in comparison.findings],
    }


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """The fields of a finding that say something; ``match`` always."""
    fields = asdict(finding)
    return {name: value for name, value in fields.items() if value is not None or name == "match"}
