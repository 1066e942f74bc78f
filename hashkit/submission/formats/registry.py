"""Every export format, a line each: its name on the command line, its module and its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hashkit.submission.lazy_table import LazyTable

if TYPE_CHECKING:
    from hashkit.submission.formats.base import Format, Reader

FORMATS: Mapping[str, type[Format]] = LazyTable(
    __package__,
    {
        "stopncii": "stopncii.StopNCII",
        "ncmec": "ncmec.NCMEC",
        "threatexchange": "threatexchange.ThreatExchange",
        "threatexchange-cli": "threatexchange_cli.ThreatExchangeCLI",
        "hma": "hma.HMA",
        "vics": "vics.VICS",
        "vpdq": "vpdq.VPDQ",
        "csv": "table.Table",
    },
)
"""The formats that a submission can be written in."""

READERS: Mapping[str, type[Reader]] = LazyTable(
    __package__,
    {
        "submission": "document_reader.SubmissionReader",
        "csv": "table.Table",
        "pdq": "pdq_list.PDQList",
        "vpdq": "vpdq.VPDQ",
        "threatexchange-cli": "threatexchange_cli.ThreatExchangeCLI",
    },
)
"""The formats that can be read, in the order in which a document is tried."""
