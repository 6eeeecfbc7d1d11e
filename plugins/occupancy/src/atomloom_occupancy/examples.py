"""A small made-up crystal of which everything is known: for the demo, the conformance kit and tests.

A helix of eight residues with altlocs (two coupled residues, one with three states), a ligand that is partly there with
a water beside it, a water that takes its place, and a water of its own. Data are summed atom by atom, with noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom_occupancy.structure_factors import direct_sum

TRUTH: Mapping[str, float] = {
    "near A": 0.72,
    "near B": 0.28,
    "far A": 0.5,
    "far B": 0.3,
    "far C": 0.2,
    "bound": 0.63,
    "apo": 0.37,
    "water": 0.8,
}
"""The occupancies of the crystal, by state."""

GROUPS = """[states]
"near A" = ["//A/3-4/*:A"]
"near B" = ["//A/3-4/*:B"]
"far A" = ["//A/7/*:A"]
"far B" = ["//A/7/*:B"]
"far C" = ["//A/7/*:C"]
bound = ["//B/1", "//W/1"]
apo = ["//W/2"]
water = ["//W/3"]

[[sets]]
states = ["near A", "near B"]

[[sets]]
states = ["far A", "far B", "far C"]

[[sets]]
states = ["bound", "apo"]
"""
"""Its states as a file of groups."""

CELL = (21.0, 23.0, 25.0, 90.0, 90.0, 90.0)
D_MIN = 1.6
NOISE = 0.08

_BACKBONE = (("N", "N", 1.57, -27.5, -0.9), ("CA", "C", 2.29, 0.0, 0.0), ("C", "C", 1.68, 26.5, 1.1))
_SIDE = (("O", "O", 2.03, 22.0, 2.3), ("CB", "C", 3.3, -19.0, -0.3))
_TURN, _RISE = 100.0, 1.5
_B = 14.0


def crystal(occupancy: Mapping[str, float] = TRUTH) -> gemmi.Structure:
    """The crystal with these occupancies of its states."""
    structure = gemmi.Structure()
    structure.name = "made-up"
    structure.cell, structure.spacegroup_hm = gemmi.UnitCell(*CELL), "P 21 21 21"
    model = gemmi.Model(1)
    for chain in (_peptide(occupancy), _ligand(occupancy), _waters(occupancy)):
        model.add_chain(chain)
    structure.add_model(model)
    structure.setup_entities()
    structure.assign_serial_numbers()
    structure.setup_cell_images()
    return structure


def observations(structure: gemmi.Structure, seed: int = 0, noise: float = NOISE) -> gemmi.Mtz:
    """Amplitudes of a crystal to `D_MIN`, one in twelve free.

    Their errors are those that Read's likelihood is made for: a complex normal number of `noise` times the root mean
    square of F is added to each F, a real one along its phase where symmetry fixes that.
    """
    group = structure.find_spacegroup()
    hkl = gemmi.make_miller_array(structure.cell, group, D_MIN)
    rng = np.random.default_rng(seed)
    exact, operations = direct_sum(structure, hkl), group.operations()
    epsilon, centric = operations.epsilon_factor_without_centering_array(hkl), operations.centric_flag_array(hkl)
    sigma = noise * np.sqrt(np.mean(np.abs(exact) ** 2) * epsilon)
    across = np.where(centric, 0.0, 1.0) * rng.normal(size=len(hkl))
    error = sigma * np.where(centric, 1.0, np.sqrt(0.5)) * (rng.normal(size=len(hkl)) + 1j * across)
    measured = np.abs(np.abs(exact) + error)
    free = (rng.random(len(hkl)) >= 1 / 12).astype(np.float64)
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = group
    mtz.set_cell_for_all(structure.cell)
    mtz.add_dataset("made-up")
    for label, kind in (("FP", "F"), ("SIGFP", "Q"), ("FREE", "I")):
        mtz.add_column(label, kind)
    mtz.set_data(np.column_stack([hkl, measured, sigma, free]).astype(np.float32))
    return mtz


def pdb_file(folder: str | Path, /) -> Path:
    """The crystal as a PDB file."""
    target = Path(folder) / "crystal.pdb"
    crystal().write_pdb(str(target))
    return target


def mmcif_file(folder: str | Path, /) -> Path:
    """The crystal as an mmCIF file."""
    target = Path(folder) / "crystal.cif"
    crystal().make_mmcif_document().write_file(str(target))
    return target


def mtz_file(folder: str | Path, /) -> Path:
    """Data of the crystal as an MTZ file."""
    target = Path(folder) / "data.mtz"
    observations(crystal()).write_to_file(str(target))
    return target


def sf_file(folder: str | Path, /) -> Path:
    """A few amplitudes as an SF-mmCIF file."""
    target = Path(folder) / "few-sf.cif"
    lengths = dict(
        zip(("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"), CELL, strict=True)
    )
    rows = [f"1 {h} {k} {'f' if h == 3 else 'o'} {20.0 + h + k} 1.5" for h in range(1, 6) for k in range(1, 6)]
    items = ("index_h", "index_k", "index_l", "status", "F_meas_au", "F_meas_sigma_au")
    lines = ["data_rfewsf", *(f"_cell.{name} {value}" for name, value in lengths.items())]
    lines += ["_symmetry.space_group_name_H-M 'P 21 21 21'", "loop_", *(f"_refln.{item}" for item in items), *rows, ""]
    target.write_text("\n".join(lines), encoding="utf-8")
    return target


def _peptide(occupancy: Mapping[str, float]) -> gemmi.Chain:
    chain = gemmi.Chain("A")
    for number in range(1, 9):
        residue = _residue("SER" if number in (3, 4, 7) else "ALA", number)
        for name, element, radius, angle, z in (*_BACKBONE, *_SIDE):
            residue.add_atom(_atom(name, element, _helix(radius, angle, z, number)))
        states = {3: "near", 4: "near", 7: "far"}.get(number)
        letters = {"near": "AB", "far": "ABC"}.get(states or "", "")
        for turn, letter in enumerate(letters):
            place = _helix(4.1, -5.0 - 24.0 * turn, -0.6 + 1.1 * turn, number)
            residue.add_atom(_atom("OG", "O", place, occupancy[f"{states} {letter}"], letter))
        chain.add_residue(residue)
    return chain


def _ligand(occupancy: Mapping[str, float]) -> gemmi.Chain:
    chain, residue = gemmi.Chain("B"), _residue("LIG", 1)
    for number in range(6):
        angle = np.radians(60.0 * number)
        place = np.array([15.0 + 1.39 * np.cos(angle), 5.0 + 1.39 * np.sin(angle), 8.0])
        residue.add_atom(_atom(f"C{number + 1}", "C", place, occupancy["bound"]))
    residue.add_atom(_atom("O1", "O", np.array([17.8, 5.0, 8.0]), occupancy["bound"]))
    chain.add_residue(residue)
    return chain


def _waters(occupancy: Mapping[str, float]) -> gemmi.Chain:
    chain = gemmi.Chain("W")
    places = ((15.0, 8.6, 8.4), (15.4, 5.3, 9.4), (3.0, 16.0, 20.0), (12.0, 18.0, 4.0))
    values = (occupancy["bound"], occupancy["apo"], occupancy["water"], 1.0)
    for number, (place, value) in enumerate(zip(places, values, strict=True), 1):
        residue = _residue("HOH", number)
        residue.add_atom(_atom("O", "O", np.array(place), value))
        chain.add_residue(residue)
    return chain


def _residue(name: str, number: int) -> gemmi.Residue:
    residue = gemmi.Residue()
    residue.name, residue.seqid = name, gemmi.SeqId(number, " ")
    residue.het_flag = "H" if name in ("LIG", "HOH") else "A"
    return residue


def _atom(name: str, element: str, place: Array, occupancy: float = 1.0, altloc: str = "\0") -> gemmi.Atom:
    atom = gemmi.Atom()
    atom.name, atom.element, atom.altloc = name, gemmi.Element(element), altloc
    atom.pos, atom.occ = gemmi.Position(*place.round(3).tolist()), occupancy
    atom.b_iso = _B + (6.0 if element == "O" else 0.0)
    return atom


def _helix(radius: float, angle: float, z: float, number: int) -> Array:
    turn = np.radians(angle + _TURN * number)
    return np.array([6.0 + radius * np.cos(turn), 8.0 + radius * np.sin(turn), 4.0 + z + _RISE * number])
