"""The guide as text for people, in lines that a screen reader can read, and as JSON."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, TextIO

from hashkit.guide.directory import SHARED_LIMITS, Service
from hashkit.guide.guidance import DANGER, NOT_YOUR_FAULT, Guidance
from hashkit.locale.language import Texts, marked

_MAX_WIDTH = 80
_OPENING = (DANGER, NOT_YOUR_FAULT)
_UNREVIEWED = marked(
    "No native speaker has checked this translation yet. In English: hashkit guide --language en"
)
_NEEDS = marked("What it needs:")
_LIMITS = marked("What to know:")
_PAGE = marked("Page: {address}")
_NO_PAGE = marked("hashkit knows no address for it.")
_PHONE = marked("Phone: {number}")
_CHECKED = marked("Checked: {date}")
_SHARED = marked("What is the same for all services")


def print_opening(texts: Texts, unreviewed: bool, stream: TextIO) -> None:
    """Print the first lines: danger, and that it is not the person's fault."""
    for text in _OPENING:
        print(wrapped(texts.gettext(text)), file=stream)
    if unreviewed:
        print(wrapped(texts.gettext(_UNREVIEWED)), file=stream)
    stream.flush()


def print_guidance(guide: Guidance, texts: Texts, *, opened: bool) -> None:
    """All steps, in order, on stdout, and at the end what holds for all services. What the opening
    said is left out if it is there already."""
    for number, step in enumerate(guide.steps, 1):
        print()
        print(wrapped(texts.gettext(step.title), f"{number}. "))
        _print_points(step.points, texts, without=SHARED_LIMITS + (_OPENING if opened else ()))
        for service in step.services:
            print()
            print("\n".join(_service_lines(service, texts)))
    print()
    print(wrapped(texts.gettext(_SHARED)))
    _print_points(SHARED_LIMITS, texts)


def guidance_to_json(guide: Guidance, texts: Texts, language: str, unreviewed: bool) -> str:
    """All of it, with the texts in this language; the keys are stable."""
    steps = [
        {
            "id": step.id,
            "title": texts.gettext(step.title),
            "points": [texts.gettext(point) for point in step.points],
            "services": [_service_to_json(service, texts) for service in step.services],
        }
        for step in guide.steps
    ]
    return json.dumps(
        {
            "language": language,
            "unreviewed": unreviewed,
            "answers": asdict(guide.answers),
            "minor": guide.minor,
            "steps": steps,
        },
        indent=2,
    )


def wrapped(text: str, before: str = "") -> str:
    """The text in lines no longer than the terminal is wide, with ``before`` in front of the first.
    Addresses and numbers stay in one piece."""
    return textwrap.fill(
        text,
        width=max(20, min(_MAX_WIDTH, shutil.get_terminal_size().columns)),
        initial_indent=before,
        subsequent_indent=" " * len(before),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _print_points(points: tuple[str, ...], texts: Texts, without: tuple[str, ...] = ()) -> None:
    for point in points:
        if point not in without:
            print(wrapped(texts.gettext(point), "- "))


def _service_lines(service: Service, texts: Texts) -> Iterator[str]:
    yield wrapped(service.name, "  ")
    yield wrapped(texts.gettext(service.audience), "    ")
    yield wrapped(texts.gettext(service.what_it_does), "    ")
    for heading, listed in ((_NEEDS, service.needs), (_LIMITS, service.limits)):
        if listed:
            yield wrapped(texts.gettext(heading), "    ")
            for each in listed:
                yield wrapped(texts.gettext(each), "    - ")
    page = texts.gettext(_PAGE).format(address=service.page) if service.page else None
    yield wrapped(page or texts.gettext(_NO_PAGE), "    ")
    if service.phone is not None:
        yield wrapped(texts.gettext(_PHONE).format(number=service.phone), "    ")
    yield wrapped(texts.gettext(_CHECKED).format(date=f"{service.checked:%Y-%m}"), "    ")


def _service_to_json(service: Service, texts: Texts) -> dict[str, Any]:
    return asdict(service) | {
        "audience": texts.gettext(service.audience),
        "what_it_does": texts.gettext(service.what_it_does),
        "needs": [texts.gettext(each) for each in service.needs],
        "limits": [texts.gettext(each) for each in service.limits],
        "checked": f"{service.checked:%Y-%m}",
    }
