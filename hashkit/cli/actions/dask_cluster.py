"""``--dask``: connect to a Dask cluster that the organisation runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from hashkit.cli.output.terminal import ExitCode, fail

_SECONDS_TO_CONNECT = 10
_FILES_FOR_EACH_CORE = 2


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor on the cluster, and how many files it should be given at a time."""
    try:
        from distributed import Client  # noqa: PLC0415 (an extra)
    except ImportError:
        fail("For --dask, install: pip install distributed", None, ExitCode.WRONG_USE)
    for name in ("distributed", "tornado"):  # they warn developers, not this person
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError):
        why = (
            "There is no Dask scheduler at this address. Check the address, and that it is running."
        )
        fail(why, None, ExitCode.WRONG_USE)
    with client:
        cores = sum(client.ncores().values())
        if not cores:
            fail("The Dask cluster has no workers.", None, ExitCode.SOME_FAILED)
        yield client.get_executor(pure=False, retries=1), _FILES_FOR_EACH_CORE * cores
