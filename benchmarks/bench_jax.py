"""The training engine of atomloom-jax: how fast it trains, what it compiles, and how long the device waits for data.

Shaken molecules of three to five atoms, and ethanol at CCSD(T) if ATOMLOOM_SHARED_DATA has it, are trained on by a
network of scalars and vectors (64 features, 2 layers), and by the pair potential, the cheapest model there is: it shows
what the engine itself costs, and no limit holds for it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from atomloom import Dataset, Run, harmonize, read
from atomloom.batching import Plan
from atomloom.data import concatenate
from atomloom.examples.morse import make
from atomloom.experiment import Batching
from atomloom.losses import energy, forces
from atomloom.model import FitData, Schema, WeightedLoss
from atomloom.pipeline.job import schema_of
from atomloom.runs import describe
from atomloom_jax import JaxModel, Training, train_model_multibatch
from atomloom_jax.blocks import AtomScalars, Pairs, Radial, ScalarVectorLayers
from atomloom_jax.pair_potential import Config, PairPotential


class Network(JaxModel[dict[str, Any]]):
    """Scalars and vectors on atoms, put together from the blocks of atomloom-jax."""

    def init(self, schema: Schema, config: Any, seed: int) -> dict[str, Any]:
        """Parameters for two atoms, which are those for any number."""
        pairs = Pairs.along(jnp.eye(3)[:2], np.array([0, 1]), np.array([1, 0]), np.array([True, True]))
        return dict(Energies().init(jax.random.key(seed), np.array([1, 6]), pairs))

    def predict(self, state: dict[str, Any], batch: Any) -> dict[str, Any]:
        """Energies, and forces as their negative gradient."""

        def total(positions: jax.Array) -> tuple[jax.Array, jax.Array]:
            pairs = Pairs.of(batch, positions)
            atoms = Energies().apply(state, batch["Z"], pairs) * batch["atom_mask"]
            frames = jax.ops.segment_sum(atoms, batch["batch_segments"], len(batch["frame_mask"]))
            return frames.sum(), frames

        gradient, energies = jax.grad(total, has_aux=True)(jnp.asarray(batch["R"]))
        return {"E": energies, "F": -gradient}


class Energies(nn.Module):
    """An energy of each atom."""

    @nn.compact
    def __call__(self, numbers: jax.Array, pairs: Pairs) -> jax.Array:
        """For atomic numbers ``[atoms]``."""
        scalars = nn.Embed(119, 64)(numbers)
        scalars, _ = ScalarVectorLayers(features=64, layers=2)(scalars, pairs, Radial(count=32)(pairs))
        return AtomScalars(zero=True)(scalars)[:, 0]


MODELS: dict[str, JaxModel[Any]] = {"network": Network(), "pair potential": PairPotential()}
LOSSES = (WeightedLoss("energy", 1.0, ("E",), energy), WeightedLoss("forces", 10.0, ("F",), forces))
PLANS = {
    "fixed, 32 frames": Batching(batch_size=32),
    "2 buckets, 32 frames": Batching(batch_size=32, buckets=2),
    "packed, 160 atoms": Batching(atoms=160),
}
WAITING = 0.02
"""The share of the time that the device may wait for data."""
EPOCHS = {"network": 2, "pair potential": 10}


class Row(NamedTuple):
    """What a training came to."""

    model: str
    data: str
    plan: str
    rate: float
    programs: int
    shapes: int
    padding: float
    waiting: float


def data_sets() -> Iterator[tuple[str, Dataset]]:
    """Data to train on by name."""
    yield "molecules", make(frames=3000, seed=0)
    path = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data")) / "md17_ethanol" / "ethanol_ccsd_t-train.npz"
    if path.is_file():
        units = {"unit": {"R": "angstrom", "E": "kcal/mol", "F": "kcal/mol/angstrom"}}
        ethanol = harmonize(read(path), units)[0]
        yield "ethanol", concatenate([ethanol] * 3)


def trained(kind: str, name: str, dataset: Dataset, label: str, folder: Path) -> Row:
    """Train, and read from the run how it went."""
    batching = PLANS[label]
    data = FitData(dataset, dataset[np.arange(0)], batching, 0, ("Z", "R"))
    run, model = Run.create(folder, {}, describe()), MODELS[kind]
    training = Training(num_epochs=EPOCHS[kind], table_every_n_epochs=0)
    train_model_multibatch(model, model.init(schema_of(dataset), Config(), 0), data, LOSSES, run, training)
    noted = run.provenance["sessions"][-1]
    plan: Plan = data.plan(dataset, pairs=True)
    waste = plan.waste()
    facts = (noted["structures_per_second"], noted["programs_compiled"], waste.shapes, waste.atoms)
    return Row(kind, name, label, *facts, noted["waiting_for_data"])


def main() -> int:
    """Print the table; 1 when a shape was compiled twice or the device waited too long."""
    print(
        f"{'model':16}{'data':11}{'plan':22}{'structures/s':>12}{'programs':>10}{'shapes':>8}{'padding':>9}{'waiting':>9}"
    )
    wrong, data = [], dict(data_sets())
    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as folder:
        for number, (kind, name, label) in enumerate(product(MODELS, data, PLANS)):
            row = trained(kind, name, data[name], label, Path(folder) / str(number))
            speed = f"{row.rate:12,.0f}{row.programs:10}{row.shapes:8}"
            print(f"{kind:16}{name:11}{label:22}{speed}{row.padding:9.1%}{row.waiting:9.2%}", flush=True)
            if row.programs != row.shapes or (kind == "network" and row.waiting > WAITING):
                wrong.append(f"{kind}, {name}, {label}")
    limits = f"a program for each shape, {WAITING:.0%} of the network's time waiting"
    print(f"\nlimits: {limits}; passed over: {wrong or 'none'}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
