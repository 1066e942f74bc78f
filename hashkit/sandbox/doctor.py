"""Is everything in place? Which walls stand around the decoders, tried out, and what can be opened.

Nothing here holds a path, a file name, or the name of a person or a machine: it is made to be
passed on.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass

from hashkit._version import __version__
from hashkit.pipeline.options import Options
from hashkit.sandbox.lockdown import Wall, lock_network
from hashkit.sandbox.process import Limits, WorkerProcess

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Examination:
    """``walls`` around a worker, and around the network of the command itself. ``attempts`` says of
    what a worker tried whether it was ``refused``."""

    walls: tuple[Wall, ...]
    network_walls: tuple[Wall, ...]
    attempts: dict[str, str]
    system: dict[str, str]
    versions: dict[str, str]
    pictures: dict[str, bool]
    videos: dict[str, bool]

    @property
    def all_refused(self) -> bool:
        """Do all walls stand, and could the worker do nothing that it should not?"""
        all_stand = all(wall.stands for wall in (*self.walls, *self.network_walls))
        return all_stand and set(self.attempts.values()) == {"refused"}


def examine() -> Examination:
    """Start a worker and let it try to get out. WorkerUnavailable where none can be started.

    Takes the network from this process, as the commands that hash do.
    """
    worker = WorkerProcess(Options(), Limits(), with_escape_tests=True)
    try:
        folder = os.path.expanduser("~")
        attempts = worker.ask({"probe": {"folder": folder}}, _SECONDS)["probe"]
        capabilities = worker.ask({"capabilities": {}}, _SECONDS)["capabilities"]
    finally:
        worker.kill()
    return Examination(
        walls=worker.walls, network_walls=lock_network(), attempts=attempts, system=_system(),
        **capabilities,
    )  # fmt: skip


def _system() -> dict[str, str]:
    release = re.match(r"[\d.]*", platform.release())
    return {
        "hashkit": __version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {release.group() if release else ''}".strip(),
        "processor": platform.machine(),
    }
