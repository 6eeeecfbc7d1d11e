"""Physics in harmonising: units that it tells, electrons that it counts, outliers, and splits that leak."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom.data import Dataset
from atomloom.errors import ConfigError, DataError, UnitError
from atomloom.examples.morse import MOLECULES, energy_and_forces, make
from atomloom.experiment import Split
from atomloom.harmonizing import harmonize
from atomloom.harmonizing.elements import ENERGY, RADIUS
from atomloom.pipeline.leakage import is_trajectory, near_duplicates, warnings
from atomloom.pipeline.splitting import split
from atomloom.readers import read
from atomloom.readers.numpy_files import from_found
from atomloom.units import convert

WATER = MOLECULES["water"]


def raw(arrays: dict[str, Any], units: dict[str, str] | None = None) -> Dataset:
    """Arrays as a reader finds them."""
    return from_found({name: np.asarray(values) for name, values in arrays.items()}, units or {}, {})


def path_of_water(frames: int = 200, step: float = 0.004) -> dict[str, np.ndarray]:
    """A trajectory: a water that is shaken a little further in each frame, with its energies and forces."""
    random = np.random.default_rng(3)
    positions, at = [], np.array(WATER.positions)
    for _ in range(frames):
        rest = np.array(WATER.positions)
        at = at + random.normal(scale=step, size=at.shape) - 0.05 * (at - rest)
        positions.append(at.copy())
    found = [energy_and_forces(WATER, each) for each in positions]
    numbers = np.tile(WATER.numbers, (frames, 1))
    return {"Z": numbers, "R": np.array(positions), "E": [e for e, _ in found], "F": [f for _, f in found]}


def shaken() -> dict[str, np.ndarray]:
    """Waters that have nothing to do with each other."""
    dataset = make(600, seed=2)[np.arange(600)]
    dataset = dataset[np.flatnonzero(dataset.sizes["atom"] == 3)]
    frames = len(dataset)
    return {
        "Z": dataset["Z"].reshape(frames, 3),
        "R": dataset["R"].reshape(frames, 3, 3),
        "E": dataset["E"],
        "F": dataset["F"].reshape(frames, 3, 3),
    }


def charged_water(factor: float = 1.0) -> dict[str, np.ndarray]:
    """Waters with atomic charges and their dipoles, in e*angstrom times a factor."""
    arrays = shaken()
    charges = np.tile([-0.8, 0.4, 0.4], (len(arrays["E"]), 1))
    dipoles = np.einsum("fa,fax->fx", charges, arrays["R"]) * factor
    return {"Z": arrays["Z"], "R": arrays["R"], "mono": charges, "D": dipoles}


def rule(report: Any, field: str) -> tuple[str, str]:
    """By which rule the unit of a field was settled, and how sure that is."""
    finding = report.about(field)[-1]
    return finding.rule, finding.level


@pytest.mark.parametrize("length", ["angstrom", "bohr", "nm", "pm"])
@pytest.mark.parametrize("energy", ["eV", "hartree", "kcal/mol", "kJ/mol"])
def test_units_are_told_by_physics(length: str, energy: str) -> None:
    """Positions by bonds, energies by atoms, forces by the work along a path: the values come out as they were."""
    truth = path_of_water()
    held = {
        "Z": truth["Z"],
        "R": convert(np.asarray(truth["R"]), "angstrom", length),
        "E": convert(np.asarray(truth["E"]), "eV", energy),
        "F": convert(np.asarray(truth["F"]), "eV/angstrom", f"{energy}/{length}"),
    }
    dataset, report = harmonize(raw(held))
    for name, unit in (("R", "angstrom"), ("E", "eV"), ("F", "eV/angstrom")):
        assert rule(report, name) == ("physics", "inferred")
        assert dataset.fields[name].unit == unit
        assert np.allclose(dataset[name].ravel(), np.ravel(truth[name]), rtol=1e-9)


def test_forces_in_another_unit_than_the_energies_are_found_by_their_work() -> None:
    """Energies in kcal/mol beside forces in eV/angstrom: the path tells, the quotient of units would be wrong."""
    truth = path_of_water()
    held = {**truth, "E": convert(np.asarray(truth["E"]), "eV", "kcal/mol")}
    dataset, report = harmonize(raw(held))
    assert rule(report, "F") == ("physics", "inferred")
    assert np.allclose(dataset["F"], np.concatenate(truth["F"]))


@pytest.mark.parametrize("unit", ["eV/angstrom", "hartree/bohr", "kcal/mol/angstrom"])
def test_forces_on_unrelated_frames_are_told_by_the_most_alike(unit: str) -> None:
    """Frames in no order, with energies in hartree: whatever the unit of the forces, they come out as they were."""
    truth = shaken()
    held = {**truth, "E": convert(truth["E"], "eV", "hartree"), "F": convert(truth["F"], "eV/angstrom", unit)}
    dataset, report = harmonize(raw(held))
    assert rule(report, "F") == ("physics", "inferred")
    assert np.allclose(dataset["F"], truth["F"].reshape(-1, 3))


def test_forces_on_frames_of_different_molecules_stay_open() -> None:
    """Without two frames of the same atoms nothing tells, and no habit is followed."""
    numbers = np.array([[6, first, second] for first in (1, 6, 7, 8, 9) for second in (1, 6, 7, 8, 9)])
    random = np.random.default_rng(0)
    rest = np.array([[0.0, 0.0, 0.0], [1.2, 0.0, 0.0], [-0.4, 1.1, 0.0]])
    arrays = {"R": rest + random.normal(scale=0.05, size=(25, 3, 3)), "F": random.normal(size=(25, 3, 3))}
    dataset, report = harmonize(raw({"Z": numbers, "E": ENERGY[numbers].sum(axis=1), **arrays}))
    assert dataset.fields["E"].unit == "eV"
    assert dataset.fields["F"].unit == "?"
    assert rule(report, "F") == ("none", "warning")


@pytest.mark.parametrize(("unit", "factor"), [("e*angstrom", 1.0), ("debye", 4.803204712), ("e*bohr", 1.889726125)])
def test_dipoles_are_told_by_the_charges(unit: str, factor: float) -> None:
    """Charges and positions give the dipole in e*angstrom; what is held differs by the factor of its unit."""
    dataset, report = harmonize(raw(charged_water(factor)))
    assert rule(report, "D") == ("physics", "inferred")
    assert np.allclose(dataset["D"], charged_water()["D"], rtol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "units", "says"),
    [
        (lambda: {**shaken(), "R": shaken()["R"] / 0.529177210903}, {"R": "angstrom"}, "--unit R=bohr"),
        (lambda: {**shaken(), "E": shaken()["E"] / 27.211386245988}, {"E": "eV"}, "--unit E=hartree"),
        (lambda: charged_water(4.803204712), {"D": "e*angstrom"}, "--unit D=debye"),
        (lambda: charged_water(), {"D": "debye"}, "--unit D=e*angstrom"),
    ],
)
def test_a_source_that_physics_contradicts_is_asked_about(arrays: Any, units: dict[str, str], says: str) -> None:
    """Bohr read as angstrom, hartree as eV, debye as e*angstrom: both readings and the option that settles it."""
    with pytest.raises(UnitError) as told:
        harmonize(raw(arrays(), units))
    assert "physics speaks for" in str(told.value)
    assert says in str(told.value)


def test_the_users_word_stands_against_physics() -> None:
    """It is followed, with a warning."""
    bohr = {**shaken(), "R": shaken()["R"] / 0.529177210903}
    dataset, report = harmonize(raw(bohr), {"unit": {"R": "angstrom"}})
    assert np.allclose(dataset["R"], bohr["R"].reshape(-1, 3))
    assert any("physics speaks for bohr" in finding.note for finding in report.warnings)


@pytest.mark.parametrize(
    "arrays",
    [
        lambda: {"Z": np.full((30, 2), 18), "R": _pair_at(3.8)},
        lambda: {"Z": np.full((30, 2), 7), "R": _pair_at(np.linspace(0.9, 6.0, 30))},
        lambda: {"Z": np.full((30, 1), 6), "R": np.zeros((30, 1, 3))},
        lambda: {"R": _pair_at(1.0)},
    ],
    ids=["argon", "a dissociation", "single atoms", "no elements"],
)
def test_physics_says_nothing_where_it_cannot_tell(arrays: Any) -> None:
    """Van der Waals contacts, stretched bonds and lone atoms have no bond lengths: the unit stays open."""
    dataset, report = harmonize(raw(arrays()))
    assert dataset.fields["R"].unit == "?"
    assert rule(report, "R") == ("none", "warning")


def _pair_at(distances: Any) -> np.ndarray:
    positions = np.zeros((30, 2, 3))
    positions[:, 1, 0] = distances
    return positions


def test_energies_without_those_of_the_atoms_stay_open() -> None:
    """Energies relative to something are not told from each other."""
    relative = {**shaken(), "E": shaken()["E"] + 2041.0 + 2 * 13.6}
    dataset, _ = harmonize(raw(relative))
    assert dataset.fields["E"].unit == "?"


def test_the_tables_hold_known_values() -> None:
    """Carbon 0.76 angstrom and -37.689 hartree, curium at the end, nothing beyond krypton for energies."""
    assert (RADIUS[6], RADIUS[96], RADIUS[1]) == pytest.approx((0.76, 1.69, 0.31))
    assert (ENERGY[1], ENERGY[6], ENERGY[36]) == pytest.approx((-0.5, -37.689, -2752.055))
    assert np.isnan([RADIUS[0], RADIUS[97], ENERGY[37]]).all()


@pytest.mark.parametrize(
    ("charge", "spin", "possible"),
    [
        *((charge, spin, True) for charge, spin in ((0, 1), (0, 3), (1, 2), (-1, 2), (2, 1))),
        *((charge, spin, False) for charge, spin in ((0, 2), (1, 1), (10, 3), (0, 0), (0, 13), (11, 2))),
    ],
)
def test_charge_and_multiplicity_fit_the_electrons(charge: int, spin: int, possible: bool) -> None:
    """A water of ten electrons less its charge: parity of what is unpaired, and no more unpaired than there are."""
    arrays = shaken()
    frames = len(arrays["E"])
    arrays |= {"charge": np.zeros(frames), "mult": np.ones(frames, dtype=int)}
    arrays["charge"][7], arrays["mult"][7] = charge, spin
    if possible:
        dataset, _ = harmonize(raw(arrays))
        assert dataset["total_spin"][7] == spin
        return
    with pytest.raises(DataError) as told:
        harmonize(raw(arrays))
    assert "1 of" in str(told.value)
    assert "(7)" in str(told.value)
    assert "--as FIELD=unpaired_electrons" in str(told.value)


def test_unpaired_electrons_are_taken_by_the_users_word_only() -> None:
    """A field of zeros is no multiplicity; said to count unpaired electrons, it becomes singlets."""
    arrays = shaken()
    arrays |= {"charge": np.zeros(len(arrays["E"])), "mult": np.zeros(len(arrays["E"]), dtype=int)}
    dataset, report = harmonize(raw(arrays), {"as": {"mult": "unpaired_electrons"}})
    assert set(dataset["total_spin"]) == {1}
    assert "2S+1" in [finding.rule for finding in report.about("total_spin")]


def test_a_fraction_of_a_charge_is_no_total_charge() -> None:
    """The frame is named."""
    arrays = shaken()
    charges = np.zeros(len(arrays["E"]))
    charges[4] = 0.5
    with pytest.raises(DataError, match=r"frame 4 has a charge of 0\.5 e"):
        harmonize(raw({**arrays, "charge": charges}))


@pytest.mark.parametrize(
    ("field", "spoil"),
    [
        ("R", lambda a: a["R"].__setitem__((5, 1), a["R"][5, 0] + 0.05)),
        ("E", lambda a: a["E"].__setitem__(5, a["E"][5] + 500.0)),
        ("F", lambda a: a["F"].__setitem__((5, 0, 0), 1e5)),
    ],
)
def test_outliers_are_named(field: str, spoil: Any) -> None:
    """Atoms on top of each other, an energy or a force far from all others: the frame is named, and no other."""
    arrays = {name: np.array(values) for name, values in shaken().items()}
    _, clean = harmonize(raw(arrays))
    assert not [finding for finding in clean.findings if finding.rule == "outliers"]
    spoil(arrays)
    _, report = harmonize(raw(arrays))
    (finding,) = (each for each in report.warnings if each.rule == "outliers")
    assert finding.field == field
    assert "(5)" in finding.note


def test_a_trajectory_is_told_from_unrelated_frames() -> None:
    """Steps of a path are; shaken molecules are not, nor is the path once its frames are mixed."""
    path, _ = harmonize(raw(path_of_water()))
    assert is_trajectory(path)
    assert not is_trajectory(path[np.random.default_rng(0).permutation(len(path))])
    assert not is_trajectory(make(200, seed=1))


def test_a_random_split_of_a_trajectory_is_warned_of() -> None:
    """And a split into blocks is not."""
    path, _ = harmonize(raw(path_of_water()))
    for how, warned in ((Split(), True), (Split(blocks=10), False)):
        said = warnings(path, split(path, how), how)
        assert any("one trajectory" in each for each in said) == warned


def test_copies_in_the_training_part_are_counted() -> None:
    """Frames that stand twice, turned and with their atoms in another order, are found across the parts."""
    dataset = make(100, seed=4)
    turned = [_turned(dataset.take([number]).frame(0), number) for number in range(100)]
    both = Dataset.from_frames([*(dataset.take([number]).frame(0) for number in range(100)), *turned])
    how = Split(train=0.5, test=0.5)
    parts = split(both, how)
    expected = sum(int((frame + 100) % 200 in set(parts.train.tolist())) for frame in parts.test.tolist())
    copies, looked = near_duplicates(both, parts)
    assert looked == len(parts.test)
    assert copies == expected > 0
    assert near_duplicates(dataset, split(dataset, how))[0] == 0


def _turned(frame: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    order = random.permutation(len(frame["Z"]))
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    return {"Z": frame["Z"][order], "R": frame["R"][order] @ turn, "E": frame["E"], "F": frame["F"][order] @ turn}


@pytest.mark.parametrize(("name", "trajectory"), [("ethanol_md17_dft_2000", True), ("ethanol_ccsd_t-train", False)])
def test_real_ethanol(shared_data: Path, name: str, trajectory: bool) -> None:
    """Both files are in kcal/mol, which physics tells; one is a trajectory and one is not."""
    dataset, report = harmonize(read(shared_data / "md17_ethanol" / f"{name}.npz"))
    assert len(dataset) == (2000 if trajectory else 1000)
    assert report.about("E")[-1].note.startswith("kcal/mol to eV")
    assert report.about("F")[-1].note.startswith("kcal/mol/angstrom to eV/angstrom")
    assert is_trajectory(dataset) == trajectory


@pytest.mark.parametrize("factor", [1.0, 4.803204712])
def test_sizes_of_dipoles_are_told_from_vectors(factor: float) -> None:
    """D of one number a frame is the size, Dxyz the vector; the unit of the size follows from the vector."""
    arrays = charged_water()
    sizes = np.linalg.norm(arrays["D"], axis=1) * factor
    dataset, report = harmonize(raw({**arrays, "D": sizes[:, None], "Dxyz": arrays["D"]}))
    assert np.allclose(np.linalg.norm(dataset["D"], axis=1), dataset["dipole_norm"], rtol=1e-6)
    assert any(finding.note == "as long as dipole_norm says" for finding in report.about("D"))


def test_sizes_that_are_not_those_of_the_vectors_are_named() -> None:
    """One wrong frame among many."""
    arrays = charged_water()
    sizes = np.linalg.norm(arrays["D"], axis=1)
    sizes[3] *= 1.5
    _, report = harmonize(raw({**arrays, "D": sizes, "Dxyz": arrays["D"]}))
    assert any(finding.field == "D" and "(3)" in finding.note for finding in report.warnings)


def test_missing_charges_beside_a_potential_are_told() -> None:
    """They are not filled with zeros."""
    arrays = shaken()
    grid = {"esp": np.ones((len(arrays["E"]), 4)), "esp_grid": np.ones((len(arrays["E"]), 4, 3))}
    dataset, report = harmonize(raw({**arrays, **grid}))
    assert "mono" not in dataset
    assert report.about("mono")[0].rule == "missing"
    assert dataset["n_grid"].tolist() == [4] * len(dataset)


def test_a_name_of_two_fields_sets_no_unit() -> None:
    """D is a size in the source and a vector here: the message gives names that mean one of them."""
    arrays = {**shaken(), "Dxyz": np.ones((len(shaken()["E"]), 3)), "D": np.full(len(shaken()["E"]), 3**0.5)}
    with pytest.raises(ConfigError, match="Write --unit Dxyz=UNIT or --unit dipole_norm=UNIT"):
        harmonize(raw(arrays), {"unit": {"D": "debye"}})
    dataset, _ = harmonize(raw(arrays), {"unit": {"Dxyz": "debye", "dipole_norm": "debye"}})
    assert dataset.fields["D"].unit == dataset.fields["dipole_norm"].unit == "e*angstrom"


def test_bad_energies_are_left_out_on_request() -> None:
    """Frames with NaN energies go with those of bad positions, and are named."""
    arrays = {name: np.array(values) for name, values in shaken().items()}
    arrays["E"][3], arrays["R"][5, 0, 0] = np.nan, np.inf
    dataset, report = harmonize(raw(arrays), {"drop_bad": True})
    assert len(dataset) == len(arrays["E"]) - 2
    assert [finding.field for finding in report.warnings if finding.rule == "your choice"] == ["R", "E"]
