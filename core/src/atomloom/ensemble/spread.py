"""What members say together: their mean, and by how much they differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

SUFFIX = "_std"
"""What the name of a field's uncertainty ends with: E_std is that of E."""


def mean_and_spread(members: Sequence[Array]) -> tuple[Array, Array]:
    """The mean of the members, and the standard deviation of a member from it: one number a row.

    The variance is divided by the number of members less one, for the mean is theirs. The components of a row, as the
    three of a force, are taken together, so that the spread does not depend on how a molecule is turned.

    Args:
        members: arrays of one shape ``[rows, ...]``, two at least.

    >>> mean, spread = mean_and_spread([np.array([[1.0, 0.0, 0.0]]), np.array([[-1.0, 0.0, 0.0]])])
    >>> mean.tolist(), spread.round(4).tolist()  # sqrt(2 / 3)
    ([[0.0, 0.0, 0.0]], [0.8165])
    """
    stacked = np.stack([np.asarray(each, dtype=np.float64) for each in members])
    mean = stacked.mean(axis=0)
    squares = (stacked - mean) ** 2
    over = (0, *range(2, squares.ndim))
    degrees = degrees_of_freedom(len(members), mean[:1].size if len(mean) else 1)
    return mean.astype(members[0].dtype), np.sqrt(squares.sum(axis=over) / degrees)


def degrees_of_freedom(members: int, components: int) -> int:
    """Of the spread of a row with so many components.

    >>> degrees_of_freedom(members=4, components=3)
    9
    """
    return (members - 1) * components
