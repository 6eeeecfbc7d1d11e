"""Makes surfaces.npz: electrostatic potentials of small molecules and ions around their van der Waals surfaces.

Run it with ``python plugins/dcmnet/data/make.py FOLDER`` where pyscf, tblite, rdkit and ase are installed; it takes an
hour or two. Every frame is kept in the folder, from which a run that was interrupted goes on.

Geometries are relaxed with GFN2-xTB, and then shaken for a second frame of some; the density is that of PBE0/def2-SVP,
the potential is computed from it and the nuclei at points on the surfaces of `SHELLS` times the van der Waals radii,
and the atomic charges and dipoles are those of MBIS (see `mbis.py`) on the grid of the functional.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.optimize import BFGS
from ase.units import Bohr
from chosen import G2, G2_IONS, SMILES, SMILES_IONS
from mbis import parts
from numpy.typing import NDArray
from pyscf import df, dft, gto
from rdkit import Chem
from rdkit.Chem import AllChem
from tblite.ase import TBLite

from atomloom_dcmnet.surfaces import surface

FUNCTIONAL, BASIS = "PBE0", "def2-svp"

GRID = 1  # of the functional, as pyscf counts them
SHAKEN = 0.04  # angstrom, along each axis
SHELLS = (1.4, 1.6, 1.8, 2.0)
DENSITY = 1.0  # points on each square angstrom at a scale of one; further out fewer, so that shells have alike

TARGET = Path(__file__).parents[1] / "src" / "atomloom_dcmnet" / "data" / "surfaces"

FRAME, ATOM, POINT = ("D", "quadrupole", "total_charge"), ("Z", "R", "mono", "atom_dipoles"), ("vdw_surface", "esp")
"""Names of the arrays, by what they have a row for."""

Array = NDArray[Any]


class Start(NamedTuple):
    """A molecule before it is relaxed, and how many geometries of it are computed: the minimum, and others shaken."""

    name: str
    atoms: Atoms
    charge: int
    geometries: int


def starts() -> list[Start]:
    """All molecules, in the order in which `molecule` counts them."""
    made = [Start(name, ion(*rest), charge, 2) for name, (*rest, charge) in G2_IONS.items()]
    made += [Start(name, molecule(name), 0, 2) for name in G2]
    made += [Start(text, *embedded(text), 1) for text in (*SMILES_IONS, *SMILES)]
    return made


def ion(start: str, exchanged: dict[int, str], without: int | None) -> Atoms:
    """A molecule with some elements exchanged, and with one atom less."""
    atoms = molecule(start)
    symbols = atoms.get_chemical_symbols()
    for place, symbol in exchanged.items():
        symbols[place] = symbol
    atoms.set_chemical_symbols(symbols)
    if without is not None:
        del atoms[without]
    return atoms


def embedded(smiles: str) -> tuple[Atoms, int]:
    """A molecule in space, and its charge."""
    plain = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(plain, randomSeed=1)
    symbols = [atom.GetSymbol() for atom in plain.GetAtoms()]
    return Atoms(symbols, plain.GetConformer().GetPositions()), Chem.GetFormalCharge(plain)


def relaxed(atoms: Atoms, charge: int) -> Atoms:
    """At the minimum of GFN2-xTB."""
    atoms.rattle(0.02, seed=0)
    atoms.calc = TBLite(method="GFN2-xTB", charge=charge, verbosity=0)
    BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=0.02, steps=200)
    return atoms


def labelled(numbers: Array, positions: Array, charge: int) -> dict[str, Any] | None:
    """A frame in the units of `TARGET`'s provenance; None if the density does not converge."""
    atoms = [(int(number), place) for number, place in zip(numbers, positions, strict=True)]
    mol = gto.M(atom=atoms, basis=BASIS, charge=charge, verbose=0)
    field = dft.RKS(mol, xc=FUNCTIONAL).density_fit()
    field.grids.level = GRID
    field.kernel()
    if not field.converged:
        return None
    density = field.make_rdm1()
    points = np.concatenate([surface(numbers, positions, scale, DENSITY / scale**2) for scale in SHELLS])
    atomic = parts(mol, field.grids, density)
    return {
        "Z": numbers,
        "R": positions,
        "vdw_surface": points,
        "esp": potential(mol, density, points / Bohr),
        "D": field.dip_moment(mol, density, unit="AU", verbose=0) * Bohr,
        "quadrupole": quadrupole(mol, density) * Bohr**2,
        "mono": atomic.charges,
        "atom_dipoles": atomic.dipoles * Bohr,
        "total_charge": float(charge),
    }


