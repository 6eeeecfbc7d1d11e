"""How far predicted forces are from a reference, for any groups of beads.

Squares are pooled over all beads of a group before the root is taken: a mean of roots would be lower. Of vectors and of
components there are two different RMSEs, and both are given by name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

COMPONENTS = 3


class Measures(NamedTuple):
    """One number for each group, NaN where a group has no beads.

    Args:
        beads: how many, each counted in every frame.
        vector_rmse: ``sqrt(mean |dF|^2)``.
        component_rmse: ``sqrt(mean |dF|^2 / 3)``.
        mae: mean of ``|dF_x|`` over components.
        cosine: mean cosine between prediction and reference, where neither is zero.
        magnitude_ratio: ``sum |F_predicted| / sum |F|``.
        null_rmse: the vector RMSE of predicting zero, ``sqrt(mean |F|^2)``.
        relative: vector_rmse / null_rmse; 1 is no better than zero forces.
        skill: ``1 - relative^2``, the share of the mean square that is explained.
    """

    beads: Indices
    vector_rmse: Array
    component_rmse: Array
    mae: Array
    cosine: Array
    magnitude_ratio: Array
    null_rmse: Array
    relative: Array
    skill: Array


def measure(predicted: Array, reference: Array, groups: Indices, size: int) -> Measures:
    """The measures of each of `size` groups.

    Args:
        predicted, reference: ``[beads, 3]``.
        groups: the group of each bead; a bead with -1 is in none.

    >>> found = measure(np.array([[3.0, 4.0, 0.0]]), np.array([[0.0, 4.0, 0.0]]), np.array([0]), 1)
    >>> found.vector_rmse, found.mae, found.cosine
    (array([3.]), array([1.]), array([0.8]))
    """
    real = groups >= 0
    predicted, reference, groups = predicted[real], reference[real], groups[real]
    error = predicted - reference
    lengths = [np.sqrt(np.square(forces).sum(axis=1)) for forces in (predicted, reference)]
    product = lengths[0] * lengths[1]
    angled = product > 0
    cosines = (predicted[angled] * reference[angled]).sum(axis=1) / product[angled]

    def total(values: Array, of: Indices = groups) -> Array:
        return np.bincount(of, weights=values, minlength=size).astype(np.float64)

    count = np.bincount(groups, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_square = total(np.square(error).sum(axis=1)) / count
        null_square = total(np.square(reference).sum(axis=1)) / count
        return Measures(
            beads=count,
            vector_rmse=np.sqrt(mean_square),
            component_rmse=np.sqrt(mean_square / COMPONENTS),
            mae=total(np.abs(error).sum(axis=1)) / count / COMPONENTS,
            cosine=total(cosines, groups[angled]) / np.bincount(groups[angled], minlength=size),
            magnitude_ratio=total(lengths[0]) / total(lengths[1]),
            null_rmse=np.sqrt(null_square),
            relative=np.sqrt(mean_square / null_square),
            skill=1.0 - mean_square / null_square,
        )
