"""The rendered page: translated as a whole, nothing from elsewhere, nothing inline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

import hashkit.web
from hashkit.guide.directory import Age, all_services
from hashkit.guide.guidance import COUNTRIES, Answers, Guidance, guidance
from hashkit.locale.language import LANGUAGES, PSEUDO, UNREVIEWED
from hashkit.web.rendering import LEAVE_TO, Renderer

EVERY_LANGUAGE = [*LANGUAGES, PSEUDO]
STATIC = Path(hashkit.web.__file__).parent / "static"
PAGE_ID = "a-page_ID"

# HTML elements that have no end tag.
VOID = {"meta", "link", "input", "br", "hr", "img"}
NOT_TRANSLATED = {name for service in all_services() for name in (service.name, service.phone)} | {
    service.page.removeprefix("https://") for service in all_services() if service.page
}


class Found(HTMLParser):
    """The elements of a page, and its texts with whether they are to be translated."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, bool]] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        fields = dict(attributes)
        assert len(fields) == len(attributes), f"an attribute stands twice: {tag} {attributes}"
        self.elements.append((tag, fields))
        if tag not in VOID:
            translated = self._translated and fields.get("translate") != "no"
            self._open.append((tag, translated))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((data.strip(), self._translated))

    @property
    def _translated(self) -> bool:
        return self._open[-1][1] if self._open else True

    @property
    def ids(self) -> list[str]:
        return [fields["id"] or "" for _, fields in self.elements if "id" in fields]

    def attributes(self, *names: str) -> Iterator[str]:
        for _, fields in self.elements:
            yield from (fields[name] or "" for name in names if name in fields)


def every_guidance() -> list[Guidance]:
    return [
        guidance(Answers(age, in_picture, country, threatened))
        for age, in_picture, country, threatened in product(Age, Age, COUNTRIES, (True, False))
    ]


def everything(language: str) -> list[str]:
    """All HTML of this language."""
    renderer = Renderer()
    return [
        renderer.page(language, PAGE_ID, 3),
        renderer.refused(language),
        *(renderer.guidance(language, each) for each in every_guidance()),
    ]


@pytest.fixture(scope="module")
def page() -> Found:
    return Found(Renderer().page("en", PAGE_ID, 3))


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_everything_is_well_formed_in_every_language(language):
    for html in everything(language):
        found = Found(html)
        assert len(set(found.ids)) == len(found.ids), "an id stands twice"
        assert found.texts


def test_the_guidance_fits_into_the_page(page):
    for each in every_guidance():
        assert not {*page.ids} & {*Found(Renderer().guidance("en", each)).ids}


def test_every_text_is_marked():
    for html in everything(PSEUDO):
        for text, translated in Found(html).texts:
            if not translated:
                assert text in NOT_TRANSLATED | {*LANGUAGES.values()}, text
            elif text != "doctype html":
                rest = text
                while (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
                    rest = inner
                assert not rest.strip(), f"not marked: {text}"


def test_no_text_stands_in_an_attribute():
    for html in everything(PSEUDO):
        for tag, fields in Found(html).elements:
            assert not any("⟦" in (value or "") for value in fields.values()), (tag, fields)


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_nothing_comes_from_elsewhere_and_nothing_is_inline(language):
    official = {service.page for service in all_services()} | {LEAVE_TO}
    for html in everything(language):
        for tag, fields in Found(html).elements:
            assert tag not in {"style", "img", "iframe", "object", "embed", "base", "video"}
            assert not any(name == "style" or name.startswith("on") for name in fields)
            assert "action" not in fields
            if tag == "script":
                assert (fields["src"] or "").startswith("/static/")
            if tag == "a" and (fields["href"] or "").startswith("http"):
                assert fields["href"] in official
                assert {"noopener", "noreferrer"} <= {*(fields["rel"] or "").split()}
        for address in Found(html).attributes("src", "href"):
            local = re.match(r"/static/[\w.]+$|submission\?page=|\?language=\w\w$", address)
            assert local or address in official, address
        assert not re.search(r"<script[^>]*>[^<]", html)


def test_every_static_file_that_is_named_is_there(page):
    named = {each for each in page.attributes("src", "href") if each.startswith("/static/")}
    there = {f"/static/{path.name}" for path in STATIC.iterdir()}
    assert named <= there
    imported = {
        f"/static/{name}"
        for path in STATIC.glob("*.js")
        for name in re.findall(r'from "\./([\w.]+)"', path.read_text("utf-8"))
    }
    assert imported <= there
    assert there == named | imported, "a file that nothing uses"


def test_the_script_finds_what_it_looks_for(page):
    """Every id, sentence and step that the script names is in the page or the guidance."""
    code = "".join(path.read_text("utf-8") for path in STATIC.glob("*.js"))
    ids = {*page.ids, *Found(Renderer().guidance("en", every_guidance()[0])).ids}
    wanted = {*re.findall(r'(?:getElementById|element|showOnly|showEnded)\("([\w-]+)"', code)}
    assert wanted
    assert wanted <= ids
    said = {*page.attributes("data-said")}
    assert {*re.findall(r'sentences?\("([\w-]+)"', code)} <= said
    (actions,) = re.findall(r"const ACTIONS = \{(.*?)\};", code, re.DOTALL)
    states = {*re.findall(r"^  (\w+): ", actions, re.MULTILINE)} - {"done", "unreadable"}
    assert {f"state-{state}" for state in states} <= said
    assert {*re.findall(r'go\("(\w+)"\)', code)} <= {*page.attributes("data-step")}
    assert {*page.attributes("data-go")} <= {*page.attributes("data-step")}


def test_the_script_says_nothing_by_itself():
    """The script contains no sentence: it would be in no catalogue."""
    for path in STATIC.glob("*.js"):
        code = re.sub(r"//[^\n]*", "", path.read_text("utf-8"))
        code = re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL)
        for text in re.findall(r'"([^"\n]*)"', code):
            assert not re.search(r"[A-Za-z]{2,} [A-Za-z]{2,} ", text), text


