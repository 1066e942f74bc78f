"""A progress bar, shown after a second."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

_SECONDS_BEFORE = 1.0


@contextmanager
def progress(total: int, *, wanted: bool) -> Iterator[Callable[[float], None]]:
    """Gives a function to call with the number of files that are done, of ``total``; a file that is
    half done counts half. The bar appears on stderr after a second, if that is a terminal, shows
    how long the rest will take, and goes when the work is done."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress  # noqa: PLC0415 (Rich)

    from hashkit.cli.output.tables import console  # noqa: PLC0415 (Rich)

    with ExitStack() as stack:
        # On its own descriptor, since the standard error of the decoders is captured.
        own = stack.enter_context(os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8"))
        # What is printed on the same terminal must go above the bar; what goes elsewhere must not.
        redirect = sys.stdout.isatty()
        bar = Progress(console=console(own), transient=True, redirect_stdout=redirect)
        task = bar.add_task("Hashing", total=total)
        timer = threading.Timer(_SECONDS_BEFORE, bar.start)
        timer.daemon = True
        stack.callback(bar.stop)
        stack.callback(timer.join)
        stack.callback(timer.cancel)
        timer.start()
        yield lambda done: bar.update(task, completed=done)
