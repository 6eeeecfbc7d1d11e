"""Readers of crystals for atomloom: models as atoms, data as reflections, each one frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from atomloom.data import Dataset
from atomloom_occupancy.free_flags import SEED
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.structure import atoms_of, load_structure


def read_model(source: str | Path, /) -> Dataset:
    """The atoms of the first model in a PDB or mmCIF file, with what a refinement changes of them."""
    structure = load_structure(source)
    atoms = atoms_of(structure)
    u = [cra.atom.aniso for cra in atoms]
    arrays: dict[str, npt.ArrayLike] = {
        "Z": [cra.atom.element.atomic_number for cra in atoms],
        "R": [cra.atom.pos.tolist() for cra in atoms],
        "occupancy": [cra.atom.occ for cra in atoms],
        "b_iso": [cra.atom.b_iso for cra in atoms],
        "aniso_u": [(each.u11, each.u22, each.u33, each.u12, each.u13, each.u23) for each in u],
        "altloc": [cra.atom.altloc.strip("\0") for cra in atoms],
        "chain": [cra.chain.name for cra in atoms],
        "seqid": [str(cra.residue.seqid) for cra in atoms],
        "resname": [cra.residue.name for cra in atoms],
        "element": [cra.atom.element.name for cra in atoms],
    }
    framed: dict[str, npt.ArrayLike] = {name: np.asarray(values)[None] for name, values in arrays.items()}
    if structure.cell.is_crystal():
        framed["cell"] = _vectors(structure.cell.parameters)[None]
        framed["pbc"] = np.ones((1, 3), dtype=bool)
    meta = {"source": Path(source).name, "space_group": structure.spacegroup_hm}
    return Dataset.from_arrays(framed, lengths={"atom": [len(atoms)]}, meta=meta)


def read_data(source: str | Path, /, *, labels: str = "", seed: int = SEED) -> Dataset:
    """The unique reflections in an MTZ or SF-mmCIF file as amplitudes with free flags.

    Args:
        labels: ``"F,SIGF"``, the columns to take; else the first observations.
        seed: of free flags where the file has none.
    """
    data = load_reflections(source, labels=labels, seed=seed)
    arrays = {
        "hkl": data.hkl[None],
        "F_obs": data.amplitude[None],
        "sigma_F": data.sigma[None],
        "free_flag": data.free[None],
        "cell": _vectors(data.cell.parameters)[None],
    }
    meta = {"source": Path(source).name, "space_group": data.group.xhm(), "notes": list(data.notes)}
    return Dataset.from_arrays(arrays, lengths={"reflection": [len(data)]}, meta=meta)


def _vectors(parameters: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """(3, 3) the cell vectors as rows, the first along x."""
    import gemmi

    return np.array(gemmi.UnitCell(*parameters).orth.mat.tolist()).T
