"""In which precision a model is measured, and how much of a deviation is rounding.

A model is measured in float64 wherever its backend can: the floating arrays of its state are widened, which changes no
prediction, and what it then gives shows whether that was enough. Broken symmetries of 1e-6 do not hide in rounding
then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from atomloom.batching import PaddedBatch
from atomloom.data.columns import Array
from atomloom.errors import AtomloomError
from atomloom.pipeline.fitted import Fitted

RELATIVE = {"float64": 1e-9, "float32": 2e-5}
"""How far two ways to the same number may be apart, as a part of the largest number of that field."""

STEP = {"float64": 1e-3, "float32": 1e-2}
"""Steps of finite differences, in angstrom."""

GRADIENT = {"float64": 1e-6, "float32": 1e-2}
"""How far forces may be from finite differences, as a part of the largest force."""

_EPSILON = {"float64": float(np.finfo(np.float64).eps), "float32": float(np.finfo(np.float32).eps)}


def widened(fitted: Fitted, batch: PaddedBatch) -> tuple[Fitted, str]:
    """The model in float64 if it can be had, and the name of the precision in which it predicts `batch`."""
    leaves = {name: np.asarray(leaf) for name, leaf in fitted.model.leaves(fitted.state).items()}
    wide = {name: leaf.astype(np.float64) if leaf.dtype.kind == "f" else leaf for name, leaf in leaves.items()}
    try:
        candidate = replace(fitted, state=fitted.model.with_leaves(fitted.state, wide))
        found = precision_of(candidate.predict(batch))
    except (AtomloomError, TypeError, ValueError):  # a model may insist on the precision that it was made in
        return fitted, precision_of(fitted.predict(batch))
    return (candidate, found) if found == "float64" else (fitted, found)


def precision_of(predicted: Mapping[str, Array]) -> str:
    """``"float64"`` where all predicted numbers are, else ``"float32"``.

    >>> precision_of({"E": np.zeros(2), "F": np.zeros((4, 3), np.float32)})
    'float32'
    """
    types = {np.asarray(values).dtype for values in predicted.values()}
    return "float64" if all(each == np.float64 for each in types if each.kind == "f") else "float32"


def tolerance(values: Array, precision: str) -> float:
    """What two ways to `values` may differ by: `RELATIVE` of the largest of them, or of one unit if that is larger."""
    return RELATIVE[precision] * max(1.0, float(np.abs(values).max(initial=0.0)))


def gradient_tolerance(energies: Array, forces: Array, precision: str) -> float:
    """What forces may differ from finite differences by, in eV/angstrom.

    `GRADIENT` of the largest force, or of 1 eV/angstrom if that is larger, and what rounding of the energies comes to
    over a step: ``4 eps max(abs(E)) / step``.
    """
    largest = max(1.0, float(np.abs(forces).max(initial=0.0)))
    rounding = 4 * _EPSILON[precision] * float(np.abs(energies).max(initial=0.0)) / STEP[precision]
    return GRADIENT[precision] * largest + rounding
