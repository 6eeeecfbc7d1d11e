"""Makes the small files beside it, in the shapes and under the names that the real data sets have: ``python make.py``.

Their numbers follow from a rule that the tests repeat: frame f of a molecule of n atoms has atom a at (a, f/10, n/100)
in angstrom and the energy -(n + f/10) eV, each in the unit of the file.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
BOHR = 0.529177210903
HARTREE = 27.211386245988
WATER, AMMONIA, METHANOL = (8, 1, 1), (7, 1, 1, 1), (6, 8, 1, 1, 1, 1)


def positions(atoms: int, frames: int) -> np.ndarray:
    """The rule for positions, in angstrom."""
    out = np.zeros((frames, atoms, 3))
    out[..., 0] = np.arange(atoms)
    out[..., 1] = np.arange(frames)[:, None] / 10
    out[..., 2] = atoms / 100
    return out


def energies(atoms: int, frames: int) -> np.ndarray:
    """The rule for energies, in eV."""
    return -(atoms + np.arange(frames) / 10)


def spice(target: Path) -> None:
    """A group for each molecule, in atomic units; one dataset carries its unit, the others leave it to the paper."""
    with h5py.File(target, "w") as file:
        for name, numbers, frames in (("WATER", WATER, 2), ("methanol", METHANOL, 3)):
            group, atoms = file.create_group(name), len(numbers)
            group["atomic_numbers"] = np.array(numbers, dtype=np.int16)
            group["conformations"] = (positions(atoms, frames) / BOHR).astype(np.float32)
            group["conformations"].attrs["units"] = "bohr"
            group["dft_total_energy"] = energies(atoms, frames) / HARTREE
            group["dft_total_gradient"] = np.full((frames, atoms, 3), 0.01, dtype=np.float32)
            group["mbis_charges"] = np.zeros((frames, atoms, 1), dtype=np.float32)
            group["scf_dipole"] = np.ones((frames, 3), dtype=np.float32)
            group["scf_quadrupole"] = np.zeros((frames, 3, 3), dtype=np.float32)
            group.create_dataset("subset", data=["test set"], dtype=h5py.string_dtype())
            group.create_dataset("smiles", data=[f"smiles of {name}"], dtype=h5py.string_dtype())


def ani(target: Path) -> None:
    """Groups of groups; elements and SMILES letter by letter; further conformations of high energy beside."""
    with h5py.File(target, "w") as file:
        for name, numbers, frames in (("gdb11_s01-0", WATER, 3), ("gdb11_s01-1", AMMONIA, 2)):
            group, atoms = file.create_group(f"gdb11_s01/{name}"), len(numbers)
            group["coordinates"] = positions(atoms, frames).astype(np.float32)
            group["coordinatesHE"] = positions(atoms, frames + 4).astype(np.float32)
            group["energies"] = energies(atoms, frames) / HARTREE
            group["energiesHE"] = energies(atoms, frames + 4) / HARTREE
            group["species"] = np.array([{8: b"O", 7: b"N", 1: b"H"}[number] for number in numbers])
            group["smiles"] = np.array([b"[", b"O", b"H", b"2", b"]"])


def ani_1x(target: Path) -> None:
    """A group for each formula, three levels of theory, NaN where a frame was not computed at one of them."""
    with h5py.File(target, "w") as file:
        for name, numbers in (("H2O1", WATER), ("H3N1", AMMONIA)):
            group, atoms, frames = file.create_group(name), len(numbers), 4
            group["atomic_numbers"] = np.array(numbers, dtype=np.uint8)
            group["coordinates"] = positions(atoms, frames).astype(np.float32)
            group["wb97x_dz.energy"] = energies(atoms, frames) / HARTREE
            group["wb97x_dz.forces"] = np.full((frames, atoms, 3), 0.01, dtype=np.float32)
            group["wb97x_tz.dipole"] = np.ones((frames, 3), dtype=np.float32)
            group["ccsd(t)_cbs.energy"] = np.where(np.arange(frames) < 2, energies(atoms, frames) / HARTREE, np.nan)


def resp(target: Path) -> None:
    """Two structures of charges +1 at the origin and -1 beside it, in the columns of RESP's input."""
    lines = []
    points = np.array([[0.0, 0.0, 4.0], [0.0, 5.0, 0.0], [6.0, 0.0, 0.0]])
    for shift in (1.0, 2.0):
        atoms = np.array([[0.0, 0.0, 0.0], [shift, 0.0, 0.0]])
        lines.append(f"{len(atoms):5d}{len(points):5d}{0:5d}{1:5d}")
        lines += ["".join([" " * 17, *(f"{value:16.7E}" for value in atom)]) for atom in atoms]
        for point in points:
            potential = 1 / np.linalg.norm(point - atoms[0]) - 1 / np.linalg.norm(point - atoms[1])
            lines.append(" " + "".join(f"{value:16.7E}" for value in (potential, *point)))
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def orbitals(target: Path) -> None:
    """Two orbitals interleaved on a skewed lattice of 2 x 3 x 4 points; orbital k at point i is k + i/100."""
    head = [" water", " MO coefficients", "   -1    0.0 0.0 0.0", "    2    1.0 0.0 0.0"]
    head += ["    3    0.0 1.0 0.0", "    4    0.5 0.0 1.0", "    8    8.0 0.0 0.0 0.0", "    2    5    6"]
    values = [f"{orbital + point / 100:13.5E}" for point in range(24) for orbital in (5, 6)]
    rows = ["".join(values[start : start + 6]) for start in range(0, len(values), 6)]
    target.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")


def density(target: Path) -> None:
    """A density in angstrom (negative numbers of voxels): point i has the value i."""
    head = [" hydrogen", " Electron density from Total SCF Density", "    2    0.0 0.0 0.0    1"]
    head += ["   -2    0.5 0.0 0.0", "   -2    0.0 0.5 0.0", "   -2    0.0 0.0 0.5"]
    head += ["    1    1.0 0.0 0.0 0.0", "    1    1.0 0.0 0.0 0.74"]
    target.write_text("\n".join([*head, " ".join(f"{value:.5E}" for value in range(8))]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    spice(HERE / "spice.hdf5")
    ani(HERE / "ani.h5")
    ani_1x(HERE / "ani_1x.h5")
    resp(HERE / "resp.esp")
    orbitals(HERE / "orbitals.cube")
    density(HERE / "density.cube")
