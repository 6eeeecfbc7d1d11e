"""F_calc against gemmi's direct summation."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from atomloom_occupancy.basis import build_basis
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.scaling import _invariant
from atomloom_occupancy.structure import occupancies_of
from atomloom_occupancy.structure_factors import Calculator, direct_sum

CELLS = {
    "P 1": (9, 10, 11, 80, 95, 105),
    "P -1": (9, 10, 11, 80, 95, 105),
    "P 1 21 1": (9, 10, 11, 90, 100, 90),
    "C 1 2 1": (14, 10, 11, 90, 110, 90),
    "P 21 21 21": (9, 10, 11, 90, 90, 90),
    "F 2 2 2": (14, 15, 16, 90, 90, 90),
    "I 41": (12, 12, 15, 90, 90, 90),
    "P 65 2 2": (14, 14, 20, 90, 90, 120),
    "R 3 :H": (15, 15, 12, 90, 90, 120),
    "I 2 3": (16, 16, 16, 90, 90, 90),
    "P 43 3 2": (15, 15, 15, 90, 90, 90),
}


def crystal(name: str) -> gemmi.Structure:
    """A few atoms with hydrogens, altlocs, anisotropic U, and one on the origin, which is special in many groups."""
    rng = np.random.default_rng(3)
    structure = gemmi.Structure()
    structure.cell, structure.spacegroup_hm = gemmi.UnitCell(*CELLS[name]), name
    chain = gemmi.Chain("A")
    for number, element in enumerate(["C", "N", "O", "H", "S", "O", "O"]):
        residue = gemmi.Residue()
        residue.name, residue.seqid = "LIG", gemmi.SeqId(number + 1 - (number == 6), " ")
        atom = gemmi.Atom()
        atom.name, atom.element = f"X{number - (number == 6)}", gemmi.Element(element)
        place = gemmi.Fractional(*(rng.random(3) * (number != 0)))
        atom.pos, atom.b_iso, atom.occ = structure.cell.orthogonalize(place), 10.0 + 2 * number, 1.0
        if number == 1:
            atom.aniso = gemmi.SMat33f(0.2, 0.12, 0.15, 0.03, -0.02, 0.01)
        if number >= 5:
            atom.altloc, atom.occ = "AB"[number - 5], (0.7, 0.3)[number - 5]
        residue.add_atom(atom)
        chain.add_residue(residue)
    model = gemmi.Model(1)
    model.add_chain(chain)
    structure.add_model(model)
    structure.setup_cell_images()
    return structure


@pytest.mark.parametrize("name", CELLS)
def test_against_direct_summation(name: str) -> None:
    """The sum of fixed part and states is gemmi's direct sum to 1e-4, from triclinic to cubic groups."""
    structure = crystal(name)
    hkl = gemmi.make_miller_array(structure.cell, structure.find_spacegroup(), 1.5)
    network = find_network(structure)
    found = build_basis(structure, network, hkl).calculated(network.start)
    exact = direct_sum(structure, hkl)
    assert len(network.states) == 2
    assert np.linalg.norm(found - exact) < 1e-4 * np.linalg.norm(exact)


def test_linear_in_occupancy() -> None:
    """Other occupancies of the states give what a calculation with them gives."""
    structure = crystal("P 21 21 21")
    hkl = gemmi.make_miller_array(structure.cell, structure.find_spacegroup(), 1.5)
    network = find_network(structure)
    changed = network.spread(occupancies_of(structure), np.array([0.2, 0.8]))
    whole = Calculator(structure, hkl).of_atoms(range(len(changed)), changed)
    parts = build_basis(structure, network, hkl).calculated(np.array([0.2, 0.8]))
    assert np.linalg.norm(whole - parts) < 1e-5 * np.linalg.norm(whole)


@pytest.mark.parametrize(
    ("name", "free"), [("P 1", 6), ("P 1 21 1", 4), ("F 2 2 2", 3), ("I 41", 2), ("P 65 2 2", 2), ("I 2 3", 1)]
)
def test_anisotropy_follows_the_point_group(name: str, free: int) -> None:
    """The anisotropic scale has as many components as symmetry leaves."""
    assert len(_invariant(gemmi.SpaceGroup(name))) == free
