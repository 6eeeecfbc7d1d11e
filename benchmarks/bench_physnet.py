"""The potential that knows charge and spin: ethanol at CCSD(T), and what conditioning on charge and spin costs.

Ethanol, if ATOMLOOM_SHARED_DATA has it, is trained on with the defaults of the model: 900 frames, 100 epochs, batches
of 5, and 100 frames that judge the end alone; nothing is chosen by them. CPU seconds are of the whole process, with
compiling and the report.

The cost of conditioning is that of the gradient of a loss on energies and forces, by XLA's analysis of the compiled
program, at 128 features for 10 ethanols.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from atomloom import Dataset
from atomloom.batching import fixed_shape, in_order
from atomloom.experiment import loads, resolved
from atomloom.pipeline import Fitted, fit, predict, prepare
from atomloom.pipeline.evaluating import held_out
from atomloom.pipeline.job import schema_of
from atomloom.report import mae
from atomloom.units import factor
from atomloom_jax import DeviceBatch
from atomloom_physnet import Config, PhysNet

SHARED = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data")).resolve()
ETHANOL = SHARED / "md17_ethanol" / "ethanol_ccsd_t-train.npz"
EXPERIMENT = """\
[[data.source]]
path = "{path}"
reader = "npz"
unit = {{ E = "kcal/mol", F = "kcal/mol/angstrom", R = "angstrom" }}
[data.split]
train = 0.9
test = 0.1
seed = 0
[batching]
batch_size = 5
[model]
name = "physnet"
assume_charge = 0
assume_spin = 1
[training]
num_epochs = {epochs}
seed = {seed}
table_every_n_epochs = 0
"""
ENERGY, FORCE, SECONDS = 0.07, 0.36, 300.0
"""The largest errors in kcal/mol and kcal/mol/angstrom, and CPU seconds, that are asked for."""
KCAL = factor("eV", "kcal/mol")
CHEAP = 1.01
"""How many times the work of the unconditioned network tables may take."""


class Row(NamedTuple):
    """Errors on the held-out frames, and the time that it took to get there."""

    seed: int
    seconds: float
    energy: float
    force: float


def ethanol(seeds: int, epochs: int) -> Iterator[Row]:
    """One row for each seed of the parameters and of the order of frames; the split is the same for all."""
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
            text = EXPERIMENT.format(path=ETHANOL, epochs=epochs, seed=seed)
            start = process_time()
            run, _ = fit(prepare(resolved(loads(text), Path(folder))), Path(folder) / "run", quiet=True)
            seconds, test = process_time() - start, held_out(run)
            found = predict(Fitted.load(run), test)
        yield Row(seed, seconds, KCAL * mae(found["E"], test["E"]), KCAL * mae(found["F"], test["F"]))


def costs() -> dict[str, tuple[float, float]]:
    """Floating-point operations and bytes of a gradient, by conditioning."""
    rng = np.random.default_rng(0)
    arrays = {"Z": np.tile([6, 6, 8, 1, 1, 1, 1, 1, 1], (10, 1)), "R": rng.uniform(-2.5, 2.5, size=(10, 9, 3))}
    dataset = Dataset.from_arrays({**arrays, "total_charge": np.zeros(10), "total_spin": np.ones(10, int)})
    batch = DeviceBatch.of(next(in_order(dataset, fixed_shape(dataset, 10, pairs=True))), "float32")
    return {
        kind: _cost(Config(features=128, conditioning=kind), dataset, batch)
        for kind in ("none", "embedding", "attention")
    }


def _cost(config: Config, dataset: Dataset, batch: DeviceBatch) -> tuple[float, float]:
    model = PhysNet()
    state = model.init(schema_of(dataset), config, 0)

    def loss(parameters: Any) -> Any:
        found = model.predict({**state, "parameters": parameters}, batch)
        return jnp.sum(found["E"] ** 2) + jnp.sum(found["F"] ** 2)

    analysis = jax.jit(jax.grad(loss)).lower(state["parameters"]).compile().cost_analysis()
    return analysis["flops"], analysis["bytes accessed"]


def main() -> int:
    """Print both tables; 1 when an error, a time or a cost is above what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=100)
    given = parser.parse_args()
    wrong = []
    print(f"{'conditioning':16}{'operations':>12}{'bytes':>10}")
    found = costs()
    for kind, work in found.items():
        operations, moved = (mine / plain for mine, plain in zip(work, found["none"], strict=True))
        print(f"{kind:16}{operations:12.4f}{moved:10.4f}", flush=True)
        if kind == "embedding" and max(operations, moved) > CHEAP:
            wrong.append("embedding")
    if not ETHANOL.is_file():
        print("\nethanol: ATOMLOOM_SHARED_DATA does not have it")
        return int(bool(wrong))
    print(f"\n{'seed':6}{'CPU s':>8}{'E MAE (kcal/mol)':>18}{'F MAE (kcal/mol/A)':>20}")
    for row in ethanol(given.seeds, given.epochs):
        print(f"{row.seed:<6}{row.seconds:8.0f}{row.energy:18.4f}{row.force:20.4f}", flush=True)
        if row.energy > ENERGY or row.force > FORCE or row.seconds > SECONDS:
            wrong.append(f"seed {row.seed}")
    limits = f"tables {CHEAP - 1:.0%}, {ENERGY} kcal/mol, {FORCE} kcal/mol/A, {SECONDS:.0f} s"
    print(f"\nasked for: {limits}; above: {wrong or 'none'}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
