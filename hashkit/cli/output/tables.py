"""Consoles and tables, made with Rich. Import it late: Rich takes 50 ms."""

from __future__ import annotations

from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table


def console(stream: TextIO) -> Console:
    """A console on a stream: plain and as wide as it takes where the stream is no terminal."""
    looked_at = stream.isatty()
    return Console(
        file=stream,
        width=None if looked_at else 10_000,
        no_color=None if looked_at else True,
        force_terminal=None if looked_at else False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def table_of(*headings: str, boxed: bool = False) -> Table:
    """A table whose cells are never cut, without lines if it is not ``boxed``."""
    table = Table(box=box.ROUNDED if boxed else None, pad_edge=boxed, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
