"""Makes surfaces.npz: electrostatic potentials of small molecules and ions around their van der Waals surfaces.

Run it with ``python plugins/dcmnet/data/make.py`` where pyscf, tblite and ase are installed; it takes some minutes.
Geometries are relaxed with GFN2-xTB and then shaken; the density is that of PBE0/def2-SVP, the potential is computed
from it and the nuclei at points on the surfaces of `SHELLS` times the van der Waals radii, and the atomic charges are
those of MBIS (see `mbis.py`) on the grid of the functional.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.optimize import BFGS
from ase.units import Bohr
from mbis import mbis_charges
from numpy.typing import NDArray
from pyscf import df, dft, gto
from tblite.ase import TBLite

from atomloom_dcmnet.surfaces import surface

FUNCTIONAL, BASIS = "PBE0", "def2-svp"

NEUTRAL = (
    "H2O", "NH3", "CH4", "HF", "HCl", "SH2", "PH3", "SiH4", "H2CO", "CH3OH", "HCN", "CO2", "C2H2", "C2H4", "C2H6",
    "N2H4",
    "H2O2", "HCOOH", "H3CNH2", "CH3CHO", "CH3CN", "H2CCO", "CO", "N2", "N2O", "CH3Cl", "CH3SH", "HCF3", "H2CF2", "CCl4",
    "C3H4_C3v", "C3H4_D2d", "C3H6_D3h", "CH3CH2OH", "CH3OCH3", "CH3CONH2", "CH3COOH", "CH3COCH3", "C2H6CHOH",
    "CH3CH2NH2", "CH3CH2Cl", "CH3CH2SH", "H2CCHF", "H2CCHCl", "CH3NO2", "OCS", "CS2", "SO2", "C4H4O", "C4H4NH", "C4H4S",
    "C5H5N", "HCOOCH3", "H2CCHCN",
)  # fmt: skip
"""Names of the G2 set, as ase has it."""

IONS = {
    "NH4+": ("CH4", {0: "N"}, None, 1),
    "H3O+": ("NH3", {0: "O"}, None, 1),
    "OH-": ("HF", {0: "O"}, None, -1),
    "CN-": ("CO", {0: "N"}, None, -1),
    "HCOO-": ("HCOOH", {}, 3, -1),
    "CH3O-": ("CH3OH", {}, 3, -1),
    "CH3NH3+": ("C2H6", {0: "N"}, None, 1),
    "NO2-": ("SO2", {0: "N"}, None, -1),
}
"""For each ion the molecule it is made of, elements that are exchanged, the atom that is left out, and its charge."""

GEOMETRIES = 2  # of each molecule: the minimum, and this many less one around it
GRID = 1  # of the functional, as pyscf counts them
SHAKEN = 0.04  # angstrom, along each axis
SHELLS = (1.4, 1.6, 1.8, 2.0)
DENSITY = 1.0  # points on each square angstrom at a scale of one; further out fewer, so that shells have alike

WRITTEN = 10  # frames, after which they are written again

TARGET = Path(__file__).parents[1] / "src" / "atomloom_dcmnet" / "data" / "surfaces"

Array = NDArray[Any]


def relaxed(atoms: Atoms, charge: int) -> Atoms:
    """At the minimum of GFN2-xTB."""
    atoms.rattle(0.02, seed=0)
    atoms.calc = TBLite(method="GFN2-xTB", charge=charge, verbosity=0)
    BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=0.02, steps=200)
    return atoms


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


def labelled(numbers: Array, positions: Array, charge: int) -> dict[str, Any] | None:
    """A frame: the potential on the surfaces in hartree/e, dipole in e angstrom and charges in e."""
    atoms = [(int(number), place) for number, place in zip(numbers, positions, strict=True)]
    mol = gto.M(atom=atoms, basis=BASIS, charge=charge, verbose=0)
    field = dft.RKS(mol, xc=FUNCTIONAL).density_fit()
    field.grids.level = GRID
    field.kernel()
    if not field.converged:
        return None
    density = field.make_rdm1()
    points = np.concatenate([surface(numbers, positions, scale, DENSITY / scale**2) for scale in SHELLS])
    own = {"Z": numbers, "R": positions, "vdw_surface": points, "esp": potential(mol, density, points / Bohr)}
    dipole = field.dip_moment(mol, density, unit="AU", verbose=0) * Bohr
    return own | {"D": dipole, "mono": mbis_charges(mol, field.grids, density), "total_charge": float(charge)}


def potential(mol: Any, density: Array, points: Array) -> Array:
    """Of nuclei and electrons, at points in bohr ``[points, 3]``."""
    apart = np.linalg.norm(points[:, None] - mol.atom_coords(), axis=2)
    electrons = df.incore.aux_e2(mol, gto.fakemol_for_charges(points))
    return (mol.atom_charges() / apart).sum(axis=1) - np.einsum("ijp,ij->p", electrons, density)


def frames() -> Iterator[dict[str, Any]]:
    """All molecules in all geometries."""
    random = np.random.default_rng(0)
    starts = {name: (ion(*made), charge) for name, (*made, charge) in IONS.items()}
    starts |= {name: (molecule(name), 0) for name in NEUTRAL}
    for name, (start, charge) in starts.items():
        atoms = relaxed(start, charge)
        for number in range(GEOMETRIES):
            shake = random.normal(scale=SHAKEN, size=(len(atoms), 3)) if number else 0.0
            positions = (atoms.positions + shake).astype(np.float32).astype(np.float64)
            frame = labelled(atoms.numbers, positions, charge)
            if frame is None:
                print(f"{name} does not converge in geometry {number}", flush=True)
            else:
                yield {**frame, "name": name}


def write(made: list[dict[str, Any]]) -> None:
    """Write surfaces.npz and its provenance."""
    names = list(dict.fromkeys(frame["name"] for frame in made))
    ragged = ("Z", "R", "mono", "vdw_surface", "esp")
    packed = {name: np.concatenate([frame[name] for frame in made]) for name in ragged}
    arrays = {name: values.astype("uint8" if name == "Z" else "float32") for name, values in packed.items()}
    arrays["N"] = np.array([len(frame["Z"]) for frame in made], np.int16)
    arrays["n_grid"] = np.array([len(frame["esp"]) for frame in made], np.int16)
    arrays["D"] = np.stack([frame["D"] for frame in made]).astype(np.float32)
    arrays["total_charge"] = np.array([frame["total_charge"] for frame in made], np.int8)
    arrays["molecule"] = np.array([names.index(frame["name"]) for frame in made], np.int16)
    np.savez_compressed(TARGET.with_suffix(".npz"), **arrays)
    provenance = {
        "level_of_theory": f"{FUNCTIONAL}/{BASIS}, density fitting, closed shells",
        "program": f"pyscf {version('pyscf')}",
        "geometries": f"G2 set in ase {version('ase')}, relaxed with GFN2-xTB (tblite {version('tblite')}); of each "
        f"molecule {GEOMETRIES}, of which all but the first are shaken by {SHAKEN} angstrom",
        "charges": "MBIS on the integration grid of the functional",
        "surfaces": f"{', '.join(map(str, SHELLS))} times the van der Waals radii of Bondi",
        "made_by": "plugins/dcmnet/data/make.py",
        "units": {"R": "angstrom", "vdw_surface": "angstrom", "esp": "hartree/e", "D": "e*angstrom", "mono": "e"},
        "molecules": names,
        "frames": len(made),
    }
    TARGET.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Make all frames; what is finished is written now and then, for the impatient."""
    made = []
    for frame in frames():
        made.append(frame)
        print(frame["name"], len(made), flush=True)
        if len(made) % WRITTEN == 0:
            write(made)
    write(made)


if __name__ == "__main__":
    main()
