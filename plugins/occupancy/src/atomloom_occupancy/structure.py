"""Opens models: PDB and mmCIF files, gzipped or not, with the checks that everything after them relies on."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.errors import DataError


def load_structure(path: str | Path) -> gemmi.Structure:
    """The structure in a file, with the images that its space group makes; its first model is what counts."""
    path = Path(path)
    asked = f"read '{path}' as a model"
    if not path.is_file():
        raise DataError(asked, "there is no such file", "Correct the path")
    try:
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(asked, str(error), "Give a PDB or mmCIF file") from error
    if not len(structure) or not structure[0].count_atom_sites():
        raise DataError(asked, "it holds no atoms", "Give a PDB or mmCIF file with coordinates")
    structure.setup_cell_images()
    _check_duplicates(structure, asked)
    return structure


def check_crystal(structure: gemmi.Structure, asked: str) -> gemmi.SpaceGroup:
    """The space group, after a check that there is one and a cell."""
    group: gemmi.SpaceGroup | None = structure.find_spacegroup()  # its stub does not say None
    if group is None or not structure.cell.is_crystal():
        lacks = "space group" if structure.cell.is_crystal() else "unit cell"
        raise DataError(asked, f"the model has no {lacks}", "Add its CRYST1 record or _cell and _symmetry items")
    return group


def atoms_of(structure: gemmi.Structure) -> list[gemmi.CRA]:
    """The atoms of the first model with their residues and chains, in the order of the file."""
    return list(structure[0].all())


def atom_name(cra: gemmi.CRA) -> str:
    """A name for people, such as ``A 145 GLN CA altloc B``."""
    alt = f" altloc {cra.atom.altloc}" if cra.atom.has_altloc() else ""
    return f"{cra.chain.name} {cra.residue.seqid} {cra.residue.name} {cra.atom.name}{alt}"


def occupancies_of(structure: gemmi.Structure) -> Array:
    """(atoms,) as the file has them."""
    return np.array([cra.atom.occ for cra in structure[0].all()], dtype=np.float32).astype(np.float64).round(4)


def multiplicities_of(structure: gemmi.Structure) -> Array:
    """(atoms,) how many symmetry operations leave each atom where it is; 1 for atoms in general positions."""
    cell = structure.cell
    return np.array([1 + cell.is_special_position(cra.atom.pos, _SPECIAL) for cra in structure[0].all()])


_SPECIAL = 0.5  # angstrom from an image of itself: nearer than any two atoms can be


def _check_duplicates(structure: gemmi.Structure, asked: str) -> None:
    seen: set[tuple[str, ...]] = set()
    for cra in structure[0].all():
        key = (cra.chain.name, str(cra.residue.seqid), cra.residue.name, cra.atom.name, cra.atom.altloc)
        if key in seen:
            found = f"the atom {atom_name(cra)} is there twice"
            raise DataError(asked, found, "Remove one, or give the two different altlocs")
        seen.add(key)
