"""``hashkit export`` and ``hashkit import``."""

from __future__ import annotations

import json

import pytest

import hashkit
from hashkit.models import FrameHash, FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats.converting import export_submission
from hashkit.submission.formats.registry import FORMATS, READERS

PICTURE = Item(
    MediaKind.IMAGE,
    (
        Hash("md5", "1" * 32),
        Hash("sha256", "1" * 64),
        Hash("pdq", "a" * 64, 100),
        Hash("pdq", "b" * 64, 100, "mirrored"),
    ),
)
PLAIN = Item(MediaKind.IMAGE, (Hash("sha256", "2" * 64), Hash("pdq", "0" * 64, 3)))
VIDEO = Item(
    MediaKind.VIDEO,
    (Hash("md5", "3" * 32), Hash("sha256", "3" * 64)),
    FrameHashes(1.0, (FrameHash(0, 0.0, "c" * 64, 90), FrameHash(25, 1.0, "d" * 64, 80))),
)
SUBMISSION = Submission.from_items([PICTURE, PLAIN, VIDEO])


@pytest.fixture
def given(tmp_path):
    hashkit.write_submission(SUBMISSION, tmp_path / "s.json")
    return tmp_path


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_on_the_screen_and_in_a_file(run, given, name):
    exported = export_submission(SUBMISSION, name)
    shown = run("export", "s.json", "--format", name)
    assert shown.stdout == exported.content.decode()
    assert shown.returncode == bool(exported.missing_items)
    written = run("export", "s.json", "--format", name, "--out", "out.txt")
    assert (written.stdout, written.returncode) == ("", shown.returncode)
    assert (given / "out.txt").read_bytes() == exported.content
    assert "Written: out.txt." in written.stderr
    assert FORMATS[name].draft in written.stderr
    assert ("This is a draft." in written.stderr) == bool(FORMATS[name].draft)
    assert sorted(path.name for path in given.iterdir()) == ["out.txt", "s.json"]


def test_what_is_left_out_is_listed(run, given):
    done = run("export", "s.json", "--format", "stopncii")
    assert done.stderr.splitlines() == [
        "Left out, since this format cannot hold it:",
        "- 1 md5 hash (item 1): StopNCII takes PDQ, and MD5 of videos.",
        "- 3 sha256 hashes (items 1 to 3): StopNCII takes PDQ, and MD5 of videos.",
        "- 1 pdq hash (item 2): It shows too little detail, and this format cannot say so: other "
        "pictures would be taken for it.",
        "- 1 vpdq hash (item 3): StopNCII takes PDQ, and MD5 of videos.",
        "This format does not say: the quality of PDQ hashes; which hashes are of edits, and of "
        "what; which hashes belong to the same file.",
        "There is nothing of item 2 in it.",
        f"This is a draft. {FORMATS['stopncii'].draft}",
        "It holds 3 hashes, and no picture, file name or date.",
    ]
    assert done.returncode == 1  # of item 2, nothing went
    edits = run("export", "s.json", "--format", "vics").stderr
    assert "- 1 pdq hash of an edit (item 1): VICS has no published field for PDQ." in edits
    assert "items 1, 2" in edits


def test_one_item_alone(run, given):
    done = run("export", "s.json", "--format", "stopncii", "--item", "3")
    assert [each["hashValue"] for each in json.loads(done.stdout)["hashRecords"]] == ["3" * 32]
    assert done.returncode == 0
    assert "(item 3)" in done.stderr
    for number in ("0", "4", "x"):
        wrong = run("export", "s.json", "--format", "csv", "--item", number)
        assert (wrong.returncode, wrong.stdout) == (2, "")


def test_nothing_is_written_where_nothing_fits(run, given):
    done = run("export", "s.json", "--format", "vpdq", "--item", "1", "--out", "out.txt")
    assert done.returncode == 1
    assert "s.json: This format can hold nothing of this submission." in done.stderr
    assert not (given / "out.txt").exists()


def test_what_is_there_is_kept(run, given, samples):
    (given / "out.txt").write_text("mine")
    photo = given / "photo.jpg"
    photo.write_bytes((samples / "scene-1.jpg").read_bytes())
    before = {path: path.read_bytes() for path in given.iterdir()}
    for command in (["export", "s.json", "--format", "csv"], ["import", "s.json"]):
        for out, force in (
            ("out.txt", []),
            ("s.json", ["--force"]),
            ("photo.jpg", ["--force"]),
            (".", ["--force"]),
            ("none/out.txt", []),
        ):
            done = run(*command, "--out", out, *force)
            assert done.returncode == 2, (command, out)
            assert done.stdout == ""
        assert {path: path.read_bytes() for path in given.iterdir()} == before
    done = run("export", "s.json", "--format", "csv", "--out", "out.txt", "--force")
    assert done.returncode == 0
    assert (given / "out.txt").read_bytes() == export_submission(SUBMISSION, "csv").content


