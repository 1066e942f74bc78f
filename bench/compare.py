"""Measures several ways side by side in one run and writes the result as a table."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

Work = Callable[[], object]


def measure(ways: Mapping[str, Work], rounds: int = 9) -> dict[str, float]:
    """Median seconds of each way. They take turns, so that a slow moment affects them all."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for work in ways.values():
        work()
    for _ in range(rounds):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def process(*command: str) -> Work:
    """Run a command and discard its output."""
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def row(work: str, ours: float, peer: str, theirs: float, budget: float | None = None) -> list[str]:
    """A row of a table: our time, the peer's, the ratio, and whether the budget is kept."""
    ratio = ours / theirs
    shown = f"1/{1 / ratio:.0f}" if ratio < 0.4 else f"{ratio:.2f}"
    kept = (
        "" if budget is None else f"{_fraction(budget)}: {'kept' if ratio <= budget else 'MISSED'}"
    )
    return [work, milliseconds(ours), peer, milliseconds(theirs), shown, kept]


def _fraction(budget: float) -> str:
    return f"1/{1 / budget:.0f}" if budget < 0.5 else f"{budget:g}"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    lines = [headings, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def where_and_with_what(packages: list[str]) -> str:
    """The date, the machine in general terms, and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}."
    )


def python(*arguments: str) -> Work:
    """Run this Python and discard its output."""
    return process(sys.executable, *arguments)
