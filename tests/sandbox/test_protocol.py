"""The worker protocol: every outcome survives a round trip, and anything else is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit import errors, notices
from hashkit.errors import DocumentInvalid, FileError, MediaError
from hashkit.media import formats
from hashkit.models import FailedFile, FrameHash, FrameHashes, Hash, HashedFile, MediaKind
from hashkit.pipeline.options import Options
from hashkit.sandbox import protocol

PATH = Path("a")

quality = st.integers(0, 100)
hex64 = st.text("0123456789abcdef", min_size=64, max_size=64)
file_notices = st.lists(
    st.sampled_from(
        [notice for notice in notices.ALL if "{" not in notice.text]
        + [notices.with_rate(notices.VIDEO_WITHOUT_TIMES, rate) for rate in (25, 30000 / 1001)]
        + [notices.with_span(notices.VIDEO_TRUNCATED, 0.0, 4000.25, 9000)]
        + [notices.with_span(notices.VIDEO_DAMAGED, 0.0, 1.0, None)]
    ),
    max_size=3,
).map(tuple)
exact = st.builds(Hash, st.just("sha256"), hex64)
pdq = st.builds(Hash, st.just("pdq"), hex64, quality)
tmk = st.builds(Hash, st.just("tmk_pdqf"), st.binary(min_size=263_344, max_size=263_344))
names = st.sampled_from(["mirrored", "crop-2.5", "padded-9x16-black", "bars-removed+mirrored"])
variant = st.builds(Hash, st.just("pdq"), hex64, quality, names)
hashes = st.tuples(exact, pdq) | st.just(()) | st.tuples(pdq) | st.tuples(exact, pdq, tmk)
with_edits = hashes | st.tuples(exact, pdq, variant, variant)
frame = st.builds(
    FrameHash, st.integers(0, 1 << 40), st.floats(0, 1e6, allow_subnormal=False), hex64, quality
)
ordered = st.lists(frame, unique_by=lambda each: each.frame).map(
    lambda found: tuple(sorted(found, key=lambda each: each.frame))
)
frames = st.none() | st.builds(
    FrameHashes, st.sampled_from([1.0, 0.04, "all", "keyframes"]), ordered
)
ERRORS = [kind for base in (FileError, MediaError) for kind in protocol._branch(base)]
moving = st.lists(st.builds(FrameHashes, st.just(1.0), ordered, names), max_size=2).map(tuple)
kinds = st.sampled_from(MediaKind)
hashed = st.builds(HashedFile, st.just(PATH), kinds, with_edits, file_notices, frames) | st.builds(
    HashedFile, st.just(PATH), kinds, with_edits, file_notices, frames.filter(bool), moving
)
outcomes = hashed | st.builds(
    FailedFile,
    st.just(PATH),
    st.sampled_from(ERRORS).map(lambda kind: kind()),
    st.none() | st.sampled_from(MediaKind),
    hashes,
    file_notices,
)


@given(outcomes, st.none() | hex64)
def test_round_trip(outcome, sha256):
    line = protocol.WorkerResult(outcome, sha256).to_line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    again = protocol.WorkerResult.from_json(protocol.from_line(line), PATH)
    assert again.sha256 == sha256
    if isinstance(outcome, FailedFile):
        assert isinstance(again.outcome, FailedFile)
        assert (type(again.outcome.error), str(again.outcome.error)) == (
            type(outcome.error),
            str(outcome.error),
        )
        again = FailedFile(PATH, outcome.error, *_rest(again.outcome))
        assert again == outcome
    else:
        assert again.outcome == outcome


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), False),
        (Options(variants="standard"), True),
        (Options(("pdq",), variants="wide"), False),
        (Options(("sha256",), variants="wide"), False),
        (Options(variants="unframed"), False),
    ],
)
def test_only_what_was_requested(options, expected):
    found = HashedFile(
        PATH,
        MediaKind.IMAGE,
        (Hash("md5", "0" * 32), Hash("pdq", "0" * 64, 9), Hash("pdq", "1" * 64, 9, "crop-2.5")),
    )
    if expected:
        protocol.check_asked_for(found, options)
    else:
        with pytest.raises(DocumentInvalid):
            protocol.check_asked_for(found, options)
    moving = FrameHashes(1.0, (), "bars-removed")
    film = HashedFile(PATH, MediaKind.VIDEO, (), (), FrameHashes(1.0, ()), (moving,))
    protocol.check_asked_for(film, Options(variants="unframed"))
    with pytest.raises(DocumentInvalid):
        protocol.check_asked_for(film, Options(variants="orientations"))


def _rest(failed):
    return failed.kind, failed.hashes, failed.notices


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["image", "small", "not_media", "a" * 64, notices.SMALL.text]),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["outcome", "sha256", "kind", "hashes", "notices", "error", "pdq"])
            | st.text(),
            inner,
        )
    ),
    max_leaves=20,
)


@given(anything)
def test_anything_else_is_refused(untrusted):
    try:
        answer = protocol.WorkerResult.from_json(untrusted, PATH)
    except DocumentInvalid as error:
        assert str(error)
    else:
        assert_clean(answer)


@given(st.binary())
def test_any_bytes_are_refused_or_json(untrusted):
    try:
        expected = json.loads(untrusted)
    except (ValueError, RecursionError):
        with pytest.raises(DocumentInvalid):
            protocol.from_line(untrusted)
    else:
        assert repr(protocol.from_line(untrusted)) == repr(expected)  # NaN is not itself


def assert_clean(answer):
    """Only hashes, and texts that hashkit itself has."""
    codes = {notice.code for notice in notices.ALL}
    assert all(notice.code in codes for notice in answer.outcome.notices)
    assert (
        protocol.WorkerResult.from_json(protocol.from_line(answer.to_line()), PATH).sha256
        == answer.sha256
    )


GOOD = {
    "kind": "image",
    "hashes": {"md5": "0" * 32, "pdq": {"value": "0" * 64, "quality": 99}},
    "variants": [{"name": "mirrored", "pdq": {"value": "0" * 64, "quality": 99}}],
    "notices": [],
    "error": None,
}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": None},
        {"kind": "picture"},
        {"kind": ["image"]},
        {"hashes": None},
        {"hashes": {"md5": "0" * 31}},
        {"hashes": {"md5": "0" * 32, "name": "mine"}},
        {"variants": None},
        {"variants": [{}] * 101},
        {"hashes": {"md5": "0" * 32}},
        {"variants": [{"name": "mirrored", "vpdq": {"interval": 1, "frames": []}}]},
        {"error": ["media_corrupt", errors.MediaCorrupt.text]},
        {"variants": [{"name": "mirrored"}]},
        {"variants": [{"name": "original", "pdq": {"value": "0" * 64, "quality": 99}}]},
        {"variants": [{"name": "Jane Doe", "pdq": {"value": "0" * 64, "quality": 99}}]},
        {"variants": [{"name": "a" * 51, "pdq": {"value": "0" * 64, "quality": 99}}]},
        {"variants": [{"name": "mirrored", "md5": "0" * 32}]},
        {"variants": [{"name": "mirrored", "pdq": {"value": "0" * 64}}]},
        {"notices": None},
        {"notices": [["small"]]},
        {"notices": [["small", "Call this number."]]},
        {"notices": [["small", notices.SMALL.text + " "]]},
        {"notices": [["video_damaged", notices.VIDEO_DAMAGED.text]]},
        {"notices": [["unheard_of", "x"]]},
        {"notices": [["small", notices.SMALL.text]] * 21},
        {"path": "a"},
    ],
)
def test_what_does_not_belong_is_refused(change):
    assert protocol.outcome_from_json(GOOD, PATH)
    with pytest.raises(DocumentInvalid):
        protocol.outcome_from_json({**GOOD, **change}, PATH)


def failed(error):
    return {**GOOD, "variants": [], "error": error}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("media_corrupt", errors.MediaCorrupt.text),
        ("media_corrupt", "The file is damaged, and the video could not be read."),
        ("too_many_pixels", "The picture has 1,000 pixels. The limit is 100."),
        *(
            ("unsupported_media", str(formats.unsupported(name)))
            for name in sorted(formats.NOT_OPENED)
        ),
    ],
)
def test_an_error_with_a_known_sentence(code, text):
    found = protocol.outcome_from_json(failed([code, text]), PATH)
    assert (found.error.code, str(found.error)) == (code, text)


@pytest.mark.parametrize("error", [formats.unsupported_video(), formats.truncated_video()])
def test_an_error_of_a_video_keeps_its_advice(error):
    found = protocol.outcome_from_json(failed([error.code, str(error)]), PATH).error
    assert (found.code, str(found), found.advice) == (error.code, str(error), error.advice)
    assert "HEIC" not in found.advice


@pytest.mark.parametrize(
    "error",
    [
        "not_media",
        ["not_media", "\x1b[2J"],
        ["not_media", "x" * 1000],
        ["media_corrupt", "Call +1 555 0100."],
        ["unsupported_media", "This is a visit.example, which cannot be opened here."],
        ["unsupported_media", "This is a picture of Ann Other, which cannot be opened here."],
        ["too_many_pixels", "The picture has \u0661 pixels. The limit is 100."],
        ["document_invalid", errors.DocumentInvalid.text],
        ["unknown_algorithm", errors.UnknownAlgorithm.text],
        ["unheard_of", errors.MediaCorrupt.text],
    ],
)
def test_any_other_error_is_refused(error):
    with pytest.raises(DocumentInvalid):
        protocol.outcome_from_json(failed(error), PATH)


def test_times_in_a_notice_are_in_plain_digits():
    text = notices.VIDEO_DAMAGED.text.replace("{span}", "from 00:00:0{} to 00:00:05")
    for digit, good in (("1", True), ("\u0661", False)):
        change = {"notices": [["video_damaged", text.replace("{}", digit)]]}
        if good:
            assert protocol.outcome_from_json({**GOOD, **change}, PATH)
        else:
            with pytest.raises(DocumentInvalid):
                protocol.outcome_from_json({**GOOD, **change}, PATH)


def test_every_error_of_a_file_round_trips():
    assert {kind.code for kind in ERRORS} >= {
        *("not_media", "file_missing", "too_much_memory", "decoder_crashed", "took_too_long"),
    }
    assert errors.WorkerUnavailable not in ERRORS


if os.name == "posix":
    names_of_files = st.binary(max_size=300).filter(lambda name: b"\0" not in name).map(os.fsdecode)
else:  # there, a name is text, and some signs are for drives and folders
    names_of_files = st.text(st.characters(exclude_characters="\0/\\:."), max_size=300)


@given(names_of_files)
def test_any_path_round_trips(name):
    path = Path(name)
    assert protocol.path_from_text(json.loads(json.dumps(protocol.path_to_text(path)))) == path
