"""A loss that counts structures, beside core's ``forces`` that counts beads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomloom import losses
from atomloom.model import Ops

Values = Mapping[str, Any]


def forces_per_structure(predicted: Values, target: Values, weight: Any, ops: Ops) -> tuple[Any, Any]:
    """The mean of the squared differences of the force components of each frame, in (eV/angstrom)^2.

    Every structure counts alike, whatever its length; in ``forces`` every bead does, and a structure as its beads.
    """
    sums, counts = losses.forces(predicted, target, weight, ops)
    return weight * sums / ops.xp.maximum(counts, 1.0), weight
