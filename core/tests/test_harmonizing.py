"""Harmonising: every name, layout and unit ends as the canonical field or as a clear question, never as another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from atomloom import (
    AmbiguousData,
    ConfigError,
    DataError,
    Dataset,
    Field,
    UnitError,
    UnknownName,
    harmonize,
)
from atomloom.data.schema import named_like
from atomloom.fields import CANONICAL
from atomloom.harmonizing import pairs, require
from atomloom.readers.numpy_files import from_found
from atomloom.specs import UNRESOLVED
from atomloom.units import convert

FRAMES, ATOMS, SIZES = 4, 5, {"atom": 5, "grid": 7, "pair": 8, "reflection": 11, "xyz": 3, "component": 6}
"""Sizes of which no two could be taken for each other."""


def raw(**arrays: Any) -> Dataset:
    """Arrays as a reader lays them out, without a word about their units."""
    return from_found({name: np.asarray(values) for name, values in arrays.items()}, {}, {})


def molecules(**changes: Any) -> dict[str, Any]:
    """Positions and elements of four frames of five atoms, with some arrays added, exchanged or (None) left out."""
    made = {"R": chains([ATOMS] * FRAMES).reshape(FRAMES, ATOMS, 3), "Z": np.full((FRAMES, ATOMS), 6), **changes}
    return {name: values for name, values in made.items() if values is not None}


def chains(lengths: list[int], seed: int = 0) -> np.ndarray:
    """Positions of atoms about 1.4 angstrom from the next, all frames one behind the other."""
    along = np.concatenate([np.arange(length) for length in lengths])[:, None] * [1.4, 0.0, 0.0]
    return np.asarray(along + np.random.default_rng(seed).uniform(0.0, 0.1, along.shape) + [0.5, 0.2, 0.1])


def values_of(field: Field) -> np.ndarray:
    """Values of a field in the sizes above."""
    random = np.random.default_rng(1)
    shape = (FRAMES, *(SIZES[dim] for dim in field.dims[1:]))
    if field.dtype == "str":
        return random.choice(["N", "CA"], size=shape)
    if field.name == "N":
        return np.full(shape, ATOMS)
    if field.name == "R":
        return chains([ATOMS] * FRAMES).reshape(shape)
    if field.name == "total_charge":
        return np.array([0.0, 1.0, -1.0, 2.0])
    if field.name == "n_grid":
        return np.full(shape, SIZES["grid"])
    if field.dtype in {"int", "bool"}:
        return random.integers(1, 2, size=shape).astype(bool if field.dtype == "bool" else int)
    return random.normal(size=shape)


DERIVED = {"gradient": "F", "unpaired_electrons": "total_spin"}
"""Fields that harmonising turns into others."""

NAMES = [(field, name) for field in CANONICAL if field.name not in DERIVED for name in (field.name, *field.aliases)]


@pytest.mark.parametrize(("field", "name"), NAMES, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("spell", [str, str.upper, str.lower])
def test_every_name_of_a_field_is_known(field: Field, name: str, spell: Callable[[str], str]) -> None:
    """A column under any alias of a field, in any case, becomes this field where its shape fits no other."""
    called, values = spell(name), values_of(field)
    arrays = {**molecules(**{field.name: None} if field.name in {"R", "Z"} else {}), called: values}
    rivals = [other for other in named_like(called) if other.dims == field.dims]
    if len(rivals) > 1:
        with pytest.raises(AmbiguousData, match=f"tell what '{called}' is"):
            harmonize(raw(**arrays))
        return
    dataset, report = harmonize(raw(**arrays))
    np.testing.assert_array_equal(dataset[field.name].reshape(values.shape), values)
    assert report.about(field.name)[0].source == called


@pytest.mark.parametrize("field", CANONICAL, ids=lambda field: field.name)
def test_a_choice_gives_any_name_a_meaning(field: Field) -> None:
    """`as` makes any column the field that the user says, and the report says whose word it was."""
    if field.name in {"R", "Z", *DERIVED}:
        return
    dataset, report = harmonize(raw(**molecules(foo=values_of(field))), {"as": {"foo": field.name}})
    assert field.name in dataset
    assert "foo" not in dataset
    assert report.about(field.name)[0].rule == "your choice"


def sized(frames: int, atoms: int, **more: Any) -> Dataset:
    """Frames of so many atoms, and other arrays."""
    return raw(R=chains([atoms] * frames).reshape(frames, atoms, 3), Z=np.full((frames, atoms), 6), **more)


@pytest.mark.parametrize(
    ("dataset", "name", "readings"),
    [
        (sized(4, 1, Q=np.zeros((4, 1))), "Q", {"total_charge", "mono"}),
        (sized(4, 1, charges=np.zeros((4, 1))), "charges", {"total_charge", "mono"}),
        (sized(4, 1, charges=np.zeros(4)), "charges", {"total_charge", "mono"}),
        (raw(R=chains([1, 1]), Z=[6, 6], N=[1, 1], charges=[0, 0]), "charges", {"total_charge", "mono"}),
        (sized(4, 6, Q=np.zeros((4, 6))), "Q", {"quadrupole(xx,yy,zz,xy,xz,yz)", "mono"}),
        (sized(4, 9, Q=np.zeros((4, 9))), "Q", {"quadrupole", "mono"}),
        (sized(3, 3, Q=np.zeros(3)), "Q", {"total_charge", "mono"}),
        (sized(3, 3, D=np.zeros((3, 3))), "D", {"D", "atom_dipoles"}),
        (sized(5, 5, charges=np.zeros(5)), "charges", {"total_charge", "mono"}),
        (sized(4, 5, species=np.ones((4, 5), int)), "species", {"Z", "species"}),
    ],
)
def test_a_size_of_two_meanings_is_a_question(dataset: Dataset, name: str, readings: set[str]) -> None:
    """Where a shape fits two fields, both are named with the option that settles it; with it, it is settled."""
    with pytest.raises(AmbiguousData) as error:
        harmonize(dataset)
    message = str(error.value)
    assert message.startswith(f"Cannot tell what {name!r} is: its shape ")
    assert all(f"{name}={reading}" in message for reading in readings)
    for reading in readings - {"Z"}:
        settled, _ = harmonize(dataset, {"as": {name: reading}})
        assert reading.partition("(")[0] in settled
    assert name not in harmonize(dataset, {"as": {name: "ignore"}})[0]


@pytest.mark.parametrize("atoms", [2, 4, 5, 7, 8, 10])
def test_other_sizes_are_no_question(atoms: int) -> None:
    """A shape that fits one field only is taken for it."""
    made = sized(11, atoms, Q=np.zeros((11, atoms)), D=np.zeros((11, 3)), charges=np.zeros(11))
    dataset, _ = harmonize(made)
    assert {"mono", "D", "total_charge"} <= set(dataset.columns)
    assert "quadrupole" in harmonize(sized(11, atoms, Q=np.zeros((11, 3, 3))))[0]


@pytest.mark.parametrize(
    ("order", "matrix"),
    [
        ("xx,yy,zz,xy,xz,yz", [[1, 4, 5], [4, 2, 6], [5, 6, 3]]),
        ("xx,yy,zz,xy,yz,xz", [[1, 4, 6], [4, 2, 5], [6, 5, 3]]),
        ("xx, yx, zx, yy, yz, zz", [[1, 2, 3], [2, 4, 5], [3, 5, 6]]),
    ],
)
def test_six_components_stand_in_the_order_that_the_user_says(order: str, matrix: list[list[int]]) -> None:
    """A symmetric matrix of six numbers is unfolded by the user's word."""
    chosen = {"as": {"Q": f"quadrupole({order})"}}
    dataset, report = harmonize(sized(2, 5, Q=[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]] * 2), chosen)
    assert dataset["quadrupole"][0].tolist() == matrix
    assert report.about("quadrupole")[0].rule == "your choice"


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({}, "nothing says in which order its six components stand"),
        ({"Q": "quadrupole"}, "nothing says in which order its six components stand"),
        ({"Q": "quadrupole(xx,yy,zz)"}, "is no order of the components of six"),
        ({"R": "R(xx,yy)"}, "is no order of the components of this shape"),
    ],
)
def test_the_order_of_six_components_is_a_question(chosen: dict[str, str], says: str) -> None:
    """Programs differ, and no shape tells."""
    with pytest.raises((AmbiguousData, ConfigError)) as told:
        harmonize(sized(2, 5, Q=np.ones((2, 6))), {"as": chosen})
    assert says in str(told.value)
    assert "(xx,yy,zz,xy,xz,yz)" in str(told.value)


