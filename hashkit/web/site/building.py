"""Builds the page that does everything itself: one HTML file with all scripts, styles, words and
languages in it. The same source gives the same bytes.

What it may do is in the page: its policy names its scripts and its style by their hashes, and
allows no request at all. So it holds wherever the page is opened from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from pathlib import Path

from markupsafe import Markup

from hashkit._version import __version__
from hashkit.guide.directory import all_services
from hashkit.guide.guidance import COUNTRIES, Age, Answers, guidance
from hashkit.locale.language import LANGUAGES
from hashkit.web.rendering import LEAVE_TO, Renderer, Texts
from hashkit.web.site.javascript import tokens_of, without_comments
from hashkit.web.site.joining import joined
from hashkit.web.words import ERRORS, MEANINGS, NOTICES, SOMETHING_ELSE, TITLES

_REPLACED = ("language.js", "leaving.js", "work.js")
"""The scripts of the local page that have a counterpart here."""

_STYLES = ("page.css", "parts.css")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Built:
    """The page, and the policy that is in it."""

    html: bytes
    policy: str


def build(languages: Sequence[str] = tuple(LANGUAGES)) -> Built:
    """The page in these languages, the first of which is shown where the browser asks for none of
    them. CannotBeJoined if the scripts do not fit together."""
    guard, script, style = _guard(), "\n" + _script(), "\n" + _style()
    policy = _policy([guard, script], style)
    renderer = Renderer()
    first, *others = (_body(renderer, each, languages) for each in languages)
    html = renderer.site(
        languages[0],
        first=first,
        others=others,
        policy=Markup(policy),  # noqa: S704 (our own, as all that follow)
        guard=Markup(guard),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style=Markup(style),  # noqa: S704
        icon=f"data:image/svg+xml;base64,{_base64(_read('icon.svg').encode())}",
        version=__version__,
    )
    return Built(html.encode(), policy)


def _policy(scripts: Sequence[str], style: str) -> str:
    allowed = " ".join(map(_source, scripts))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {allowed}",
            f"style-src {_source(style)}",
            "worker-src blob:",
            "img-src data:",  # the icon
            "connect-src 'none'",
            "frame-src 'none'",
            "form-action 'none'",
            "base-uri 'none'",
        )
    )


def _source(text: str) -> str:
    """How a policy names the script or style with this text."""
    return f"'sha256-{_base64(hashlib.sha256(text.encode()).digest())}'"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _guard() -> str:
    """The script that runs first. It knows every address that the page links to."""
    code = (_package() / "web" / "site" / "scripts" / "guard.js").read_text("utf-8")
    pages = [each.page for each in all_services() if each.page is not None]
    links = sorted({LEAVE_TO, *map(_as_browsers_do, pages)})
    return without_comments(tokens_of(code)).replace("(LINKS)", f"({json.dumps(links)})") + "\n"


def _as_browsers_do(address: str) -> str:
    """The address as browsers write it: one without a path has the path /."""
    return address if address.count("/") > 2 else f"{address}/"


@cache
def _script() -> str:
    package = _package()
    static, scripts = package / "web" / "static", package / "web" / "site" / "scripts"
    return joined(
        package,
        package / "browser" / "worker.js",
        [scripts / "language.js", static / "exit.js", static / "page.js"],
        {static / name: scripts / name for name in _REPLACED},
    )


def _style() -> str:
    style = "".join(map(_read, _STYLES)) + f"@media print {{\n{_printed()}}}\n"
    lines = (line.strip() for line in _CSS_COMMENT.sub("", style).splitlines())
    return "".join(f"{line}\n" for line in lines if line).replace(": ", ":").replace(" {\n", "{\n")


def _printed() -> str:
    return _read("print.css")


def _read(name: str) -> str:
    return (_package() / "web" / "static" / name).read_text("utf-8")


def _package() -> Path:
    return Path(str(resources.files("hashkit"))).resolve()


def _body(renderer: Renderer, language: str, languages: Sequence[str]) -> dict[str, str]:
    known = {code: name for code, name in LANGUAGES.items() if code in languages}
    pieces: dict[str, int] = {}

    def piece(html: str) -> str:
        number = pieces.setdefault(html.strip(), len(pieces))
        return f'<slot data-piece="{number}"></slot>'

    guides: dict[str, list[str]] = {}
    for answers in _all_answers():
        html = renderer.guidance(language, guidance(_answers(*answers)), piece)
        guides.setdefault(html, []).append("/".join(answers))
    return renderer.site_body(language, known, [*_spoken()], [*pieces], guides)


def _all_answers() -> Iterator[tuple[str, str, str, str]]:
    """Age, age in the picture, country, and whether there is a threat: as the form gives them."""
    for age, in_picture, country, threatened in product(Age, Age, COUNTRIES, ("yes", "no")):
        if not (age is Age.UNDER_18 and in_picture is Age.ADULT):
            yield age.value, in_picture.value, country, threatened


def _answers(age: str, in_picture: str, country: str, threatened: str) -> Answers:
    return Answers(Age(age), Age(in_picture), country, threatened == "yes")


def _spoken() -> Iterator[tuple[str, Texts]]:
    """What is said of a file, by the codes of the engine."""
    yield "why-failed", ERRORS["worker_lost"]
    yield "error-other", SOMETHING_ELSE
    for code, texts in ERRORS.items():
        yield f"error-{code}", texts
    for code, text in NOTICES.items():
        yield f"notice-{code}", (text,)
    for usability, text in TITLES.items():
        yield f"title-{usability}", (text,)
    for usability, text in MEANINGS.items():
        yield f"meaning-{usability}", (text,)
