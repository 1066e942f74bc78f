"""``hashkit report`` as a person runs it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

import pytest
from pypdf import PdfReader

LETTER, A4 = (612, 792), (595, 842)


@pytest.fixture
def submission(run, samples, tmp_path):
    """A submission of two pictures, by a name that must not be printed."""
    path = tmp_path / "secret-name.json"
    pictures = (samples / "scene-1.jpg", samples / "png-flat.png")
    assert run("hash", *pictures, "--out", path, "-q").returncode == 0
    return path


def pdf_text(path) -> str:
    return " ".join("".join(page.extract_text() for page in PdfReader(path).pages).split())


def paper_of(path) -> tuple[int, int]:
    box = PdfReader(path).pages[0].mediabox
    return round(box.width), round(box.height)


def test_pdf_and_html(run, submission, tmp_path):
    checksum = hashlib.sha256(submission.read_bytes()).hexdigest()
    for name in ("sheet.pdf", "sheet.html", "sheet.HTM"):
        done = run("report", submission, "--out", name)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (f"Written: {name}. There are no pictures and no file names in it.\n")
        path = tmp_path / name
        printed = pdf_text(path) if name.endswith("pdf") else path.read_text("utf-8")
        assert checksum in printed
        for text in ("Pictures", "too plain", "StopNCII", "Take It Down", "Case number"):
            assert text in printed
        for unwanted in ("secret-name", "scene-1", str(tmp_path), os.path.expanduser("~")):
            assert unwanted.encode() not in path.read_bytes()
            assert unwanted not in printed
        if hasattr(os, "getuid"):
            assert path.stat().st_mode & 0o077 == 0  # hashes are sensitive


def test_services_by_age_and_country(run, submission, tmp_path):
    def printed(*arguments: str) -> str:
        assert run("report", submission, "--out", "s.html", "--force", *arguments).returncode == 0
        return (tmp_path / "s.html").read_text("utf-8")

    adult = printed("--age-in-picture", "adult", "--country", "gb")
    assert "StopNCII" in adult
    assert "Revenge Porn Helpline" in adult
    assert "Take It Down" not in adult
    assert "must never receive" not in adult
    child = printed("--age", "under-18", "--country", "United Kingdom")
    assert "Report Remove" in child
    assert "StopNCII" not in child
    assert "must never receive" in child
    assert "Meri Trustline" not in adult + child
    assert "Report Remove" not in printed("--age", "adult", "--country", "GB")


def test_paper(run, submission, tmp_path):
    for arguments, size in (
        ((), A4),
        (("--country", "US"), LETTER),
        (("--country", "ca"), LETTER),
        (("--country", "US", "--paper", "a4"), A4),
        (("--paper", "Letter"), LETTER),
    ):
        assert run("report", submission, "--out", "s.pdf", "--force", *arguments).returncode == 0
        assert paper_of(tmp_path / "s.pdf") == size
    run("report", submission, "--out", "s.html", "--country", "US")
    assert not re.search(r"\s size:", (tmp_path / "s.html").read_text("utf-8"))
    run("report", submission, "--out", "s.html", "--paper", "letter", "--force")
    assert "size: letter;" in (tmp_path / "s.html").read_text("utf-8")


@pytest.mark.parametrize("language", ["es", "fr"])
def test_language(run, submission, tmp_path, language):
    for name in ("s.html", "s.pdf"):
        done = run("report", submission, "--out", name, "--language", language)
        assert (done.returncode, done.stderr) == (0, "")
    assert f'<html lang="{language}"' in (tmp_path / "s.html").read_text("utf-8")
    assert PdfReader(tmp_path / "s.pdf").trailer["/Root"]["/Lang"] == language


def test_what_is_there_is_kept(run, submission, samples, tmp_path):
    (tmp_path / "s.pdf").write_text("kept")
    done = run("report", submission, "--out", "s.pdf")
    assert done.returncode == 2
    assert "There is already a file with this name." in done.stderr
    assert (tmp_path / "s.pdf").read_text() == "kept"
    assert run("report", submission, "--out", "s.pdf", "--force").returncode == 0
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.pdf", "secret-name.json"]


def test_never_over_a_picture_or_the_submission(run, submission, samples, tmp_path):
    picture = (samples / "scene-1.jpg").read_bytes()
    (tmp_path / "picture.pdf").write_bytes(picture)
    done = run("report", submission, "--out", "picture.pdf", "--force")
    assert done.returncode == 2
    assert "This may be a picture or a video. It was left as it is." in done.stderr
    assert (tmp_path / "picture.pdf").read_bytes() == picture
    written = submission.read_bytes()
    (tmp_path / "same.html").hardlink_to(submission)
    for arguments in ((), ("--force",)):
        done = run("report", submission, "--out", "same.html", *arguments)
        assert done.returncode == 2
        assert "This is the submission. It was left as it is." in done.stderr
    assert submission.read_bytes() == written


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("--out", "s.docx"), "a name that ends in .html or .pdf"),
        (("--out", "s"), "a name that ends in .html or .pdf"),
        (("--out", "none/s.pdf"), "Check that the folder exists"),
        (("--out", "s.pdf", "--paper", "a5"), "give one of a4, letter"),
        (("--out", "s.pdf", "--language", "xx"), "give one of en, es, fr"),
        (("--out", "s.pdf", "--age", "17"), "give one of adult, under-18"),
        (("--out", "s.pdf", "--age-in-picture", "child"), "give one of adult, under-18"),
        (("--out", "s.pdf", "--country", "Atlantis"), "give a code of two letters"),
        ((), "--out"),
    ],
)
def test_wrong_use(run, unwrapped, submission, tmp_path, arguments, printed):
    done = run("report", submission, *arguments)
    assert done.returncode == 2
    assert printed in unwrapped(done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["secret-name.json"]


def test_what_is_no_submission_is_reported_as_by_inspect(run, samples, tmp_path):
    (tmp_path / "more.json").write_text(
        '{"format": "hashkit-submission", "version": 1, "items": [], "by": "me"}'
    )
    (tmp_path / "empty.json").write_text("")
    for path in ("more.json", "empty.json", "none.json", ".", samples / "scene-1.jpg"):
        done, as_reported = run("report", path, "--out", "s.pdf"), run("inspect", path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == as_reported.stderr
        assert not (tmp_path / "s.pdf").exists()


def test_an_empty_submission(run, tmp_path):
    empty = '{"format": "hashkit-submission", "version": 1, "items": []}'
    (tmp_path / "empty.json").write_text(empty)
    for name in ("s.pdf", "s.html"):
        done = run("report", "empty.json", "--out", name)
        assert done.returncode == 0
        assert done.stderr == "There is nothing in this submission.\n"


def test_help_loads_nothing_of_it():
    code = (
        "import sys\nfrom hashkit.cli import app\n"
        "try:\n    app(['report', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([each for each in sys.modules if each.startswith("
        "('reportlab', 'jinja2', 'hashkit.case_sheet', 'hashkit.guide'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.rstrip().endswith("[]")
