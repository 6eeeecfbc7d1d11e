"""Makes tests/d3_expected.json: dispersion energies and gradients by the library simple-dftd3, for the tests.

Run it with ``python plugins/physnet/data/d3_expected.py`` where dftd3 (simple-dftd3) and ase are installed. Geometries
are shaken ones of the G2 set, a molecule with heavy atoms, and a crystal whose pairs are cut off at `REACH`.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk, molecule
from ase.units import Bohr, Hartree
from dftd3.interface import DispersionModel, RationalDampingParam

NAMES = {
    "b3lyp": "b3lyp", "b97-d": "b97d", "blyp": "blyp", "bp86": "bp", "cam-b3lyp": "camb3lyp", "hf": "hf",
    "hse06": "hse06", "pbe": "pbe", "pbe0": "pbe0", "pw6b95": "pw6b95", "r2scan": "r2scan", "revpbe": "revpbe",
    "revpbe0": "revpbe0", "scan": "scan", "tpss": "tpss", "tpssh": "tpssh", "wb97m-v": "wb97m", "wb97x-v": "wb97x",
}  # fmt: skip
"""What the library calls each functional."""

REACH = 8.0
"""Where all sums of the crystal end, in angstrom."""

TARGET = Path(__file__).parents[1] / "tests" / "d3_expected.json"


def computed(atoms: Atoms, functional: str, three_body: bool = False) -> dict[str, Any]:
    """One structure by the library, in eV and angstrom."""
    model = DispersionModel(atoms.numbers, atoms.positions / Bohr, np.asarray(atoms.cell) / Bohr, atoms.pbc)
    if atoms.pbc.any():
        model.set_realspace_cutoff(REACH / Bohr, REACH / Bohr, REACH / Bohr)
    found = model.get_dispersion(RationalDampingParam(method=NAMES[functional], atm=three_body), grad=True)
    return {
        "functional": functional,
        "three_body": three_body,
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": np.asarray(atoms.cell).tolist() if atoms.pbc.any() else None,
        "energy": float(found["energy"]) * Hartree,
        "gradient": (found["gradient"] * Hartree / Bohr).tolist(),
        "virial": (found["virial"] * Hartree).tolist(),
    }


def shaken(atoms: Atoms) -> Atoms:
    """With its atoms and cell a little off their places."""
    if atoms.pbc.any():
        atoms.set_cell(np.asarray(atoms.cell) + 0.1 * np.arange(9).reshape(3, 3) / 9, scale_atoms=True)
    atoms.rattle(0.05, seed=1)
    return atoms


def main() -> None:
    """Write the file."""
    heavy = Atoms("AuClUPbF", [[0, 0, 0], [0, 0, 2.3], [2.9, 0, 0], [0, 3.1, 0], [-2.0, 0.3, 0.2]])
    cases = {
        "ethanol": computed(shaken(molecule("CH3CH2OH")), "pbe"),
        "ethanol, three-body": computed(shaken(molecule("CH3CH2OH")), "pbe", three_body=True),
        "benzene, three-body": computed(shaken(molecule("C6H6")), "b3lyp", three_body=True),
        "heavy": computed(heavy, "r2scan", three_body=True),
        "crystal": computed(shaken(bulk("NaCl", "rocksalt", 5.64, cubic=True)), "pbe0"),
    }
    methane = shaken(molecule("CH4"))
    cases |= {f"methane, {name}": computed(methane, name) for name in NAMES}
    made = {"library": f"dftd3 {version('dftd3')}", "made_by": "plugins/physnet/data/d3_expected.py", "reach": REACH}
    TARGET.write_text(json.dumps({**made, "units": "eV, angstrom", "cases": cases}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
