"""Makes states.npz: small molecules in several charges and multiplicities, labelled with GFN2-xTB by tblite.

Run it with ``python plugins/physnet/data/make.py`` where tblite and ase are installed; it takes about a minute on one
core. Every molecule is relaxed in each of its states. Around each minimum the harmonic modes of the minimum give
geometries as they are at temperatures up to `HOTTEST`, and every geometry is labelled in all states of its molecule: so
differences between states of one geometry, vertical ionisation energies among them, are in the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase.build import molecule
from ase.calculators.calculator import CalculationFailed
from ase.optimize import BFGS
from ase.units import Bohr, Hartree, kB
from numpy.typing import NDArray
from tblite.ase import TBLite
from tblite.exceptions import TBLiteRuntimeError
from tblite.interface import Calculator

METHOD = "GFN2-xTB"
SPIN = "spin-polarization"
CLOSED = ((0, 1), (0, 3), (1, 2), (-1, 2))
OPEN = ((0, 2), (1, 1), (1, 3), (-1, 1), (-1, 3))
"""Charge and multiplicity of the states of molecules with an even and with an odd number of electrons."""

MOLECULES = (
    "H2O", "NH3", "CH4", "H2CO", "CH3OH", "HCN", "CO2", "C2H2", "C2H4", "C2H6", "N2H4", "H2O2", "HCOOH", "H3CNH2",
    "CH3CHO", "CH3CN", "H2CCO", "CO", "N2", "HF", "H2CF2", "N2O", "O3", "C3H4_C3v", "C3H4_D2d", "H2CCHF",
    "CH3", "NH2", "OH", "HCO", "CH3O", "CN",
)  # fmt: skip
"""Names of the G2 set, as ase has it."""

GEOMETRIES = 12
"""Around each minimum."""

HOTTEST = 500.0  # kelvin
SOFTEST = 0.5  # eV/angstrom^2: how soft a mode may be taken to be
STRONGEST = 15.0  # eV/angstrom: geometries with larger forces are left out
STEP = 0.01  # angstrom
WHOLE = {
    "N": "int16",
    "E": "float64",
    "D": "float32",
    "total_charge": "int8",
    "total_spin": "int8",
    "geometry": "int32",
}
"""What belongs to whole frames, and how it is kept."""

TARGET = Path(__file__).parents[1] / "src" / "atomloom_physnet" / "data" / "states"

Array = NDArray[Any]


class Label(NamedTuple):
    """Energy in eV, forces in eV/angstrom, charges in e and dipole in e angstrom."""

    E: float
    F: Array
    mono: Array
    D: Array


def label(numbers: Array, positions: Array, charge: int, multiplicity: int) -> Label:
    """One state of one geometry in angstrom."""
    calculator = Calculator(METHOD, numbers, positions / Bohr, charge=charge, uhf=multiplicity - 1)
    calculator.set("verbosity", 0)
    calculator.add(SPIN, 1.0)
    found = calculator.singlepoint()
    forces = -found.get("gradient") * (Hartree / Bohr)
    return Label(found.get("energy") * Hartree, forces, found.get("charges"), found.get("dipole") * Bohr)


def relaxed(name: str, charge: int, multiplicity: int) -> Any:
    """The molecule at the minimum of a state, or where the search for it ended."""
    atoms = molecule(name)
    atoms.rattle(0.02, seed=0)
    atoms.calc = TBLite(method=METHOD, charge=charge, multiplicity=multiplicity, spin_polarization=1.0, verbosity=0)
    BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=0.02, steps=150)
    return atoms


def modes(numbers: Array, positions: Array, charge: int, multiplicity: int) -> tuple[Array, Array]:
    """Curvatures in eV/angstrom^2 and directions of the Hessian, by central differences of the forces."""
    hessian = np.zeros((positions.size, positions.size))
    for row in range(positions.size):
        aside = np.zeros(positions.size)
        aside[row] = STEP
        ends = [label(numbers, positions + sign * aside.reshape(-1, 3), charge, multiplicity).F for sign in (1, -1)]
        hessian[row] = (ends[1] - ends[0]).ravel() / (2 * STEP)
    return np.linalg.eigh((hessian + hessian.T) / 2)


def around(name: str, state: tuple[int, int], random: np.random.Generator) -> Iterator[Array]:
    """Geometries as the modes of a minimum give them at random temperatures; shaken evenly along soft modes."""
    atoms = relaxed(name, *state)
    curvatures, directions = modes(atoms.numbers, atoms.positions, *state)
    for _ in range(GEOMETRIES):
        widths = np.sqrt(kB * random.uniform(50.0, HOTTEST) / np.maximum(curvatures, SOFTEST))
        moved = directions @ (widths * random.normal(size=widths.size))
        yield (atoms.positions + moved.reshape(-1, 3)).astype(np.float32).astype(np.float64)


def labelled(name: str, random: np.random.Generator) -> Iterator[list[dict[str, Any]]]:
    """For each geometry of a molecule its frames, one for each state in which it can be computed."""
    numbers = molecule(name).numbers
    states = OPEN if numbers.sum() % 2 else CLOSED
    for state in states:
        try:
            for positions in around(name, state, random):
                found = [labels(numbers, positions, *each) for each in states]
                if all(frame is not None and np.abs(frame["F"]).max() < STRONGEST for frame in found):
                    yield [frame for frame in found if frame is not None]
        except (CalculationFailed, TBLiteRuntimeError) as error:
            print(f"{name} has no minimum with charge {state[0]} and multiplicity {state[1]}: {error}")


def labels(numbers: Array, positions: Array, charge: int, multiplicity: int) -> dict[str, Any] | None:
    """A frame, or None where the electrons do not converge."""
    try:
        found = label(numbers, positions, charge, multiplicity)
    except TBLiteRuntimeError:
        return None
    own = {"Z": numbers, "R": positions, "total_charge": charge, "total_spin": multiplicity}
    return own | {"N": len(numbers)} | found._asdict()


def padded(rows: list[Array], dtype: str) -> Array:
    """Arrays of atoms filled up with zeros."""
    longest = max(map(len, rows))
    return np.stack([np.pad(row, [(0, longest - len(row))] + [(0, 0)] * (row.ndim - 1)) for row in rows]).astype(dtype)


def main() -> None:
    """Write states.npz and its provenance."""
    random = np.random.default_rng(0)
    groups = []
    for name in MOLECULES:
        groups += (found := list(labelled(name, random)))
        print(name, len(found), flush=True)
    frames = [{**frame, "geometry": number} for number, group in enumerate(groups) for frame in group]
    arrays = {name: padded([frame[name] for frame in frames], "float32") for name in ("R", "F", "mono")}
    arrays["Z"] = padded([frame["Z"] for frame in frames], "uint8")
    for name, dtype in WHOLE.items():
        arrays[name] = np.array([frame[name] for frame in frames], dtype)
    np.savez_compressed(TARGET.with_suffix(".npz"), **arrays)
    provenance = {
        "level_of_theory": f"{METHOD} with spin polarisation",
        "program": f"tblite {version('tblite')}",
        "start": f"geometries of the G2 set in ase {version('ase')}",
        "made_by": "plugins/physnet/data/make.py",
        "units": {"R": "angstrom", "E": "eV", "F": "eV/angstrom", "D": "e*angstrom", "mono": "e (Mulliken)"},
        "molecules": list(MOLECULES),
        "geometries": len(groups),
        "frames": len(frames),
    }
    TARGET.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
