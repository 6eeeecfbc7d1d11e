"""Crystals as data sets and back: the atoms of a model and the reflections of a crystal in fields of the contract."""

from __future__ import annotations

from collections.abc import Mapping

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.reflections import Reflections
from atomloom_occupancy.structure import atoms_of

MODEL = (
    "Z",
    "R",
    "occupancy",
    "b_iso",
    "aniso_u",
    "altloc",
    "chain",
    "seqid",
    "resname",
    "atom_name",
    "cell",
    "space_group",
)
"""What a model is made of again."""

DATA = ("hkl", "F_obs", "free_flag", "cell", "space_group")
"""What amplitudes are made of again."""


def atom_fields(structure: gemmi.Structure) -> dict[str, Array]:
    """(atoms, ...) the atoms of the first model of a structure."""
    atoms = atoms_of(structure)
    u = [cra.atom.aniso for cra in atoms]
    return {
        "Z": np.array([cra.atom.element.atomic_number for cra in atoms]),
        "R": np.array([cra.atom.pos.tolist() for cra in atoms]),
        "occupancy": np.array([cra.atom.occ for cra in atoms]),
        "b_iso": np.array([cra.atom.b_iso for cra in atoms]),
        "aniso_u": np.array([(each.u11, each.u22, each.u33, each.u12, each.u13, each.u23) for each in u]),
        "altloc": np.array([cra.atom.altloc.strip("\0") for cra in atoms]),
        "chain": np.array([cra.chain.name for cra in atoms]),
        "seqid": np.array([str(cra.residue.seqid) for cra in atoms]),
        "resname": np.array([cra.residue.name for cra in atoms]),
        "atom_name": np.array([cra.atom.name for cra in atoms]),
        "element": np.array([cra.atom.element.name for cra in atoms]),
    }


def structure_of(fields: Mapping[str, Array]) -> gemmi.Structure:
    """The model of `MODEL`, of a batch of one frame; its atoms are in the order of the fields."""
    structure = gemmi.Structure()
    structure.cell, structure.spacegroup_hm = cell_of(fields), str(fields["space_group"][0])
    model = gemmi.Model(1)
    chain = residue = None
    for number in range(len(fields["Z"])):
        place = tuple(str(fields[name][number]) for name in ("chain", "seqid", "resname"))
        if chain is None or chain.name != place[0]:
            chain, residue = model.add_chain(gemmi.Chain(place[0])), None
        if residue is None or (str(residue.seqid), residue.name) != place[1:]:
            residue = chain.add_residue(_residue(*place[1:]))
        residue.add_atom(_atom(fields, number))
    structure.add_model(model)
    structure.setup_cell_images()
    return structure


def reflections_of(fields: Mapping[str, Array], notes: tuple[str, ...] = ()) -> Reflections:
    """The amplitudes of `DATA`, of a batch of one frame."""
    amplitude = np.asarray(fields["F_obs"], dtype=np.float64)
    sigma = np.asarray(fields.get("sigma_F", np.full(len(amplitude), np.nan)), dtype=np.float64)
    free = np.asarray(fields["free_flag"], dtype=bool)
    return Reflections(cell_of(fields), group_of(fields), np.asarray(fields["hkl"]), amplitude, sigma, free, notes)


def cell_vectors(cell: gemmi.UnitCell) -> Array:
    """(3, 3) the vectors of a cell as rows, the first along x."""
    return np.array(cell.orth.mat.tolist()).T


def cell_of(fields: Mapping[str, Array]) -> gemmi.UnitCell:
    """The cell of the first frame."""
    vectors = np.asarray(fields["cell"][0], dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = [vectors[i] @ vectors[j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = np.degrees(np.arccos(cosines)).round(9)
    return gemmi.UnitCell(*lengths.round(9).tolist(), *angles.tolist())


def group_of(fields: Mapping[str, Array]) -> gemmi.SpaceGroup:
    """The space group of the first frame."""
    return gemmi.SpaceGroup(str(fields["space_group"][0]))


def _residue(seqid: str, name: str) -> gemmi.Residue:
    residue = gemmi.Residue()
    residue.name, residue.seqid = name, gemmi.SeqId(seqid)
    return residue


def _atom(fields: Mapping[str, Array], number: int) -> gemmi.Atom:
    atom = gemmi.Atom()
    atom.name, atom.element = str(fields["atom_name"][number]), gemmi.Element(int(fields["Z"][number]))
    atom.pos = gemmi.Position(*map(float, fields["R"][number]))
    atom.occ, atom.b_iso = float(fields["occupancy"][number]), float(fields["b_iso"][number])
    atom.aniso = gemmi.SMat33f(*map(float, fields["aniso_u"][number]))
    atom.altloc = str(fields["altloc"][number]) or "\0"
    return atom
