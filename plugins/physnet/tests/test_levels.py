"""One potential for two levels of theory, which differ by energies of the elements and by a smooth function."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom import ConfigError, DataError, Dataset, Run
from atomloom.data.levels import at_level
from atomloom.experiment import loads, resolved
from atomloom.pipeline import Fitted, fit, predict, prepare
from atomloom.writers import write
from atomloom_physnet import Config, PhysNet
from atomloom_physnet.energy import energy_fn, reference
from atomloom_physnet.model import level_number

EXPERIMENT = """\
losses = { energy = 1.0 }
[[data.source]]
path = "low.npz"
reader = "npz"
unit = { E = "eV", R = "angstrom" }
level = "HF/STO-3G"
[[data.source]]
path = "high.npz"
reader = "npz"
unit = { E = "eV", R = "angstrom" }
level = "CCSD(T)"
[batching]
batch_size = 16
[model]
name = "physnet"
features = 8
layers = 1
basis_functions = 8
cutoff = 3.0
coulomb = false
repulsion = false
conditioning = "none"
level_heads = true
[training]
num_epochs = 80
learning_rate = 1e-2
ema_decay = 0.9
"""

LOW, HIGH = "HF/STO-3G", "CCSD(T)"


def waters(count: int, seed: int) -> Dataset:
    """Bent molecules with bonds of random lengths; their energies at `LOW` are zero."""
    bonds = 0.95 + 0.1 * np.random.default_rng(seed).uniform(-1, 1, size=(count, 2))
    positions = np.zeros((count, 3, 3))
    positions[:, 1, 0], positions[:, 2, 1] = bonds.T
    arrays = {"Z": np.tile([8, 1, 1], (count, 1)), "R": positions, "E": np.zeros(count)}
    return Dataset.from_arrays({**arrays, "total_charge": np.zeros(count), "total_spin": np.ones(count, int)})


def low(dataset: Dataset) -> np.ndarray:
    """Springs, in eV."""
    stretch = np.linalg.norm(dataset["R"].reshape(-1, 3, 3)[:, 1:], axis=-1) - 0.95
    return -2000.0 + 20.0 * (stretch**2).sum(axis=1)


def beyond(dataset: Dataset) -> np.ndarray:
    """By how much the energies at `HIGH` are others: by those of the elements, and smoothly with the bonds; in eV."""
    stretch = np.linalg.norm(dataset["R"].reshape(-1, 3, 3)[:, 1:], axis=-1) - 0.95
    return -40.0 + 2 * 3.0 + 4.0 * stretch.sum(axis=1)


def with_energies(dataset: Dataset, energies: np.ndarray) -> Dataset:
    """The data with these energies."""
    return dataset.with_columns({"E": type(dataset.columns["E"])(energies)}, {"E": dataset.fields["E"]})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A potential of both, fitted to other geometries at either."""
    folder = tmp_path_factory.mktemp("levels")
    for name, data in (("low", waters(80, 1)), ("high", waters(80, 2))):
        energies = low(data) + (beyond(data) if name == "high" else 0.0)
        write(with_energies(data, energies), folder / f"{name}.npz")
    return fit(prepare(resolved(loads(EXPERIMENT), folder)), folder / "run", quiet=True)[0]


def test_references_and_heads_tell_levels_apart(run: Run) -> None:
    """At new geometries the difference between levels is that of the data, both its constants and its smooth part."""
    fitted, new = Fitted.load(Run.open(run.folder)), waters(40, 3)
    found = {name: predict(fitted, at_level(new, name))["E"] for name in (LOW, HIGH)}
    smooth = np.std(beyond(new))
    assert smooth > 0.2
    assert np.abs(found[HIGH] - found[LOW] - beyond(new)).mean() < 0.2 * smooth
    assert np.abs(found[LOW] - low(new)).mean() < 0.2 * smooth


def test_a_level_is_named_or_nothing_is_predicted(run: Run) -> None:
    """Data sets, functions and calculators have no default among several, and know no other."""
    fitted, new = Fitted.load(Run.open(run.folder)), waters(2, 3)
    numbers, listed = np.array([8, 1, 1]), r"the model was trained on CCSD\(T\) and HF/STO-3G\. Name one"
    with pytest.raises(DataError, match=f"the data do not say which, and {listed}"):
        predict(fitted, new)
    with pytest.raises(DataError, match=f"there is no level 'PBE', and {listed}"):
        predict(fitted, at_level(new, "PBE"))
    for level in (None, "PBE"):
        with pytest.raises(DataError, match=listed):
            energy_fn(fitted, numbers, 0, 1, level)
    assert reference(fitted, numbers, HIGH) - reference(fitted, numbers, LOW) == pytest.approx(-34.0, abs=0.5)
    assert level_number(fitted.state, HIGH) == 0


def test_heads_for_a_single_level_are_refused() -> None:
    """Before there is a run."""
    whole = waters(2, 0)
    with pytest.raises(ConfigError, match="are of no level that is said alone"):
        PhysNet().check({"train": whole, "valid": whole[:0], "test": whole}, Config(level_heads=True))
