"""Checks the types of the Python code in the documentation: ``python tools/docs_types.py``.

The blocks of a page are one program, as a reader would type them. ``mypy --strict`` must accept it
with hashkit as it is in this checkout, so a public name that says nothing of its type is found.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("docs/start/developers.md", "docs/formats.md", "docs/comparing.md", "docs/sending.md")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Write a module for each page, and check them all. 0 where mypy finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        modules = []
        for page in PAGES:
            blocks = _BLOCK.findall((ROOT / page).read_text("utf-8"))
            module = Path(folder) / f"{Path(page).stem}.py"
            module.write_text("\n".join(blocks), "utf-8")
            modules.append(str(module))
        command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *modules]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
