"""Maps around the model as CCP4 files, for viewers that make none of coefficients."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np

from atomloom.runs.atomic import atomic_path
from atomloom_occupancy.maps import coefficients
from atomloom_occupancy.refining import Refined
from atomloom_occupancy.transform import Complex

MARGIN = 4.0
"""Angstrom of map around the model."""

NAMES = ("2mfo-dfc.ccp4", "mfo-dfc.ccp4")
"""Of the files: the map of the whole, and that of differences."""

_RATE = 3.0


def write_maps(refined: Refined, structure: gemmi.Structure, folder: Path) -> tuple[Path, ...]:
    """Both maps in units of their rms, in a box around the model."""
    box = structure.calculate_fractional_box(margin=MARGIN)
    paths = []
    for name, values in zip(NAMES, coefficients(refined), strict=True):
        found = gemmi.Ccp4Map()
        found.grid = _grid(refined, values)
        found.update_ccp4_header(2)
        found.set_extent(box)
        paths.append(folder / name)
        with atomic_path(paths[-1]) as temporary:
            found.write_ccp4_map(str(temporary))
    return tuple(paths)


def _grid(refined: Refined, values: Complex) -> gemmi.FloatGrid:
    data = refined.crystal.data
    hkl = np.ascontiguousarray(data.hkl, dtype=np.int32)
    asu = gemmi.ComplexAsuData(data.cell, data.group, hkl, values.astype(np.complex64))
    grid = asu.transform_f_phi_to_map(sample_rate=_RATE)
    grid.normalize()
    return grid