def test_nine_components_are_a_matrix() -> None:
    """A matrix may be given flat, row by row."""
    dataset, _ = harmonize(sized(2, 5, cell=[np.arange(9.0)] * 2))
    assert dataset["cell"][1].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


WATERS = [([8, 1, 1], 0), ([8, 1], 1), ([8, 1, 1], 2)]


def test_padding_is_seen_in_the_elements() -> None:
    """Without N, atoms with Z = 0 (or below) at the end of a frame are padding."""
    z = [[8, 1, 1], [8, 1, 0], [1, -1, -1]]
    dataset, report = harmonize(raw(R=np.ones((3, 3, 3)), Z=z))
    assert dataset.sizes["atom"].tolist() == [3, 2, 1]
    assert dataset["Z"].tolist() == [8, 1, 1, 8, 1, 1]
    assert dataset["N"].tolist() == [3, 2, 1]
    assert any(finding.rule == "padding" for finding in report.findings)


def test_n_says_how_much_is_real() -> None:
    """With N, the rest of each frame is dropped, whatever stands there."""
    positions = np.ones((2, 3, 3))
    positions[1, 2] = np.nan
    dataset, _ = harmonize(raw(R=positions, n_atoms=[3, 2], E=[0.0, 0.0]))
    assert dataset.sizes["atom"].tolist() == [3, 2]
    assert len(dataset["R"]) == 5


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"N": [3, 4]}, "N of frame 1 is 4 and the arrays hold 0 to 3"),
        ({"N": [-1, 3]}, "N of frame 0 is -1 and the arrays hold 0 to 3"),
        ({"N": [3.0, 2.5]}, "it holds 2.5. Give it whole numbers"),
        ({"N": [3, 3]}, "N of frame 1 is 3 and Z is above 0 for 2 atoms, not the first 3"),
        ({"N": [2, 2]}, "N of frame 0 is 2 and Z is above 0 for 3 atoms, not the first 2"),
        ({"Z": [[8, 0, 1], [8, 1, 1]]}, "in frame 0 atoms with Z = 0 stand between others"),
        ({"Z": [[8, 1, 1], [8, 1, 300]]}, "an atom of frame 1 has Z = 300, which is no element"),
        ({"Z": [8, 1, 0]}, "an atom of frame 0 has Z = 0, which is no element"),
        ({"Z": [[8.5, 1, 1]] * 2}, "Z: it should hold whole numbers and holds 8.5"),
        ({"Z": [[8, 1]] * 2}, "it has 2 atoms a frame and others have 3"),
        ({"F": np.zeros((2, 2, 3))}, "it has 2 atoms a frame and others have 3"),
        ({"E": np.zeros(5)}, "it has 5 rows and there are 2 frames"),
        ({"coords": np.zeros((2, 3, 3))}, "find the field 'R': both 'R' and 'coords' stand for it"),
        ({"pbc": [[1, 0, 2], [0, 0, 0]]}, "pbc: it should hold true or false and holds 2"),
    ],
)
def test_contradictions_are_told(arrays: dict[str, Any], found: str) -> None:
    """Counts, elements, sizes and names that cannot all be right stop with the first frame that shows it."""
    start = {"R": np.ones((2, 3, 3)), "Z": [[8, 1, 1], [8, 1, 0]]}
    with pytest.raises(DataError) as error:
        harmonize(raw(**{**start, **arrays}))[0].take([0, 1])
    assert found in str(error.value)


