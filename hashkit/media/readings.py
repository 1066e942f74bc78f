"""A picture as tools read it that do not show it as people see it.

Many take the numbers in a file as they stand: NumPy's array of what Pillow opened. The matching
tools of services do so (``pdq_hasher`` of the ``threatexchange`` package), and so does much else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from hashkit.hashes.arrays import Pixels
from hashkit.media.pixels import as_pixels
from hashkit.models import ALPHA_DROPPED, AS_STORED

Turn = Callable[[Pixels], Pixels]

_COLOUR_SPACES = {"CMYK": "cmyk-as-rgb", "LAB": "lab-as-rgb", "YCbCr": "ycbcr-as-rgb"}


class Reading(NamedTuple):
    """Another reading of a picture: its ``name`` in ``models.STILL_READINGS``, and its ``pixels``
    as those of ``images.Picture``, made when they are asked for."""

    name: str
    pixels: Callable[[], Pixels]

    def turned(self, turn: Turn) -> Reading:
        """The same, turned."""
        return Reading(self.name, lambda: turn(self.pixels()))


def of_numbers(picture: Image.Image, transparent: Image.Image | None) -> Iterator[Reading]:
    """The readings of a loaded picture that take its numbers for something else. ``transparent`` is
    the picture in mode RGBA, if any of it is transparent."""
    if transparent is not None:
        yield Reading(ALPHA_DROPPED, partial(_three_channels, transparent))
    if picture.mode == "P":
        yield Reading("palette-indices", lambda: as_pixels(np.asarray(picture)))
    if picture.mode in _COLOUR_SPACES:
        yield Reading(_COLOUR_SPACES[picture.mode], partial(_three_channels, picture))
    if picture.mode == "I;16":  # of other 16-bit modes these tools make nothing
        yield Reading("clipped-to-8-bits", lambda: as_pixels(np.asarray(picture.convert("L"))))


def turned(pixels: Pixels, others: Iterable[Reading], show: Turn, store: Turn) -> Iterator[Reading]:
    """The ``others``, as they are shown; and all of them, and the ``pixels`` of the picture itself,
    as they are stored. Two functions turn what the decoder gave to the one or the other."""
    yield Reading(AS_STORED, lambda: store(pixels))
    for each in others:
        yield each.turned(show)
        yield Reading(f"{each.name}+{AS_STORED}", each.turned(store).pixels)


def _three_channels(picture: Image.Image) -> Pixels:
    return as_pixels(np.asarray(picture))[..., :3]
