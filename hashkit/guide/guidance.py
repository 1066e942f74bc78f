"""The guide: what to do, in which order, and which services fit.

Help comes before hashes, and evidence before anything that could destroy it. All texts are English
and marked for translation, which happens when they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hashkit.guide.directory import SHARED_LIMITS, Age, Purpose, Service, all_services
from hashkit.locale.language import marked

__all__ = [
    "COUNTRIES",
    "DANGER",
    "NOT_YOUR_FAULT",
    "OTHER",
    "Age",
    "Answers",
    "Guidance",
    "Step",
    "country_of",
    "fits",
    "guidance",
]

OTHER = "other"

COUNTRIES: dict[str, str] = {
    "GB": marked("United Kingdom"),
    "US": marked("United States"),
    "AU": marked("Australia"),
    "IN": marked("India"),
    OTHER: marked("Another country"),
}
"""The countries that have services of their own, and one entry for all others."""

_OTHER_NAMES = {"UK": "GB", "USA": "US"}

DANGER = marked("If you are in danger now, call your local emergency number first.")
NOT_YOUR_FAULT = marked("What happened is not your fault. It is common, and help exists.")


@dataclass(frozen=True, slots=True)
class Answers:
    """A person's answers. ``age`` is today's; ``country`` is a key of ``COUNTRIES``, and any other
    counts as ``other``."""

    age: Age
    age_in_picture: Age
    country: str = OTHER
    threatened: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, points to know and do, and services to turn to."""

    id: str
    title: str
    points: tuple[str, ...]
    services: tuple[Service, ...] = ()


@dataclass(frozen=True, slots=True)
class Guidance:
    """The steps for these answers: ``safety``, ``evidence``, ``hashes`` and ``services``, in this
    order. ``minor``: the person in the picture was under 18."""

    answers: Answers
    minor: bool
    steps: tuple[Step, ...]


def guidance(answers: Answers) -> Guidance:
    """The guide for these answers. A person who is under 18 today was under 18 in the picture,
    whatever the answer."""
    if answers.age is Age.UNDER_18:
        answers = replace(answers, age_in_picture=Age.UNDER_18)
    minor = answers.age_in_picture is Age.UNDER_18
    first = _services(answers, Purpose.HELP)
    if answers.threatened:
        first += tuple(each for each in _services(answers, Purpose.REPORT) if each.for_threats)
    fitting = _services(answers, Purpose.TAKEDOWN) + _services(answers, Purpose.REPORT)
    steps = (
        Step(
            "safety",
            marked("First, be safe and get help"),
            tuple(_safety(answers)),
            first,
        ),
        Step("evidence", marked("Keep what shows what happened"), tuple(_evidence(minor))),
        Step("hashes", marked("What a hash is"), tuple(_hashes(minor))),
        Step(
            "services",
            marked("Services that fit"),
            tuple(_about_services(answers)),
            tuple(each for each in fitting if each not in first),
        ),
    )
    return Guidance(answers, minor, steps)


def fits(service: Service, answers: Answers) -> bool:
    """Whether the service is for these ages and this country."""
    return (
        answers.age_in_picture in service.ages
        and answers.age in service.ages_now
        and (not service.countries or answers.country in service.countries)
    )


def country_of(text: str) -> str:
    """The key of ``COUNTRIES`` for a country's code or name. Any other code of two letters is
    ``other``. ValueError for anything else."""
    wanted = text.strip().casefold()
    names = {key: key for key in COUNTRIES} | {name: key for key, name in COUNTRIES.items()}
    for name, key in (names | _OTHER_NAMES).items():
        if wanted == name.casefold():
            return key
    if len(wanted) == 2 and wanted.isascii() and wanted.isalpha():
        return OTHER
    raise ValueError(f"no such country: {text}")


def _services(answers: Answers, purpose: Purpose) -> tuple[Service, ...]:
    return tuple(each for each in all_services() if each.purpose is purpose and fits(each, answers))


def _safety(answers: Answers) -> Iterator[str]:
    yield DANGER
    yield NOT_YOUR_FAULT
    yield marked("You will not be in trouble for having been exploited.")
    yield marked("Tell someone you trust.")
    if answers.threatened:
        yield marked("Do not pay. Do not send more pictures. Stop replying.")
        yield marked("Paying leads to more demands.")
    else:
        yield marked(
            "If somebody threatens you later: do not pay, do not send more pictures and stop "
            "replying. Paying leads to more demands."
        )


def _evidence(minor: bool) -> Iterator[str]:
    yield marked("Keep the messages, user names, links and screenshots.")
    yield marked("In some apps, the other person is told when you take a screenshot.")
    if minor:
        yield marked(
            "Leave the picture itself out of your screenshots. A screenshot of it is one more copy."
        )
    yield marked(
        "Do not delete the original picture or video. The hash has to be made from the original "
        "file, on the device that it is on."
    )
    yield marked(
        "When you have saved all this, report the account to the platform, and to the police or a "
        "reporting line."
    )
    yield marked("Block the account only after that.")


def _hashes(minor: bool) -> Iterator[str]:
    yield marked(
        "A hash is a fingerprint of a picture or video. Services can find and block copies with "
        "it, without seeing the picture."
    )
    yield marked(
        "hashkit makes hashes on this device. The pictures and videos stay where they are."
    )
    if minor:
        yield marked(
            "Make hashes and use the services on the device that holds the picture. Never send or "
            "show the picture to a person, and do not move it to another device."
        )
        yield marked("A helper must never receive, copy or forward a picture of a person under 18.")
    yield marked(
        "hashkit can write the hashes to a file, the submission. It holds no picture, no name and "
        "no date. It leaves this device only when you hand it over."
    )
    yield marked(
        "The submission is for a helper or an organisation that asked you for hashes. A service "
        "that makes the hashes on its own page does not need it."
    )
    yield marked(
        "Give hashes only to a service or a person you trust. A skilled person can get a blurred "
        "idea of the picture from some of them."
    )


def _about_services(answers: Answers) -> Iterator[str]:
    if answers.age_in_picture is Age.UNDER_18 and answers.age is Age.ADULT:
        yield marked(
            "You were under 18 in the picture, so these are the services for such pictures."
        )
        yield marked(
            "For pictures in which you were 18 or over there are others: answer the questions once "
            "more for those."
        )
    yield marked("Details change. What the official page of a service says is what counts.")
    yield from SHARED_LIMITS
