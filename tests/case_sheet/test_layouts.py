"""The HTML and the PDF of a case sheet: that both say all of it, and how they print."""

from __future__ import annotations

import getpass
import platform
import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

import hashkit
from hashkit.case_sheet.html import html_of
from hashkit.case_sheet.paper import Paper, usual_paper
from hashkit.case_sheet.pdf import pdf_of
from hashkit.guide.directory import all_services
from hashkit.locale.language import LANGUAGES

from .conftest import every_text, picture, squeezed, video

POINTS = {Paper.A4: (595.28, 841.89), Paper.LETTER: (612, 792)}
SOME = (picture(1, edits=2), picture(2, 30), picture(3, None), video(4, 90, 20))


class Page(HTMLParser):
    """The text of an HTML file, and its elements with their attributes."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.text, self.elements, self._silent = "", [], False
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self._silent = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_and_pdf_say_all_of_the_sheet(sheet, language):
    made = sheet(*SOME, language=language)
    html = squeezed(Page(html_of(made)).text)
    pdf = squeezed(text_of(pdf_of(made, Paper.A4)))
    texts = every_text(made)
    assert len(texts) > 100
    for text in texts:
        assert squeezed(text) in html
        assert squeezed(text) in pdf


def test_accents_dashes_and_quotes_come_out(sheet, monkeypatch):
    hard = "¿Señal? ¡Niñez! Où cœur, à l’été – « ça » — “oui” Ÿ…"  # noqa: RUF001
    monkeypatch.setattr("hashkit.case_sheet.contents.SHARED_LIMITS", (hard, "narrow\u202fspace"))
    made = sheet(picture(1))
    pdf = text_of(pdf_of(made, Paper.A4))
    assert squeezed(hard) in squeezed(pdf)
    assert "narrowspace" in squeezed(pdf)
    assert hard in Page(html_of(made)).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fonts_of_the_pdf_have_every_letter(sheet, language):
    for text in every_text(sheet(*SOME, language=language)):
        text.replace("\u202f", " ").encode("cp1252")


def test_what_looks_like_markup_is_text(sheet, monkeypatch):
    hard = "<b>&amp; <script>alert(1)</script>"
    monkeypatch.setattr("hashkit.case_sheet.contents.SHARED_LIMITS", (hard,))
    made = sheet(picture(1))
    page = Page(html_of(made))
    assert hard in page.text
    assert page.all("script") == []
    assert squeezed(hard) in squeezed(text_of(pdf_of(made, Paper.A4)))


def test_html_loads_nothing_and_runs_nothing(sheet):
    page = Page(html_of(sheet(*SOME)))
    (policy,) = [each for each in page.all("meta") if "http-equiv" in each]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg"}
    for _, attributes in page.elements:
        assert not {"src", "srcset", "data", "action", "onclick", "onload"} & attributes.keys()
    pages = {service.page for service in all_services()} - {None}
    assert {each["href"] for each in page.all("a")} == pages
    assert not re.search(rb"url\(|@import", html_of(sheet(*SOME)))


def test_html_can_be_read_by_all(sheet):
    page = Page(html_of(sheet(*SOME, language="es")))
    assert page.all("html") == [{"lang": "es", "dir": "ltr"}]
    assert len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(deeper <= level + 1 for level, deeper in zip(levels, levels[1:], strict=False))
    assert len(page.all("caption")) == len(page.all("table")) == 2
    assert {each["scope"] for each in page.all("th")} == {"col", "row"}
    names = [each["id"] for _, each in page.elements if "id" in each]
    assert len(names) == len(set(names))
    assert Page(html_of(sheet(language="qps"))).all("html")[0]["dir"] == "rtl"


def test_html_has_a_size_of_paper_only_where_one_is_given(sheet):
    made = sheet(picture(1))
    assert not re.search(rb"\s size:", html_of(made))
    for paper in Paper:
        assert f"size: {paper.value};".encode() in html_of(made, paper)


@pytest.mark.parametrize("paper", Paper)
def test_pages_of_the_pdf(sheet, paper):
    reader = PdfReader(BytesIO(pdf_of(sheet(*SOME), paper)))
    total = len(reader.pages)
    assert total > 1
    for number, page in enumerate(reader.pages, 1):
        size = (float(page.mediabox.width), float(page.mediabox.height))
        assert size == pytest.approx(POINTS[paper], abs=0.01)
        found = squeezed(page.extract_text())
        assert f"{number}/{total}" in found
        assert "Confidential" in found


def test_the_pdf_does_not_reveal_who_made_it(sheet):
    made = sheet(*SOME, language="fr")
    reader = PdfReader(BytesIO(pdf_of(made, Paper.A4)))
    found = {key: str(value) for key, value in reader.metadata.items() if value}
    assert found["/Title"] == made.title
    assert found["/CreationDate"] == found["/ModDate"] == "D:20260309"  # no time, and no time zone
    assert not found.keys() & {"/Author", "/Creator", "/Subject", "/Keywords"}
    # The other values describe ReportLab itself.
    ours = (getpass.getuser(), platform.node(), str(Path.home()), hashkit.__file__)
    for value in found.values():
        assert not any(each in value for each in ours), value
    assert reader.trailer["/Root"]["/Lang"] == "fr"
    assert reader.xmp_metadata is None
    assert pdf_of(made, Paper.A4) == pdf_of(made, Paper.A4)


def test_links_of_the_pdf(sheet):
    reader = PdfReader(BytesIO(pdf_of(sheet(picture(1)), Paper.A4)))
    found = {
        note.get_object()["/A"]["/URI"] for page in reader.pages for note in page.get("/Annots", [])
    }
    assert found == {service.page for service in all_services()} - {None}


@pytest.mark.test_all
def test_ten_thousand_items(sheet):
    made = sheet(*map(picture, range(10_000)))
    reader = PdfReader(BytesIO(pdf_of(made, Paper.LETTER)))
    pages = [squeezed(page.extract_text()) for page in reader.pages]
    assert len(pages) < 400
    first = next(number for number, page in enumerate(pages) if "Thewholelist" in page)
    assert first < 10
    assert all("Onehashbeginswith" in page for page in pages[first:])
    begins = re.findall(r"SHA-256([0-9a-f]{12})", "".join(pages[first:]))
    assert begins == [row[5].split()[1] for row in made.sections[-1].blocks[0].rows]
    assert Page(html_of(made)).text.count("SHA-256 ") >= 10_000


def test_every_algorithm_fits_its_cell(sheet, document, samples):
    """The longest possible cell keeps its words, over several lines."""
    from hashkit import hash_file
    from hashkit.submission.document import Submission

    everything = Submission.of([hash_file(samples / "scene-1.jpg", algorithms="all")])
    made = sheet(*everything.items)
    found = squeezed(text_of(pdf_of(made, Paper.A4)))
    assert "MD5,SHA-1,SHA-256,SHA-512,PDQ,ahash,phash,dhash,whash,colorhash,crop_resistant" in found


@pytest.mark.parametrize(
    ("country", "paper"),
    [
        *((each, Paper.LETTER) for each in ("US", "us ", "USA", "United States", "CA")),
        *((each, Paper.A4) for each in (None, "GB", "other", "MX")),
    ],
)
def test_usual_paper(country, paper):
    assert usual_paper(country) is paper


@pytest.mark.test_all
@pytest.mark.parametrize("paper", Paper)
def test_html_prints_whole(sheet, browser, tmp_path, paper):
    """On both paper sizes, without anything cut off at the edges."""
    made = sheet(*map(picture, range(60)), video(99, 80))
    (tmp_path / "sheet.html").write_bytes(html_of(made))
    page = browser.new_page()
    page.goto((tmp_path / "sheet.html").as_uri())
    reader = PdfReader(BytesIO(page.pdf(format=paper.value)))
    found = squeezed("".join(each.extract_text() for each in reader.pages))
    for text in every_text(made):
        assert squeezed(text) in found
    width = float(reader.pages[0].mediabox.width)
    assert width == pytest.approx(POINTS[paper][0], abs=1)
    page.emulate_media(media="print")
    # The width of the paper between the margins, in CSS pixels.
    page.set_viewport_size({"width": int((width / 72 * 25.4 - 34) / 25.4 * 96), "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    headings = [each for each in reader.pages if "Onehash" in squeezed(each.extract_text())]
    assert len(headings) > 1  # on each page of the list
    page.close()


@pytest.mark.test_all
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_html_in_a_browser(sheet, browser, found_by_axe, tmp_path, width, colours):
    (tmp_path / "sheet.html").write_bytes(html_of(sheet(*SOME)))
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=colours)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on(  # errors only: browsers also announce future changes
        "console", lambda each: complaints.append(each.text) if each.type == "error" else None
    )
    page.goto((tmp_path / "sheet.html").as_uri())
    assert asked == [(tmp_path / "sheet.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert found_by_axe(page) == []
    assert complaints == []
    page.close()
