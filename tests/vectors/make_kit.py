"""Make the conformance kit in ``kit/``: see README.md. It needs the tools of the tests, and FFmpeg.

python tests/vectors/make_kit.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from making import documents, hashes, videos
from making.cases import ROOT, Kit


def make(target: Path) -> None:
    """Write the whole kit as ``target``/kit."""
    kit = Kit(target)
    hashes.make(kit)
    videos.make(kit)
    documents.make(kit)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if sys.argv[1:] else ROOT)
