"""Which services a case sheet names: those that the guide would name to the person it is about."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from hashkit.guide.directory import Age, Purpose, Service, all_services
from hashkit.guide.guidance import COUNTRIES, Answers, fits

_ORDER = (Purpose.TAKEDOWN, Purpose.REPORT, Purpose.HELP)


@dataclass(frozen=True, slots=True)
class About:
    """What is known about the person that the sheet is about; None for what is not. ``country`` is
    a key of ``COUNTRIES``."""

    age: Age | None = None
    age_in_picture: Age | None = None
    country: str | None = None


def groups(about: About) -> tuple[tuple[Age, tuple[Service, ...]], ...]:
    """The services that fit, for each age in the picture that is possible. Whoever is under 18 now
    was so in every picture, whatever was said."""
    if about.age is Age.UNDER_18:
        possible = [Age.UNDER_18]
    elif about.age_in_picture is not None:
        possible = [about.age_in_picture]
    else:
        possible = [Age.ADULT, Age.UNDER_18]
    return tuple((age, _services_for(age, about)) for age in possible)


def _services_for(age_in_picture: Age, about: About) -> tuple[Service, ...]:
    """Every service that may fit, as far as is known: takedown first, help last."""
    ages = [about.age] if about.age else [Age.ADULT, Age.UNDER_18]
    if age_in_picture is Age.ADULT:
        ages = [Age.ADULT]
    countries = [about.country] if about.country else list(COUNTRIES)
    answers = [Answers(age, age_in_picture, country) for age, country in product(ages, countries)]
    fitting = [each for each in all_services() if any(fits(each, answer) for answer in answers)]
    return tuple(sorted(fitting, key=lambda service: _ORDER.index(service.purpose)))