@pytest.mark.parametrize("layout", ["padded", "packed", "shared", "repeated"])
def test_layouts_of_one_data_set_agree(layout: str) -> None:
    """One molecule padded, packed, with its elements once or in every frame: always the same data set."""
    positions = np.random.default_rng(0).normal(size=(4, 3, 3))
    arrays = {
        "padded": {"R": np.concatenate([positions, np.zeros((4, 2, 3))], axis=1), "Z": [[8, 1, 1, 0, 0]] * 4},
        "packed": {"R": positions.reshape(-1, 3), "Z": [8, 1, 1] * 4, "N": [3] * 4},
        "shared": {"R": positions, "Z": [8, 1, 1]},
        "repeated": {"R": positions, "Z": [[8, 1, 1]] * 4},
    }[layout]
    dataset, _ = harmonize(raw(**arrays, E=np.arange(4.0)))
    batch = dataset.take([2])
    assert batch["Z"].tolist() == [8, 1, 1]
    np.testing.assert_array_equal(batch["R"], positions[2])
    assert batch["E"].tolist() == [2.0]


@pytest.mark.parametrize("far", [10000.0, -10000.0, 0.0])
def test_padding_of_grids_is_dropped(far: float) -> None:
    """Points far away or at the origin at the end of a grid are no points."""
    surface = np.random.default_rng(0).normal(size=(2, 4, 3)) + 3
    surface[1, 2:] = far
    arrays = {**molecules(R=np.ones((2, 5, 3)), Z=np.ones((2, 5))), "esp": np.ones((2, 4)), "esp_grid": surface}
    dataset, _ = harmonize(raw(**arrays))
    assert dataset["n_grid"].tolist() == [4, 2]
    np.testing.assert_array_equal(dataset.take([1])["vdw_surface"], surface[1, :2])


