"""The directory of services: for whom they are, what they need, what they cannot do.

The data is in ``directory.toml``, so that a support worker can check and correct it without reading
code. Unknown facts are left out.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import resources
from typing import Any


class Age(StrEnum):
    """The two age groups that decide which services fit."""

    ADULT = "adult"
    UNDER_18 = "under-18"


class Purpose(StrEnum):
    """What a person turns to a service for."""

    TAKEDOWN = "takedown"
    HELP = "help"
    REPORT = "report"


class Handling(StrEnum):
    """What happens to the file: it is hashed in the browser, it is uploaded, or the service is not
    known to take files."""

    IN_BROWSER = "in_browser"
    UPLOAD = "upload"
    NO_FILES = "no_files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. All texts but ``name`` are English and are translated when shown.

    ``ages`` are those of the person in the picture when it was taken, ``ages_now`` those of the
    person today. ``for_threats``: a person who is threatened may turn to it at once. ``countries``
    are two-letter ISO 3166-1 codes; empty means worldwide. ``image_hashes`` and ``video_hashes``
    are hashkit's names of the algorithms that the service uses; empty means unknown. ``page`` and
    ``phone`` are None if unknown.
    """

    id: str
    name: str
    purpose: Purpose
    audience: str
    ages: tuple[Age, ...]
    countries: tuple[str, ...] = ()
    handling: Handling
    what_it_does: str
    image_hashes: tuple[str, ...] = ()
    video_hashes: tuple[str, ...] = ()
    page: str | None = None
    phone: str | None = None
    needs: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    source: str
    checked: date
    ages_now: tuple[Age, ...] = (Age.ADULT, Age.UNDER_18)
    for_threats: bool = False


def all_services() -> tuple[Service, ...]:
    """Every service, in the order of the directory."""
    return tuple(_SERVICES.values())


def service(id: str) -> Service:
    """The service with this id. KeyError if there is none."""
    return _SERVICES[id]


def directory_schema() -> str:
    """The JSON Schema (2020-12) of ``directory.toml``, as text."""
    return resources.files(__package__).joinpath("directory.schema.json").read_text("utf-8")


def _service_of(fields: dict[str, Any]) -> Service:
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    named = {
        "purpose": Purpose(fields["purpose"]),
        "handling": Handling(fields["handling"]),
        "ages": tuple(map(Age, fields["ages"])),
        "ages_now": tuple(map(Age, fields.get("ages_now", Age))),
    }
    return Service(**(fields | lists | named))


_DIRECTORY = tomllib.loads(
    resources.files(__package__).joinpath("directory.toml").read_text("utf-8")
)
_SERVICES = {each.id: each for each in map(_service_of, _DIRECTORY["services"])}

SHARED_LIMITS: tuple[str, ...] = tuple(_DIRECTORY["shared_limits"])
"""What no service can do: English texts, translated when shown."""
