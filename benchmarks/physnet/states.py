"""Electronic states: what each way of conditioning makes of the bundled molecules, at one budget.

All frames of a geometry are in one part, and the parts are the same for every seed and every way; seeds differ in the
first parameters and in the order of frames. A model without conditioning gives every state of a geometry one energy,
but for what the total charge does to its atomic charges, so its errors show what there is to be learnt.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tables import Limit, table

from atomloom import Dataset
from atomloom.report import mae
from atomloom.writers import write
from atomloom_physnet import Config
from atomloom_physnet.bundled import states
from atomloom_physnet.demo import differences_of
from physnet.training import started, trained

WAYS = ("none", "embedding", "attention")
EXPERIMENT = """\
[[data.source]]
path = "states.npz"
reader = "npz"
[data.split]
train = 0.8
valid = 0.05
test = 0.15
group = "geometry"
[batching]
batch_size = 16
[model]
name = "physnet"
conditioning = "{way}"
features = 48
charge_min = -1
charge_max = 1
spin_max = 3
[training]
num_epochs = {epochs}
learning_rate = 3e-3
ema_decay = 0.99
seed = {seed}
table_every_n_epochs = 0
"""

EPOCHS = 22

Errors = dict[str, float]


class Tried(NamedTuple):
    """One training: its CPU seconds, and mean absolute errors in meV and meV/angstrom by what they are of."""

    seconds: float
    errors: Errors


def tried(way: str, seed: int, epochs: int) -> Tried:
    """Train, and judge by the geometries that were held out."""
    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
        write(states(), Path(folder) / "states.npz")
        job = started(EXPERIMENT.format(way=way, seed=seed, epochs=epochs), Path(folder))
        done = trained(job, Path(folder))
        return Tried(done.seconds, errors(done.test, done.predicted()))


def errors(test: Dataset, found: Dataset) -> Errors:
    """Of energies and forces of each state and of all, and of the differences between states."""
    told = {"all states, E": mae(found["E"], test["E"]), "all states, F": mae(found["F"], test["F"])}
    for state, frames in by_state(test):
        mine, true = found[frames], test[frames]
        told |= {f"{state}, E": mae(mine["E"], true["E"]), f"{state}, F": mae(mine["F"], true["F"])}
    wanted, predicted = differences_of(test, test["E"]), differences_of(test, found["E"])
    told |= {name: mae(predicted[name], wanted[name]) for name in wanted}
    return {name: 1000 * float(value) for name, value in told.items()}


def by_state(dataset: Dataset) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """The frames of each charge and multiplicity, in ascending order of these."""
    charges, spins = np.rint(dataset["total_charge"]).astype(int), dataset["total_spin"]
    for charge, spin in sorted(set(zip(charges.tolist(), spins.tolist(), strict=True))):
        yield f"charge {charge:+d}, 2S+1 = {spin}", np.flatnonzero((charges == charge) & (spins == spin))


def run(seeds: int, epochs: int) -> list[Limit]:
    """Print the errors of every way."""
    found: dict[str, list[Tried]] = {way: [] for way in WAYS}
    for seed in range(seeds):  # seeds without, so that a busy machine is busy for all ways alike
        for way in WAYS:
            found[way].append(tried(way, seed, epochs))
    names = list(found[WAYS[0]][0].errors)
    rows = [[name, *(cell([each.errors[name] for each in found[way]]) for way in WAYS)] for name in names]
    rows.append(["CPU s", *(cell([each.seconds for each in found[way]], 0) for way in WAYS)])
    title = f"Conditioning: held-out MAE in meV and meV/A after {epochs} epochs, mean of {seeds} seeds (spread)"
    table(title, ("", *WAYS), rows)
    return list(default_is_best(found))


def default_is_best(found: dict[str, list[Tried]]) -> Iterator[Limit]:
    """That no way has lower errors over all states than the default of the model, by more than seeds differ."""
    default = Config().conditioning
    for name in ("all states, E", "all states, F"):
        errors = {way: np.array([each.errors[name] for each in found[way]]) for way in WAYS}
        best = min(errors.values(), key=np.mean)
        spread = max(np.std(errors[default]), np.std(best))
        worse = float((errors[default].mean() - best.mean()) / spread) if spread else 0.0
        yield Limit(f"{default}, {name}: above the best, in spreads of the seeds", worse, 1.0, least=False)


def cell(values: Sequence[float], digits: int = 1) -> str:
    """A mean and the standard deviation of its values."""
    spread = f" ({np.std(values, ddof=1):.{digits}f})" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"