def test_grids_without_padding_are_kept_whole() -> None:
    """A grid may cross the origin."""
    surface = np.random.default_rng(0).normal(size=(2, 4, 3))
    surface[0, 1] = 0.0
    dataset, _ = harmonize(raw(**molecules(R=np.ones((2, 5, 3)), Z=np.ones((2, 5))), V=np.ones((2, 4)), grid=surface))
    assert dataset["n_grid"].tolist() == [4, 4]


def test_forces_are_the_negative_gradient() -> None:
    """A gradient becomes forces, in the unit that was chosen for the gradient."""
    gradient = np.random.default_rng(0).normal(size=(FRAMES, ATOMS, 3))
    arrays = molecules(dft_total_gradient=gradient)
    dataset, _ = harmonize(raw(**arrays), {"unit": {"dft_total_gradient": "hartree/bohr"}})
    np.testing.assert_allclose(
        dataset["F"].reshape(gradient.shape), -convert(gradient, "hartree/bohr", "eV/angstrom"), rtol=1e-15
    )
    assert dataset.fields["F"].unit == "eV/angstrom"


def test_forces_beside_a_gradient_are_kept() -> None:
    """Where both are there, forces are not made up."""
    forces = np.ones((FRAMES, ATOMS, 3))
    dataset, _ = harmonize(raw(**molecules(F=forces, gradient=forces)))
    assert dataset["F"].tolist() == forces.reshape(-1, 3).tolist()


