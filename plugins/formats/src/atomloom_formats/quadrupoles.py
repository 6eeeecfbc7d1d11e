"""Quadrupoles as AIMNet2's data sets hold them: six components in the order xx yy zz xy yz xz.

Nothing states this order. It is that in which they agree with the quadrupoles of the charges and positions beside them
(the test `test_aimnet2_quadrupoles` repeats the comparison); core's own reading of six components has xz before yz.
"""

from __future__ import annotations

import numpy as np

from atomloom.data.columns import Array
from atomloom.errors import DataError

ORDER = "xx yy zz xy yz xz"

_ROWS, _COLUMNS = (0, 1, 2, 0, 1, 0), (0, 1, 2, 1, 2, 2)
_PLACES = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]])


def matrices(components: Array) -> Array:
    """The matrices [..., 3, 3] of six components [..., 6].

    >>> matrices(np.array([1, 2, 3, 4, 5, 6])).tolist()
    [[1, 4, 6], [4, 2, 5], [6, 5, 3]]
    """
    made: Array = components[..., _PLACES]
    return made


def components(matrices: Array) -> Array:
    """The six components [..., 6] of symmetric matrices [..., 3, 3]."""
    if not np.allclose(matrices, matrices.swapaxes(-1, -2), equal_nan=True):
        raise DataError("write quadrupoles as six components", "some are not symmetric", "Write NPZ, or correct them")
    picked: Array = matrices[..., _ROWS, _COLUMNS]
    return picked
