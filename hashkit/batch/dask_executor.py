"""An executor that hashes on a Dask cluster, through a process that a cluster cannot get out of.

This process imports nothing of Dask and unpickles nothing. The client process may be compromised
by the cluster, so only checked JSON is taken from it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any, cast

from hashkit.batch.executors import compute_sha256, hash_in_worker
from hashkit.errors import DocumentInvalid, WorkerUnavailable
from hashkit.media.limits import MAX_SECONDS
from hashkit.pipeline.options import Options
from hashkit.sandbox.lockdown import Restriction
from hashkit.sandbox.process import Limits, import_folders, start_process
from hashkit.sandbox.protocol import from_line, to_line
from hashkit.variants.json_codec import fields_of
from hashkit.variants.sets import moving_names_at

# Dask's configuration, which says which certificates TLS takes, is found by these.
_KEPT_ENVIRONMENT = ("DASK_", "HOME", "USERPROFILE")
_START_TIMEOUT = 120.0  # seconds, beside those to connect
_MAX_CORES = 10_000
_SHORT_LINE = 1 << 20  # bytes
_MAX_ANSWER = 256 << 20  # bytes
_FRAME_BYTES = 200  # of a frame in an answer
_PIECE = 1 << 16  # bytes that are read at a time

SCHEDULER, SECURITY, DISTRIBUTED = "scheduler", "security", "distributed"
_REASONS = (SCHEDULER, SECURITY, DISTRIBUTED)


class ClusterUnavailable(Exception):
    """There is no cluster to work with. ``reason`` is ``DISTRIBUTED`` (it is not installed),
    ``SECURITY`` (the TLS settings cannot be used) or ``SCHEDULER`` (nothing answers)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DaskExecutor(Executor):
    """Runs ``hash_in_worker`` and ``compute_sha256`` on a cluster, and nothing else.

    ``cores`` is how many cores the cluster says it has, ``restrictions`` those that the client
    process reported before it connected.
    """

    def __init__(self, address: str, seconds: float) -> None:
        """Connect to the scheduler at ``address``, within ``seconds``. Raises ClusterUnavailable,
        and WorkerUnavailable if no process can be started."""
        kept = {
            name: text for name, text in os.environ.items() if name.startswith(_KEPT_ENVIRONMENT)
        }
        try:
            self._process = start_process("hashkit.batch.dask_client", kept)
        except (OSError, RuntimeError) as error:
            raise WorkerUnavailable from error
        self._tasks = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[Future[Any], Callable[[Any], Any]]] = {}
        self._count, self._max_line, self._lost = 0, _SHORT_LINE, False
        timer = threading.Timer(seconds + _START_TIMEOUT, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            self._send({"path": import_folders(), "address": address, "seconds": seconds})
            self.restrictions = _restrictions(_start_of(self._line(), "restrictions"))
            self.cores = _cores(_start_of(self._line(), "cores"))
        except (DocumentInvalid, OSError):
            self.shutdown()
            raise ClusterUnavailable(SCHEDULER) from None
        except BaseException:
            self.shutdown()
            raise
        finally:
            timer.cancel()
        threading.Thread(target=self._read, daemon=True, name="hashkit-dask").start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start hashing a file. TypeError for any other work, BrokenExecutor if the client is
        gone."""
        if fn is compute_sha256:
            return self._submit({"sha256": args[0]}, _text_or_none)
        if fn is not hash_in_worker or kwargs:
            raise TypeError("this executor only hashes files")
        path, options, limits, *alone = cast(tuple[str, Options, Limits, bool], args)
        self._max_line = max(self._max_line, _max_answer(options))
        task: dict[str, Any] = {"hash": path, "options": asdict(options), "limits": asdict(limits)}
        task["alone"] = alone == [True]
        return self._submit(task, _line_of_text)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """End the client process, whatever it is doing. The cluster drops its work."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._tasks, self._answers):
            with suppress(OSError, ValueError):
                pipe.close()
        self._lose()

    def _submit(self, task: dict[str, Any], check: Callable[[Any], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._lost:
                raise BrokenExecutor
            self._count += 1
            number = self._count
            self._waiting[number] = future, check
        try:
            self._send({"task": number, **task})
        except (OSError, ValueError):  # ValueError: the pipe is closed
            self._lose()
        return future

    def _send(self, message: dict[str, Any]) -> None:
        self._tasks.write(to_line(message))
        self._tasks.flush()

    def _read(self) -> None:
        """Take answers until the client is gone, or says what it was not asked for."""
        with suppress(DocumentInvalid, OSError, ValueError):
            while True:
                self._take(from_line(self._line()))
        self._process.kill()
        self._lose()

    def _line(self) -> bytes:
        """The next line. DocumentInvalid at the end, and for one that is too long."""
        pieces, length = [], 0
        while piece := self._answers.readline(_PIECE):
            pieces.append(piece)
            length += len(piece)
            if length > self._max_line:
                break
            if piece.endswith(b"\n"):
                return b"".join(pieces)
        raise DocumentInvalid

    def _take(self, untrusted: Any) -> None:
        failed = isinstance(untrusted, dict) and "failed" in untrusted
        answer = "failed" if failed else "answer"
        fields = fields_of(untrusted, "the answer", {"task", answer})
        number = fields["task"]
        with self._lock:
            # Not a number, which may not even be a key, or one that is not waited for (any more).
            if type(number) is not int or number not in self._waiting:
                raise DocumentInvalid
            future, check = self._waiting.pop(number)
        if not failed:
            try:
                future.set_result(check(fields[answer]))
            except DocumentInvalid as error:
                future.set_exception(error)
                raise
        elif fields[answer] == "unavailable":
            future.set_exception(WorkerUnavailable())
        else:
            future.set_exception(BrokenExecutor())

    def _lose(self) -> None:
        """Fail what is waited for: its files are lost, and others will be."""
        with self._lock:
            self._lost = True
            waiting = [*self._waiting.values()]
            self._waiting.clear()
        for future, _ in waiting:
            future.set_exception(BrokenExecutor())


def _max_answer(options: Options) -> int:
    """The longest honest answer in bytes, where quotes take two. A longer one could exhaust our
    memory: unlike that of a worker of our own, it comes as one text."""
    if isinstance(options.sample, str):
        return 2 * _MAX_ANSWER
    frames = int(MAX_SECONDS / options.sample) + 1
    frames *= 1 + len(moving_names_at(options.variants))
    return 2 * min(_MAX_ANSWER, (1 << 20) + _FRAME_BYTES * frames)


def _start_of(untrusted_line: bytes, name: str) -> Any:
    """What a line of the start says of this. Raises ClusterUnavailable for a reason instead."""
    untrusted = from_line(untrusted_line)
    if isinstance(untrusted, dict) and untrusted.get("failed") in _REASONS:
        raise ClusterUnavailable(untrusted["failed"])
    return fields_of(untrusted, "the answer", {name})[name]


def _restrictions(untrusted: Any) -> tuple[Restriction, ...]:
    try:
        return tuple(Restriction(**each) for each in untrusted)
    except TypeError as error:
        raise DocumentInvalid from error


def _cores(untrusted: Any) -> int:
    if type(untrusted) is not int or untrusted < 0:
        raise DocumentInvalid
    return min(untrusted, _MAX_CORES)


def _line_of_text(untrusted: Any) -> bytes:
    """The line, which ``result_of`` parses."""
    if not isinstance(untrusted, str):
        raise DocumentInvalid
    return untrusted.encode("utf-8", "replace")


def _text_or_none(untrusted: Any) -> str | None:
    if untrusted is None or isinstance(untrusted, str):
        return untrusted
    raise DocumentInvalid
