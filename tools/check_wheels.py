"""Does all that the core needs have a wheel, on each platform and for each Python?

    python tools/check_wheels.py          # print the table of docs/platforms.md
    python tools/check_wheels.py --write  # put it there

Needs uv (in the extra ``release``) and asks the package index. Nothing is downloaded but metadata.
The versions are those of ``constraints.txt``. The exit code is 1 if a wheel is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "platforms.md"

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
OLDEST_MACOS = "14.0"  # the wheels of PyAV and OpenCV begin there
PLATFORMS = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux ARM64": "aarch64-manylinux_2_28",
    "macOS ARM64": "aarch64-apple-darwin",
    "macOS Intel": "x86_64-apple-darwin",
    "Windows x86-64": "x86_64-pc-windows-msvc",
}

_TABLE = re.compile(r"(<!-- wheels -->\n).*?(<!-- /wheels -->)", re.DOTALL)
_NO_WHEEL = re.compile(r"Because (\S+?)(?:\{[^}]*\})?==\S+ has no usable wheels")


def missing(platform: str, python: str) -> str:
    """The first package without a wheel, or nothing. RuntimeError if uv fails for another
    reason."""
    done = subprocess.run(
        [
            *("uv", "pip", "compile", "pyproject.toml", "--quiet", "--only-binary", ":all:"),
            *("--constraint", "constraints.txt", "--no-header", "--output-file", os.devnull),
            *("--python-platform", PLATFORMS[platform], "--python-version", python),
        ],
        cwd=ROOT,
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if done.returncode == 0:
        return ""
    found = _NO_WHEEL.search(" ".join(done.stderr.split()))
    if not found:
        raise RuntimeError(f"{platform}, Python {python}: {done.stderr.strip()}")
    return found[1]


def table() -> tuple[str, bool]:
    """The table in Markdown, and whether it is complete."""
    with ThreadPoolExecutor(4) as pool:
        cases = list(product(PLATFORMS, PYTHONS))
        gaps = dict(zip(cases, pool.map(lambda case: missing(*case), cases), strict=True))
    rows = [["", *PYTHONS]]
    for platform in PLATFORMS:
        cells = [gaps[platform, python] for python in PYTHONS]
        rows.append([platform, *(f"no wheel of {cell}" if cell else "yes" for cell in cells)])
    rows.insert(1, ["---"] * len(rows[0]))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n", not any(gaps.values())


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table in docs/platforms.md")
    write = parser.parse_args().write
    text, whole = table()
    print(text, end="")
    if write:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(_TABLE.sub(lambda found: found[1] + text + found[2], page), "utf-8")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
