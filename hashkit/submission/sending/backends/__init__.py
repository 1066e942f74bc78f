"""Every backend, a line each: the ``kind`` in a profile, its module and its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hashkit.submission.lazy_table import LazyTable

if TYPE_CHECKING:
    from hashkit.submission.sending.backends.base import Backend
    from hashkit.submission.sending.profile import Profile

BACKENDS: Mapping[str, type[Backend]] = LazyTable(
    __package__,
    {
        "hma": "hma.Hma",
        "stopncii": "stopncii.StopNcii",
        "threatexchange": "threatexchange.ThreatExchange",
        "webhook": "webhook.Webhook",
    },
)
"""The kinds of services that hashkit can send to."""

UNPUBLISHED = {"ncmec": "How hashes are sent to NCMEC is not published, so hashkit cannot do it."}
"""Services that somebody may look for, and why there is no backend for them."""


def backend_for(profile: Profile) -> Backend:
    """The backend for the service of this profile."""
    return BACKENDS[profile.kind](profile)
