"""Half-precision numbers that numpy does not know, as numbers that it knows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def widened(bits: NDArray[Any]) -> NDArray[np.float32]:
    """Numbers in bfloat16, given as their 16 bits, in float32: the same numbers, for they are its upper half.

    >>> widened(np.array([0x3F80, 0xC000], dtype=np.uint16)).tolist()
    [1.0, -2.0]
    """
    return (bits.astype(np.uint32) << 16).view(np.float32)
