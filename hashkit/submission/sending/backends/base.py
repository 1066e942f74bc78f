"""What every kind of service has in common: one file each, and nothing but data in and out."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hashkit.locale.printable import printable
from hashkit.submission.document import Submission
from hashkit.submission.formats.base import Format, LeftOut
from hashkit.submission.formats.signals import Signal, signals_of
from hashkit.submission.sending.batch import Answer, Batch, Judgement, Request, Verdict
from hashkit.submission.sending.profile import Profile

AN_EDIT = 'Hashes of edits go along only where the profile says variants = "yes".'

NO_YES = "It did not say what it did with the hash."
"""A success that is not this service's: of a gateway, perhaps. It would be wrong to believe it."""

VARIANTS = "variants"
_MAX_WORDS = 200
_REFUSALS = {
    **dict.fromkeys((401, 403, 407), "It does not take these credentials."),
    **dict.fromkeys((404, 405, 410), "It does not know this address."),
}
_REASONS = ("detail", "error_user_msg", "message", "reason", "description", "title", "error")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a profile: what its text has to match, and what it is where it is not given
    (None: it has to be). ``hint`` says what it has to be in words."""

    pattern: str
    hint: str
    default: str | None = None


YES_OR_NO = Setting("yes|no", '"yes" or "no"', "no")


Cut = tuple[tuple[Batch, ...], tuple[LeftOut, ...]]


class Backend(ABC):
    """How services of one kind are spoken to, for one profile."""

    name: ClassVar[str]
    address: ClassVar[str | None] = None  # where a profile gives none
    settings: ClassVar[Mapping[str, Setting]] = {}
    credentials: ClassVar[Mapping[str, bool]] = {}  # whether it has to be there
    withdraws: ClassVar[bool] = False  # whether there is a way to take batches back
    repeats: ClassVar[bool] = True  # whether what is sent twice may be there twice

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    @property
    def destination(self) -> str:
        """Where hashes go, in a line that stays the same: what the record knows it by."""
        return f"{self.name} {self.profile.place}"

    @abstractmethod
    def cut(self, submission: Submission) -> Cut:
        """The submission in batches, and what is left out."""

    def signed(
        self, request: Request, credentials: Mapping[str, str], now: float
    ) -> dict[str, str]:
        """The headers that show who is sending, made from the credentials."""
        return {}

    @property
    def signed_names(self) -> tuple[str, ...]:
        """The names of the headers that ``signed`` gives."""
        return ()

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        """CredentialMissing where one is there and is of no use."""
        del credentials

    def judge(self, answer: Answer) -> Judgement:
        """What the answer to a batch means."""
        return judged(answer)

    def question(self, batch: Batch) -> Request | None:
        """How to ask whether the service has this batch, of which that is not known; None where
        sending it again does no harm."""
        return None

    def found(self, answer: Answer) -> bool:
        """Does the answer to the question say that the batch is there? Where nothing is asked,
        nothing says so."""
        return False

    def withdrawal(self, key: str, known_as: str | None) -> Request | None:
        """How to take back a batch, which the service knows as ``known_as``; None: no way."""
        return None

    def judge_withdrawal(self, answer: Answer) -> Judgement:
        """What the answer to that means. ACCEPTED: the service does not have it any more. ABSENT:
        it says that it has nothing like it, or knows no such address."""
        match answer.status:
            case 404:
                return Judgement(Verdict.ABSENT)
            case 410:
                return Judgement(Verdict.ACCEPTED)
        return judged(answer)


def chosen(
    submission: Submission, form: Format, variants: bool
) -> tuple[list[Signal], tuple[LeftOut, ...]]:
    """The hashes that a service takes, which are those that its format can hold, and what is left
    out. Those of edits go along if ``variants``."""
    signals = list(signals_of(submission))
    taken: list[Signal] = []
    left: list[LeftOut] = []
    for signal, refusal in zip(signals, form.refusals(signals), strict=True):
        why = AN_EDIT if refusal is None and signal.is_edit and not variants else refusal
        if why is None:
            taken.append(signal)
        else:
            left.append(LeftOut(signal, why))
    return taken, tuple(left)


def judged(answer: Answer) -> Judgement:
    """What a status means by the rules of HTTP (RFC 9110), where a service has none of its own."""
    status = answer.status
    if 200 <= status < 300:
        return Judgement(Verdict.ACCEPTED)
    if status in (408, 425, 429) or status >= 500:
        return Judgement(Verdict.LATER, sure=status in (425, 429), wait=answer.wait)
    if status in _REFUSALS or 300 <= status < 400:
        reason = _REFUSALS.get(status) or _elsewhere(answer)
        return Judgement(Verdict.REFUSED, reason=f"{reason} ({status})", sure=True)
    if 400 <= status < 500:
        return Judgement(Verdict.REJECTED, reason=reason_in(answer))
    return Judgement(Verdict.REFUSED, reason=f"Its answer makes no sense. ({status})")


def _elsewhere(answer: Answer) -> str:
    if answer.elsewhere is None:
        return "It points elsewhere, where hashkit does not go."
    return f"It points elsewhere, where hashkit does not go: {words(answer.elsewhere)}"


def reason_in(answer: Answer) -> str:
    """The service's own words, as far as they are words; else the number of the status."""
    told = json_in(answer)
    for _ in range(2):  # an object in an object is how some say it
        if isinstance(told, dict):
            told = next((told[name] for name in _REASONS if told.get(name)), None)
    return words(told) if isinstance(told, str) else f"Status {answer.status}"


def words(untrusted: str) -> str:
    """Words of somebody else, in one line that is not too long and does nothing to a terminal."""
    line = printable(" ".join(untrusted[: 2 * _MAX_WORDS].split()))
    return line if len(line) <= _MAX_WORDS else line[: _MAX_WORDS - 1] + "…"


def json_in(answer: Answer) -> Any:
    """What was answered, as JSON; None where it is none."""
    try:
        return json.loads(answer.untrusted_body)
    except (ValueError, RecursionError):
        return None


def name_in(untrusted: Any) -> str | None:
    """A service's name for something, where it can be one: a number, or a short plain text."""
    if type(untrusted) is int:
        untrusted = str(untrusted)
    if not isinstance(untrusted, str) or not 0 < len(untrusted) <= _MAX_WORDS:
        return None
    return untrusted if untrusted.isascii() and untrusted.replace("_", "a").isalnum() else None
