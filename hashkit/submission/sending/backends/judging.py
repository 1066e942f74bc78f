"""What a service's response means for a batch, by its status and by the JSON in its body."""

from __future__ import annotations

import json
from typing import Any

from hashkit.locale.printable import printable
from hashkit.submission.sending.batch import Decision, Judgement, Response

NO_YES = "It did not say what it did with the hash."
"""For a success without what this service says of one: it may come from a gateway."""

_MAX_CHARACTERS = 200
_REFUSALS = {
    **dict.fromkeys((401, 403, 407), "It does not take these credentials."),
    **dict.fromkeys((404, 405, 410), "It does not know this address."),
}
_REASONS = ("detail", "error_user_msg", "message", "reason", "description", "title", "error")


def judged(response: Response) -> Judgement:
    """What a status means by the rules of HTTP (RFC 9110), for services with none of their own."""
    status = response.status
    if 200 <= status < 300:
        return Judgement(Decision.ACCEPTED)
    if status in (408, 425, 429) or status >= 500:
        return Judgement(
            Decision.LATER, sure=status in (425, 429), retry_after=response.retry_after
        )
    if status in _REFUSALS or 300 <= status < 400:
        reason = _REFUSALS.get(status) or _redirect(response)
        return Judgement(Decision.REFUSED, reason=f"{reason} ({status})", sure=True)
    if 400 <= status < 500:
        return Judgement(Decision.REJECTED, reason=reason_in(response))
    return Judgement(Decision.REFUSED, reason=f"Its answer makes no sense. ({status})")


def _redirect(response: Response) -> str:
    if response.location is None:
        return "It points elsewhere, where hashkit does not go."
    return f"It points elsewhere, where hashkit does not go: {one_line(response.location)}"


def named(judgement: Judgement, response: Response) -> Judgement:
    """The judgement, for services that name each batch they accept: with that name, and refused
    where there is none."""
    if judgement.decision is not Decision.ACCEPTED:
        return judgement
    body = json_in(response)
    known_as = name_in(body.get("id")) if isinstance(body, dict) else None
    if known_as is None:
        return Judgement(Decision.REFUSED, reason=NO_YES)
    return Judgement(Decision.ACCEPTED, known_as)


def reason_in(response: Response) -> str:
    """The service's own words, if it gave any; else the number of the status."""
    found = json_in(response)
    for _ in range(2):  # some put an object into an object
        if isinstance(found, dict):
            found = next((found[name] for name in _REASONS if found.get(name)), None)
    return one_line(found) if isinstance(found, str) else f"Status {response.status}"


def one_line(untrusted: str) -> str:
    """Text of somebody else as one line: cut where it is long, and harmless to a terminal."""
    line = printable(" ".join(untrusted[: 2 * _MAX_CHARACTERS].split()))
    return line if len(line) <= _MAX_CHARACTERS else line[: _MAX_CHARACTERS - 1] + "…"


def json_in(response: Response) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return json.loads(response.untrusted_body)
    except (ValueError, RecursionError):
        return None


def name_in(untrusted: Any) -> str | None:
    """A service's name for a batch: a number, or a short plain text; None for anything else."""
    if type(untrusted) is int:
        untrusted = str(untrusted)
    if not isinstance(untrusted, str) or not 0 < len(untrusted) <= _MAX_CHARACTERS:
        return None
    return untrusted if untrusted.isascii() and untrusted.replace("_", "a").isalnum() else None
