"""Which files are byte for byte the same, so that each is decoded once.

Only files of one size are read twice: once for their SHA-256, and once to be hashed. It is computed
by ourselves: a worker that was taken over by a file could claim that it is another, whose copies
would then get its made-up hashes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from pathlib import Path

from hashkit.models import FailedFile, HashedFile

Outcome = HashedFile | FailedFile

_REMEMBERED = 64 << 20
"""Bytes, roughly, that outcomes may take that are kept for the sake of later copies."""


@dataclass(eq=False, slots=True)
class Task:
    """A file on its way: ``size`` in bytes and ``sha256`` are None until they are known."""

    number: int
    path: Path
    size: int | None = None
    sha256: str | None = None
    is_done: bool = False


class Deduplication:
    """What was hashed lately, what is being hashed, and who waits for it."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[str, tuple[Outcome, int | None]] = OrderedDict()
        self._unverified: dict[int, tuple[Task, Outcome, str]] = {}
        self._verifying: dict[int, tuple[Outcome, str]] = {}
        self._taken = 0
        self._sizes: Counter[int] = Counter()
        self._unread: set[int] = set()  # sizes of files being hashed whose SHA-256 is not known yet
        self._being_hashed: set[str] = set()
        self._waiting: defaultdict[int | str, list[Task]] = defaultdict(list)

    def may_be_known(self, task: Task) -> bool:
        """Is there another file of this size? If so, its SHA-256 is wanted before it is hashed."""
        return task.size is not None and self._sizes[task.size] > 0

    def known(self, task: Task) -> Outcome | None:
        """The outcome of a file with these bytes, if there was one."""
        if task.sha256 is None or task.sha256 not in self._outcomes:
            return None
        self._outcomes.move_to_end(task.sha256)
        return self._outcomes[task.sha256][0]

    def waits(self, task: Task) -> bool:
        """Is a file being looked at that has these bytes, or may have? Then the task waits."""
        key: int | str | None = None
        if task.sha256 in self._being_hashed:
            key = task.sha256
        elif task.sha256 is not None and task.size in self._unread:
            key = task.size
        if key is not None:
            self._waiting[key].append(task)
        return key is not None

    def begin(self, task: Task) -> None:
        """The task is being hashed from now on."""
        if task.size is None:
            return
        self._sizes[task.size] += 1
        if task.sha256 is None:
            self._unread.add(task.size)
        else:
            self._being_hashed.add(task.sha256)

    def finish(self, task: Task, outcome: Outcome, claimed: str | None) -> list[Task]:
        """The task is done; its worker claims that the file has this SHA-256. Those that waited for
        it come back, to be looked at again."""
        if task.sha256 is not None:
            self._being_hashed.discard(task.sha256)
            self._keep(task, outcome, task.sha256 if claimed == task.sha256 else None)
            return self._waiting.pop(task.sha256, [])
        if task.size is None:
            return []
        self._unread.discard(task.size)
        if claimed is None or task.size in self._unverified:
            self._keep(task, outcome, None)
        else:
            self._unverified[task.size] = task, outcome, claimed
            self._taken += room(outcome)
            self._make_room()
        return self._waiting.pop(task.size, [])

    def take_unverified(self, task: Task) -> Task | None:
        """A file of this size that was hashed, and whose SHA-256 is to be computed now. The task
        can wait for it."""
        if task.sha256 is None or task.size not in self._unverified:
            return None
        doubtful, outcome, claimed = self._unverified.pop(task.size)
        self._taken -= room(outcome)
        self._unread.add(task.size)
        self._verifying[task.size] = outcome, claimed
        return doubtful

    def verify(self, task: Task, sha256: str | None) -> list[Task]:
        """The SHA-256 of a file that was hashed before has been computed."""
        if task.size is None:
            return []
        self._unread.discard(task.size)
        outcome, claimed = self._verifying.pop(task.size)
        self._keep(task, outcome, sha256 if sha256 == claimed else None)
        return self._waiting.pop(task.size, [])

    def _keep(self, task: Task, outcome: Outcome, sha256: str | None) -> None:
        """Remember an outcome for later copies, if the SHA-256 is sure."""
        if sha256 is None or task.size is None or sha256 in self._outcomes:
            self._forget(task.size)
            return
        self._outcomes[sha256] = outcome, task.size
        self._taken += room(outcome)
        self._make_room()

    def _make_room(self) -> None:
        """Forget what was hashed longest ago."""
        while self._taken > _REMEMBERED and self._unverified:
            size = next(iter(self._unverified))
            _, oldest, _ = self._unverified.pop(size)
            self._taken -= room(oldest)
            self._forget(size)
        while self._taken > _REMEMBERED and self._outcomes:
            _, (oldest, kept_size) = self._outcomes.popitem(last=False)
            self._taken -= room(oldest)
            self._forget(kept_size)

    def _forget(self, size: int | None) -> None:
        if size is not None:
            self._sizes[size] -= 1
            if not self._sizes[size]:
                del self._sizes[size]


def room(outcome: Outcome) -> int:
    """Bytes that an outcome takes in memory, roughly."""
    moving = (outcome.frames, *outcome.frame_variants) if isinstance(outcome, HashedFile) else ()
    frames = sum(len(each.hashes) for each in moving if each is not None)
    hashes = sum(200 + len(each.value) for each in outcome.hashes)
    return 1_000 + hashes + 300 * frames
