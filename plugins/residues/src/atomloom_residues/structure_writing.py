"""The error of each residue written onto a structure, in place of B factors, for PyMOL, ChimeraX and Mol*."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from atomloom.errors import ConfigError, DataError
from atomloom.runs import atomic_path
from atomloom.units import convert
from atomloom_residues.forces import Array, Forces, Indices
from atomloom_residues.residue_errors import Judgement

UNIT: Final = "kcal/mol/angstrom"
"""Of what is written, so that two decimals suffice."""

LARGEST: Final = 999.99
"""The largest number that the column of a PDB file holds; mmCIF is kept to it too, so that both say the same."""


def write_on_structure(judgement: Judgement, structure: str | Path, target: str | Path, protein: str = "") -> int:
    """Write the vector RMSE of each residue into the B factors of a structure; returns how many residues got one.

    Residues are matched in order where the structure has as many as the chain, else by their numbers. Others, and all
    that is not finite, get 0, for a PDB file would hold the text "nan".

    Args:
        structure: mmCIF or PDB, read through gemmi.
        target: ends in ``.cif`` or ``.pdb``.
        protein: name of the chain in the data, if there are several.
    """
    import gemmi

    path = Path(target)
    if path.suffix not in (".cif", ".pdb"):
        raise ConfigError(f"write '{target}'", f"its suffix is {path.suffix!r}", "Call it .cif or .pdb")
    try:
        read = gemmi.read_structure(str(structure))
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"read the structure '{structure}'", str(error), "Give an mmCIF or PDB file") from error
    read.setup_entities()
    mine = _residues(judgement.forces, protein)
    values = _values(judgement, mine)
    matched = 0
    for model in read:
        residues = [residue for chain in model for residue in chain.get_polymer()]
        places = _matched([residue.seqid.num or 0 for residue in residues], judgement.forces.residues.number[mine])
        for chain in model:
            for residue in chain:
                for atom in residue:
                    atom.b_iso = 0.0
        for residue, place in zip(residues, places, strict=True):
            for atom in residue if place >= 0 else ():
                atom.b_iso = float(values[place])
        matched = int((places >= 0).sum())
    if not matched:
        raise DataError(f"match '{structure}' with the data", "no residue has the same number", "Number both alike")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        read.make_mmcif_document().write_file(str(temporary)) if path.suffix == ".cif" else read.write_pdb(
            str(temporary)
        )
    return matched


def _residues(forces: Forces, protein: str) -> Indices:
    """The residues of the chain that is meant."""
    if not protein and len(forces.proteins) > 1:
        found = f"the data has {', '.join(forces.proteins[:5])}"
        raise ConfigError("write errors on a structure", found, "Say which of them it is with --protein")
    if protein and protein not in forces.proteins:
        found = f"the data has {', '.join(forces.proteins[:5])}"
        raise ConfigError(f"write the errors of {protein!r} on a structure", found, "Name one of these")
    number = forces.proteins.index(protein) if protein else 0
    return np.flatnonzero(forces.residues.protein == number)


def _values(judgement: Judgement, residues: Indices) -> Array:
    rows = judgement.of("residue")
    raw = np.array([rows[residue].measures["vector_rmse"] for residue in residues])
    values = np.nan_to_num(convert(raw, judgement.forces.unit, UNIT), nan=0.0, posinf=LARGEST)
    clipped: Array = np.clip(values, 0.0, LARGEST)
    return clipped


def _matched(numbers: list[int], of_data: Indices) -> Indices:
    """For each residue of a structure its place in the chain of the data, -1 for none."""
    if len(numbers) == len(of_data):
        return np.arange(len(numbers))
    places = {int(number): place for place, number in enumerate(of_data)}
    return np.array([places.get(number, -1) for number in numbers], dtype=np.int64)
