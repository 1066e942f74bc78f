"""The types of the arrays that pictures are held in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""Of shape (height, width, 3), red green blue, or (height, width), luma; upright."""

Float32 = npt.NDArray[np.float32]
