"""Chooses the services of a case sheet: those that the guide would name to the person."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from hashkit.guide.directory import Age, Purpose, Service, all_services
from hashkit.guide.guidance import COUNTRIES, Answers, fits

_ORDER = (Purpose.TAKEDOWN, Purpose.REPORT, Purpose.HELP)


@dataclass(frozen=True, slots=True)
class About:
    """What is known about the person; None if unknown. ``country`` is a key of ``COUNTRIES``."""

    age: Age | None = None
    age_in_picture: Age | None = None
    country: str | None = None


def groups(about: About) -> tuple[tuple[Age, tuple[Service, ...]], ...]:
    """The services that fit, for each possible age in the picture. A person who is under 18 now was
    under 18 in every picture, whatever ``age_in_picture`` says."""
    if about.age is Age.UNDER_18:
        possible = [Age.UNDER_18]
    elif about.age_in_picture is not None:
        possible = [about.age_in_picture]
    else:
        possible = [Age.ADULT, Age.UNDER_18]
    return tuple((age, _services_for(age, about)) for age in possible)


def _services_for(age_in_picture: Age, about: About) -> tuple[Service, ...]:
    """Every service that may fit: takedown first, help last."""
    ages = [about.age] if about.age else [Age.ADULT, Age.UNDER_18]
    if age_in_picture is Age.ADULT:
        ages = [Age.ADULT]
    countries = [about.country] if about.country else list(COUNTRIES)
    answers = [Answers(age, age_in_picture, country) for age, country in product(ages, countries)]
    fitting = [each for each in all_services() if any(fits(each, answer) for answer in answers)]
    return tuple(sorted(fitting, key=lambda service: _ORDER.index(service.purpose)))
