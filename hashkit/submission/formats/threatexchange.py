"""Meta's ThreatExchange: the bodies of ``POST /threat_descriptors``, for members.

The member decides who may see a descriptor. ThreatExchange's default is everybody, so each says
``RED`` (not to be passed on) and ``HAS_PRIVACY_GROUP``, and the sender adds their group as
``privacy_members``.
Source: https://developers.facebook.com/docs/threat-exchange/reference/privacy
"""

from __future__ import annotations

from collections.abc import Sequence

from hashkit.models import MediaKind
from hashkit.submission.formats.base import (
    EDITS,
    FILES,
    KIND,
    QUALITY,
    READINGS,
    TOO_PLAIN,
    Detail,
    Format,
    any_has,
    each_once,
    json_bytes,
)
from hashkit.submission.formats.signals import Signal

INDICATOR_TYPES = {
    (MediaKind.IMAGE, "pdq"): "HASH_PDQ",
    (MediaKind.IMAGE, "md5"): "HASH_MD5",
    (MediaKind.IMAGE, "sha1"): "HASH_SHA1",
    (MediaKind.IMAGE, "sha256"): "HASH_SHA256",
    (MediaKind.VIDEO, "pdq"): "HASH_PDQ",
    (MediaKind.VIDEO, "md5"): "HASH_VIDEO_MD5",
    (MediaKind.VIDEO, "sha1"): "HASH_SHA1",
    (MediaKind.VIDEO, "sha256"): "HASH_VIDEO_SHA256",
}
"""What it calls hashes of these files and algorithms."""

_SAME_FOR_ALL = {
    "description": "hash",  # it has to be there, and there is nothing to say
    "share_level": "RED",
    "status": "UNKNOWN",
    "privacy_type": "HAS_PRIVACY_GROUP",
}
_KIND_OF_SHA1 = Detail("whether a SHA-1 is of a picture or of a video", any_has("sha1"))


class ThreatExchange(Format):
    """A list with the body of one request for each hash, those of readings and edits too."""

    name = "threatexchange"
    draft = (
        "Each entry is the body of one request, to which the sender adds their own group as "
        "privacy_members. The form of TMK hashes is not published."
    )
    details = (QUALITY, READINGS, EDITS, FILES, KIND, _KIND_OF_SHA1)

    def refusal(self, signal: Signal) -> str | None:
        """PDQ, MD5, SHA-1 and SHA-256 have types of their own there."""
        if signal.algorithm == "tmk_pdqf":
            return "ThreatExchange takes it, in a form that is not published."
        if (signal.kind, signal.algorithm) not in INDICATOR_TYPES:
            return "ThreatExchange takes PDQ, MD5, SHA-1, SHA-256 and TMK."
        return TOO_PLAIN if signal.too_plain else None

    def write(self, held: Sequence[Signal]) -> bytes:
        """The bodies, in a list."""
        bodies = (
            {
                "indicator": each.text,
                "type": INDICATOR_TYPES[each.kind, each.algorithm],
                **_SAME_FOR_ALL,
            }
            for each in held
        )
        return json_bytes(each_once(bodies))
