"""hashkit: hashes of intimate pictures and videos, computed on the device; only hashes leave it.

    from hashkit import hash_file

    hashed = hash_file("photo.jpg")
    hashed["pdq"].value, hashed["pdq"].quality, hashed["md5"].value
    for notice in hashed.notices:
        print(notice.text)

    clip = hash_file("clip.mp4", sample=1.0)
    clip.frames.hashes, clip["tmk_pdqf"].value

``hash_file`` opens the file in this process and raises a ``HashkitError`` if it fails.
``hash_files`` hashes many files in isolated processes, which cannot write or reach the network, and
yields a ``HashedFile`` or a ``FailedFile`` for each. ``Submission`` is the document that may leave
the machine: it holds no path, name or date.

    from hashkit import Submission, hash_files, write_submission

    submission = Submission.of(hash_files(paths))
    write_submission(submission, "submission.json")

``export_submission`` writes it in the format of a service or a tool, and lists what that format
cannot hold; ``import_submission`` reads some of these formats. ``seal`` encrypts it for one person,
and ``send_submission`` sends it to a service that you have an agreement with.

``compare`` compares two pictures or videos, ``find`` finds copies among many files, and ``Index``
searches many PDQ hashes.

    from hashkit import compare, files_in, find

    print(compare("photo.jpg", "copy.jpg").verdict)
    for copy in find(["photo.jpg"], files_in("pictures")).copies:
        print(copy.path, copy.comparison.verdict)

The algorithms are public modules: ``hashkit.hashes.pdq.compute(pixels)``, likewise
``hashkit.hashes.cryptographic``, ``classic``, ``vpdq`` and ``tmk``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from hashkit._version import __version__ as __version__

if TYPE_CHECKING:
    from hashkit.batch.run import hash_files
    from hashkit.errors import HashkitError
    from hashkit.hashes.registry import ALGORITHMS, DEFAULT
    from hashkit.matching.comparing import Comparison, Finding, Verdict
    from hashkit.matching.index import Index, Match
    from hashkit.matching.search import Copy, Search, compare, find
    from hashkit.media.limits import MAX_PIXELS
    from hashkit.models import (
        FailedFile,
        FrameHash,
        FrameHashes,
        Hash,
        HashedFile,
        MediaKind,
        Notice,
    )
    from hashkit.pipeline.folders import files_in
    from hashkit.pipeline.hashing import hash_file
    from hashkit.pipeline.other_files import as_listed
    from hashkit.submission.document import (
        Item,
        Submission,
        read_submission,
        submission_schema,
        write_submission,
    )
    from hashkit.submission.formats.base import Exported, Imported, LeftOut, format_schema
    from hashkit.submission.formats.converting import export_submission, import_submission
    from hashkit.submission.formats.signals import Signal
    from hashkit.submission.sealing import (
        seal,
        seal_with_passphrase,
        unseal,
        unseal_with_passphrase,
    )
    from hashkit.submission.sending.batch import Sent
    from hashkit.submission.sending.submitting import send_submission, withdraw_submission


__all__ = [
    "ALGORITHMS",
    "DEFAULT",
    "MAX_PIXELS",
    "Comparison",
    "Copy",
    "Exported",
    "FailedFile",
    "Finding",
    "FrameHash",
    "FrameHashes",
    "Hash",
    "HashedFile",
    "HashkitError",
    "Imported",
    "Index",
    "Item",
    "LeftOut",
    "Match",
    "MediaKind",
    "Notice",
    "Search",
    "Sent",
    "Signal",
    "Submission",
    "Verdict",
    "as_listed",
    "compare",
    "export_submission",
    "files_in",
    "find",
    "format_schema",
    "hash_file",
    "hash_files",
    "import_submission",
    "read_submission",
    "seal",
    "seal_with_passphrase",
    "send_submission",
    "submission_schema",
    "unseal",
    "unseal_with_passphrase",
    "withdraw_submission",
    "write_submission",
]

_MODULES = {
    "hashkit.batch.run": ("hash_files",),
    "hashkit.errors": ("HashkitError",),
    "hashkit.matching.search": ("Copy", "Search", "compare", "find"),
    "hashkit.pipeline.folders": ("files_in",),
    "hashkit.hashes.registry": ("ALGORITHMS", "DEFAULT"),
    "hashkit.pipeline.hashing": ("hash_file",),
    "hashkit.pipeline.other_files": ("as_listed",),
    "hashkit.matching.comparing": ("Comparison", "Finding", "Verdict"),
    "hashkit.matching.index": ("Index", "Match"),
    "hashkit.media.limits": ("MAX_PIXELS",),
    "hashkit.models": (
        "FailedFile",
        "FrameHash",
        "FrameHashes",
        "Hash",
        "HashedFile",
        "MediaKind",
        "Notice",
    ),
    "hashkit.submission.document": (
        "Item",
        "Submission",
        "read_submission",
        "submission_schema",
        "write_submission",
    ),
    "hashkit.submission.formats.base": ("Exported", "Imported", "LeftOut", "format_schema"),
    "hashkit.submission.formats.converting": ("export_submission", "import_submission"),
    "hashkit.submission.formats.signals": ("Signal",),
    "hashkit.submission.sealing": (
        "seal",
        "seal_with_passphrase",
        "unseal",
        "unseal_with_passphrase",
    ),
    "hashkit.submission.sending.batch": ("Sent",),
    "hashkit.submission.sending.submitting": ("send_submission", "withdraw_submission"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import public names on first use, so that ``import hashkit`` stays light."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hashkit' has no attribute {name!r}")
    value: object = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
