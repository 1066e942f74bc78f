"""The page's words for a file: every outcome has them, with the right usability."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hashkit import errors, hash_file, notices
from hashkit.errors import FileEmpty, FileError, HashkitError, MediaCorrupt, MediaError, NotMedia
from hashkit.models import FailedFile, FrameHash, FrameHashes, Hash, HashedFile, MediaKind
from hashkit.pipeline.hashing import hash_or_fail
from hashkit.pipeline.options import Options
from hashkit.web.words import ERRORS, NOTICES, TITLES, Usability, describe

EXACT = Hash("sha256", "0" * 64)


def kinds_of(branch: type[HashkitError]) -> Iterator[type[HashkitError]]:
    for each in branch.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from kinds_of(each)


def image(quality: int | None, *file_notices: notices.Notice, exact: bool = True) -> HashedFile:
    pdq = () if quality is None else (Hash("pdq", "0" * 64, quality),)
    return HashedFile(None, MediaKind.IMAGE, ((EXACT,) if exact else ()) + pdq, file_notices)


def video(*qualities: int) -> HashedFile:
    frames = tuple(FrameHash(at, float(at), "0" * 64, each) for at, each in enumerate(qualities))
    return HashedFile(None, MediaKind.VIDEO, (EXACT,), frames=FrameHashes(1.0, frames))


def test_every_notice_has_words():
    assert NOTICES.keys() == {notice.code for notice in notices.ALL}


def test_every_error_of_a_file_has_words():
    wanted = {each.code for branch in (FileError, MediaError) for each in kinds_of(branch)}
    assert wanted | {"worker_lost", "worker_unavailable"} == ERRORS.keys()
    assert all(len(texts) >= 2 for texts in ERRORS.values()), "what happened, and what to do next"


def test_the_words_suit_a_page():
    texts = [
        *TITLES.values(),
        *NOTICES.values(),
        *(text for each in ERRORS.values() for text in each),
    ]
    for text in texts:
        assert not re.search(r"!|--|[{}%<>]|\b(window|spelling|should have|PDQ|vPDQ|TMK)\b", text)
        assert max(len(part.split()) for part in re.split(r"[.:]", text)) <= 22, text
    assert all(text.endswith(".") for text in texts if text not in TITLES.values())


@pytest.mark.parametrize(
    ("outcome", "usability"),
    [
        (image(50), Usability.GOOD),
        (image(49), Usability.PLAIN),
        (image(None), Usability.EXACT_ONLY),
        (image(None, notices.NO_HASH, exact=False), Usability.UNREADABLE),
        (video(0, 50, 3), Usability.GOOD),
        (video(0, 49), Usability.PLAIN),
        (video(), Usability.EXACT_ONLY),
        (FailedFile(None, FileEmpty()), Usability.UNREADABLE),
        (
            FailedFile(None, MediaCorrupt(), MediaKind.IMAGE, (EXACT,), (notices.EXACT_ONLY,)),
            Usability.EXACT_ONLY,
        ),
        (FailedFile(None, NotMedia(), None, (EXACT,)), Usability.UNREADABLE),  # in no submission
    ],
)
def test_usability(outcome, usability):
    described = describe(outcome)
    assert (described.usability, described.title) == (usability, TITLES[usability])
    assert len(set(described.points)) == len(described.points)
    assert described.points or usability is Usability.GOOD, "whatever is not good is explained"


def test_what_happened_comes_first_and_what_to_do_last():
    failed = FailedFile(None, MediaCorrupt(), MediaKind.IMAGE, (EXACT,), (notices.EXACT_ONLY,))
    happened, what_next = ERRORS["media_corrupt"]
    assert describe(failed).points == (happened, NOTICES["exact_only"], what_next)


def test_an_error_of_another_kind_has_words_too():
    described = describe(FailedFile(None, HashkitError()))
    assert described.usability is Usability.UNREADABLE
    assert len(described.points) == 2


def test_samples(samples):
    assert describe(hash_file(samples / "scene-1.jpg")).usability is Usability.GOOD
    assert describe(hash_file(samples / "film-h264.mp4")).usability is Usability.GOOD
    flat = describe(hash_file(samples / "png-flat.png"))
    assert flat.usability is Usability.PLAIN
    assert flat.points == (NOTICES["low_quality"], NOTICES["flat"])
    other = describe(hash_or_fail(samples / "generate.py", Options()))
    assert (other.usability, other.points) == (Usability.UNREADABLE, ERRORS["not_media"])
