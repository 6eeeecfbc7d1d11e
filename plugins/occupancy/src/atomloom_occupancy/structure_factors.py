"""Structure factors from gemmi's density on a grid, of a whole model or of groups of its atoms.

F(h) is linear in occupancies: F(h) = F_fixed(h) + sum over groups of q_g F_g(h), where F_g has unit occupancies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.transform import Complex, Transform

RATE = 1.5
"""Grid points per shortest half wavelength; gemmi's density is then within 1e-4 of its direct sum."""


class Calculator:
    """Structure factors of atoms of one structure at fixed reflections.

    Args:
        structure: whose atoms, cell and space group these are.
        hkl: (reflections, 3)
    """

    def __init__(self, structure: gemmi.Structure, hkl: Array) -> None:
        hkl = np.ascontiguousarray(hkl, dtype=np.int32)
        self._atoms = [cra.atom for cra in structure[0].all()]
        self._density = gemmi.DensityCalculatorX()
        spacing = structure.cell.calculate_d_array(hkl)
        self._density.d_min = float(spacing.min()) * (1 - 1e-6)
        self._density.rate = RATE
        self._density.grid.setup_from(structure)
        self._density.set_refmac_compatible_blur(structure[0])
        self._density.initialize_grid()
        grid = self._density.grid
        moved, turn = images(grid.spacegroup, hkl)
        point = structure.cell.volume / grid.point_count
        self._turn = turn * (point * np.exp(self._density.blur / (4 * spacing**2)))
        self._transform = Transform((grid.nu, grid.nv, grid.nw), moved)

    def of_atoms(self, members: Iterable[int], occupancy: Sequence[float] | Array) -> Complex:
        """(reflections,) F of these atoms with these occupancies, which replace those in the file."""
        return np.asarray(self.of_images(members, occupancy).sum(axis=0))

    def of_images(self, members: Iterable[int], occupancy: Sequence[float] | Array) -> Complex:
        """(operations, reflections) what every symmetry operation adds to that."""
        density = self._density
        density.grid.fill(0.0)
        for atom, weight in zip(members, occupancy, strict=True):
            if weight:
                site = self._atoms[atom].clone()
                site.occ = float(weight)
                density.add_atom_density_to_grid(site)
        return np.asarray(self._transform(density.grid.array) * self._turn)


def images(group: gemmi.SpaceGroup, hkl: Array) -> tuple[Array, Complex]:
    """The Miller indices h R of each operation, and exp(2 pi i h t): F(h) is the sum of F_asu(h R) exp(2 pi i h t)."""
    operations = list(group.operations())
    rotations = np.array([operation.rot for operation in operations]) // gemmi.Op.DEN
    shifts = np.array([operation.tran for operation in operations]) / gemmi.Op.DEN
    return hkl @ rotations, np.exp(2j * np.pi * (shifts @ hkl.T))


def direct_sum(structure: gemmi.Structure, hkl: Array) -> Complex:
    """(reflections,) F of the whole model summed atom by atom, the slow reference."""
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    model = structure[0]
    return np.array([calculator.calculate_sf_from_model(model, list(map(int, each))) for each in hkl])
