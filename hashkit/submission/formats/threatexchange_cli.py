"""The lists that the command line of the ``threatexchange`` package reads: one hash on each line.

    pdq 05ba93c4…
    video_md5 cab08b36…

There the exchange is called ``local_file``. The package builds an index for every type of hash in
the list; the one for vPDQ is an extension, which fails on a video with no frame of enough detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from hashkit.errors import DocumentInvalid
from hashkit.hashes.registry import ALGORITHMS, MIN_QUALITY
from hashkit.hashes.vpdq_text import from_text, to_signal
from hashkit.models import FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats.base import (
    EDITS,
    FILES,
    FRAME_NUMBERS,
    INTERVAL,
    KIND,
    MOVING,
    QUALITY,
    READINGS,
    TOO_PLAIN,
    Format,
    Imported,
    Reader,
    each_once,
)
from hashkit.submission.formats.signals import Signal
from hashkit.submission.formats.vpdq import INTERVAL_NOTE, NUMBERS_NOTE, interval_of

_VIDEO_HASHES = {"md5": "video_md5", "sha256": "video_sha256"}
_NO_FRAME = "None of its frames shows enough detail, and the package fails on such a video."
_NAMES = {"pdq", "vpdq", *_VIDEO_HASHES.values()}

QUALITY_NOTE = (
    f"The file does not say the quality of PDQ hashes: {MIN_QUALITY} of 100 stands for it, the "
    "least that services take."
)
KIND_NOTE = "It does not say whether a PDQ hash is of a picture or of a video: a picture was taken."
FILES_NOTE = "It does not say which hashes belong to the same file: each stands alone."


class ThreatExchangeCLI(Format, Reader):
    """A line for each hash, those of readings and edits too."""

    name = "threatexchange-cli"
    details = (QUALITY, READINGS, EDITS, FILES, KIND, MOVING, FRAME_NUMBERS, INTERVAL)

    def refusal(self, signal: Signal) -> str | None:
        """PDQ, vPDQ, and of videos MD5 and SHA-256."""
        if signal.algorithm == "vpdq" and signal.too_plain:
            return _NO_FRAME if signal.frames.hashes else "There are no frames in it."
        if signal.algorithm in ("pdq", "vpdq"):
            return TOO_PLAIN if signal.too_plain else None
        if signal.kind is MediaKind.VIDEO and signal.algorithm in _VIDEO_HASHES:
            return None
        return "The threatexchange package has PDQ, vPDQ, and MD5 and SHA-256 of videos."

    def write(self, held: Sequence[Signal]) -> bytes:
        """The list."""
        return "".join(f"{line}\n" for line in each_once(map(_line, held))).encode("ascii")

    def recognises(self, untrusted_text: str) -> bool:
        """Whether the first line names a type of hash."""
        name, space, _ = untrusted_text.lstrip()[:100].partition(" ")
        return bool(space) and name in _NAMES

    def read(self, untrusted_text: str) -> Imported:
        """Each line becomes an item of its own: the list does not say what belongs together."""
        items = []
        for number, untrusted_line in enumerate(StringIO(untrusted_text), 1):
            if line := untrusted_line.strip():
                name, _, value = line.partition(" ")
                items.append(_item(name, value.strip(), f"line {number}"))
        notes = []
        if any(each.hashes and each.hashes[0].algorithm == "pdq" for each in items):
            notes += [QUALITY_NOTE, KIND_NOTE]
        if any(each.frames is not None for each in items):
            notes += [INTERVAL_NOTE, NUMBERS_NOTE]
        if len(items) > 1:
            notes.append(FILES_NOTE)
        return Imported(Submission.from_items(items), tuple(notes))


def _line(signal: Signal) -> str:
    if signal.algorithm == "vpdq":
        return f"vpdq {to_signal(signal.frames.hashes)}"
    return f"{_VIDEO_HASHES.get(signal.algorithm, signal.algorithm)} {signal.text}"


def _item(name: str, untrusted_value: str, where: str) -> Item:
    if name == "vpdq":
        try:
            frames = from_text(untrusted_value)
        except ValueError as error:
            raise DocumentInvalid(f"In {where}, there is no vPDQ hash.") from error
        return Item(MediaKind.VIDEO, (), FrameHashes(interval_of(frames), frames))
    if name not in _NAMES:
        raise DocumentInvalid(f"In {where}, there is a hash of an unknown kind.")
    algorithm = name.removeprefix("video_")
    value = untrusted_value.lower()
    if not ALGORITHMS[algorithm].pattern.fullmatch(value):
        raise DocumentInvalid(f"In {where}, the value of {name} is not a {algorithm} hash.")
    if name == "pdq":
        return Item(MediaKind.IMAGE, (Hash("pdq", value, MIN_QUALITY),))
    return Item(MediaKind.VIDEO, (Hash(algorithm, value),))
