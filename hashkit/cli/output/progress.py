"""A progress bar, for work that takes long enough to wonder about."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

_PATIENCE = 1.0  # seconds


@contextmanager
def progress(total: int, *, wanted: bool) -> Iterator[Callable[[float], None]]:
    """Gives a function to call with the number of files that are done, of ``total``; a file that is
    half done counts half. The bar appears on stderr after a second, if that is a terminal, shows
    how long the rest will take, and goes when the work is done."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress  # noqa: PLC0415 (not where nobody looks)

    from hashkit.cli.output.tables import console  # noqa: PLC0415

    with ExitStack() as stack:
        # On a descriptor of its own: the decoders' standard error is listened to.
        own = stack.enter_context(os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8"))
        # What is printed on the same terminal must go above the bar; what goes elsewhere must not.
        redirect = sys.stdout.isatty()
        bar = Progress(console=console(own), transient=True, redirect_stdout=redirect)
        task = bar.add_task("Hashing", total=total)
        timer = threading.Timer(_PATIENCE, bar.start)
        timer.daemon = True
        stack.callback(bar.stop)
        stack.callback(timer.join)
        stack.callback(timer.cancel)
        timer.start()
        yield lambda done: bar.update(task, completed=done)
