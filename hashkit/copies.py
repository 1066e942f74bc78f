"""Which files are byte for byte the same, so that each is decoded once.

Only a file of the same size as another is read twice: once for its SHA-256, and then, if that is
new, to be hashed.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from pathlib import Path

from hashkit.records import FailedFile, HashedFile

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


class Copies:
    """What was hashed lately, what is being hashed, and who waits for it."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[str, tuple[Outcome, int | None]] = OrderedDict()
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
        """Is a file being hashed that has these bytes, or may have? Then the task waits for it."""
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

    def finish(self, task: Task, outcome: Outcome, sha256: str | None) -> list[Task]:
        """The task is done. Those that waited for it come back, to be looked at again."""
        freed = []
        if task.sha256 is not None:
            self._being_hashed.discard(task.sha256)
            freed += self._waiting.pop(task.sha256, [])
        elif task.size is not None:
            self._unread.discard(task.size)
            freed += self._waiting.pop(task.size, [])
        if sha256 is not None and task.size is not None and sha256 not in self._outcomes:
            self._outcomes[sha256] = outcome, task.size
            self._taken += _room(outcome)
            while self._taken > _REMEMBERED and self._outcomes:
                _, (oldest, size) = self._outcomes.popitem(last=False)
                self._taken -= _room(oldest)
                self._forget(size)
        else:
            self._forget(task.size)
        return freed

    def _forget(self, size: int | None) -> None:
        if size is not None:
            self._sizes[size] -= 1
            if not self._sizes[size]:
                del self._sizes[size]


def _room(outcome: Outcome) -> int:
    """Bytes that an outcome takes in memory, roughly."""
    frames = outcome.frames.hashes if isinstance(outcome, HashedFile) and outcome.frames else ()
    return 1_000 + sum(len(each.value) for each in outcome.hashes) + 300 * len(frames)