def test_nothing_is_converted_that_nothing_settles() -> None:
    """A field of unknown unit keeps its values, is marked, and is an error where it is needed."""
    dataset, report = harmonize(raw(**molecules(E=np.arange(4.0))))
    assert dataset.fields["E"].unit == UNRESOLVED
    assert dataset["E"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert "E" in {finding.field for finding in report.warnings}
    with pytest.raises(UnitError) as error:
        require(dataset, ("E",), "use the loss 'energy'")
    assert "nothing says in which unit E is held. Settle it with --unit E=UNIT" in str(error.value)


def test_what_is_missing_is_named_with_its_axes_and_unit() -> None:
    """A field that something needs and that is not there is described."""
    dataset, _ = harmonize(raw(**molecules()))
    with pytest.raises(DataError) as error:
        require(dataset, ("F",), "use the loss 'forces'")
    assert str(error.value).startswith(
        "Cannot use the loss 'forces': it needs F [frame x atom x xyz] in eV/angstrom, and the data holds R, Z, N. "
    )
    assert "--as NAME=F" in str(error.value)


@pytest.mark.parametrize("called", ["E", "energies"])
def test_units_are_settled_by_either_name(called: str) -> None:
    """`unit` goes by the field or by what the source calls it, and wins over what the source says."""
    made = raw(**molecules(energies=np.ones(4)))
    said = made.with_columns({}, {"energies": Field(name="energies", unit="hartree")})
    assert harmonize(said)[0]["E"][0] == pytest.approx(27.211386245988)
    dataset, report = harmonize(said, {"unit": {called: "kcal/mol"}})
    assert dataset["E"][0] == pytest.approx(0.0433641042418)
    assert report.about("E")[-1].note == "kcal/mol to eV"


@pytest.mark.parametrize(
    ("choices", "error", "found"),
    [
        ({"unit": {"E": "nm"}}, UnitError, "Cannot bring E to eV: 'nm' is a length and 'eV' is an energy"),
        (
            {"unit": {"E": "kcal"}},
            UnitError,
            "one kcal is 2.6e+22 eV, far too much for a molecule. Write --unit E=kcal/mol",
        ),
        ({"unit": {"E": "foo"}}, UnitError, "no unit is called 'foo'"),
        ({"unit": {"Z": "eV"}}, UnitError, "Cannot set the unit of Z: it is a pure number and eV is an energy"),
        ({"unit": {"X": "eV"}}, DataError, "Cannot set the unit of 'X': the data set holds R, Z, E, N"),
        ({"unit": {"foo": "eV"}}, DataError, "Cannot set the unit of 'foo': the data set holds"),
        ({"unit": {"E": "eV", "energy": "hartree"}}, ConfigError, "both eV and hartree are given for it"),
        ({"as": {"X": "E"}}, DataError, "Cannot take 'X' as 'E': the source holds R, Z, energy, foo"),
        ({"as": {"foo": "Zzz"}}, UnknownName, "Zzz"),
        ({"as": {"foo": "F"}}, DataError, "its shape is float64 4 x 2 and F is [frame x atom x xyz]"),
        ({"units": {}}, ConfigError, "['units'] are not choices. Use 'as', 'unit' or 'drop_bad'"),
    ],
)
def test_choices_that_cannot_be_are_told(choices: dict[str, Any], error: type[Exception], found: str) -> None:
    """A choice that names nothing, or asks for what cannot be, says so."""
    with pytest.raises(error) as raised:
        harmonize(raw(**molecules(energy=np.ones(4), foo=np.ones((4, 2)))), choices)
    assert found in str(raised.value)


def test_a_source_that_knows_its_fields_is_not_contradicted() -> None:
    """What a source says of itself can be left out and not be taken for something else."""
    dataset = Dataset.from_frames([{"E": 1.0, "D": [0.0, 0.0, 1.0]}])
    assert list(harmonize(dataset, {"as": {"D": "ignore"}})[0].columns) == ["E"]
    with pytest.raises(DataError, match="the source itself says that it is D"):
        harmonize(dataset, {"as": {"D": "R"}})


@pytest.mark.parametrize(
    ("given", "found"),
    [(["E"], "not of the form NAME=VALUE"), (["=eV"], "not of the form"), (["E=a", "E=b"], "given as a and as b")],
)
def test_options_that_are_no_pairs_are_told(given: list[str], found: str) -> None:
    """``NAME=VALUE`` is needed, and once only."""
    with pytest.raises(ConfigError, match=found):
        pairs("--unit", given)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_positions_that_are_no_numbers_stop_or_are_dropped(bad: float) -> None:
    """Frames with NaN or infinite positions are an error that names them, or are left out if the user says so."""
    arrays = molecules(E=np.arange(4.0))
    arrays["R"][2, 1, 0] = bad
    with pytest.raises(DataError) as error:
        harmonize(raw(**arrays))
    assert "positions are NaN or infinite in 1 of 4 frames (2)" in str(error.value)
    dataset, report = harmonize(raw(**arrays), {"drop_bad": True})
    assert dataset["E"].tolist() == [0.0, 1.0, 3.0]
    assert any("left out" in finding.note and finding.level == "warning" for finding in report.findings)


def test_a_data_set_of_bad_frames_only_is_refused() -> None:
    """Dropping every frame is no answer."""
    with pytest.raises(DataError, match="in 4 of 4 frames"):
        harmonize(raw(**molecules(R=np.full((4, 5, 3), np.nan))), {"drop_bad": True})


@pytest.mark.parametrize("arrays", [{"R": np.zeros((0, 3, 3))}, {"E": np.zeros(0)}])
def test_no_frames_are_refused(arrays: dict[str, Any]) -> None:
    """A data set without frames is an error."""
    with pytest.raises(DataError, match="it has no frames"):
        harmonize(raw(**arrays))


@pytest.mark.parametrize("values", [["1.0"] * 4, [1j] * 4])
def test_text_and_complex_numbers_are_no_energies(values: list[Any]) -> None:
    """A column of the right name that holds no real numbers is kept under that name, with a warning."""
    dataset, report = harmonize(raw(**molecules(energy=values)))
    assert "E" not in dataset
    assert [finding.field for finding in report.warnings if finding.source == "energy"] == ["energy"]


def test_values_of_packed_atoms_are_no_grid() -> None:
    """A packed column is one of atoms, and a potential on them is not taken for one on a grid."""
    dataset, report = harmonize(raw(R=chains([3, 2]), Z=[6] * 5, N=[3, 2], V=np.zeros(5)))
    assert "esp" not in dataset
    assert "V" in {finding.source for finding in report.warnings}
    assert dataset.take([1]).frame(0)["V"].shape == (2,)


def test_unknown_tables_go_to_meta() -> None:
    """An array that is no column of frames describes the whole data set and is not repeated in every frame."""
    dataset, report = harmonize(raw(**molecules(table=np.eye(7))))
    assert "table" not in dataset
    assert report.about("table")[0].note == "float64 7 x 7, not a known field; kept in meta"
    assert dataset.meta["table"].shape == (7, 7)


def test_harmonising_changes_nothing_in_place() -> None:
    """The raw data set and its arrays stay as they were."""
    arrays = molecules(E=np.arange(4.0))
    before = {name: values.copy() for name, values in arrays.items()}
    made = raw(**arrays)
    harmonize(made, {"unit": {"E": "hartree", "R": "bohr"}})[0].take([0])
    assert list(made.columns) == list(before)
    for name, values in before.items():
        np.testing.assert_array_equal(arrays[name], values)


def test_harmonising_twice_is_harmonising_once() -> None:
    """What is harmonised stays as it is."""
    once, _ = harmonize(raw(**molecules(E=np.arange(4.0))), {"unit": {"E": "hartree", "R": "angstrom"}})
    twice, report = harmonize(once)
    assert twice.fields == once.fields
    np.testing.assert_array_equal(twice["R"], once["R"])
    assert not report.warnings


@pytest.mark.parametrize(
    ("name", "given", "dtype"),
    [("E", "f4", "f8"), ("R", "f4", "f4"), ("R", "i8", "f8"), ("Z", "u1", "u1"), ("Z", "f8", "i8"), ("pbc", "i1", "?")],
)
def test_types_are_those_of_the_field(name: str, given: str, dtype: str) -> None:
    """Energies are in double precision, whole numbers whole; floats and integers keep their width."""
    values = np.ones_like(values_of(next(field for field in CANONICAL if field.name == name)), dtype=given)
    dataset, _ = harmonize(raw(**{**molecules(), name: values}))
    assert dataset[name].dtype == dataset.columns[name].dtype == np.dtype(dtype)
