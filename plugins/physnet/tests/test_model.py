"""What the model refuses, what it takes for granted only when told so, and a fit from a file to predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from atomloom import ConfigError, DataError, Dataset, Run
from atomloom.batching import fixed_shape, in_order
from atomloom.experiment import AsFlags, Batching, build, loads, resolved
from atomloom.model import FitData
from atomloom.pipeline import Fitted, Job, fit, predict, prepare
from atomloom.pipeline.job import schema_of
from atomloom.writers import write
from atomloom_physnet import Config, PhysNet
from atomloom_physnet.bundled import states
from atomloom_physnet.model import SEEN, check_seen, computed

Make = Callable[..., Any]

EXPERIMENT = """\
[[data.source]]
path = "states.npz"
reader = "npz"
[data.split]
train = 0.5
valid = 0.2
test = 0.3
group = "geometry"
[batching]
batch_size = 4
num_atoms = 3
[model]
name = "physnet"
features = 8
layers = 1
basis_functions = 4
charge_min = -1
charge_max = 1
spin_max = 3
assume_spin = 1
[training]
num_epochs = 2
"""


@pytest.fixture(scope="session")
def water() -> Dataset:
    """Forty frames of water in its states."""
    whole = states()
    return whole[np.flatnonzero(whole.sizes["atom"] == 3)[:40]]


@pytest.fixture(scope="session")
def job(water: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The experiment on water."""
    folder = tmp_path_factory.mktemp("water")
    write(water, folder / "states.npz")
    return prepare(resolved(loads(EXPERIMENT), folder))


@pytest.fixture(scope="session")
def run(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """It, fitted."""
    return fit(job, tmp_path_factory.mktemp("runs") / "run", quiet=True)[0]


def stateless(**arrays: Any) -> Dataset:
    """Water without a word about its state, and with what is given."""
    positions = [[[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]]]
    return Dataset.from_arrays({"Z": [[8, 1, 1]], "R": positions, **arrays})


def test_a_state_that_data_do_not_say_is_an_error_that_names_the_option() -> None:
    """No molecule becomes a neutral singlet because its file said nothing."""
    with pytest.raises(DataError, match=r"hold no total_charge, no total_spin.*--assume-charge 0 --assume-spin 1"):
        PhysNet().complete(stateless(), Config())
    with pytest.raises(DataError, match=r"hold no total_spin\. .*with --assume-spin 1\."):
        PhysNet().complete(stateless(total_charge=[0.0]), Config(assume_charge=0))


def test_what_is_assumed_stands_in_for_what_is_missing_alone() -> None:
    """The charge that data say is kept, and the multiplicity that they do not say is the assumed one."""
    whole = PhysNet().complete(stateless(total_charge=[1.0]), Config(assume_charge=0, assume_spin=2))
    assert (whole["total_charge"].tolist(), whole["total_spin"].tolist()) == ([1.0], [2])


def test_an_assumption_that_no_molecule_can_have_is_refused() -> None:
    """Ten electrons are no doublet."""
    with pytest.raises(DataError, match="frame 0 of charge 0 has 10 electrons and multiplicity 2"):
        PhysNet().complete(stateless(), Config(assume_charge=0, assume_spin=2))


@pytest.mark.parametrize(
    ("charge", "spin", "found"),
    [(3.0, 2, "has a total charge of 3, and the model was trained for -2 to 2"),
     (0.0, 7, "has a multiplicity 2S\\+1 of 7, and the model was trained for 1 to 5")],
)  # fmt: skip
def test_states_outside_of_the_range_are_refused(charge: float, spin: int, found: str) -> None:
    """Before anything is computed; none is moved to the edge of a table."""
    with pytest.raises(DataError, match=f"frame 0 {found}"):
        PhysNet().complete(stateless(total_charge=[charge], total_spin=[spin]), Config())


@pytest.mark.parametrize("conditioning", ["attention", "embedding", "none"])
@pytest.mark.parametrize(("charge", "spin"), [(3.0, 1), (0.0, 7), (0.5, 1)])
def test_the_network_itself_gives_no_number_for_an_unknown_state(
    conditioning: str, charge: float, spin: int, state: Make, padded: Make
) -> None:
    """NaN, where nobody asked before; the frames beside it keep their numbers."""
    known = {"Z": np.array([1, 1]), "R": np.eye(3)[:2], "total_charge": 0.0, "total_spin": 1}
    batch = padded([{**known, "total_charge": charge, "total_spin": spin}, known])
    made = state(conditioning=conditioning, features=2, layers=1, basis_functions=2)
    energies = np.asarray(computed(made, batch, predict_forces=False)["energy"])
    assert np.isnan(energies[0])
    assert np.isfinite(energies[1])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"total_charge": -1.0, "total_spin": 2}, "there is a total charge of -1, and it was trained on 0, 1"),
        ({"total_spin": 5}, r"there is a multiplicity 2S\+1 of 5, and it was trained on 1, 2"),
        ({"Z": np.array([9, 9])}, "it was trained on H, C, N, O, and there are F"),
    ],
)
def test_what_was_not_in_the_data_is_refused(change: dict[str, Any], found: str, state: Make, padded: Make) -> None:
    """Charges, multiplicities and elements that have room in the network, and of which it has learnt nothing."""
    made = state()
    seen = {
        "elements": made[SEEN]["elements"] & (np.arange(119) != 9),
        "charges": np.array([False, False, True, True, False]),
        "multiplicities": np.array([True, True, False, False, False]),
    }
    frame = {"Z": np.array([1, 1]), "R": np.eye(3)[:2], "total_charge": 0.0, "total_spin": 1}
    check_seen({**made, SEEN: seen}, padded([frame]))
    with pytest.raises(DataError, match=found):
        check_seen({**made, SEEN: seen}, padded([{**frame, **change}]))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"charge_min": 1, "charge_max": 0}, "--charge-min is 1, and `charge_max` is 0"),
        ({"assume_spin": 7}, "--assume-spin is 7, and the range goes from 1 to 5"),
        ({"coulomb_cutoff": 3.0}, "--coulomb-damping is 4, beyond `coulomb_cutoff` = 3"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], found: str) -> None:
    """With the flag and what is wrong with it."""
    with pytest.raises(ConfigError, match=found):
        build(Config, options, AsFlags())