def test_wrong_use(run, given):
    assert run("export", "s.json").returncode == 2
    wrong = run("export", "s.json", "--format", "zip")
    assert wrong.returncode == 2
    assert "stopncii" in wrong.stderr
    wrong = run("import", "s.json", "--format", "hma")
    assert wrong.returncode == 2
    assert "threatexchange-cli" in wrong.stderr


def test_help_names_every_format(run, unwrapped):
    """Whole, since they are put together by hand; without the spaces that a narrow page has."""
    for command, names in (("export", FORMATS), ("import", READERS)):
        shown = "".join(unwrapped(run(command, "--help").stdout).split())
        assert "|".join(names) in shown


@pytest.mark.parametrize("name", READERS)
def test_import_every_format(run, given, name):
    if name == "submission":
        content = SUBMISSION.to_json().encode()
    elif name == "pdq":
        content = f"{'1f' * 32},100,a.jpg\n".encode()
    else:
        content = export_submission(SUBMISSION, name).content
    (given / "list").write_bytes(content)
    done = run("import", "list", "--out", "again.json")
    assert done.returncode == 0
    assert "Written: again.json. It holds the hashes of" in done.stderr
    again = hashkit.read_submission(given / "again.json")
    named = run("import", "list", "--format", name)
    assert named.stdout == again.to_json()
    if name in ("submission", "csv"):
        assert again == SUBMISSION
        assert done.stderr.count("\n") == 1
    if name == "threatexchange-cli":
        assert "50 of 100 stands for it" in done.stderr
    if name in ("vpdq", "threatexchange-cli"):
        assert "worked out from their times" in done.stderr


def test_import_refuses_the_rest(run, given, samples):
    (given / "some.csv").write_text("name,hash\nanna.jpg,5\n")
    (given / "bad.csv").write_bytes(export_submission(SUBMISSION, "csv").content + b"anna.jpg\n")
    (given / "empty.csv").write_bytes(export_submission(Submission(()), "csv").content)
    (given / "empty").touch()
    reasons = {
        "some.csv": "hashkit does not know this kind of list.",
        "bad.csv": "In line 12, column item: Write a number from 1",
        "empty.csv": "There are no hashes in this file.",
        "empty": "The file is empty.",
        "none": "There is no file with this name here.",
        ".": "This is a folder.\n",
        str(samples / "scene-1.jpg"): "This is not a text",
    }
    for name, words in reasons.items():
        done = run("import", name, "--out", "out.json")
        assert done.returncode == 1, name
        assert words in done.stderr
        assert "anna" not in done.stderr
        assert not (given / "out.json").exists()
    for name in ("some.csv", "none", "."):
        assert run("export", name, "--format", "csv").returncode == 1


def test_import_replaces_a_file_by_force(run, given):
    (given / "list").write_bytes(export_submission(SUBMISSION, "csv").content)
    (given / "out.json").write_text("old")
    assert run("import", "list", "--out", "out.json").returncode == 2
    assert (given / "out.json").read_text() == "old"
    assert run("import", "list", "--out", "out.json", "--force").returncode == 0
    assert hashkit.read_submission(given / "out.json") == SUBMISSION


def test_the_number_of_different_hashes_is_reported(run, tmp_path):
    pdq = Hash("pdq", "a" * 64, 100)
    items = [Item(MediaKind.IMAGE, (pdq, Hash("md5", digit * 32))) for digit in "123"]
    hashkit.write_submission(Submission.from_items(items), tmp_path / "s.json")
    done = run("export", "s.json", "--format", "stopncii")
    assert "It holds 3 hashes (1 different one), and no picture" in done.stderr
    assert json.loads(done.stdout)["count"] == 1


def test_long_lists_of_items_are_cut(run, tmp_path):
    plain = [Hash("pdq", f"{n:064x}", 90 * (n % 2)) for n in range(200)]
    items = [Item(MediaKind.IMAGE, (Hash("sha256", each.text), each)) for each in plain]
    hashkit.write_submission(Submission.from_items(items), tmp_path / "s.json")
    done = run("export", "s.json", "--format", "hma")
    assert "(items 1, 3, 5," in done.stderr
    assert "39, and 80 more)" in done.stderr


def test_a_submission_of_nothing(run, tmp_path):
    hashkit.write_submission(Submission(()), tmp_path / "s.json")
    done = run("export", "s.json", "--format", "csv")
    assert done.returncode == 1
    assert "There are no hashes in this submission." in done.stderr
