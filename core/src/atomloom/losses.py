"""Core's losses: mean squared errors, in the squares of the canonical units.

Each returns the sum over each frame and the number of values in it, both as ``[frames]``, so that engines can add up
micro-batches and padded slots and still divide by the true count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomloom.model import Ops

Values = Mapping[str, Any]
SumAndCount = tuple[Any, Any]


def energy(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """(E - E_ref)^2 for each frame, in eV^2."""
    return weight * (predicted["E"] - target["E"]) ** 2, weight


def energy_per_atom(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """((E - E_ref) / N)^2 for each frame, in (eV/atom)^2."""
    atoms = ops.segment_sum(_real(target, predicted["E"]), target["batch_segments"], len(target["frame_mask"]))
    return weight * ((predicted["E"] - target["E"]) / ops.xp.maximum(atoms, 1.0)) ** 2, weight


def forces(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The squared difference of every force component, in (eV/angstrom)^2."""
    return _over_atoms("F", predicted, target, weight, ops)


def charges(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The squared difference of every atomic charge, in e^2."""
    return _over_atoms("mono", predicted, target, weight, ops)


def dipole(predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    """The squared difference of every dipole component, in (e angstrom)^2."""
    squared = (predicted["D"] - target["D"]) ** 2
    return weight * squared.sum(axis=-1), weight * squared.shape[-1]


def _over_atoms(name: str, predicted: Values, target: Values, weight: Any, ops: Ops) -> SumAndCount:
    squared = (predicted[name] - target[name]) ** 2
    real = _real(target, squared)
    components = squared.reshape(squared.shape[0], -1)
    segments, frames = target["batch_segments"], len(target["frame_mask"])
    total = ops.segment_sum(components.sum(axis=-1) * real, segments, frames)
    count = ops.segment_sum(real * components.shape[-1], segments, frames)
    return weight * total, weight * count


def _real(target: Values, like: Any) -> Any:
    """1 for real atoms and 0 for padding, in the precision of the predictions."""
    return target["atom_mask"].astype(like.dtype)