def potential(mol: Any, density: Array, points: Array) -> Array:
    """Of nuclei and electrons in hartree/e, at points in bohr ``[points, 3]``."""
    apart = np.linalg.norm(points[:, None] - mol.atom_coords(), axis=2)
    electrons = df.incore.aux_e2(mol, gto.fakemol_for_charges(points))
    return (mol.atom_charges() / apart).sum(axis=1) - np.einsum("ijp,ij->p", electrons, density)


def quadrupole(mol: Any, density: Array) -> Array:
    """The sum of q (3 r r - r^2) / 2 from the origin of the coordinates, in e bohr^2 ``[3, 3]``."""
    with mol.with_common_origin((0.0, 0.0, 0.0)):
        second = mol.intor("int1e_rr").reshape(3, 3, mol.nao, mol.nao)
    places = mol.atom_coords()
    second = np.einsum("a,ax,ay->xy", mol.atom_charges(), places, places) - np.einsum("xyij,ij->xy", second, density)
    return (3 * second - np.trace(second) * np.eye(3)) / 2


def compute(start: Start, number: int, folder: Path) -> None:
    """Write the frames of one molecule that are not there yet."""
    missing = [kept(folder, number, n) for n in range(start.geometries) if not kept(folder, number, n).is_file()]
    if not missing:
        return
    atoms = relaxed(start.atoms, start.charge)
    random = np.random.default_rng(number)
    for geometry in range(start.geometries):
        shake = random.normal(scale=SHAKEN, size=(len(atoms), 3)) if geometry else 0.0
        positions = (atoms.positions + shake).astype(np.float32).astype(np.float64)
        frame = labelled(atoms.numbers, positions, start.charge)
        print(start.name, geometry, "does not converge" if frame is None else "", flush=True)
        if frame is not None:
            np.savez(kept(folder, number, geometry), **frame)


def kept(folder: Path, number: int, geometry: int) -> Path:
    """Where a frame is kept."""
    return folder / f"{number:03}-{geometry}.npz"


def write(made: list[Start], folder: Path) -> None:
    """Write surfaces.npz and its provenance from what is in the folder."""
    paths = sorted(folder.glob("???-?.npz"))
    frames = [dict(np.load(path)) for path in paths]
    packed = {name: np.concatenate([frame[name] for frame in frames]) for name in (*ATOM, *POINT)}
    packed |= {name: np.stack([frame[name] for frame in frames]) for name in FRAME}
    small = {"Z": np.uint8, "total_charge": np.int8}
    arrays = {name: values.astype(small.get(name, np.float32)) for name, values in packed.items()}
    arrays["N"] = np.array([len(frame["Z"]) for frame in frames], np.int16)
    arrays["n_grid"] = np.array([len(frame["esp"]) for frame in frames], np.int16)
    numbers = [int(path.name[:3]) for path in paths]
    there = sorted(set(numbers))
    arrays["molecule"] = np.array([there.index(number) for number in numbers], np.int16)
    np.savez_compressed(TARGET.with_suffix(".npz"), **arrays)
    provenance = {
        "level_of_theory": f"{FUNCTIONAL}/{BASIS}, density fitting, closed shells",
        "program": f"pyscf {version('pyscf')}",
        "geometries": f"G2 set in ase {version('ase')}, and SMILES embedded by rdkit {version('rdkit')}, relaxed with "
        f"GFN2-xTB (tblite {version('tblite')}); of the former a second geometry, shaken by {SHAKEN} angstrom",
        "charges": "charges and dipoles of atoms: MBIS on the integration grid of the functional",
        "surfaces": f"{', '.join(map(str, SHELLS))} times the van der Waals radii of Bondi",
        "made_by": "plugins/dcmnet/data/make.py",
        "units": {
            "R": "angstrom",
            "vdw_surface": "angstrom",
            "esp": "hartree/e",
            "D": "e*angstrom",
            "quadrupole": "e*angstrom^2, traceless, (3 r r - r^2) / 2, from the origin of the coordinates",
            "mono": "e",
            "atom_dipoles": "e*angstrom, from the nuclei",
        },
        "molecules": [made[number].name for number in there],
        "frames": len(frames),
    }
    TARGET.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Make all frames, and pack them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = starts()
    for number, start in enumerate(made):
        compute(start, number, folder)
    write(made, folder)


if __name__ == "__main__":
    main()
