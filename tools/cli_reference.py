"""Writes the commands and options into docs/cli.md, from the command line's own parser.

    python tools/cli_reference.py          # print them
    python tools/cli_reference.py --write  # put them into the page

A test fails when the page and the commands differ.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hashkit.cli.commands import COMMANDS, load

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
BLOCK = re.compile(r"(<!-- commands -->\n).*?(<!-- /commands -->)", re.DOTALL)


def lines() -> Iterator[str]:
    """The reference in Markdown: for each command what it does, and a table of what it takes."""
    for name in COMMANDS:
        yield from _command(name, load(name))


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"### hashkit {name}"
    yield ""
    yield textwrap.fill(" ".join(str(command.help).split()), 100)
    yield ""
    rows = [each for each in command.params if not getattr(each, "hidden", False)]
    rows = [each for each in rows if each.name != "help"]
    if rows:
        yield "| argument or option | what it does |"
        yield "|---|---|"
        yield from map(_row, rows)
        yield ""


def _row(parameter: Any) -> str:
    name = parameter.metavar or (parameter.name or "").upper().replace("_", "-")
    if parameter.param_type_name == "argument":
        spelling = f"`{name}`"
    else:
        both = sorted([*parameter.opts, *parameter.secondary_opts], key=len)
        value = "" if parameter.is_flag else f" {name}"
        spelling = ", ".join(f"`{each}{value}`" for each in both)
    meaning = " ".join(str(parameter.help or "").split())
    shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    if not parameter.required and shown not in (None, False, True, (), []):
        meaning += f" Default: {shown}."
    cells = (spelling, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put them into docs/cli.md")
    text = "\n".join(lines())
    if parser.parse_args().write:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(BLOCK.sub(lambda found: found[1] + text + found[2], page), "utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
