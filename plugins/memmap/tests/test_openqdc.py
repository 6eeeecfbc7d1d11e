"""openQDC's data sets: their methods, units and precisions, and the names that they keep in a pickle."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomloom import harmonize
from atomloom.errors import AmbiguousData, ConfigError, DataError
from atomloom_memmap.layouts import openqdc, openqdc_sets


def write(path: Path, values: Any, dtype: str) -> None:
    """The bytes of an array and nothing else, as openQDC has them."""
    np.asarray(values, dtype=dtype).tofile(path)


@pytest.mark.parametrize("method", ["1", "0", 1, 0])
def test_one_method_is_read(method: str | int, quantum: Path, arrays: dict[str, Any]) -> None:
    """The energies and forces of the method chosen; frames without forces have NaN, as openQDC has it."""
    dataset = openqdc.read(quantum, method=method)
    assert np.array_equal(dataset["energies"], arrays["E"] + int(method))
    assert np.isnan(dataset["forces"]).all() == (int(method) == 1)


def test_several_methods_have_to_be_chosen_from(quantum: Path) -> None:
    """Without a choice, or with one that is none of them, the methods are listed."""
    with pytest.raises(AmbiguousData) as unsaid:
        openqdc.read(quantum)
    todo = "Choose one by name or number with the option method."
    energies = quantum / "energies.mmap"
    assert str(unsaid.value) == f"Cannot read '{energies}': it holds 2 methods: 0, 1. {todo}"
    with pytest.raises(ConfigError) as wrong:
        openqdc.read(quantum, dataset="orbnet_denali", method="b3lyp")
    found = "it holds 2 methods: 0 (wb97x-d3/def2-tzvp), 1 (gfn1_xtb)"
    assert str(wrong.value) == f"Cannot read the method 'b3lyp' of '{energies}': {found}. {todo}"
    with pytest.raises(ConfigError, match=r"openQDC's data sets are alchemy, ani1, .* Name one of these"):
        openqdc.read(quantum, dataset="b3lyp")


def test_a_known_data_set_has_its_methods_and_units(quantum: Path, arrays: dict[str, Any]) -> None:
    """The folder is called like one of openQDC's data sets, or the option says which it is."""
    moved = quantum.parent.rename(quantum.parent.with_name("qm7x"))
    os.truncate(moved / "preprocessed" / "forces.mmap", 132)
    for method in ("PBE0/def2-tzvp", "dft3b"):
        dataset = openqdc.read(moved, method=method)
        assert dataset.meta["level_of_theory"] == method.lower()
        assert ("forces" in dataset) == (method == "PBE0/def2-tzvp")
    units = {name: dataset.fields[name].unit for name in ("positions", "energies")}
    assert units == {"positions": "angstrom", "energies": "eV"}
    named = openqdc.read(moved, dataset="orbnet_denali", method="gfn1_xtb")
    assert (named.fields["energies"].unit, named.meta["source"]) == ("hartree", "orbnet_denali")
    with pytest.raises(DataError, match="are no float64 of 3 methods for each of the 4 frames"):
        openqdc.read(moved, dataset="qm7x_v2", method="pm6")


def test_what_openqdc_calls_forces_is_forces(quantum: Path, arrays: dict[str, Any]) -> None:
    """It stores gradients of SPICE and turns their sign on reading; formal charges add up to those of the molecules."""
    inputs = np.fromfile(quantum / "atomic_inputs.mmap", "f4").reshape(-1, 5)
    inputs[:4, 1] = [-1, 1, 1, 1]
    inputs.tofile(quantum / "atomic_inputs.mmap")
    write(quantum / "energies.mmap", arrays["E"], "f8")
    write(quantum / "forces.mmap", arrays["F"], "f4")
    dataset = openqdc.read(quantum, dataset="spice")
    assert np.array_equal(dataset["forces"], -arrays["F"])
    assert dataset["total_charge"].tolist() == [1, 1, 0, 0]
    assert dataset.take([1, 0, 1])["total_charge"].tolist() == [1, 1, 1]
    assert {name: field.unit for name, field in dataset.fields.items() if field.unit} == {
        "positions": "bohr",
        "total_charge": "e",
        "energies": "hartree",
        "forces": "hartree/bohr",
    }
    assert "total_charge" not in openqdc.read(quantum, dataset="transition1x")


def test_interaction_energies_are_no_energies(quantum: Path) -> None:
    """They are not of a molecule, so that harmonising does not take them for E; openQDC has them as float32."""
    values = np.arange(80, dtype="f4").reshape(4, 20)
    write(quantum / "energies.mmap", values, "f4")
    (quantum / "forces.mmap").unlink()
    dataset = openqdc.read(quantum, dataset="splinter", method="sapt0/jun-cc-pV(D+d)Z es scaled")
    assert np.array_equal(dataset["interaction_energies"], values[:, 6])
    assert "energies" not in dataset
    assert dataset.fields["interaction_energies"].unit == "kcal/mol"
    assert "E" not in harmonize(dataset)[0]


