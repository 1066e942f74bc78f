"""What a comparison means, in words for people and in JSON for programs."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hashkit.notices import clock
from hashkit.records import ORIGINAL, MediaKind

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
        case "same_file":
            return "The same file: every byte is the same."
        case "same_picture":
            return f"The same {what}. At most it was saved again or resized."
        case "edited_copy":
            return f"An edited copy: {_how_edited(on)}."
        case "in_the_video":
            return f"The picture is in the video, at {_when(on)}{_as_edited(on)}."
        case "cannot_tell":
            return (
                "hashkit cannot tell. There is too little detail in one of them, or there are no "
                "hashes of the same kind."
            )
    return (
        "Not the same, as far as these hashes can tell. A copy that was changed a lot, or in a way "
        "that hashkit does not try, can look like this too."
    )


def copy_in_words(comparison: Comparison) -> str:
    """What a copy that was found is, in a few words, the original being known."""
    on = comparison.on
    match comparison.verdict:
        case "same_file":
            return "the same file"
        case "same_picture":
            return "the same, saved again or resized"
        case "in_the_video" if on is not None and on.timestamp is not None:
            return f"shows it at {clock(on.timestamp)}{_as_edited(on)}"
    if on is None or on.variant == ORIGINAL:
        return "an edited copy"
    if on.variant_of == "first":
        return f"an edited copy: {edit_in_words(on.variant)}"
    return f"an edited copy: the original is this, {edit_in_words(on.variant)}"


def _when(on: Finding | None) -> str:
    return clock(on.timestamp) if on is not None and on.timestamp is not None else "some point"


def _as_edited(on: Finding | None) -> str:
    return "" if on is None or on.variant == ORIGINAL else f", {edit_in_words(on.variant)}"


def _how_edited(on: Finding | None) -> str:
    if on is None:
        return "it was changed"
    if on.variant != ORIGINAL:
        one, other = ("second", "first") if on.variant_of == "first" else ("first", "second")
        return f"the {one} shows the {other}, {edit_in_words(on.variant)}"
    if on.algorithm == "vpdq" and on.scores is not None and max(on.scores) >= 80 > min(on.scores):
        part, whole = ("first", "second") if on.scores[0] > on.scores[1] else ("second", "first")
        return f"the {part} is a part of the {whole}"
    if on.distance is not None:
        return "little was changed"
    return "they share a part, or much of what they show"


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
        bits = {"pdq": 256, "colorhash": 42}.get(finding.algorithm, 64)
        limit = "" if finding.threshold is None else f" (at most {finding.threshold:g})"
        return what, f"{finding.distance} of {bits} bits differ{limit}", match
    if finding.scores is not None and finding.algorithm == "vpdq":
        one, other = finding.scores
        shares = f"{one:.0f} % of {first}, {other:.0f} % of {second}"
        return what, f"{shares} (at least {finding.threshold:g} % of one)", match
    if finding.scores is not None:
        one, other = finding.scores
        return what, f"{one:.2f} and {other:.2f} (both at least {finding.threshold:g})", match
    if finding.threshold is not None:
        return what, "cannot be compared", match
    return what, "equal" if finding.match else "different", match


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
