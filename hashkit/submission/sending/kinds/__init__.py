"""The kinds of services that hashkit can send to."""

from __future__ import annotations

from hashkit.submission.sending.kinds.base import Kind
from hashkit.submission.sending.kinds.hma import Hma
from hashkit.submission.sending.kinds.stopncii import StopNcii
from hashkit.submission.sending.kinds.threatexchange import ThreatExchange
from hashkit.submission.sending.kinds.webhook import Webhook
from hashkit.submission.sending.profile import Profile

KINDS: dict[str, type[Kind]] = {
    kind.name: kind for kind in (Hma, StopNcii, ThreatExchange, Webhook)
}

UNPUBLISHED = {"ncmec": "How hashes are sent to NCMEC is not published, so hashkit cannot do it."}
"""Kinds that somebody may look for, and why they are not there."""


def kind_of(profile: Profile) -> Kind:
    """How the service of this profile is spoken to."""
    return KINDS[profile.kind](profile)
