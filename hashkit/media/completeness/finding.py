"""What a check of a file for missing parts finds."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from PIL import ImageFile


class Finding(Enum):
    """Whether a part is missing, as far as the format can tell."""

    NOTHING = auto()
    UNSURE = auto()
    """Zeros that may be black, or pixels that were never written."""
    MISSING = auto()


Check = Callable[[bytes, ImageFile.ImageFile], Finding]
"""Takes the bytes of a file and its header as Pillow reads it."""


def missing_if(found: bool) -> Finding:
    """``MISSING`` or ``NOTHING``."""
    return Finding.MISSING if found else Finding.NOTHING
