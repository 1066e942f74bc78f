"""Our table and the lists of others, as spreadsheets and data tools save them again."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit.errors import DocumentInvalid
from hashkit.models import FrameHash, FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats import delimited
from hashkit.submission.formats.converting import export_submission, import_submission
from hashkit.submission.formats.pdq_list import KIND_NOTE, NAMES_NOTE
from hashkit.submission.formats.table import COLUMNS

CASES = Path(__file__).parents[2] / "cases"
PDQ = "1f" * 32
CROPS = ",".join(["0f" * 8, "f0" * 8])
FRAMES = FrameHashes(1.0, (FrameHash(0, 0.0, PDQ, 100), FrameHash(25, 1.25, "b2" * 32, 40)))
SUBMISSION = Submission.from_items(
    [
        Item(
            MediaKind.IMAGE,
            (Hash("md5", "0a" * 16), Hash("pdq", PDQ, 90), Hash("crop_resistant", CROPS)),
        ),
        Item(MediaKind.VIDEO, (Hash("sha1", "0b" * 20),), FRAMES),
        Item(MediaKind.VIDEO, (), FrameHashes("keyframes", FRAMES.hashes[:1])),
    ]
)
TABLE = export_submission(SUBMISSION, "csv").content.decode()


def saved_again(change=lambda rows: rows, **dialect):
    rows = change(list(csv.reader(io.StringIO(TABLE))))
    text = io.StringIO()
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue()


def with_decimal_commas(rows):
    decimals = [COLUMNS.index(name) for name in ("interval", "timestamp")]
    return [
        [cell.replace(".", ",") if at in decimals else cell for at, cell in enumerate(row)]
        for row in rows
    ]


def with_row_numbers(heading):
    return lambda rows: [[heading, *rows[0]], *([str(i), *row] for i, row in enumerate(rows[1:]))]


def with_decimals(rows):
    """As pandas writes columns of whole numbers that have empty cells."""
    whole = [COLUMNS.index(name) for name in ("item", "quality", "frame")]
    return [
        [f"{cell}.0" if at in whole and cell.isdigit() else cell for at, cell in enumerate(row)]
        for row in rows
    ]


def without_empty_ends(rows):
    """As Excel saves rows from the seventeenth on, with the value in front."""
    turned = [row[::-1] for row in rows]
    return [
        turned[0],
        *([*row[: 1 + max(i for i, cell in enumerate(row) if cell)]] for row in turned[1:]),
    ]


SAVED = {
    "semicolons": saved_again(delimiter=";"),
    "semicolons and decimal commas": saved_again(with_decimal_commas, delimiter=";"),
    "tabs": saved_again(delimiter="\t"),
    "tabs and decimal commas": saved_again(with_decimal_commas, delimiter="\t"),
    "every cell quoted": saved_again(quoting=csv.QUOTE_ALL),
    "a line that names the delimiter": "sep=;\r\n" + saved_again(delimiter=";"),
    "the same, quoted and filled": '"sep=;";;;\r\n' + saved_again(delimiter=";"),
    "a delimiter that only that line names": "sep=|\n" + saved_again(delimiter="|"),
    "blank rows": TABLE.replace("\n", "\n\n,,,,,,,,\n") + ",,,\n\n",
    "a blank row above": "\n" + TABLE,
    "old line ends": TABLE.replace("\n", "\r"),
    "columns turned round": saved_again(lambda rows: [row[::-1] for row in rows]),
    "row numbers of pandas": saved_again(with_row_numbers("")),
    "row numbers of pandas, read and saved once more": saved_again(with_row_numbers("Unnamed: 0")),
    "row numbers with a name": saved_again(with_row_numbers("index")),
    "whole numbers with decimals": saved_again(with_decimals),
    "empty columns behind": saved_again(lambda rows: [[*row, "", ""] for row in rows]),
    "empty cells left away": saved_again(without_empty_ends),
    "spaces around": TABLE.replace(",", " , ").replace(CROPS.replace(",", " , "), CROPS),
    "capitals": saved_again(lambda rows: [[cell.upper() for cell in rows[0]], *rows[1:]]),
    "hex in capitals": TABLE.replace("0a" * 16, "0A" * 16).replace(PDQ, PDQ.upper()),
}


@pytest.mark.parametrize("text", SAVED.values(), ids=SAVED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_table_that_was_saved_again_is_the_same(text, encoding):
    assert import_submission(text.encode(encoding)).submission == SUBMISSION
    assert import_submission(text.encode(encoding), "csv").submission == SUBMISSION


@pytest.mark.parametrize("name", ["own_semi.csv", "own_blank.csv"])
def test_tables_from_the_field(name):
    video, image = import_submission((CASES / name).read_bytes()).submission.items
    assert (video.kind, image.kind) == (MediaKind.VIDEO, MediaKind.IMAGE)
    assert [each.algorithm for each in video.hashes] == ["md5", "sha1", "sha256", "tmk_pdqf"]
    (frame,) = video.frames.hashes
    assert (frame.frame, frame.timestamp, video.frames.interval) == (0, 0.0, 1.0)
    assert dict((each.algorithm, each.quality) for each in image.hashes)["pdq"] == 100


def test_a_list_of_the_reference_from_the_field():
    found = import_submission((CASES / "pdqq.csv").read_bytes())
    (item,) = found.submission.items
    value = "8f894e8baf8197c3c9126c2c7253d9a349bd905eb6306934877ca7dc493e7983"
    assert item == Item(MediaKind.IMAGE, (Hash("pdq", value, 100),))
    assert found.notes == (KIND_NOTE, NAMES_NOTE)
    assert "base" not in found.submission.to_json()


@pytest.mark.parametrize(
    ("text", "qualities"),
    [
        (f"{PDQ},7\n{PDQ},100\n", [7, 100]),
        (f"{PDQ.upper()};7;a;b, c.jpg\n\n{PDQ};100;\n", [7, 100]),
        (f'hash,quality,name\n{PDQ},7.0,"a, b.jpg"\n"{PDQ}","100","12"\n', [7, 100]),
        (f"hash\tquality\tname\n{PDQ}\t7\t1\n", [7]),
    ],
)
def test_lists_of_pdq(text, qualities):
    found = import_submission(text)
    assert {item.hashes for item in found.submission.items} == {
        (Hash("pdq", PDQ, quality),) for quality in qualities
    }
    assert (NAMES_NOTE in found.notes) == any(c in text for c in ("jpg", "name"))


@pytest.mark.parametrize(
    "text",
    [
        f",hash,quality,filename\n0,{PDQ},7,a.jpg\n1,{PDQ},100.0,b.jpg\n",
        f'filename,quality,hash\n"a, ""1"".jpg",7,{PDQ}\nb.jpg,100,{PDQ.upper()}\n',
        f"Index;Quality;Hash\n0;7;{PDQ}\n1;100,0;{PDQ}\n",
        f"filename\thash\tquality\n\t{PDQ}\t7\n'\t{PDQ}\t100\t\n",
        f"quality,hash\n7,{PDQ}\n100,{PDQ}\n",
    ],
    ids=["pandas", "names first", "semicolons", "tabs", "turned"],
)
def test_lists_of_pdq_with_other_columns(text):
    found = import_submission(text)
    assert [item.hashes[0] for item in found.submission.items] == [
        Hash("pdq", PDQ, quality) for quality in (100, 7)
    ]
    assert (NAMES_NOTE in found.notes) == (not text.startswith("quality,"))


def test_rows_of_a_table_that_stand_twice_or_in_another_order():
    heading, *rows = TABLE.splitlines()
    assert len(rows) > 3
    for others in (rows * 2, rows[::-1], [*rows[1:], rows[0], rows[1]]):
        text = "".join(f"{line}\n" for line in (heading, *others))
        assert import_submission(text).submission == import_submission(TABLE).submission


def test_without_names_nothing_is_said_of_them():
    assert import_submission(f"{PDQ},7").notes == (KIND_NOTE,)


@pytest.mark.parametrize(
    "text",
    [
        f"0;100;{PDQ};0,0\n25;40;{PDQ};1,25\n",
        f"{PDQ};100;0\n{PDQ};40;1,25\n;;\n",
        f'"0"\t"{PDQ}"\t"100"\t"0.0"\n"25"\t"{PDQ}"\t"40"\t"1.25"\n',
    ],
)
def test_vpdq_that_a_spreadsheet_saved(text):
    (item,) = import_submission(text).submission.items
    assert [(each.timestamp, each.quality) for each in item.frames.hashes] == [(0, 100), (1.25, 40)]


HEADING = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("csv", f"{HEADING},note\n", "In line 1, column 10 is none of item, kind"),
        ("csv", f"{HEADING},item\n", "In line 1, column 10 is none of item, kind"),
        ("csv", "\n\nitem,kind\n", "In line 3, there is not the heading item,kind,"),
        ("csv", HEADING.replace("frame,", "") + "\n", "heading item,kind,algorithm,variant,qual"),
        ("csv", HEADING.replace("frame,", "") + "\n", ": frame is missing."),
        ("csv", f"\n{TABLE}9,image", "column algorithm: Write one of"),
        ("csv", f'{TABLE}1,"image', "or a quotation mark is missing. Delete what was added."),
        ("csv", f"{HEADING}\n\n1,image,md5,original,,,,,1E+31", "In line 3, column value: This is"),
        ("csv", f"{HEADING}\n1,image,pdq,original,9.5,,,,{PDQ}", "In line 2, column quality: This"),
        ("csv", f"{HEADING}\n1,image,pdq,original,1e1,,,,{PDQ}", "In line 2, column quality: This"),
        ("pdq", f"{PDQ},101", "In line 1, column 2: write the quality, 0 to 100."),
        ("pdq", f"{PDQ}", "In line 1, column 2: write the quality, 0 to 100."),
        (None, f"{PDQ}\n{PDQ}\n", "In line 1, column 2: write the quality, 0 to 100."),
        (None, f"hash\n{PDQ}\n", "In line 2, column 2: write the quality, 0 to 100."),
        ("pdq", f"value,score\n{PDQ},100", "give the columns these names."),
        ("pdq", f"name,pdq,quality\na.jpg,{PDQ},100", "In line 1, there is neither a pdq hash nor"),
        ("pdq", f"hash,hash,quality\n{PDQ},{PDQ},1", "In line 1, there is neither a pdq hash nor"),
        (None, f"name,quality,hash\na.jpg,x,{PDQ}", "In line 2, column 2: write the quality"),
        (None, "name,quality,hash\na.jpg,9,1E+31", "In line 2, column 3: this is not a pdq hash."),
        (None, "name,quality,hash\na.jpg", "In line 2, column 3: this is not a pdq hash."),
        (None, "words", "if it is one of these, say which, with --format."),
        ("pdq", f"{PDQ},1\nholiday.jpg,1", "In line 2, column 1: this is not a pdq hash."),
        ("pdq", f"{PDQ},1\nhash,quality", "In line 2, column 1: this is not a pdq hash."),
        (None, f"{PDQ[1:]},7,x", "hashkit does not know this kind of list."),
        (None, b"caf\xe9;1", "Save it again as UTF-8."),
        (None, "\xff\xfea", "hashkit does not know this kind of list."),
    ],
)
def test_what_cannot_be_read_says_where_and_what_to_change(name, text, why):
    with pytest.raises(DocumentInvalid) as refusal:
        import_submission(text, name)
    assert why.lower() in str(refusal.value).lower()
    assert "jpg" not in str(refusal.value)


@pytest.mark.parametrize("line", [" " * 100_000 + 'x"', 'x"' + " " * 100_000, 'x "' + " " * 99_999])
def test_many_spaces_take_no_time(line):
    """With a look at every way to share them out, hours."""
    for text, name in ((f"{HEADING}\n{line}", "csv"), (f"{line};{line}", "vpdq"), (line, "pdq")):
        with pytest.raises(DocumentInvalid):
            import_submission(text, name)


@pytest.mark.parametrize(("before", "after"), [("", ""), ('["', '"]')])
def test_many_spaces_before_a_frame_take_no_time(before, after):
    text = f"{before}{' ' * 300_000}{PDQ},100,1.25{after}"
    (item,) = import_submission(text, "vpdq").submission.items
    assert [each.timestamp for each in item.frames.hashes] == [1.25]


@given(
    st.lists(
        st.lists(st.text("ab1 ,;\t'", max_size=4).map(str.strip), min_size=3, max_size=3)
        # A row of empty cells is left out; a cell of delimiters alone looks like one.
        .filter(lambda row: "".join(row).strip(",;\t ")),
        max_size=6,
    ),
    st.sampled_from(",;\t"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.permutations(["one", "two", "three"]),
)
def test_rows_are_what_the_csv_module_wrote(rows, delimiter, quoting, order):
    text = io.StringIO()
    writer = csv.DictWriter(text, order, delimiter=delimiter, quoting=quoting)
    writer.writeheader()
    named = [dict(zip(["one", "two", "three"], row, strict=True)) for row in rows]
    writer.writerows(named)
    read = [row for _, row in delimited.rows(text.getvalue(), ("one", "two", "three"))]
    assert read == named


@pytest.mark.parametrize(
    ("cell", "whole", "number"),
    [
        *(("1,5", False, "1.5"), ("1.0", False, "1.0"), ("1.0", True, "1"), ("1,00", True, "1")),
        *(("1E-05", False, "1e-05"), ("1,5E-05", False, "1.5e-05"), ("1,000,5", False, "1,000,5")),
        *(("1.5", True, "1.5"), ("1.", True, "1."), ("", True, ""), ("all", False, "all")),
    ],
)
def test_numbers(cell, whole, number):
    assert delimited.number(cell, whole=whole) == number


@pytest.mark.parametrize(
    "options",
    [
        *({}, {"index": False}, {"sep": ";", "decimal": ","}, {"quoting": csv.QUOTE_ALL}),
        {"sep": "\t", "encoding": "utf-16"},
    ],
)
def test_pandas(options):
    saved = io.BytesIO()
    pandas.read_csv(io.StringIO(TABLE)).to_csv(saved, **options)
    assert import_submission(saved.getvalue()).submission == SUBMISSION
