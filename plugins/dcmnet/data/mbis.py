"""Atomic charges and dipoles by minimal basis iterative stockholder partitioning (Verstraelen et al. 2016).

The density is divided by the shares that atoms have in a sum of exponential shells, ``N / (8 pi s^3) exp(-r / s)``; the
population N and width s of each shell become those of its own share until they no longer change.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyscf import dft

NOBLE = (2, 10, 18, 36)
ROUNDS, CLOSE = 300, 1e-5
FELT = 1e-8  # electrons of a point of the grid that are not left out
TINY = 1e-30  # what a density may be before a share of it is asked for

Array = NDArray[np.float64]


def shells(number: int) -> tuple[Array, Array]:
    """Populations and widths in bohr that the shells of an element begin with."""
    full = [0, *(each for each in NOBLE if each < number)]
    ends = [*full[1:], number]
    populations = np.diff([0, *ends]).astype(float)
    widths = np.geomspace(0.5 / number, 0.5, len(ends)) if len(ends) > 1 else np.array([0.5])
    return populations, widths


class Parts(NamedTuple):
    """Charges in e ``[atoms]`` and dipoles about the nuclei in e bohr ``[atoms, 3]``."""

    charges: Array
    dipoles: Array


def parts(mol: Any, grids: Any, density: Array) -> Parts:
    """Of a density matrix, on the grid of a functional."""
    values = dft.numint.eval_rho(mol, dft.numint.eval_ao(mol, grids.coords), density)
    felt = values * grids.weights > FELT
    weighted = (values * grids.weights)[felt]
    apart = grids.coords[felt, None] - mol.atom_coords()
    begun = [shells(int(number)) for number in mol.atom_charges()]
    owner = np.repeat(np.arange(mol.natm), [len(each[0]) for each in begun])
    populations, widths = (np.concatenate(each) for each in zip(*begun, strict=True))
    r = np.linalg.norm(apart, axis=2)[:, owner]
    for _ in range(ROUNDS):
        each = populations / (8 * np.pi * widths**3) * np.exp(-r / widths)
        shares = each / np.maximum(each.sum(axis=1, keepdims=True), TINY) * weighted[:, None]
        new = shares.sum(axis=0)
        widths = (shares * r).sum(axis=0) / (3 * new)
        change, populations = np.abs(new - populations).max(), new
        if change < CLOSE:
            break
    charges = mol.atom_charges() - np.bincount(owner, populations, mol.natm)
    charges += (mol.charge - charges.sum()) / mol.natm  # what the grid misses, some 1e-4 e
    of_atoms = shares @ (owner[:, None] == np.arange(mol.natm))
    return Parts(charges, -np.einsum("ga,gax->ax", of_atoms, apart))
