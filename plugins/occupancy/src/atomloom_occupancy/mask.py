"""The bulk solvent: structure factors of a flat mask around the model."""

from __future__ import annotations

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.transform import Complex

SPACING = 0.6
"""Angstrom between points of the mask, at most; finer where the data reach further."""

_PER_D_MIN = 4.0


def mask_factors(structure: gemmi.Structure, hkl: Array, *, occupancy_aware: bool = False) -> Complex:
    """(reflections,) F of the solvent mask with cctbx's radii, in the scale of one electron per cubic angstrom.

    Args:
        structure: the model.
        hkl: (reflections, 3)
        occupancy_aware: whether an atom pushes the solvent away only as far as it is occupied; by default altlocs
            count as fully there.
    """
    masker = gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx)
    masker.use_atom_occupancy = occupancy_aware
    grid = gemmi.FloatGrid()
    grid.setup_from(structure, spacing=min(SPACING, float(structure.cell.calculate_d_array(hkl).min()) / _PER_D_MIN))
    masker.put_mask_on_float_grid(grid, structure[0])
    factors = gemmi.transform_map_to_f_phi(grid, half_l=True)
    return np.asarray(factors.get_value_by_hkl(np.ascontiguousarray(hkl, dtype=np.int32)), dtype=np.complex128)
