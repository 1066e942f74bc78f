"""Writes the files of cases in one format, so that a new run changes nothing."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
Case = dict[str, Any]


class Kit:
    """The kit being written below ``target``. Vectors are read from the checkout."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def put(self, path: str, content: bytes) -> str:
        file = self.target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return path

    def cases(
        self,
        do: str,
        about: str,
        made_with: tuple[str, ...] | dict[str, str],
        cases: list[Case],
        **more: object,
    ) -> None:
        """Write ``kit/<do>.json``; the tools are packages of Python, or named with a version."""
        if not isinstance(made_with, dict):
            made_with = {tool: version(tool) for tool in made_with}
        assert len({case["name"] for case in cases}) == len(cases)
        head = {"do": do, "about": about, "made_with": made_with, **more}
        # One line a case: differences between two versions of the file can be read.
        text = json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n'
        text += ",\n".join(f"  {json.dumps(case)}" for case in cases) + "\n ]\n}\n"
        self.put(f"kit/{do}.json", text.encode())


def frames_of_csv(path: str) -> list[dict[str, Any]]:
    """Meta's vPDQ hashes of a video (see README.md for the columns)."""
    rows = (ROOT / path).read_text().splitlines()[1:]
    found = []
    for row in rows:
        frame, quality, value, seconds = row.split(",")
        found.append(
            {
                "frame": int(frame),
                "timestamp": float(seconds),
                "hash": value,
                "quality": int(quality),
            }
        )
    return found
