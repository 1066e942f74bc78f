"""The client of a Dask cluster: a process of its own, which restricts itself, then connects.

``distributed`` unpickles what a scheduler sends, and unpickling runs code. That code runs here,
where it can do nothing but lie in its answers and talk to the scheduler's port.

    standard input    one JSON object per line: first the start options, then tasks
    standard output   one JSON object per line

    the start options
        -> {"restrictions": […]}, before the cluster has a say
        -> {"cores": n}, or in the place of either {"failed": reason}

    {"task": n, "hash": path, "options": {…}, "limits": {…}, "alone": …}
    or {"task": n, "sha256": path}
        -> {"task": n, "answer": text of JSON, or a SHA-256, or null}
        -> {"task": n, "failed": "lost" or "unavailable"}

``hashkit.batch.dask_executor`` is the other side.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict
from typing import Any, BinaryIO

from hashkit.batch.executors import compute_sha256, hash_in_worker
from hashkit.errors import WorkerUnavailable
from hashkit.pipeline.options import Options
from hashkit.sandbox import lockdown, parent_death
from hashkit.sandbox.connecting import Endpoint
from hashkit.sandbox.process import Limits
from hashkit.sandbox.protocol import to_line

_MAX_MEMORY = 8 << 30  # bytes of address space: answers are unpickled here
_SCHEMES = ("tcp", "tls")


class _NotStarted(Exception):
    """Says why: a word that ``hashkit.batch.dask_executor`` knows."""


def main(start: dict[str, Any]) -> None:
    """Connect to the cluster, and answer tasks until the input ends."""
    parent_death.end_with_parent()
    answers = _Answers()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        address, security = _prepare(start["address"], start["seconds"], answers)
        client = _connect(address, security, start["seconds"])
        cores = sum(client.ncores().values())
    except _NotStarted as why:
        answers.send(to_line({"failed": str(why)}))
        return
    answers.send(to_line({"cores": cores}))
    for line in sys.stdin.buffer:
        _submit(client, json.loads(line), answers)
    # At once: the cluster drops what this client was waiting for.
    os._exit(0)


class _Answers:
    """Sends answers, from any thread, in place of standard output, where libraries may print."""

    def __init__(self) -> None:
        self._stream: BinaryIO = os.fdopen(os.dup(1), "wb")
        self._lock = threading.Lock()
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    def send(self, line: bytes) -> None:
        with self._lock:
            self._stream.write(line)
            self._stream.flush()


def _prepare(address: str, seconds: float, answers: _Answers) -> tuple[str, Any]:
    """Do all that takes files or names of machines, then restrict this process: the address in
    numbers, and the security settings."""
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise _NotStarted("distributed") from None
    for name in ("distributed", "tornado", "asyncio"):  # they warn developers, not this person
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        scheme, endpoint = _resolve(distributed, address, seconds)
    except (OSError, ValueError, OverflowError):  # the last: of a port
        raise _NotStarted("scheduler") from None
    try:
        security = _loaded(distributed, address, needed=scheme == "tls")
        importlib.import_module("distributed.versions").get_versions()  # it looks for programs
    except Exception:  # whatever a configuration can be wrong in
        raise _NotStarted("security") from None
    restrictions = lockdown.lock_down(_MAX_MEMORY, endpoint)
    answers.send(to_line({"restrictions": [asdict(each) for each in restrictions]}))
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{scheme}://{host}:{endpoint.port}", security


def _connect(address: str, security: Any, seconds: float) -> Any:
    """A connected client. From here on, what runs may be the cluster's."""
    distributed = importlib.import_module("distributed")
    try:
        return distributed.Client(
            address,
            timeout=seconds,
            set_as_default=False,
            security=security,
            direct_to_workers=False,  # results come through the scheduler
        )
    except Exception:  # it raises anything, also what the scheduler makes it raise
        raise _NotStarted("scheduler") from None


def _resolve(distributed: Any, address: str, seconds: float) -> tuple[str, Endpoint]:
    """The scheme, and the first address of the machine's name that takes a connection. (Nothing is
    sent or read.)"""
    addressing = distributed.comm.addressing
    scheme, _ = addressing.parse_address(address)
    if scheme not in _SCHEMES:
        raise ValueError(scheme)
    host, port = addressing.get_address_host_port(address)
    with socket.create_connection((host, port), seconds) as made:
        found, number = made.getpeername()[:2]
    return scheme, Endpoint(str(found), int(number))


def _loaded(distributed: Any, address: str, needed: bool) -> Any:
    """What Dask's configuration says of TLS, with the certificates read already."""
    load = getattr(distributed.client, "_maybe_call_security_loader", lambda _: None)
    security = load(address) or distributed.Security()
    arguments = security.get_connection_args("client")
    if needed and arguments["ssl_context"] is None:
        raise ValueError("no certificates")
    loaded = type("Loaded", (distributed.Security,), {"get_connection_args": lambda *_: arguments})
    return loaded()


def _submit(client: Any, task: dict[str, Any], answers: _Answers) -> None:
    work: tuple[Any, ...] = compute_sha256, task.get("sha256")
    if "hash" in task:
        given = task["options"]
        options = Options(**{**given, "algorithms": tuple(given["algorithms"])})
        work = hash_in_worker, task["hash"], options, Limits(**task["limits"]), task["alone"]
    future = client.submit(*work, pure=False, retries=1)

    async def answer() -> None:
        try:
            found = await client.gather(future, asynchronous=True)
            text = found.decode() if isinstance(found, bytes) else found
            line = to_line({"task": task["task"], "answer": text})
        except WorkerUnavailable:
            line = to_line({"task": task["task"], "failed": "unavailable"})
        except BaseException:  # cancelled, or what the cluster makes unpickling raise
            line = to_line({"task": task["task"], "failed": "lost"})
        answers.send(line)

    client.loop.add_callback(answer)
