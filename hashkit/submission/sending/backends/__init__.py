"""The kinds of services that hashkit can send to."""

from __future__ import annotations

from hashkit.submission.sending.backends.base import Backend
from hashkit.submission.sending.backends.hma import Hma
from hashkit.submission.sending.backends.stopncii import StopNcii
from hashkit.submission.sending.backends.threatexchange import ThreatExchange
from hashkit.submission.sending.backends.webhook import Webhook
from hashkit.submission.sending.profile import Profile

BACKENDS: dict[str, type[Backend]] = {
    kind.name: kind for kind in (Hma, StopNcii, ThreatExchange, Webhook)
}

UNPUBLISHED = {"ncmec": "How hashes are sent to NCMEC is not published, so hashkit cannot do it."}
"""Kinds that somebody may look for, and why they are not there."""


def backend_of(profile: Profile) -> Backend:
    """How the service of this profile is spoken to."""
    return BACKENDS[profile.kind](profile)
