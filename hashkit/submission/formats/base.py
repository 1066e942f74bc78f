"""The interfaces of export formats, what their documents cannot say, and what formats share."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar

from hashkit.models import MediaKind

if TYPE_CHECKING:
    from hashkit.submission.document import Submission
    from hashkit.submission.formats.signals import Signal

TOO_PLAIN = (
    "It shows too little detail, and this format cannot say so: other pictures would be taken for "
    "it."
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A hash that a format could not hold, ``signal``, and ``why``, in a sentence."""

    signal: Signal
    why: str


@dataclass(frozen=True, slots=True)
class Detail:
    """Something that a format does not say of the hashes that it holds. ``applies`` says whether it
    matters for these hashes."""

    text: str
    applies: Callable[[Sequence[Signal]], bool]


def any_has(*algorithms: str) -> Callable[[Sequence[Signal]], bool]:
    """Whether a hash of these is among those held."""
    return lambda held: any(each.algorithm in algorithms for each in held)


QUALITY = Detail("the quality of PDQ hashes", any_has("pdq"))
EDITS = Detail(
    "which hashes are of edits, and of what", lambda held: any(each.is_edit for each in held)
)
READINGS = Detail(
    "which hashes are of a file as other tools read it",
    lambda held: any(each.is_reading for each in held),
)
FILES = Detail(
    "which hashes belong to the same file",
    lambda held: len({each.item for each in held}) < len(held),
)
KIND = Detail(
    "whether a PDQ hash is of a picture or of a video",
    lambda held: any(each.algorithm == "pdq" and each.kind is MediaKind.VIDEO for each in held),
)
MOVING = Detail(
    "whether frames are of a video or of a picture that moves",
    lambda held: any(each.algorithm == "vpdq" and each.kind is MediaKind.IMAGE for each in held),
)
FRAME_NUMBERS = Detail("the numbers of frames", any_has("vpdq"))
INTERVAL = Detail("how often frames were sampled", any_has("vpdq"))


@dataclass(frozen=True, slots=True)
class Exported:
    """A document in some format, and whether it holds each hash.

    ``content`` is the document. Every hash of the submission is either among those ``held`` or
    among those ``left_out``. ``not_said`` names what the format does not say of those it holds.
    ``draft`` says in sentences what of the format is not published; it is empty where all is.
    """

    content: bytes
    held: tuple[Signal, ...]
    left_out: tuple[LeftOut, ...]
    not_said: tuple[str, ...]
    draft: str = ""

    @property
    def missing_items(self) -> tuple[int, ...]:
        """The numbers of the items of which nothing is held."""
        held = {each.item for each in self.held}
        left = {each.signal.item for each in self.left_out}
        return tuple(sorted(left - held))


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read, as a ``submission``, and ``notes``: what the file did not say and what stands
    for it, in sentences."""

    submission: Submission
    notes: tuple[str, ...] = ()


class Format(ABC):
    """A format that a submission can be written in. Make one, and list it in ``registry``."""

    name: ClassVar[str]
    """What it is called on the command line."""

    draft: ClassVar[str] = ""
    """What of it is not published, in sentences; empty where all that is written is."""

    details: ClassVar[tuple[Detail, ...]] = ()
    """What it does not say of the hashes that it holds."""

    @abstractmethod
    def refusal(self, signal: Signal) -> str | None:
        """Why it cannot hold this hash, in a sentence; None where it can."""

    @abstractmethod
    def write(self, held: Sequence[Signal]) -> bytes:
        """The document that holds these hashes."""

    def refusals(self, signals: Sequence[Signal]) -> list[str | None]:
        """As ``refusal``, for all hashes of a submission: for formats where they depend on each
        other."""
        return [self.refusal(each) for each in signals]

    def export(self, signals: Sequence[Signal]) -> Exported:
        """Write these hashes as far as this format can hold them."""
        held, left_out = divided(signals, self.refusals(signals))
        return Exported(
            content=self.write(held),
            held=tuple(held),
            left_out=left_out,
            not_said=tuple(each.text for each in self.details if each.applies(held)),
            draft=self.draft,
        )


class Reader(ABC):
    """A format that can be read. Make one, and list it in ``registry``."""

    name: ClassVar[str]
    """What it is called on the command line."""

    @abstractmethod
    def recognises(self, untrusted_text: str) -> bool:
        """Whether this begins as a document of this format."""

    @abstractmethod
    def read(self, untrusted_text: str) -> Imported:
        """Read a document. DocumentInvalid, naming the place, for anything that does not belong."""


def divided(
    signals: Sequence[Signal], refusals: Sequence[str | None]
) -> tuple[list[Signal], tuple[LeftOut, ...]]:
    """The hashes that are not refused, and those that are. ``refusals`` has the reason for each
    hash, or None."""
    judged = list(zip(signals, refusals, strict=True))
    held = [signal for signal, why in judged if why is None]
    return held, tuple(LeftOut(signal, why) for signal, why in judged if why is not None)


def each_once(values: Iterable[Any]) -> list[Any]:
    """The values without repetitions, in order, for formats where saying a thing twice says no
    more."""
    seen: dict[str, Any] = {}
    for each in values:
        seen.setdefault(json.dumps(each), each)
    return list(seen.values())


def by_file(held: Iterable[Signal], names: Mapping[str, str]) -> list[dict[str, str]]:
    """An entry for each file, with its hashes by the format's ``names``, and one for each other
    reading and each edit: an entry holds one PDQ hash."""
    entries: dict[tuple[int, int], dict[str, str]] = {}
    for number, each in enumerate(held, 1):
        of_variant = 0 if each.is_original else number
        entries.setdefault((each.item, of_variant), {})[names[each.algorithm]] = each.text
    return list(entries.values())


def json_bytes(document: Any) -> bytes:
    """A document as JSON, in ASCII, ready to be read by eye."""
    return (json.dumps(document, indent=2) + "\n").encode("ascii")


def format_schema(name: str) -> str:
    """The schema of the documents that hashkit writes in the format of this ``name``, as text: a
    JSON Schema (2020-12), for ``ncmec`` an XML Schema. KeyError where it has none."""
    for suffix in ("schema.json", "xsd"):
        file = resources.files(__package__).joinpath(f"{name}.{suffix}")
        if file.is_file():
            return file.read_text("utf-8")
    raise KeyError(name)