def test_single_precision_is_never_guessed(quantum: Path, arrays: dict[str, Any]) -> None:
    """Energies are float32 in some data sets and in old versions, and two of them could be taken for one float64."""
    write(quantum / "energies.mmap", arrays["E"], "f4")
    (quantum / "forces.mmap").unlink()
    for energies in (
        openqdc.read(quantum, dataset="pubchemqc_pm6")["energies"],
        openqdc.read(quantum, dataset="vqm24", single=True)["energies"],
    ):
        assert energies.dtype == np.float32
        assert np.array_equal(energies, arrays["E"].astype("f4"))
    with pytest.raises(DataError) as caught:
        openqdc.read(quantum, dataset="vqm24")
    assert str(caught.value) == (
        f"Cannot read '{quantum / 'energies.mmap'}': its 16 bytes are no float64 of 1 method for each of the 4 frames "
        "in position_idx_range.mmap. Check which data set it is, or set the option single if openQDC wrote float32, "
        "as it did in its beginnings."
    )


def test_ranges_that_wrapped_around_are_counted_on(quantum: Path) -> None:
    """Behind 2147483647 atoms int32 is negative; the lengths of frames are right, and so are the files' sizes."""
    most = 2**31 - 4
    ranges = np.array([[0, most], [most, most + 3], [most + 3, most + 8], [most + 8, most + 10]])
    write(quantum / "position_idx_range.mmap", ranges.astype(np.int64).astype(np.int32), "i4")
    os.truncate(quantum / "atomic_inputs.mmap", 20 * (most + 10))
    (quantum / "forces.mmap").unlink()
    dataset = openqdc.read(quantum, method="0", names=False)
    assert dataset.sizes["positions"].tolist() == [most, 3, 5, 2]
    with open(quantum / "atomic_inputs.mmap", "r+b") as stream:
        stream.seek(20 * (most + 8))
        stream.write(np.array([[6, 0, 1, 2, 3], [8, 0, 4, 5, 6]], dtype="f4").tobytes())
    assert dataset.take([3], ["positions"])["positions"].tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("name", ["qm9", "multixcqm9", "splinter"])
def test_methods_of_a_known_data_set_are_counted(name: str, quantum: Path) -> None:
    """Energies that were cut off by whole methods are no energies of fewer methods."""
    known = openqdc_sets.SETS[name]
    write(quantum / "energies.mmap", np.zeros((4, known.columns - 1)), "f4" if known.single else "f8")
    with pytest.raises(DataError, match=f"are no float.* of {known.columns} methods for each of the 4 frames"):
        openqdc.read(quantum, dataset=name, method="0")


def test_units_of_all_known_sets_are_units() -> None:
    """Each can be converted, and forces are of methods that there are."""
    from atomloom.units import factor

    for name, known in openqdc_sets.SETS.items():
        assert factor(known.energy, "eV") > 0, name
        assert factor(known.distance, "angstrom") > 0, name
        assert all(number < len(known.methods) for number in known.forces), name
        assert len(set(known.methods)) == len(known.methods), name
        assert known.columns > 0, name


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_names_are_texts_of_frames(quantum: Path) -> None:
    """They are decoded from the pickle, also where it holds plain lists."""
    dataset = openqdc.read(quantum, method="0")
    assert dataset["name"].tolist() == ["O", "[Ne]", "C", "[H][H]"]
    assert dataset.take([3, 0])["subset"].tolist() == ["b", "a"]
    lists = {"name": ["w", "x", "y", "z"], "subset": ["s"] * 4, "n_atoms": [3, 1, 5, 2]}
    (quantum / "props.pkl").write_bytes(pickle.dumps(lists))
    assert openqdc.read(quantum, method="0")["name"].tolist() == lists["name"]


PROPS: dict[str, tuple[Callable[[Path], object], str]] = {
    "code in a name": (lambda path: {"name": Evil(path)}, "its 'name' is no text of frames. Leave names out with"),
    "code in place of everything": (lambda path: Evil(path), "it holds a Stub where a dict is expected"),
    "names of other frames": (
        lambda path: {"name": np.unique(np.array(["a"]), return_inverse=True)},
        "its 'name' is of 1 frames, and there are 4",
    ),
    "names that are not there": (
        lambda path: {"name": (np.array(["a"]), np.array([0, 0, 1, 0]))},
        "its 'name' has 1 texts and counts to others",
    ),
    "atoms of other frames": (
        lambda path: {"name": ["a"] * 4, "n_atoms": np.array([3, 1, 5, 3])},
        "the numbers of atoms in it are those of other frames",
    ),
    "no names": (lambda path: {"n_atoms": np.array([3, 1, 5, 2])}, "its 'name' is no text of frames"),
}


@pytest.mark.parametrize("case", PROPS)
def test_a_pickle_that_is_not_as_it_should_be(case: str, quantum: Path, tmp_path: Path) -> None:
    """Nothing in it is executed, and it is refused when names are asked for; without them all else is read."""
    content, message = PROPS[case]
    trace = tmp_path / "executed"
    (quantum / "props.pkl").write_bytes(pickle.dumps(content(trace)))
    dataset = openqdc.read(quantum, method="0")
    assert dataset["energies"].shape == (4,)
    with pytest.raises(DataError) as caught:
        dataset["name"]
    assert message in str(caught.value)
    assert not trace.exists()
    assert "name" not in openqdc.read(quantum, method="0", names=False)
