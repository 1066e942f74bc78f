"""``--dask``: connect to a Dask cluster that the organisation runs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from hashkit.batch import dask_executor
from hashkit.batch.dask_executor import ClusterUnavailable, DaskExecutor
from hashkit.cli.output.terminal import ExitCode, fail, say

_SECONDS_TO_CONNECT = 10
_FILES_FOR_EACH_CORE = 2
_WHY = {
    dask_executor.DISTRIBUTED: "For --dask, install: pip install distributed",
    dask_executor.SECURITY: (
        "Dask's settings for TLS cannot be used. Check the certificates in its configuration."
    ),
    dask_executor.SCHEDULER: (
        "There is no Dask scheduler at this address. Check the address, and that it is running."
    ),
}
_NOT_HELD = (
    "This system cannot hold the connection to the cluster as it should. Only use a cluster that "
    "you trust with this computer. What is missing: {}"
)


@contextmanager
def cluster(address: str, *, quiet: bool) -> Iterator[tuple[Executor, int]]:
    """An executor on the cluster, and how many files it should be given at a time."""
    try:
        executor = DaskExecutor(address, _SECONDS_TO_CONNECT)
    except ClusterUnavailable as error:
        fail(_WHY[error.reason], None, ExitCode.WRONG_USE)
    with executor:
        if not executor.cores:
            fail("The Dask cluster has no workers.", None, ExitCode.SOME_FAILED)
        missing = [each.name for each in executor.restrictions if not each.active]
        if missing and not quiet:
            say(_NOT_HELD.format(", ".join(missing)))
        yield executor, _FILES_FOR_EACH_CORE * executor.cores
