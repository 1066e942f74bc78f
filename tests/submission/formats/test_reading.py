"""Reading lists of hashes that other tools wrote: what was written comes back, the rest is refused
with the place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashkit.errors import DocumentInvalid
from hashkit.hashes.vpdq_text import to_signal
from hashkit.models import FrameHash, FrameHashes, Hash, MediaKind
from hashkit.submission.document import MAX_BYTES, Item, Submission
from hashkit.submission.formats.base import Reader
from hashkit.submission.formats.converting import export_submission, import_submission
from hashkit.submission.formats.registry import FORMATS, READERS
from hashkit.submission.formats.signals import signals_of
from hashkit.submission.formats.threatexchange_cli import FILES_NOTE, KIND_NOTE, QUALITY_NOTE
from hashkit.submission.formats.vpdq import INTERVAL_NOTE, NUMBERS_NOTE

HEADING = "item,kind,algorithm,variant,quality,interval,frame,timestamp,value"
MD5, PDQ = "0" * 32, "1f" * 32


def contents(submission):
    return {
        (item.kind, frozenset(item.hashes), item.frames, item.frame_variants)
        for item in submission.items
    }


def values(signals):
    """What of each hash every format tells: its kind, and its value or frames."""
    return {
        (
            each.algorithm,
            each.text
            if isinstance(each.found, Hash)
            else tuple((f.value, f.quality, round(f.timestamp, 3)) for f in each.found.hashes),
        )
        for each in signals
    }


def test_every_reader_of_a_format_is_tested():
    both = {name for name, each in FORMATS.items() if issubclass(each, Reader)}
    assert both == {"csv", "vpdq", "threatexchange-cli"}
    assert set(READERS) == both | {"submission", "pdq"}


@pytest.mark.parametrize("name", ["csv", "vpdq", "threatexchange-cli"])
class TestRoundTrip:
    @given(submission=st.from_type(Submission))
    @settings(max_examples=50)
    def test_what_is_held_comes_back(self, name, submission):
        exported = export_submission(submission, name)
        if not exported.held:
            return
        for known in (name, None):
            found = import_submission(exported.content, known).submission
            frames = [each for each in exported.held if each.algorithm == "vpdq"]
            if name != "csv" and all(not each.frames.hashes for each in frames):
                assert values(signals_of(found)) <= values(exported.held)
            else:
                assert values(signals_of(found)) == values(exported.held)
            assert Submission.from_json(found.to_json()) == found
            if name == "csv" and not exported.left_out:
                assert contents(found) == contents(submission)

    def test_windows_line_ends_and_byte_order_mark(self, name):
        frame = FrameHash(3, 1.5, PDQ, 80)
        item = Item(MediaKind.VIDEO, (Hash("md5", MD5),), FrameHashes(1, (frame,)))
        content = export_submission(Submission.from_items([item]), name).content
        changed = b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")
        assert import_submission(changed) == import_submission(content)


@given(st.from_type(Submission))
def test_a_submission_comes_out_as_it_is(submission):
    text = submission.to_json()
    assert import_submission(text.encode()).submission.to_json() == text


FRAMES = (FrameHash(0, 0.0, PDQ, 90), FrameHash(25, 1.0, "2" * 64, 40), FrameHash(51, 2.04, PDQ, 7))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("".join(f"{f.frame},{f.quality},{f.value},{f.timestamp}\n" for f in FRAMES), (0, 25, 51)),
        ("".join(f"{f.frame},{f.value},{f.quality},{f.timestamp}\n" for f in FRAMES), (0, 25, 51)),
        ("".join(f"{f.value.upper()},{f.quality},{f.timestamp}\n" for f in FRAMES), (0, 1, 2)),
        (to_signal(FRAMES), (0, 1, 2)),
        (json.dumps([f"{f.value},{f.quality},{f.timestamp:.3}" for f in FRAMES]), (0, 1, 2)),
        (json.dumps(json.loads(to_signal(FRAMES)), indent=2), (0, 1, 2)),
    ],
)
def test_vpdq_in_its_three_orders(text, numbers):
    found = import_submission(text.encode())
    (item,) = found.submission.items
    assert item.kind is MediaKind.VIDEO
    assert [each.value for each in item.frames.hashes] == [each.value for each in FRAMES]
    assert [each.quality for each in item.frames.hashes] == [90, 40, 7]
    assert [each.timestamp for each in item.frames.hashes] == [0.0, 1.0, 2.04]
    assert tuple(each.frame for each in item.frames.hashes) == numbers
    assert item.frames.interval == 1.02  # the median
    counted = () if numbers == (0, 25, 51) else (NUMBERS_NOTE,)
    assert found.notes == (INTERVAL_NOTE, *counted)


def test_a_list_of_one_says_nothing_of_files():
    assert import_submission(f"video_md5 {MD5}").notes == ()
    assert import_submission(f"pdq {PDQ}").notes == (QUALITY_NOTE, KIND_NOTE)


def test_text_will_do_as_well_as_bytes():
    table = row(f"1,image,md5,original,,,,,{MD5}")
    assert import_submission(table) == import_submission(table.encode())


def test_the_largest_numbers_and_minus_nothing():
    last = FrameHash((1 << 53), 1e9, PDQ, 0)
    first = FrameHash(0, -0.0, PDQ, 100)
    given = Submission.from_items(
        [Item(MediaKind.VIDEO, (Hash("md5", MD5),), FrameHashes(-0.0, (first, last)))]
    )
    known = Submission.from_json(given.to_json())
    for name in ("csv", "vpdq"):
        content = export_submission(known, name).content
        assert b"-0" not in content
        (item,) = import_submission(content).submission.items
        assert item.frames.hashes == known.items[0].frames.hashes
    assert b"-0" not in export_submission(given, "vpdq").content


def test_times_with_an_exponent():
    text = f"0,90,{PDQ},1.23e+03\n1,90,{PDQ},0.0\n2,90,{PDQ},1e-05"
    (item,) = import_submission(text.encode()).submission.items
    assert [each.timestamp for each in item.frames.hashes] == [1230.0, 0.0, 1e-05]


def test_a_list_of_the_threatexchange_command():
    text = f"pdq {PDQ}\n\n  video_md5 {'A' * 32}\nvideo_sha256 {PDQ} \nvpdq {to_signal(FRAMES)}\n"
    found = import_submission(text.encode())
    assert contents(found.submission) == {
        (MediaKind.IMAGE, frozenset([Hash("pdq", PDQ, 50)]), None, ()),
        (MediaKind.VIDEO, frozenset([Hash("md5", "a" * 32)]), None, ()),
        (MediaKind.VIDEO, frozenset([Hash("sha256", PDQ)]), None, ()),
        (
            MediaKind.VIDEO,
            frozenset(),
            FrameHashes(1.02, (FRAMES[0], *import_frames()[1:])),
            (),
        ),
    }
    assert list(found.notes) == [QUALITY_NOTE, KIND_NOTE, INTERVAL_NOTE, NUMBERS_NOTE, FILES_NOTE]


def import_frames():
    return [
        FrameHash(number, each.timestamp, each.value, each.quality)
        for number, each in enumerate(FRAMES)
    ]


def row(text):
    return f"{HEADING}\n{text}\n"


def frame_row(**changed):
    cells = {
        **{"item": 1, "kind": "video", "algorithm": "vpdq", "variant": "original", "quality": 9},
        **{"interval": 1, "frame": 0, "timestamp": 0.5, "value": PDQ, **changed},
    }
    return ",".join(str(cells[name]) for name in HEADING.split(","))


PLAIN = f"1,image,md5,original,,,,,{MD5}"

REFUSED = [
    ("csv", "", "In line 1, there is not the heading"),
    ("csv", row("1,image"), "In line 2, column algorithm: Write one of "),
    ("csv", row(PLAIN + ",holiday.jpg"), "In line 2, there are not 9 columns"),
    ("csv", row(PLAIN + "," * 1_000_000 + "x"), "In line 2, there are not 9 columns"),
    (
        "csv",
        row('1,image,md5,"original,,,,,' + MD5),
        "In line 2, there are not 9 columns",
    ),
    ("csv", row(PLAIN.replace("1,", "one,", 1)), "In line 2, column item: Write"),
    ("csv", row(PLAIN.replace("1,", "-1,", 1)), "In line 2, column item: Write"),
    ("csv", row(PLAIN.replace("image", "person")), "In line 2, column kind: Write image or video."),
    (
        "csv",
        row(f"{PLAIN}\n1,video,sha1,original,,,,,{'0' * 40}"),
        "In line 3, column kind: It is another than above",
    ),
    (
        "csv",
        row(PLAIN.replace("md5", "filename")),
        "In line 2, column algorithm: Write one of md5, sha1",
    ),
    (
        "csv",
        row(f"{PLAIN}\n{PLAIN.replace(MD5, '1' * 32)}"),
        "In line 3, there is a hash that this item has already.",
    ),
    (
        "csv",
        row(PLAIN.replace(MD5, "0" * 31)),
        "In line 2, column value: This is not a md5",
    ),
    (
        "csv",
        row(PLAIN.replace(",,,,,", ",5,,,,")),
        "In line 2, column quality: This does",
    ),
    (
        "csv",
        row(PLAIN.replace(",,,,,", ",,,,2024,")),
        "In line 2, column timestamp: This does",
    ),
    (
        "csv",
        row(f"1,image,pdq,original,,,,,{PDQ}"),
        "In line 2, column quality: This is",
    ),
    (
        "csv",
        row(f"1,image,pdq,original,101,,,,{PDQ}"),
        "In item 1, pdq, the quality is not 0 to 100.",
    ),
    (
        "csv",
        row(f"1,image,pdq,original,NaN,,,,{PDQ}"),
        "In line 2, column quality: This is",
    ),
    ("csv", row(f"1,image,pdq,mirrored,90,,,,{PDQ}"), "In item 1, there is a variant without its"),
    (
        "csv",
        row(f"1,image,pdq,original,90,,,,{PDQ}\n1,image,pdq,anna.jpg,90,,,,{PDQ}"),
        "In item 1, variant 1, there is not one name and one hash.",
    ),
    ("csv", row(frame_row(interval="often")), "In line 2, column interval: This is"),
    ("csv", row(frame_row(interval="1e999")), "In item 1, vpdq, the interval is not a number of"),
    ("csv", row(frame_row(interval="")), "In line 2, column interval: This is"),
    ("csv", row(frame_row(frame="1.5")), "In line 2, column frame: This is no"),
    ("csv", row(frame_row(timestamp="nan")), "In line 2, column timestamp: This is no"),
    ("csv", row(frame_row(value="")), "In line 2, column quality: This does"),
    ("csv", row(frame_row(value="x")), "In line 2, column value: This is not a pdq hash."),
    (
        "csv",
        row(f"{frame_row()}\n{frame_row(interval=2)}"),
        "In line 3, column interval: It is another than above",
    ),
    ("vpdq", "frames", "This cannot be read as vPDQ: line 1 is no vPDQ hash."),
    (
        "vpdq",
        f"0,90,{PDQ},0.0\nholiday.mp4",
        "This cannot be read as vPDQ: line 2 is no vPDQ hash.",
    ),
    ("vpdq", f"0,90,{PDQ},nan", "line 1 is no"),
    ("vpdq", f"0,101,{PDQ},1", "line 1 is no"),
    ("vpdq", f"\u0661,90,{PDQ},1", "line 1 is no"),
    ("vpdq", f"{'9' * 5000},90,{PDQ},1", "line 1 is no"),
    ("vpdq", f"0,90,{PDQ},1e999", "line 1 is no"),
    (
        "vpdq",
        f"0,90,{PDQ},0\n0,90,{PDQ},0",
        "the frame in line 2 does not come after",
    ),
    ("vpdq", f"0,90,{PDQ},0\n25,90,{PDQ},1\n0,90,{PDQ},0", "there may be two videos here."),
    ("vpdq", f"0,90,{PDQ},0\n{PDQ},90,1", "line 2 has another form than those before."),
    ("vpdq", f"0,90,{PDQ},0\n1,{PDQ},90,1", "line 2 has another form than those before."),
    ("vpdq", f"9007199254740993,90,{PDQ},0", "line 1 is no vPDQ hash."),
    ("vpdq", f"0,90,{PDQ},1000000000.001", "line 1 is no vPDQ hash."),
    ("vpdq", f"0,90,{PDQ},0" + ",0" * 100_000, "line 1 is no vPDQ hash."),
    (
        "csv",
        row(f"01,image,md5,original,,,,,{MD5}"),
        "In line 2, column item: Write",
    ),
    (
        "csv",
        row(f"1,image,pdq,original,9,,,,{PDQ}")
        + f"1,image,pdq,mirrored,9,,,,{PDQ}\n1,image,pdq,mirrored,8,,,,{PDQ}\n",
        "In line 4, there is a hash that this item has already.",
    ),
    (
        "csv",
        row(frame_row()) + frame_row(quality=8),
        "In line 3, column frame: This frame stands above with something else.",
    ),
    (
        "csv",
        row(frame_row(quality="", frame="", timestamp="", value="")) + frame_row(),
        "In line 3, there is a frame of what has none.",
    ),
    ("vpdq", "[" * 100_000, "This cannot be read as vPDQ: this is no vPDQ text."),
    ("vpdq", '["a", {"b": 1, "b": 2}]', "line 1 is no"),
    ("vpdq", "[NaN]", "line 1 is no"),
    ("threatexchange-cli", "pdq", "In line 1, the value of pdq is not a pdq hash."),
    ("threatexchange-cli", f"pdq {PDQ}\nurl https://a", "In line 2, there is a hash of an unknown"),
    ("threatexchange-cli", f"pdq {PDQ} anna.jpg", "In line 1, the value of pdq is not a pdq hash."),
    ("threatexchange-cli", "video_md5 1", "In line 1, the value of video_md5 is not a md5 hash."),
    ("threatexchange-cli", "md5 " + MD5, "In line 1, there is a hash of an unknown kind."),
    ("threatexchange-cli", f"vpdq {'[' * 100_000}", "In line 1, there is no vPDQ hash."),
    ("threatexchange-cli", 'vpdq ["x"]', "In line 1, there is no vPDQ hash."),
    ("submission", "[]", "This is not a hashkit submission."),
    ("submission", '{"format": 1, "format": 2}', "This is not a hashkit submission."),
    (None, "What is this?", "hashkit does not know this kind of list."),
    (None, '{"count": 0, "hashRecords": []}', "hashkit does not know this kind of list."),
    (None, "", "hashkit does not know this kind of list."),
    (None, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "hashkit does not know this kind of list."),
]


@pytest.mark.parametrize(("name", "text", "why"), REFUSED)
def test_what_does_not_belong_is_refused(name, text, why):
    with pytest.raises(DocumentInvalid) as refusal:
        import_submission(text.encode(), name)
    assert str(refusal.value).startswith(why) or why in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert "jpg" not in str(refusal.value)  # it may have been a person's name


def test_many_edits_take_no_longer_each():
    """60,000 rows: with a look at all rows before for each, this would take minutes."""
    edits = (f"1,image,pdq,mirrored,9,,,,{number:064x}\n" for number in range(60_000))
    text = row(f"1,image,pdq,original,9,,,,{PDQ}") + "".join(edits)
    with pytest.raises(DocumentInvalid, match="at most 100"):
        import_submission(text)


def test_what_is_no_text_or_too_much_is_refused():
    with pytest.raises(DocumentInvalid, match="not a text"):
        import_submission(b"\xff\xd8\xff\xe0")
    with pytest.raises(DocumentInvalid, match="too big"):
        import_submission(bytes(MAX_BYTES + 1))
    with pytest.raises(ValueError, match="no such format"):
        import_submission(b"", "hma")


@given(
    st.sampled_from([None, *READERS]),
    st.sampled_from(["", HEADING + "\n", "pdq ", "vpdq ", "[", "{", "0,1,"]),
    st.text(max_size=200) | st.text(f'0123456789af,".\n[]{{}} {HEADING}', max_size=200),
)
def test_anything_is_read_or_refused(name, beginning, rest):
    try:
        found = import_submission((beginning + rest).encode("utf-8", "surrogatepass"), name)
    except DocumentInvalid as refusal:
        assert str(refusal).endswith(".")
    else:
        text = found.submission.to_json()
        assert Submission.from_json(text).to_json() == text
