"""The demo: molecules whose forces are the gradient of their energy, and a report of what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atomloom.report import Bars, Histogram, KeyFigures, Report, to_text
from atomloom_memmap import Store
from atomloom_memmap.demo import molecules
from atomloom_memmap.demo.job import BATCH, PACKED, PLAIN, WAYS, plain_batches, run
from atomloom_memmap.demo.measuring import Timed, allocated, in_turn

FRAMES = 700


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo works."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    """Of a small demo."""
    return run(folder, frames=FRAMES, repeats=2)


def test_forces_are_the_gradient() -> None:
    """Central differences of the energy give the forces."""
    made = molecules.make(3, seed=1)
    atoms, real = made["N"], made["Z"] > 0
    numbers, positions, step = made["Z"][real], made["R"][real].astype(np.float64), 1e-5
    energies, forces = molecules.energy_and_forces(numbers, positions, atoms)
    assert np.allclose(energies, made["E"], atol=1e-3)
    assert np.allclose(forces, made["F"][real], atol=1e-3)
    for atom in (0, 5, int(atoms[0]) - 1, int(atoms[0])):
        for axis in range(3):
            moved = []
            for sign in (step, -step):
                shifted = positions.copy()
                shifted[atom, axis] += sign
                moved.append(molecules.energy_and_forces(numbers, shifted, atoms)[0].sum())
            assert forces[atom, axis] == pytest.approx(-(moved[0] - moved[1]) / (2 * step), abs=1e-4)


def test_sizes_and_elements_are_about_those_of_qm9() -> None:
    """18 atoms on average, 29 at the most, half of them hydrogen."""
    made = molecules.make(4000)
    assert made["N"].mean() == pytest.approx(18, abs=0.2)
    assert 27 <= made["N"].max() <= 29
    assert np.mean(made["Z"][made["Z"] > 0] == 1) == pytest.approx(0.51, abs=0.01)


def test_the_plain_way_gives_every_molecule_once() -> None:
    """What the store is compared with does the same work: an epoch in random order, laid flat."""
    made = molecules.make(300)
    batches = list(plain_batches(made))
    assert sorted(np.concatenate([batch["E"] for batch in batches])) == sorted(made["E"])
    assert batches[0]["R"].shape == (BATCH * made["R"].shape[1], 3)


def test_the_report_holds_what_was_measured(report: Report) -> None:
    """Key figures, the sizes of all molecules, and a rate above zero for every way."""
    blocks = list(report.blocks)
    histogram = next(block for block in blocks if isinstance(block, Histogram))
    assert int(histogram.series[0].counts.sum()) == FRAMES
    rates = next(block for block in blocks if isinstance(block, Bars))
    assert rates.labels == (PLAIN, *WAYS)
    assert np.all(rates.series[0].values > 0)
    figures = {each.name: each for block in blocks if isinstance(block, KeyFigures) for each in block.figures}
    assert {"First batch", "Packed", "Verified", "Size"} <= set(figures)
    assert PACKED in to_text(report)
    assert f"{FRAMES:,} molecules" in report.summary


def test_the_store_stays(report: Report, folder: Path) -> None:
    """What people may go on with is left, whole; the large NPZ is not."""
    assert report
    store = Store(folder / "molecules.packed")
    assert len(store) == FRAMES
    assert not store.verify()
    assert not (folder / "molecules.npz").exists()


def test_ways_are_timed_in_turn() -> None:
    """Every round has each way once, in order."""
    seen: list[str] = []
    found = in_turn({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 2)
    assert seen == ["a", "b", "a", "b"]
    assert [len(each.seconds) for each in found.values()] == [2, 2]


def test_rates_are_medians_with_half_their_range() -> None:
    """Of 1, 2 and 4 seconds for 8 things."""
    assert Timed((1.0, 2.0, 4.0)).rate(8) == (4.0, 3.0)
    assert Timed((1.0, 2.0, 4.0)).median == 2.0


def test_allocated_memory_is_that_at_its_height() -> None:
    """An array that is made and dropped counts."""
    assert 8_000_000 <= allocated(lambda: np.ones(1_000_000).sum()) < 9_000_000