def test_only_the_guidance_is_put_in_as_html():
    """File names are only ever text."""
    uses = [
        (path.name, line.strip())
        for path in STATIC.glob("*.js")
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", line)
    ]
    assert uses == [
        ("work.js", 'shape.innerHTML = await (await ask("POST", "guide", { json })).text();')
    ]


def test_labels_lead_to_what_they_label(page):
    pointed = page.attributes("for", "aria-labelledby", "aria-describedby")
    assert {each for names in pointed for each in names.split()} <= {*page.ids}


def test_what_the_script_is_given(page):
    (body,) = [fields for tag, fields in page.elements if tag == "body"]
    assert body == {"data-page": PAGE_ID, "data-workers": "3", "data-language": "en"}


def test_what_comes_from_outside_is_escaped():
    html = Renderer().page("en", '"><b>&', 1)
    assert "<b>" not in html
    assert 'data-page="&#34;&gt;&lt;b&gt;&amp;"' in html


def test_direction_and_language():
    assert '<html lang="en" dir="ltr">' in Renderer().page("en", PAGE_ID, 1)
    assert '<html lang="fr" dir="ltr">' in Renderer().refused("fr")
    assert 'dir="rtl"' in Renderer().page(PSEUDO, PAGE_ID, 1)
    with pytest.raises(ValueError, match="no such language"):
        Renderer().page("xx", PAGE_ID, 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_unreviewed_translations_say_so(language):
    page = Found(Renderer().page(language, PAGE_ID, 1))
    assert ("unreviewed" in page.ids) == (language in UNREVIEWED)


def test_under_18_the_picture_stays_where_it_is_and_safety_comes_first():
    for each in every_guidance():
        html = Renderer().guidance("en", each)
        assert ('data-minor="yes"' in html) is each.minor
        for step in each.steps:
            for service in step.services:
                assert f'data-service="{service.id}"' in html
        if each.minor:
            assert html.index("Never send or show") < html.index("data-guide-step")
            assert "do not move it to another device" in html
            assert "stopncii" not in html
        places = [html.index(f'data-guide-step="{step.id}"') for step in each.steps]
        assert places == sorted(places)
        listed = html.index("data-service=") if "data-service=" in html else len(html)
        assert html.index("call your local emergency number") < listed


def test_the_age_is_asked_before_anything_else(page):
    asked = [fields["data-question"] for _, fields in page.elements if "data-question" in fields]
    assert asked == ["age", "age_in_picture", "country", "threatened"]
    steps = [each for each in page.attributes("data-step") if each not in ("ended", "finished")]
    assert steps == ["welcome", "questions", "guidance", "choose", "working", "result"]
