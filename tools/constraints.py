"""Pins what hashkit installs: ``constraints.txt`` at the root of the checkout.

    python tools/constraints.py renew              # the newest versions that the ranges allow
    python tools/constraints.py lowest             # print the lowest versions that they allow
    python tools/constraints.py check-installed    # is all that is installed here pinned?

``renew`` and ``lowest`` need uv (in the extra ``release``). A package may have several lines: its
newest version does not serve every Python, so each line says by its marker for which it is.
Neither file names where packages come from.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
OURS = "takedown-hashkit"

_HEAD = """\
# One exact version of every package that an extra of pyproject.toml installs, for each Python.
# Renew it with: python tools/constraints.py renew
"""
_FOUND_ANYWHERE = frozenset({"pip", "setuptools", "wheel"})  # a virtual environment begins with it


def project() -> dict[str, object]:
    """The ``project`` table of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        table: dict[str, object] = tomllib.load(stream)["project"]
    return table


def renew() -> None:
    """Write ``constraints.txt`` anew. Raises CalledProcessError if no set of versions fits."""
    pinned = _compiled("--universal", "--all-extras", "--upgrade")
    CONSTRAINTS.write_text(_HEAD + pinned, encoding="utf-8")


def lowest() -> str:
    """The lowest version of each package that hashkit names, for its oldest Python; the newest that
    fit of those that these need."""
    return _compiled("--extra", "test", "--resolution", "lowest-direct")


def _compiled(*options: str) -> str:
    """uv's lines for pyproject.toml."""
    oldest = str(project()["requires-python"]).removeprefix(">=")
    command = ["uv", "pip", "compile", "pyproject.toml", "--quiet", "--python-version", oldest]
    command += ["--no-header", "--no-annotate", "--no-emit-package", OURS, *options]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout


def pins(lines: Iterable[str]) -> Iterator[Requirement]:
    """The requirements in a constraints file."""
    for line in lines:
        if line.strip() and not line.startswith("#"):
            yield Requirement(line)


def not_pinned() -> list[str]:
    """Installed packages that differ from ``constraints.txt``, a line each."""
    wanted: dict[str, list[str]] = {}
    for pin in pins(CONSTRAINTS.read_text("utf-8").splitlines()):
        if pin.marker is None or pin.marker.evaluate():
            wanted.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier))
    faults = []
    for installed in metadata.distributions():
        name = canonicalize_name(installed.metadata["Name"])
        if name == OURS or name in _FOUND_ANYWHERE:
            continue
        pinned = wanted.get(name, ["no line"])
        if pinned != [f"=={installed.version}"]:
            faults.append(f"{name} {installed.version} is installed, pinned: {', '.join(pinned)}")
    return sorted(faults)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("task", choices=["renew", "lowest", "check-installed"])
    task = parser.parse_args().task
    if task == "renew":
        renew()
        return 0
    if task == "lowest":
        print(lowest(), end="")
        return 0
    faults = not_pinned()
    print("\n".join(faults) or "All that is installed is pinned.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
