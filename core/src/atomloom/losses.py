"""Core's losses: mean squared errors, in the squares of the canonical units.

Each returns the sum over each frame and the number of values in it, both as ``[frames]``, so that engines can add up
micro-batches and padded slots and still divide by the true count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from atomloom.model import Ops

Values = Mapping[str, Any]
SumAndCount = tuple[Any, Any]


def energy(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """(E - E_ref)^2 for each frame, in eV^2."""
    return weight * _squared("E", predicted, target, target["frame_mask"], ops), weight


def energy_per_atom(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """((E - E_ref) / N)^2 for each frame, in (eV/atom)^2."""
    real = target["atom_mask"].astype(predicted["E"].dtype)
    atoms = ops.segment_sum(real, target["batch_segments"], len(target["frame_mask"]))
    squared = _squared("E", predicted, target, target["frame_mask"], ops)
    return weight * squared / ops.xp.maximum(atoms, 1.0) ** 2, weight


def forces(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The squared difference of every force component, in (eV/angstrom)^2."""
    return _over_atoms("F", predicted, target, weight, ops)


def charges(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The squared difference of every atomic charge, in e^2."""
    return _over_atoms("mono", predicted, target, weight, ops)


def dipole(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The squared difference of every dipole component, in (e angstrom)^2."""
    squared = _squared("D", predicted, target, target["frame_mask"], ops)
    return weight * squared.sum(axis=-1), weight * squared.shape[-1]


def _over_atoms(name: str, predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    squared = _squared(name, predicted, target, target["atom_mask"], ops)
    components = math.prod(squared.shape[1:])
    per_atom = squared.reshape(squared.shape[0], components).sum(axis=-1)
    real = target["atom_mask"].astype(squared.dtype)
    segments, frames = target["batch_segments"], len(target["frame_mask"])
    total = ops.segment_sum(per_atom, segments, frames)
    return weight * total, weight * ops.segment_sum(real * components, segments, frames)


def _squared(name: str, predicted: Values, target: Values, mask: Any, ops: Ops) -> Any:
    """Squared differences, and zero for padding whatever a model gives there, be it NaN."""
    difference = predicted[name] - target[name]
    shaped = mask.reshape(mask.shape + (1,) * (difference.ndim - 1))
    return ops.xp.where(shaped, difference, 0.0) ** 2
