"""Self-examination for ``hashkit doctor``: active restrictions, escape tests, readable formats.

The result is meant to be passed on: it holds no path, file name, user name or host name.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass

from hashkit._version import __version__
from hashkit.pipeline.options import Options
from hashkit.sandbox.lockdown import Restriction, lock_network
from hashkit.sandbox.process import Limits, WorkerProcess

_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Examination:
    """``restrictions`` are those of a worker, ``network_restrictions`` those of the command's own
    process. ``attempts`` maps each escape test to ``refused`` or ``not refused``."""

    restrictions: tuple[Restriction, ...]
    network_restrictions: tuple[Restriction, ...]
    attempts: dict[str, str]
    system: dict[str, str]
    versions: dict[str, str]
    pictures: dict[str, bool]
    videos: dict[str, bool]

    @property
    def all_refused(self) -> bool:
        """Whether every restriction is active and every escape test was refused."""
        all_active = all(each.active for each in (*self.restrictions, *self.network_restrictions))
        return all_active and set(self.attempts.values()) == {"refused"}


def examine() -> Examination:
    """Run the escape tests in a new worker. Raises WorkerUnavailable if none can be started.

    Locks the network of this process, as the commands that hash do.
    """
    worker = WorkerProcess(Options(), Limits(), with_escape_tests=True)
    try:
        folder = os.path.expanduser("~")
        attempts = worker.ask({"escape_tests": {"folder": folder}}, _TIMEOUT)["escape_tests"]
        capabilities = worker.ask({"capabilities": {}}, _TIMEOUT)["capabilities"]
    finally:
        worker.kill()
    return Examination(
        restrictions=worker.restrictions,
        network_restrictions=lock_network(),
        attempts=attempts,
        system=_system(),
        **capabilities,
    )


def _system() -> dict[str, str]:
    release = re.match(r"[\d.]*", platform.release())
    return {
        "hashkit": __version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {release.group() if release else ''}".strip(),
        "processor": platform.machine(),
    }
