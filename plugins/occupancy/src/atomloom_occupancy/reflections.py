"""The data of a crystal: amplitudes with their uncertainties and free flags, one row for each unique reflection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import gemmi
import numpy as np

from atomloom.data.columns import Array, Indices
from atomloom.errors import DataError


@dataclass(frozen=True)
class Reflections:
    """Observed amplitudes.

    Args:
        cell: of the data.
        group: the space group of the data.
        hkl: (reflections, 3), each in the asymmetric unit.
        amplitude: (reflections,)
        sigma: (reflections,) its standard uncertainty; NaN where the file has none.
        free: (reflections,) True for those kept out of refinement.
        notes: what was decided on the way, in sentences.
    """

    cell: gemmi.UnitCell
    group: gemmi.SpaceGroup
    hkl: Array
    amplitude: Array
    sigma: Array
    free: Array
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hkl)

    @cached_property
    def d(self) -> Array:
        """(reflections,) resolution in angstrom."""
        return np.asarray(self.cell.calculate_d_array(np.ascontiguousarray(self.hkl, dtype=np.int32)))

    @property
    def work(self) -> Array:
        """(reflections,) True for those that are refined against."""
        return ~self.free

    @cached_property
    def centric(self) -> Array:
        """(reflections,) True where symmetry fixes the phase to one of two values."""
        return np.asarray(self.group.operations().centric_flag_array(np.ascontiguousarray(self.hkl, dtype=np.int32)))

    @cached_property
    def epsilon(self) -> Array:
        """(reflections,) how many times symmetry makes the mean intensity larger, centring aside."""
        operations = self.group.operations()
        return np.asarray(operations.epsilon_factor_without_centering_array(_int32(self.hkl)), dtype=np.float64)

    def take(self, picked: Indices | Array) -> Reflections:
        """Some of these reflections, by mask or number."""
        arrays = {name: getattr(self, name)[picked] for name in ("hkl", "amplitude", "sigma", "free")}
        return replace(self, **arrays)

    def with_note(self, *notes: str) -> Reflections:
        """The same with further sentences."""
        return replace(self, notes=(*self.notes, *notes))


def check_same_crystal(structure: gemmi.Structure, data: Reflections, asked: str) -> None:
    """Stop where the cell or the space group of model and data differ by more than two depositions do."""
    ours, theirs = (np.array(cell.parameters) for cell in (structure.cell, data.cell))
    if np.any(np.abs(ours - theirs) > _CELL_DIFFERS * np.abs(theirs)):
        cells = " and ".join(" ".join(f"{value:g}" for value in each) for each in (ours, theirs))
        raise DataError(asked, f"the cells of model and data differ: {cells}", "Give model and data of one crystal")
    group: gemmi.SpaceGroup | None = structure.find_spacegroup()  # its stub does not say None
    if group is None or group.operations() != data.group.operations():
        found = f"the model has the space group {structure.spacegroup_hm or 'none'} and the data {data.group.xhm()}"
        raise DataError(asked, found, "Give model and data of one crystal in one setting")


_CELL_DIFFERS = 0.005


def _int32(hkl: Array) -> Array:
    return np.ascontiguousarray(hkl, dtype=np.int32)
