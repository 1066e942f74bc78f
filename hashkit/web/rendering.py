"""Renders the local page as HTML in the user's language.

The page holds every step and every sentence that its script may show. So JavaScript contains no
text, and one catalogue has them all.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hashkit.guide.directory import SHARED_LIMITS, Purpose
from hashkit.guide.guidance import COUNTRIES, DANGER, NOT_YOUR_FAULT, Guidance
from hashkit.locale.language import LANGUAGES, PSEUDO, UNREVIEWED, direction_of, texts_in
from hashkit.web.words import ERRORS, TITLES

LEAVE_TO = "https://www.wikipedia.org/"
"""The target of the quick exit: a page that anyone may have open."""


class Renderer:
    """Renders the HTML. ValueError for an unsupported language."""

    def page(self, language: str, page_id: str, workers: int) -> str:
        """The page. ``page_id`` is the name that its script sends; ``workers`` is how many files it
        may send at a time."""
        return _render(
            "page.html",
            language,
            page_id=page_id,
            workers=workers,
            countries=COUNTRIES,
            danger=DANGER,
            not_your_fault=NOT_YOUR_FAULT,
            titles=TITLES,
            lost_work=ERRORS["worker_lost"],
        )

    def guidance(self, language: str, guidance: Guidance) -> str:
        """The guidance as an HTML fragment that the page inserts."""
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
            takedown=takedown,
            shared_limits=SHARED_LIMITS,
        )

    def refused(self, language: str) -> str:
        """The error page for an address that is not valid, or not any more."""
        return _render("refused.html", language)


def _render(template: str, language: str, **values: Any) -> str:
    return _environment(language).get_template(template).render(values)


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
        "html_language": "en" if language == PSEUDO else language,
        "direction": direction_of(language),
        "languages": LANGUAGES,
        "unreviewed": language in UNREVIEWED,
        "leave_to": LEAVE_TO,
    }
    return environment
