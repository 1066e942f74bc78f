"""A progress bar, for work that takes long enough to wonder about."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from hashkit.cli.terminal import console

_PATIENCE = 1.0  # seconds


@contextmanager
def progress(total: int, *, wanted: bool) -> Iterator[Callable[[float], None]]:
    """Gives a function to call with the number of files that are done, of ``total``; a file that is
    half done counts half. The bar appears on stderr after a second, if that is a terminal, shows
    how long the rest will take, and goes when the work is done."""
    screen = console(errors=True)
    if not wanted or not screen.is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress

    started = time.monotonic()
    with ExitStack() as stack:
        bar = Progress(console=screen, transient=True)
        task = bar.add_task("Hashing", total=total)
        shown = False

        def show(done: float) -> None:
            nonlocal shown
            if not shown and time.monotonic() - started > _PATIENCE:
                stack.enter_context(bar)
                shown = True
            bar.update(task, completed=done)

        yield show
