"""The interface of a backend, and the base of those that send what an export format holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hashkit.submission.formats.base import Format, LeftOut, divided
from hashkit.submission.formats.signals import Signal, signals_of
from hashkit.submission.sending.backends.judging import judged
from hashkit.submission.sending.batch import Batch, Decision, Judgement, Request, Response

if TYPE_CHECKING:
    from hashkit.submission.document import Submission
    from hashkit.submission.sending.profile import Profile

AN_EDIT = 'Hashes of edits go along only where the profile says variants = "yes".'

VARIANTS = "variants"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a profile: the pattern of its text, what it has to be in words (``hint``), and
    what it is where it is not given (None: it has to be given)."""

    pattern: str
    hint: str
    default: str | None = None


YES_OR_NO = Setting("yes|no", '"yes" or "no"', "no")


Split = tuple[tuple[Batch, ...], tuple[LeftOut, ...]]


class Backend(ABC):
    """How services of one kind are spoken to, for one profile. Make one, and list it in
    ``BACKENDS``."""

    name: ClassVar[str]
    """The ``kind`` in a profile."""

    address: ClassVar[str | None] = None
    """The address where a profile gives none."""

    settings: ClassVar[Mapping[str, Setting]] = {}
    """The settings of a profile, beside those that all profiles have."""

    credentials: ClassVar[Mapping[str, bool]] = {}
    """The credentials that a profile refers to, and whether each has to be there."""

    withdraws: ClassVar[bool] = False
    """Whether there is a way to withdraw batches."""

    duplicates: ClassVar[bool] = True
    """Whether the service may store a batch twice that is sent twice."""

    marks: ClassVar[bool] = False
    """Whether a batch can carry a mark, by which an entry is known as ours whose name was lost.
    Such a backend has a lookup, and the five methods on marks and entries below."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    @property
    def destination(self) -> str:
        """What the journal calls the service: a line that stays the same."""
        return f"{self.name} {self.profile.place}"

    @abstractmethod
    def split(self, submission: Submission) -> Split:
        """The batches of the submission, and what is left out."""

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
        """CredentialMissing where one cannot be used."""
        del credentials

    def judge(self, response: Response) -> Judgement:
        """What the response to a batch means."""
        return judged(response)

    def lookup(self, batch: Batch) -> Request | None:
        """The request that looks up a batch; None where there is no lookup."""
        return None

    def confirms(self, response: Response) -> bool:
        """Whether the lookup confirms the batch; False if there is no lookup."""
        return False

    def with_mark(self, request: Request, mark: str) -> Request:
        """The request of a batch, with this mark in what the service will store."""
        del mark
        return request

    def refuses_marks(self, response: Response) -> bool:
        """Whether the response to a marked batch says that the service takes no marks. Then it has
        not taken the batch."""
        return False

    def entries_in(self, response: Response) -> tuple[str, ...] | None:
        """The names of all entries that the lookup found for exactly this batch, whosever they are;
        None where the response does not say."""
        return None

    def reading(self, known_as: str) -> Request:
        """The request that reads the entry of this name."""
        raise NotImplementedError

    def carries(self, response: Response, known_as: str, mark: str) -> bool | None:
        """Whether the entry that was read is this one, and carries exactly this mark; None where
        the response does not say."""
        return None

    def withdrawal(self, key: str, known_as: str | None) -> Request | None:
        """The request that withdraws a batch, which the service knows as ``known_as``; None where
        there is no way to."""
        return None

    def judge_withdrawal(self, response: Response) -> Judgement:
        """What the response to a withdrawal means. ACCEPTED: the service does not have the batch
        any more. ABSENT: it says that it has no such batch, or knows no such address."""
        match response.status:
            case 404:
                return Judgement(Decision.ABSENT)
            case 410:
                return Judgement(Decision.ACCEPTED)
        return judged(response)


class FormatBackend(Backend):
    """A backend whose service takes the hashes that an export format can hold. Those of edits are
    sent if the profile says so, by the setting VARIANTS."""

    form: ClassVar[type[Format]]

    def split(self, submission: Submission) -> Split:
        signals = list(signals_of(submission))
        edits = self.profile.settings[VARIANTS] == "yes"
        held, left_out = divided(
            signals,
            [
                AN_EDIT if why is None and signal.is_edit and not edits else why
                for signal, why in zip(signals, self.form().refusals(signals), strict=True)
            ],
        )
        return tuple(self.batches(held)), left_out

    @abstractmethod
    def batches(self, held: Sequence[Signal]) -> Iterable[Batch]:
        """The batches of these hashes, which are in the order of the submission."""
