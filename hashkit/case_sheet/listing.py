"""The table of a case sheet: one row for each item of a submission."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hashkit.case_sheet.blocks import Table
from hashkit.hashes.registry import ALGORITHMS, MIN_QUALITY, Family
from hashkit.locale.language import Texts, marked
from hashkit.models import ORIGINAL, READINGS, MediaKind, best_quality, original_of
from hashkit.notices import FAIR, GOOD, TOO_PLAIN, quality_in_words
from hashkit.submission.document import Item

EXACT_ONLY = marked("exact copies only")
NOT_MEASURED = marked("not measured")
QUALITIES = (GOOD, FAIR, TOO_PLAIN, EXACT_ONLY, NOT_MEASURED)
"""All values of the quality column, best first (marked texts)."""

_KINDS = {MediaKind.IMAGE: marked("picture"), MediaKind.VIDEO: marked("video")}
_SPELLED = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha512": "SHA-512",
    "pdq": "PDQ",
    "vpdq": "vPDQ",
    "tmk_pdqf": "TMK+PDQF",
}
_DIGITS = 12
_SHARES = (11, 11, 34, 18, 12, 36)


def table_of(items: tuple[Item, ...], texts: Texts) -> Table:
    """One row for each item, numbered as by ``hashkit inspect``."""
    return Table(
        caption=texts.gettext("The pictures and videos in the submission"),
        headings=(
            texts.gettext("Number"),
            texts.gettext("Kind"),
            texts.gettext("Hashes"),
            texts.gettext("Quality"),
            texts.gettext("Edits"),
            texts.gettext("One hash begins with"),
        ),
        rows=tuple(
            (
                str(number),
                texts.gettext(_KINDS[item.kind]),
                ", ".join(_SPELLED.get(name, name) for name in _algorithms(item)),
                texts.gettext(quality_of(item)),
                str(edits_of(item)),
                _beginning(item),
            )
            for number, item in enumerate(items, 1)
        ),
        shares=_SHARES,
    )


def qualities(items: tuple[Item, ...]) -> Iterator[tuple[str, int]]:
    """The number of items of each quality (a marked text), best first."""
    counts = Counter(map(quality_of, items))
    yield from ((quality, counts[quality]) for quality in QUALITIES if counts[quality])


def quality_of(item: Item) -> str:
    """The quality of an item (a marked text); of a video, that of its best frame."""
    quality = best_quality(item.hashes)
    frames = item.frames.hashes if item.frames else ()
    if quality is not None:
        return quality_in_words(quality, MIN_QUALITY)
    if frames:
        return quality_in_words(max(each.quality for each in frames), MIN_QUALITY)
    exact = all(ALGORITHMS[each.algorithm].family is Family.CRYPTOGRAPHIC for each in item.hashes)
    return EXACT_ONLY if exact and not item.frames else NOT_MEASURED


def edits_of(item: Item) -> int:
    """How many edits of the item were hashed. Other readings of the file are none."""
    still = {each.variant for each in item.hashes if each.variant != ORIGINAL}
    moving = {each.variant for each in item.frame_variants}
    return len((still | moving) - READINGS)


def _algorithms(item: Item) -> list[str]:
    found = {each.algorithm for each in item.hashes if each.variant == ORIGINAL}
    if item.frames is not None:
        found.add("vpdq")
    return [name for name in ALGORITHMS if name in found]


def _beginning(item: Item) -> str:
    """The beginning of one hash, to find the item in the submission."""
    found = original_of(item.hashes, "sha256") or next(iter(item.hashes), None)
    if found is not None:
        return f"{_SPELLED.get(found.algorithm, found.algorithm)} {found.text[:_DIGITS]}"
    frames = item.frames.hashes if item.frames else ()
    return f"PDQ {frames[0].value[:_DIGITS]}" if frames else "-"
