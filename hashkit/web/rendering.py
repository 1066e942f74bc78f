"""Renders the local page as HTML in the user's language.

The page holds every step and every sentence that its script may show. So JavaScript contains no
text, and one catalogue has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hashkit.guide.directory import SHARED_LIMITS, Purpose
from hashkit.guide.guidance import COUNTRIES, DANGER, NOT_YOUR_FAULT, Guidance
from hashkit.locale.language import LANGUAGES, PSEUDO, UNREVIEWED, direction_of, texts_in
from hashkit.web.words import ERRORS, TITLES

LEAVE_TO = "https://www.wikipedia.org/"
"""The target of the quick exit: a page that anyone may have open."""

Texts = tuple[str, ...]
Piece = Callable[[str], str]

_OF_THE_STEPS = {
    "countries": COUNTRIES,
    "danger": DANGER,
    "not_your_fault": NOT_YOUR_FAULT,
    "titles": TITLES,
}


def _ours(html: str) -> Markup:
    """HTML that was rendered here, and is not escaped again."""
    return Markup(html)  # noqa: S704 (made by these templates)


def _thin(html: str) -> Markup:
    """HTML without indentation and empty lines, which nothing shows."""
    lines = (line.strip() for line in html.splitlines())
    return _ours("\n".join(line for line in lines if line))


def _in_place(html: str) -> str:
    return html


class Renderer:
    """Renders the HTML. ValueError for an unsupported language."""

    def page(self, language: str, page_id: str, workers: int) -> str:
        """The page. ``page_id`` is the name that its script sends; ``workers`` is how many files it
        may send at a time."""
        return _render(
            "page.html",
            language,
            **_OF_THE_STEPS,
            page_id=page_id,
            workers=workers,
            served=True,
            languages=LANGUAGES,
            language_link="?language=",
            spoken=[("why-failed", ERRORS["worker_lost"])],
        )

    def site(self, language: str, **values: Any) -> str:
        """The page that does everything itself."""
        return _render("site.html", language, **values)

    def site_body(
        self,
        language: str,
        languages: Mapping[str, str],
        spoken: Sequence[tuple[str, Texts]],
        pieces: Sequence[str],
        guides: Mapping[str, Sequence[str]],
    ) -> dict[str, str]:
        """What that page shows in a language, which is one of its ``languages``, and the attributes
        that go with it. ``spoken`` are texts that its script may show, by their names; ``guides``
        is the guidance, with the answers that it is for, and ``pieces`` what it is made of, by
        number."""
        body = _render(
            "body.html",
            language,
            **_OF_THE_STEPS,
            served=False,
            languages=languages,
            language_link="#",
            spoken=spoken,
        )
        guide = _render(
            "site_guide.html",
            language,
            pieces=[*map(_ours, pieces)],
            guides=[(_ours(html), answers) for html, answers in guides.items()],
        )
        return {
            "language": language,
            "lang": _html_language(language),
            "dir": direction_of(language),
            "title": texts_in(language).gettext("Notes"),
            "html": _thin(body + guide),
        }

    def guidance(self, language: str, guidance: Guidance, piece: Piece = _in_place) -> str:
        """The guidance as an HTML fragment that the page inserts. ``piece`` is given each part that
        other guidance may have, too, and says what stands in its place."""
        takedown = [
            service
            for step in guidance.steps
            for service in step.services
            if service.purpose is Purpose.TAKEDOWN
        ]
        return _render(
            "guidance.html",
            language,
            guidance=guidance,
            piece=lambda caller: _ours(piece(caller())),
            takedown=takedown,
            shared_limits=SHARED_LIMITS,
        )

    def refused(self, language: str) -> str:
        """The error page for an address that is not valid, or not any more."""
        return _render("refused.html", language)


def _render(template: str, language: str, **values: Any) -> str:
    return _environment(language).get_template(template).render(values)


def _html_language(language: str) -> str:
    return "en" if language == PSEUDO else language


@cache
def _environment(language: str) -> Environment:
    """The templates of a language. One environment each, since Jinja caches the texts."""
    texts = texts_in(language)
    environment = Environment(
        loader=PackageLoader("hashkit.web"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined] # from the extension
        texts.gettext, texts.ngettext, newstyle=True
    )
    environment.globals |= {
        # For texts that were marked elsewhere. Unlike _(), it does not interpret "%".
        "say": texts.gettext,
        "language": language,
        "html_language": _html_language(language),
        "direction": direction_of(language),
        "unreviewed": language in UNREVIEWED,
        "leave_to": LEAVE_TO,
    }
    return environment
