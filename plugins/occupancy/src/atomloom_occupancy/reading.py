"""Readers of crystals for atomloom: models as atoms, data as reflections, each one frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from atomloom.data import Dataset
from atomloom_occupancy.crystal_fields import atom_fields, cell_vectors
from atomloom_occupancy.reflection_files import load_observations
from atomloom_occupancy.structure import load_structure


def read_model(source: str | Path, /) -> Dataset:
    """The atoms of the first model in a PDB or mmCIF file, with what a refinement changes of them."""
    structure = load_structure(source)
    arrays: dict[str, npt.ArrayLike] = {name: values[None] for name, values in atom_fields(structure).items()}
    if structure.cell.is_crystal():
        arrays["cell"] = cell_vectors(structure.cell)[None]
        arrays["pbc"] = np.ones((1, 3), dtype=bool)
    group = structure.find_spacegroup()
    if group is not None:
        arrays["space_group"] = [group.xhm()]
    lengths = {"atom": [structure[0].count_atom_sites()]}
    return Dataset.from_arrays(arrays, lengths=lengths, meta={"source": Path(source).name})


def read_data(source: str | Path, /, *, labels: str = "") -> Dataset:
    """The unique reflections in an MTZ or SF-mmCIF file: amplitudes or intensities as it has them, and free flags.

    Args:
        labels: ``"F,SIGF"``, the columns to take; else the first observations.
    """
    found = load_observations(source, labels=labels)
    names = ("I_obs", "sigma_I") if found.intensities else ("F_obs", "sigma_F")
    arrays: dict[str, npt.ArrayLike] = {"hkl": found.hkl[None]}
    arrays |= {name: values[None] for name, values in zip(names, (found.value, found.sigma), strict=True)}
    if found.free is not None:
        arrays["free_flag"] = found.free[None]
    operations, hkl = found.group.operations(), np.ascontiguousarray(found.hkl, dtype=np.int32)
    arrays["centric"] = np.asarray(operations.centric_flag_array(hkl))[None]
    arrays["epsilon"] = np.asarray(operations.epsilon_factor_without_centering_array(hkl), dtype=np.float64)[None]
    arrays |= {"cell": cell_vectors(found.cell)[None], "space_group": [found.group.xhm()]}
    meta = {"source": Path(source).name, "notes": list(found.notes)}
    return Dataset.from_arrays(arrays, lengths={"reflection": [len(found.hkl)]}, meta=meta)
