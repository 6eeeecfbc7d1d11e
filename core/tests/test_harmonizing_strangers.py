"""Data sets as strangers write them: random names, layouts, sizes and units, and files of anything at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from atomloom import AmbiguousData, AtomloomError, ConfigError, DataError, Dataset, harmonize
from atomloom.fields import CANONICAL
from atomloom.harmonizing import HarmonizeReport
from atomloom.readers.numpy_files import from_found
from atomloom.units import convert

SIZES = {"xyz": 3}


def raw(**arrays: Any) -> Dataset:
    """Arrays as a reader lays them out, without a word about their units."""
    return from_found({name: np.asarray(values) for name, values in arrays.items()}, {}, {})


def chains(lengths: list[int], seed: int = 0) -> np.ndarray:
    """Positions of atoms about 1.4 angstrom from the next, all frames one behind the other."""
    along = np.concatenate([np.arange(length) for length in lengths])[:, None] * [1.4, 0.0, 0.0]
    return np.asarray(along + np.random.default_rng(seed).uniform(0.0, 0.1, along.shape) + [0.5, 0.2, 0.1])


UNITS = {
    "R": ["angstrom", "bohr", "nm"],
    "E": ["eV", "hartree", "kcal/mol", "kJ/mol"],
    "F": ["eV/angstrom", "hartree/bohr", "kcal/mol/A"],
    "D": ["e*angstrom", "debye", "e bohr"],
    "quadrupole": ["e*angstrom^2", "debye A"],
    "atom_dipoles": ["e*angstrom", "au"],
    "total_charge": ["e"],
    "mono": ["e"],
}
HELD = ["E", "F", "D", "quadrupole", "total_charge", "mono", "atom_dipoles", "total_spin"]


@st.composite
def strangers(draw: st.DrawFn) -> tuple[dict[str, np.ndarray], dict[str, str], Dataset, dict[str, str]]:
    """A data set as a stranger would keep it: arrays, units, the truth, and the names that were chosen."""
    frames = draw(st.integers(1, 10))
    layout = draw(st.sampled_from(["padded", "packed", "shared"]))
    one = draw(st.integers(1, 10))
    sizes = st.integers(1, 10)
    lengths = [one] * frames if layout == "shared" else draw(st.lists(sizes, min_size=frames, max_size=frames))
    held = draw(st.lists(st.sampled_from(HELD), unique=True))
    random = np.random.default_rng(draw(st.integers(0, 9)))
    fields = {field.name: field for field in CANONICAL}
    truth: dict[str, np.ndarray] = {}
    for name in ("Z", "R", *held):
        rows = sum(lengths) if fields[name].ragged else frames
        inner = [SIZES[dim] for dim in fields[name].dims if dim == "xyz"]
        truth[name] = random.normal(size=(rows, *inner)) + 1
    truth["Z"] = np.tile(random.integers(3, 90, one), frames) if layout == "shared" else np.full(sum(lengths), 6)
    truth["R"] = chains(lengths)
    electrons = np.array([numbers.sum() for numbers in np.split(truth["Z"], np.cumsum(lengths)[:-1])])
    possible = {"total_charge": np.arange(frames) % 2, "total_spin": 1 + (electrons - np.arange(frames) % 2) % 2}
    truth |= {name: values for name, values in possible.items() if name in truth}
    names = {name: draw(st.sampled_from([name, *fields[name].aliases])) for name in truth}
    assume(len({name.casefold() for name in names.values()}) == len(names))
    units = {name: draw(st.sampled_from(UNITS[name])) for name in truth if name in UNITS}
    counted = layout == "packed" or (layout == "padded" and draw(st.booleans()))
    arrays = {}
    for name, values in truth.items():
        kept = convert(values, fields[name].unit, units[name]) if name in units and units[name] != "au" else values
        arrays[names[name]] = laid_out(kept, np.array(lengths), layout if fields[name].ragged else "frames", name)
    if counted:
        arrays["n_atoms"] = np.array(lengths)
    return arrays, units, Dataset.from_arrays(truth, lengths={"atom": lengths}), names


def laid_out(values: np.ndarray, lengths: np.ndarray, layout: str, name: str) -> np.ndarray:
    """Values over atoms as one of the layouts has them."""
    if layout in {"packed", "frames"}:
        return values
    if layout == "shared" and name == "Z":
        return values[: lengths[0]]
    block = np.zeros((len(lengths), lengths.max(), *values.shape[1:]), dtype=values.dtype)
    block[np.arange(lengths.max()) < lengths[:, None]] = values
    return block


@given(strangers())
@settings(max_examples=300, deadline=None)
def test_no_field_is_silently_misread(
    case: tuple[dict[str, np.ndarray], dict[str, str], Dataset, dict[str, str]],
) -> None:
    """Whatever names, layout, sizes and units: every field is read right, or asked about, or marked as not read."""
    arrays, units, truth, names = case
    chosen = {names[name]: unit for name, unit in units.items() if unit != "au"}
    try:
        dataset, report = harmonize(raw(**arrays), {"unit": chosen})
    except (AmbiguousData, ConfigError):
        event("asked")
        return
    except DataError:
        event("refused")
        if not doubtful(arrays, truth):
            raise
        return
    event("read")
    assert len(dataset) == len(truth)
    for name in truth.columns:
        check_field(dataset, truth, name, names[name], report, units)


def doubtful(arrays: dict[str, np.ndarray], truth: Dataset) -> bool:
    """Whether sizes coincide in a way in which a choice of unit may name a field that was not recognised."""
    atoms, frames = truth.sizes["atom"], len(truth)
    return frames == 1 or int(atoms.max()) in {1, 3, frames} or len({len(values) for values in arrays.values()}) == 1


def check_field(
    dataset: Dataset, truth: Dataset, name: str, called: str, report: HarmonizeReport, units: dict[str, str]
) -> None:
    """Asserts that a field is right, or that a warning says that it was not read."""
    if name not in dataset:
        assert any(finding.source == called and finding.level == "warning" for finding in report.findings)
        event("not read, with a warning")
        return
    if units.get(name) != "au":
        np.testing.assert_allclose(dataset[name], truth[name], rtol=1e-12)


ANY_NAME = st.sampled_from(sorted({name for field in CANONICAL for name in (field.name, *field.aliases)} | {"foo"}))
ANY_TYPE = st.sampled_from(["f2", "f4", ">f8", "i1", "u8", ">i4", "?", "c16", "U3", "S2"])
ANY_SHAPE = st.lists(st.sampled_from([0, 1, 2, 3, 6, 9]), max_size=4).map(tuple)


@given(st.dictionaries(ANY_NAME, st.tuples(ANY_TYPE, ANY_SHAPE, st.integers(0, 9)), min_size=1, max_size=6))
@settings(max_examples=400, deadline=None)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_whatever_a_file_holds_is_read_or_refused(arrays: dict[str, tuple[str, tuple[int, ...], int]]) -> None:
    """No combination of names, types and shapes ends in anything but a data set or a message for people."""
    made = {}
    for name, (dtype, shape, seed) in arrays.items():
        values = np.random.default_rng(seed).integers(0, 4, size=shape)
        made[name] = values.astype(dtype)
    try:
        dataset, _ = harmonize(raw(**made))
        dataset.take(range(len(dataset)))
    except AtomloomError as error:
        event(type(error).__name__)
    else:
        event("read")