def test_references_of_the_elements_are_exact_for_huge_energies() -> None:
    """Energies of -4e5 eV come back to a millionth of an eV, which single precision cannot hold."""
    rng = np.random.default_rng(0)
    data = [{"Z": [79] * 2 + [1] * n, "R": rng.normal(size=(n + 2, 3)), "total_charge": 0.0, "total_spin": 1 + n % 2,
             "E": -2e5 * 2 - 13.6 * n + 0.1 * rng.normal()} for n in range(2, 12)]  # fmt: skip
    dataset, model = Dataset.from_frames(data), PhysNet()
    blank = model.init(schema_of(dataset), Config(features=2, layers=1, basis_functions=2), 0)
    fitted = model.prepare(blank, FitData(dataset, dataset, Batching(), seed=0))
    batch = next(in_order(dataset, fixed_shape(dataset, 10)))
    left = (dataset["E"] - model.offsets(fitted, batch)["E"]).astype(np.float32)
    assert np.abs(left).max() < 1.0
    assert np.abs(left + model.offsets(fitted, batch)["E"] - dataset["E"]).max() < 1e-6


def test_a_fit_predicts_all_that_it_promises(run: Run, job: Job, water: Dataset) -> None:
    """Energies, forces, charges and dipoles of every frame, from the checkpoint; charges add up."""
    fitted = Fitted.load(Run.open(run.folder))
    found = predict(fitted, water)
    assert set(found.columns) == {"E", "F", "mono", "D"}
    np.testing.assert_allclose(found["mono"].reshape(-1, 3).sum(axis=1), water["total_charge"], atol=1e-5)
    assert fitted.state[SEEN]["charges"].tolist() == [True, True, True]
    assert fitted.state[SEEN]["multiplicities"].tolist() == [True, True, True]


def test_a_run_keeps_what_it_assumed(run: Run) -> None:
    """Its configuration says what stood for a multiplicity, and that no charge was assumed."""
    assert run.config["model"]["assume_spin"] == 1
    assert run.config["model"]["assume_charge"] == "none"


def test_a_fitted_model_refuses_what_it_has_not_seen(run: Run) -> None:
    """Atoms of another element, through the same way that every command predicts."""
    carbon = stateless(Z=[[6, 1, 1]], total_charge=[0.0], total_spin=[1])
    with pytest.raises(DataError, match="it was trained on"):
        predict(Fitted.load(run), carbon)
