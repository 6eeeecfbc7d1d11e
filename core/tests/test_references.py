"""Energies of the elements: fitted as exactly as they can be, and taken off without loss."""

from __future__ import annotations

import json
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomloom import Dataset
from atomloom.batching import Shape, pad
from atomloom.data import ElementEnergies, references
from atomloom.errors import DataError

FREE = {"H": -13.587, "C": -1027.592, "N": -1484.274, "O": -2039.734}
"""About what density functionals give for free atoms, in eV."""


def molecules(counts: np.ndarray, energies: np.ndarray, elements: tuple[int, ...] = (1, 6, 7, 8)) -> Dataset:
    """Frames of so many atoms of each element, all elements mixed."""
    frames = [np.repeat(elements, row) for row in counts]
    numbers = np.concatenate([np.random.default_rng(len(frame)).permutation(frame) for frame in frames])
    lengths = {"atom": [len(frame) for frame in frames]}
    return Dataset.from_arrays({"Z": numbers, "E": energies}, lengths=lengths)


def exactly(counts: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """The least-squares solution of the normal equations in rational numbers, by Gauss and Jordan."""
    rows = [list(map(Fraction, row)) for row in counts.tolist()]
    values = list(map(Fraction, energies.tolist()))
    size = range(counts.shape[1])
    table = [
        [sum(row[i] * row[j] for row in rows) for j in size]
        + [sum(row[i] * value for row, value in zip(rows, values, strict=True))]
        for i in size
    ]
    for i in size:
        table[i] = [entry / table[i][i] for entry in table[i]]
        for j in size:
            if i != j:
                table[j] = [b - table[j][i] * a for a, b in zip(table[i], table[j], strict=True)]
    return np.array([float(row[-1]) for row in table])


@pytest.mark.parametrize("block", [7, 4096])
def test_a_fit_equals_rational_arithmetic(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of energies of -4e5 eV with noise the fit is right to 1e-8 eV, in one block or in many."""
    monkeypatch.setattr(references, "BLOCK", block)
    random = np.random.default_rng(0)
    counts = random.integers([200, 100, 50, 40], 310, (60, 4))
    energies = counts @ np.array(list(FREE.values())) + random.normal(scale=2.0, size=60)
    assert energies.mean() < -4e5
    fitted = ElementEnergies.fit(molecules(counts, energies))
    np.testing.assert_allclose([fitted.values[z] for z in (1, 6, 7, 8)], exactly(counts, energies), rtol=0, atol=1e-8)
    assert fitted.undetermined == ()


def test_a_fit_finds_what_the_energies_are_made_of() -> None:
    """Sums of free atoms give back the free atoms, also where an element comes late and is rare."""
    counts = np.random.default_rng(1).integers(1, 20, (9000, 4))
    counts[:-3, 3] = 0
    energies = counts @ np.array(list(FREE.values()))
    fitted = ElementEnergies.fit(molecules(counts, energies))
    assert fitted.values == pytest.approx(ElementEnergies.given(FREE).values, abs=1e-8)


def test_a_fit_to_some_frames_sees_no_others() -> None:
    """By number or by mask."""
    counts = np.random.default_rng(2).integers(0, 9, (20, 4))
    energies = counts @ np.array(list(FREE.values()))
    energies[10:] = np.nan
    dataset = molecules(counts, energies)
    for frames in (np.arange(10), np.arange(20) < 10):
        assert ElementEnergies.fit(dataset, frames).values == pytest.approx(ElementEnergies.given(FREE).values)


def test_what_compositions_leave_open_is_the_smallest_and_is_named() -> None:
    """H and O of water alone share its energy as 2 : 1, the shortest vector; Ne beside it is known."""
    water = -2070.2
    dataset = molecules(np.array([[2, 1, 0], [4, 2, 0], [0, 0, 3]]), np.array([water, 2 * water, -9.0]), (1, 8, 10))
    fitted = ElementEnergies.fit(dataset)
    assert fitted.values == pytest.approx({1: 2 * water / 5, 8: water / 5, 10: -3.0})
    assert fitted.undetermined == (1, 8)
    np.testing.assert_allclose(fitted.subtract([3 * water], [1] * 6 + [8] * 3, [0] * 9), 0.0, atol=1e-8)


frames_of_size = st.lists(st.integers(0, 150), min_size=4, max_size=4).map(np.array)


@given(st.lists(st.tuples(frames_of_size, st.floats(-31.99, 31.99)), min_size=1, max_size=4))
def test_no_more_is_lost_than_float32_has_to(drawn: list[tuple[np.ndarray, float]]) -> None:
    """Down to -4e5 eV: what is left of E, cast to float32 and added back, is E to 2^-24 of it, and to 1e-6 eV."""
    counts = np.stack([row for row, _ in drawn])
    left = np.array([rest for _, rest in drawn])
    free = ElementEnergies.given(FREE)
    numbers = np.concatenate([np.repeat([1, 6, 7, 8], row) for row in counts])
    segments = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    energies = free.of(numbers, segments, len(counts)) + left
    rounded = free.subtract(energies, numbers, segments).astype(np.float32)
    lost = np.abs(free.add(rounded, numbers, segments) - energies)
    assert (lost <= np.abs(left) * 2.0**-24 + 2 * np.spacing(np.abs(energies).max())).all()
    assert lost.max() < 1e-6


def test_float32_alone_loses_far_more() -> None:
    """The same energies cast as they are would be wrong by 0.01 eV."""
    energies = -4e5 + np.linspace(0, 30, 1001)
    assert np.abs(energies.astype(np.float32) - energies).max() > 0.01


def test_the_order_of_atoms_does_not_matter_to_the_last_bit() -> None:
    """Nor do dummy atoms and padding."""
    random = np.random.default_rng(3)
    free = ElementEnergies.given({z: float(e) for z, e in zip(range(1, 90), random.normal(size=89) * 1e4, strict=True)})
    numbers, segments = random.integers(0, 90, 500), np.sort(random.integers(0, 7, 500))
    mixed = np.concatenate([random.permutation(500), [0, 1]])
    more = np.where(np.arange(502) < 500, numbers[mixed], 0)
    assert free.of(numbers, segments, 7).tobytes() == free.of(more, segments[mixed], 7).tobytes()


def test_a_padded_batch_needs_no_unpadding() -> None:
    """Slots that are filled up count nothing: real frames get their sums, the others 0."""
    dataset = molecules(np.array([[2, 0, 0, 1], [4, 1, 0, 0]]), np.zeros(2))
    free = ElementEnergies.given(FREE)
    padded = pad(dataset.take([0, 1]), Shape(3, 12))
    sums = free.of(padded["Z"], padded["batch_segments"], 3)
    np.testing.assert_allclose(sums, [2 * FREE["H"] + FREE["O"], 4 * FREE["H"] + FREE["C"], 0.0])


@pytest.mark.parametrize("sent", [lambda e: ElementEnergies.from_state(json.loads(json.dumps(e.state()))),
                                  lambda e: pickle.loads(pickle.dumps(e))], ids=["json", "pickle"])  # fmt: skip
def test_energies_come_back_as_they_were(sent: object) -> None:
    """From JSON and from a pickle, to the last bit, with what was left open."""
    energies = ElementEnergies({8: -2039.1 / 3, 1: 1e-17 - 13.1}, (1, 8))
    assert sent(energies) == energies  # type: ignore[operator]  # a lambda of the table above


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"Q": 1.0}, "'Q' is no element"),
        ({"X": 1.0}, "'X' is no element"),
        ({119: 1.0}, "119 is no element"),
        ({"H": float("nan")}, "they are H = nan"),
        ({"H": 1.0, 1: 2.0}, "they are H = 1.0, 1 = 2.0"),
    ],
)
def test_energies_that_are_none_are_told(given: dict[str, float], found: str) -> None:
    """Unknown and dummy elements, numbers that are none, two energies of one element."""
    with pytest.raises(DataError) as caught:
        ElementEnergies.given(given)
    assert caught.value.asked == "use energies of the elements"
    assert caught.value.found == found


def test_atoms_without_an_energy_are_named() -> None:
    """All elements that lack one, by symbol, beside those that have one."""
    with pytest.raises(DataError) as caught:
        ElementEnergies.given({"H": -13.6, "C": -1027.0}).of([1, 35, 53, 0, 35], [0, 0, 0, 0, 1], 2)
    assert str(caught.value) == (
        "Cannot use energies of the elements: there are atoms of Br, I, and energies of H, C. "
        "Fit them to frames that hold all elements, or give one for each."
    )


def test_frames_that_cannot_be_fitted_are_told() -> None:
    """Energies that are NaN, by the number of the frame; frames without atoms."""
    counts = np.ones((3, 4), dtype=int)
    with pytest.raises(DataError, match=r"fit energies of the elements: E is nan in frame 1 of 3\. Leave such frames"):
        ElementEnergies.fit(molecules(counts, np.array([1.0, np.nan, 2.0])))
    with pytest.raises(DataError, match="there are no atoms in 3 frames"):
        ElementEnergies.fit(molecules(0 * counts, np.zeros(3)))
