"""In which order buckets are trained on: in turn, one after the other in every epoch, or each to its end.

Chains of three lengths whose force field is known are a bucket each. `bead-network` sees every frame of each equally
often, in steps of equally many frames; printed is the mean squared force error on other trajectories of the same
chains, as a share of the mean squared force, for each length. Means over seeds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from atomloom.data import Dataset
from atomloom.experiment import loads, resolved
from atomloom.harmonizing import harmonize
from atomloom.pipeline import Fitted, predict, prepare
from atomloom.pipeline.fitting import fitted_in
from atomloom.units import convert
from atomloom_residues import combine_and_pad_npz_bucketed
from atomloom_residues.bucket_reading import union
from atomloom_residues.chains import chains

LENGTHS = (8, 16, 28)
FRAMES, EPOCHS = 80, 8
SEEDS = (0, 1, 2)

ORDERS = {
    "in turn": ("interleaved", 1),
    "one after the other, every epoch": ("sequential", 1),
    "each to its end": ("sequential", EPOCHS),
}
"""The order of the buckets, and how many epochs are put into one, whose buckets then are trained on to their end."""

EXPERIMENT = """\
[[data.source]]
path = {paths}
reader = "buckets"
[data.split]
train = 1.0
valid = 0.0
test = 0.0
[batching]
batch_size = 8
buckets = [8, 16, 28]
order = "{order}"
[model]
name = "bead-network"
[training]
num_epochs = {epochs}
seed = {seed}
learning_rate = 3e-3
use_lr_schedule = false
use_ema = false
"""


def folder_of(frames: int, seed: int, folder: Path) -> Path:
    """Buckets with a chain of each length; sequences of amino acids are the same for all seeds."""
    folder.mkdir()
    paths = []
    for length in LENGTHS:
        made = chains(frames, (length,), seed=seed, sequence_seed=length)
        held = {name: made[name].reshape(frames, length, *made[name].shape[1:]) for name in ("R", "F", "resname")}
        held["F"] = convert(held["F"], "eV/angstrom", "kcal/mol/angstrom")
        paths.append(folder / f"chain{length}.npz")
        np.savez(paths[-1], **held)
    combine_and_pad_npz_bucketed(paths, folder / "buckets", LENGTHS)
    return folder / "buckets"


def shares(order: str, together: int, seed: int, train: Path, test: Dataset, folder: Path) -> list[float]:
    """The error of the last checkpoint for each length."""
    paths = [str(train)] * together
    text = EXPERIMENT.format(paths=paths, order=order, epochs=EPOCHS // together, seed=seed).replace("'", '"')
    run = fitted_in(folder / f"{order}{together}", prepare(resolved(loads(text), folder)))
    predicted = predict(Fitted.load(run, "latest"), test)["F"]
    of_length = np.repeat(test.sizes["atom"], test.sizes["atom"])
    wrong, whole = (np.square(values).sum(axis=1) for values in (predicted - test["F"], test["F"]))
    return [float(wrong[of_length == length].sum() / whole[of_length == length].sum()) for length in LENGTHS]


def main() -> int:
    """Print the table; 1 where buckets in turn are not the best for the bucket that sequences begin with."""
    found: dict[str, list[list[float]]] = {name: [] for name in ORDERS}
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            train, held = (folder_of(FRAMES, 2 * seed + part, folder / str(part)) for part in (0, 1))
            test, _ = harmonize(union(sorted(held.glob("*.npz"))))
            for name, (order, together) in ORDERS.items():
                found[name].append(shares(order, together, seed, train, test, folder))
    print(f"{'buckets':<34}" + "".join(f"{length:>9} beads" for length in LENGTHS))
    for name, rows in found.items():
        print(f"{name:<34}" + "".join(f"{value:>15.2e}" for value in np.mean(rows, axis=0)))
    first = {name: float(np.mean(rows, axis=0)[0]) for name, rows in found.items()}
    return 0 if min(first, key=lambda name: first[name]) == "in turn" else 1


if __name__ == "__main__":
    sys.exit(main())
