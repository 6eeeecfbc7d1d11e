"""Frames that repeat: predictions through batches, a training with them, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ase", reason="compares with the calculator, which needs ase")
from ase import Atoms

from atomloom import DataError, Dataset
from atomloom.batching import Shape
from atomloom.invariance import PROBES, Trial
from atomloom.pipeline import predict
from atomloom.runs import Run
from atomloom_physnet import PhysNetCalculator

Make = Callable[..., Any]

CUTOFFS = {"coulomb_cutoff": 4.5, "coulomb_damping": 3.0}
ALL = Shape(frames=3, atoms=18, pairs=128)
"""Slots for all pairs of molecules of 9, 8 and 1 atoms."""

CELL = np.array([[5.0, 0.0, 0.0], [0.6, 5.2, 0.0], [0.3, -0.4, 5.4]])


def crystals(count: int, *, periodic: bool = True, seed: int = 0) -> dict[str, np.ndarray]:
    """Two water molecules in a skewed cell, shaken; springs hold their bonds and tie them to each other's images."""
    random = np.random.default_rng(seed)
    water = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-0.2, 1.0, 0.1]])
    rest = np.vstack([water, water[:, ::-1] + [2.2, 2.0, 2.4]])
    positions = rest + random.normal(scale=0.05, size=(count, 6, 3))
    energies, forces = springs(positions, rest)
    return {
        "Z": np.tile([8, 1, 1, 8, 1, 1], (count, 1)),
        "R": positions,
        "E": energies,
        "F": forces,
        "cell": np.tile(CELL, (count, 1, 1)),
        "pbc": np.tile(np.full(3, periodic), (count, 1)),
        "total_charge": np.zeros(count),
        "total_spin": np.ones(count, int),
    }


def springs(positions: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies ``[frames]`` and forces ``[frames, 6, 3]`` of springs of 20 eV/angstrom^2, one across the cell."""
    energies, forces = np.zeros(len(positions)), np.zeros_like(positions)
    for first, second, shift in ((0, 1, 0), (0, 2, 0), (3, 4, 0), (3, 5, 0), (3, 0, CELL[0] + CELL[1])):
        vectors = positions[:, second] + shift - positions[:, first]
        lengths = np.linalg.norm(vectors, axis=1)
        stretch = lengths - np.linalg.norm(rest[second] + shift - rest[first])
        pull = (20.0 * stretch / lengths)[:, None] * vectors
        energies += 10.0 * stretch**2
        forces[:, first] += pull
        forces[:, second] -= pull
    return energies, forces


def test_batches_give_what_the_calculator_gives(fitted: Make) -> None:
    """Energies and forces of crystals and of a molecule among them, whose lists of pairs differ in every way."""
    potential = fitted(**CUTOFFS)
    arrays = crystals(3)
    arrays["pbc"][1] = False
    found = predict(potential, Dataset.from_arrays(arrays))
    for number in range(3):
        atoms = Atoms(arrays["Z"][number], arrays["R"][number], cell=CELL, pbc=arrays["pbc"][number])
        atoms.calc = PhysNetCalculator(potential, charge=0, spin=1)
        assert found["E"][number] == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
        np.testing.assert_allclose(found["F"][6 * number : 6 * number + 6], atoms.get_forces(), atol=1e-8)


def test_pairs_beyond_the_reach_change_nothing(fitted: Make, frames: Make, padded: Make, predicted: Make) -> None:
    """Of molecules longer than the cutoffs, lists of near pairs give what lists of all pairs give."""
    potential, some = fitted(**CUTOFFS), frames([9, 8, 1])
    near = potential.near(Dataset.from_frames(some))
    assert 0 < near.counts[0] < 72
    found, expected = predict(potential, near.dataset), predicted(potential.state, padded(some, ALL))
    np.testing.assert_allclose(found["F"], expected["F"], atol=1e-9)
    np.testing.assert_allclose(found["mono"], expected["mono"], atol=1e-9)


def test_a_crystal_keeps_every_promise(fitted: Make) -> None:
    """The certificate looks at cells as they repeat: turned with them, too, nothing changes."""
    trial = Trial.of(fitted(**CUTOFFS), Dataset.from_arrays(crystals(4)))
    measured = {probe.name: probe.measure(trial) for probe in PROBES if not probe.hindrance(trial)}
    assert {"rotation", "padding", "conservative"} <= measured.keys()
    assert not [str(deviation) for found in measured.values() for deviation in found if not deviation.holds]


def test_charges_without_an_end_are_refused(fitted: Make) -> None:
    """A crystal is never computed as if it were a molecule."""
    everywhere = fitted()
    assert everywhere.near(Dataset.from_arrays(crystals(1, periodic=False))).reach == math.inf
    with pytest.raises(DataError, match=r"Train with coulomb_cutoff, or with coulomb = false"):
        predict(everywhere, Dataset.from_arrays(crystals(1)))


def test_crystals_train(tmp_path: Path) -> None:
    """The command fits springs in a crystal; without a cutoff it stops before there is a run."""
    np.savez(tmp_path / "crystals.npz", **crystals(60))
    refused = train(tmp_path, "--name", "refused")
    assert refused.returncode == 2
    assert "coulomb_cutoff" in refused.stderr
    assert not (tmp_path / "runs" / "refused").exists()
    short = ["--coulomb-cutoff", "4.5", "--coulomb-damping", "3"]
    done = train(tmp_path, "--name", "springs", *short)
    assert done.returncode == 0, done.stderr
    errors = Run.open(tmp_path / "runs" / "springs").metrics()["valid/F/mae"]
    assert errors[-1] < 0.4 * errors[0]


def train(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """A short training on the crystals in a folder."""
    command = [sys.executable, "-m", "atomloom", "train", "physnet", "--data", "crystals.npz", "--num-epochs", "30"]
    small = ["--features", "8", "--layers", "1", "--cutoff", "4", "--batch-size", "8"]
    units = ["--unit", "E=eV", "--unit", "F=eV/angstrom", "--unit", "R=angstrom", "--unit", "cell=angstrom"]
    return subprocess.run([*command, *small, *units, *more], cwd=folder, capture_output=True, text=True, check=False)
