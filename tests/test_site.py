"""The documentation site: its links work, and it loads nothing from elsewhere.

The markup is up to MkDocs and its theme. So the pages are parsed for what they load, link to, and
name as targets.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

import pytest

import hashkit

pytestmark = pytest.mark.test_all

ELSEWHERE = re.compile(r"([a-z]+:)?//", re.IGNORECASE)


class Page(HTMLParser):
    """The addresses that a page loads, its links, its link targets, and its words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.words = ""
        self._within: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        self.loaded += [found[name] for name in ("src", "data", "poster") if name in found]
        if tag == "link" and not {"canonical", "next", "prev"} & set(found.get("rel", "").split()):
            self.loaded.append(found.get("href", ""))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in {"script", "style", "code", "pre"}:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.words += data


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    """The folder of the site and MkDocs' output. Not strict: that would fail on news of any
    plugin."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--no-strict", "--site-dir", folder],
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=root,
        timeout=300,
    )
    return folder, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(built):
    return built[0]


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html")}


def test_nothing_of_ours_is_warned_of(root, built):
    """A warning about us names a page or a module."""
    ours = [path.name for path in root.glob("docs/**/*.md")]
    ours += [path.relative_to(root).as_posix() for path in root.glob("hashkit/**/*.py")]
    ours += ["SECURITY.md", "CHANGELOG.md", "mkdocs.yml", "hashkit."]
    warning = [
        line for line in built[1].splitlines() if re.search("warn|error", line, re.IGNORECASE)
    ]
    assert not [line for line in warning if any(name in line for name in ours)]


def test_nothing_comes_from_elsewhere(site, pages):
    assert pages
    for path, page in pages.items():
        assert page.loaded, path
        assert not [each for each in page.loaded if ELSEWHERE.match(each)], path
    for style in site.rglob("*.css"):
        found = re.findall(
            r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", style.read_text("utf-8")
        )
        assert not [each for pair in found for each in pair if ELSEWHERE.match(each)], style


def faults_of_links(pages: dict[Path, Page]) -> Iterator[tuple[Path, str]]:
    """Every page with a broken link. (The 404 page is MkDocs' own.)"""
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            to = urlsplit(urljoin(path.as_uri(), link))
            if to.scheme != "file" or not link:
                continue
            there = Path(url2pathname(to.path))
            there = there / "index.html" if there.is_dir() else there
            known = not to.fragment or there not in pages
            if not there.is_file() or not (known or unquote(to.fragment) in pages[there].places):
                yield path, link


def test_links_lead_somewhere(pages):
    assert sum(len(page.links) for page in pages.values()) > 100
    assert list(faults_of_links(pages)) == []
    for path, page in pages.items():  # a name that mkdocstrings was to link, and did not find
        assert not re.search(r"\]\[[\w.]*\]", page.words), path


def test_every_page_is_in_the_menu(root, site):
    pages = {path.relative_to(root / "docs").as_posix() for path in root.glob("docs/**/*.md")}
    assert pages <= set(re.findall(r"[\w./-]+\.md", (root / "mkdocs.yml").read_text("utf-8")))
    for page in pages:
        name = re.sub(r"README\.md$", "index.md", page)
        assert (site / name).with_suffix(".html").is_file()


def test_everything_public_is_in_the_reference(site, pages):
    """mkdocstrings gives each name a link target: its path."""
    places = {place for path, page in pages.items() for place in page.places if _is_reference(path)}
    for name in hashkit.__all__:
        assert {f"hashkit.{name}", f"hashkit.errors.{name}"} & places, name
    for name in ("pdq.compute", "vpdq.compare", "tmk.Signature", "classic.compute"):
        assert f"hashkit.hashes.{name}" in places
    assert "hashkit.errors.FileMissing" in places


def _is_reference(path: Path) -> bool:
    return path.parent.name == "reference"


def test_what_is_outside_of_the_docs_goes_along(site, pages):
    for name in ("SECURITY.html", "CHANGELOG.html", "examples/receiver.py"):
        assert (site / "files" / name).is_file()
    links = pages[site / "formats.html"].links
    assert "files/hashkit/submission/submission.schema.json" in links


def test_the_extra_for_it_is_in_the_tests(root):
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    assert set(extras["docs"]) <= set(extras["test-all"])
