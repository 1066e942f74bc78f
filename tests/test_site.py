"""The documentation as a site: it builds without a warning, and loads nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

import hashkit

pytestmark = pytest.mark.test_all


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        check=True,
        cwd=root,
        timeout=300,
    )
    return folder


def test_nothing_comes_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        loaded = re.findall(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="([^"]*)"', text)
        assert loaded
        assert not [each for each in loaded if re.match(r"(https?:)?//", each)], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text("utf-8")), style


def test_every_page_is_in_the_menu(root, site):
    pages = {path.relative_to(root / "docs").as_posix() for path in root.glob("docs/**/*.md")}
    assert pages <= set(re.findall(r"[\w./-]+\.md", (root / "mkdocs.yml").read_text("utf-8")))
    assert len(list(site.rglob("*.html"))) >= len(pages)


def test_everything_public_is_in_the_reference(site):
    reference = "".join(page.read_text("utf-8") for page in site.glob("reference/*.html"))
    for name in hashkit.__all__:
        assert re.search(rf'id="hashkit\.(errors\.)?{name}"', reference), name
    for name in ("pdq.compute", "vpdq.compare", "tmk.Signature", "classic.compute"):
        assert f'id="hashkit.hashes.{name}"' in reference
    assert 'id="hashkit.errors.FileMissing"' in reference


def test_what_is_outside_of_the_docs_goes_along(root, site):
    for name in ("SECURITY.html", "CHANGELOG.html", "examples/receiver.py"):
        assert (site / "files" / name).is_file()
    shown = (site / "formats.html").read_text("utf-8")
    assert 'href="files/hashkit/submission/submission.schema.json"' in shown


def test_the_extra_for_it_is_in_the_tests(root):
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    assert set(extras["docs"]) <= set(extras["test"])
