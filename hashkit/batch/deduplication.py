"""Deduplication: decodes files with the same bytes once.

Only files that share their size with another are read twice: once for their SHA-256, once to be
hashed. The SHA-256 is computed by this process: a compromised worker could claim that its file is
another one, whose copies would then get forged hashes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from pathlib import Path

from hashkit.models import HashedFile, Outcome

_MAX_REMEMBERED = 64 << 20
"""Approximate bytes of outcomes that are remembered for later copies."""


@dataclass(eq=False, slots=True)
class Task:
    """A file to be hashed. ``size`` in bytes and ``sha256`` are None until they are known.
    ``had_company``: others were hashed at the same time."""

    number: int
    path: Path
    size: int | None = None
    sha256: str | None = None
    is_done: bool = False
    had_company: bool = False


class Deduplication:
    """Recent outcomes, the files being hashed, and the tasks that wait for them."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[str, tuple[Outcome, int | None]] = OrderedDict()
        self._unverified: dict[int, tuple[Task, Outcome, str]] = {}
        self._verifying: dict[int, tuple[Outcome, str]] = {}
        self._memory_used = 0
        self._sizes: Counter[int] = Counter()
        self._unread: set[int] = set()  # sizes of files being hashed whose SHA-256 is not known yet
        self._being_hashed: set[str] = set()
        self._waiting: defaultdict[int | str, list[Task]] = defaultdict(list)

    def may_be_known(self, task: Task) -> bool:
        """Whether another file had this size, so that the SHA-256 must be computed first."""
        return task.size is not None and self._sizes[task.size] > 0

    def known(self, task: Task) -> Outcome | None:
        """The outcome of a file with the same bytes, if there is one."""
        if task.sha256 is None or task.sha256 not in self._outcomes:
            return None
        self._outcomes.move_to_end(task.sha256)
        return self._outcomes[task.sha256][0]

    def waits(self, task: Task) -> bool:
        """Whether a file with the same bytes, or possibly so, is in progress. The task then waits
        for it."""
        key: int | str | None = None
        if task.sha256 in self._being_hashed:
            key = task.sha256
        elif task.sha256 is not None and task.size in self._unread:
            key = task.size
        if key is not None:
            self._waiting[key].append(task)
        return key is not None

    def begin(self, task: Task) -> None:
        """Note that the task is being hashed."""
        if task.size is None:
            return
        self._sizes[task.size] += 1
        if task.sha256 is None:
            self._unread.add(task.size)
        else:
            self._being_hashed.add(task.sha256)

    def finish(self, task: Task, outcome: Outcome, claimed: str | None) -> list[Task]:
        """Note that the task is done and that its worker claims this SHA-256. Returns the tasks
        that waited for it."""
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
            self._memory_used += memory_of(outcome)
            self._evict()
        return self._waiting.pop(task.size, [])

    def take_unverified(self, task: Task) -> Task | None:
        """A hashed file of the same size whose SHA-256 must be computed now. The task can wait for
        it."""
        if task.sha256 is None or task.size not in self._unverified:
            return None
        unverified, outcome, claimed = self._unverified.pop(task.size)
        self._memory_used -= memory_of(outcome)
        self._unread.add(task.size)
        self._verifying[task.size] = outcome, claimed
        return unverified

    def verify(self, task: Task, sha256: str | None) -> list[Task]:
        """Note the computed SHA-256 of a hashed file. Returns the tasks that waited for it."""
        if task.size is None:
            return []
        self._unread.discard(task.size)
        outcome, claimed = self._verifying.pop(task.size)
        self._keep(task, outcome, sha256 if sha256 == claimed else None)
        return self._waiting.pop(task.size, [])

    def _keep(self, task: Task, outcome: Outcome, sha256: str | None) -> None:
        """Remember an outcome for later copies if its SHA-256 is verified."""
        if sha256 is None or task.size is None or sha256 in self._outcomes:
            self._forget(task.size)
            return
        self._outcomes[sha256] = outcome, task.size
        self._memory_used += memory_of(outcome)
        self._evict()

    def _evict(self) -> None:
        """Forget the oldest outcomes until the limit is met."""
        while self._memory_used > _MAX_REMEMBERED and self._unverified:
            size = next(iter(self._unverified))
            _, oldest, _ = self._unverified.pop(size)
            self._memory_used -= memory_of(oldest)
            self._forget(size)
        while self._memory_used > _MAX_REMEMBERED and self._outcomes:
            _, (oldest, kept_size) = self._outcomes.popitem(last=False)
            self._memory_used -= memory_of(oldest)
            self._forget(kept_size)

    def _forget(self, size: int | None) -> None:
        if size is not None:
            self._sizes[size] -= 1
            if not self._sizes[size]:
                del self._sizes[size]


def memory_of(outcome: Outcome) -> int:
    """Approximate bytes that an outcome takes in memory."""
    moving = (outcome.frames, *outcome.frame_variants) if isinstance(outcome, HashedFile) else ()
    frames = sum(len(each.hashes) for each in moving if each is not None)
    hashes = sum(200 + len(each.value) for each in outcome.hashes)
    return 1_000 + hashes + 300 * frames
