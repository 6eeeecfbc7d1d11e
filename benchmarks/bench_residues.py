"""Averages of checkpoints on a coarse-grained peptide: last, fixed profiles, and the soup chosen on validation data.

A network of the distances of the five beads of alanine dipeptide (`cgnet_ala2` of ATOMLOOM_SHARED_DATA) learns their
forces, small and large, with a constant and with a cosine learning rate, three seeds each. Of each training 20
checkpoints are kept, and every average is judged by the forces of frames that no choice has seen. The noise of the
forces is most of the error; the table gives mean squared components in (kcal/mol/angstrom)^2.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from atomloom_residues import average, profiles, read_tree
from atomloom_residues.series import find
from atomloom_residues.soup import greedy
from atomloom_residues.trees import leaf_name

SHARED = Path(os.environ.get("ATOMLOOM_SHARED_DATA", "../shared/data"))
SEEDS = (0, 1, 2)
EPOCHS, KEPT, BATCH = 200, 20, 256
TRAIN, VALID = 6000, 8000
NOT_ABOVE = 1.002

Params = dict[str, Any]


class Setting(NamedTuple):
    """A training: hidden layers, and whether the learning rate falls to zero."""

    name: str
    layers: tuple[int, ...]
    cosine: bool


SETTINGS = (
    Setting("large, constant", (160, 160, 160), False),
    Setting("large, cosine", (160, 160, 160), True),
    Setting("small, constant", (64, 64), False),
    Setting("small, cosine", (64, 64), True),
)


class Data(NamedTuple):
    """Positions and forces of a part."""

    R: jax.Array
    F: jax.Array


def parts() -> dict[str, Data]:
    """Stretches of the trajectory, so that no frame of one part stands beside one of another."""
    folder = SHARED / "cgnet_ala2"
    R, F = (np.load(folder / f"ala2_{name}.npy").astype(np.float32) for name in ("coordinates", "forces"))
    cuts = {"train": slice(0, TRAIN), "valid": slice(TRAIN, VALID), "test": slice(VALID, None)}
    return {name: Data(jnp.asarray(R[cut]), jnp.asarray(F[cut])) for name, cut in cuts.items()}


def distances(R: jax.Array) -> jax.Array:
    """The distances of all pairs of beads of one frame."""
    first, second = np.triu_indices(len(R), 1)
    return jnp.sqrt(jnp.square(R[first] - R[second]).sum(axis=-1))


def fresh(setting: Setting, data: Data, seed: int) -> Params:
    """Parameters; the scales of the distances are among them."""
    found = jax.vmap(distances)(data.R)
    sizes = (found.shape[1], *setting.layers, 1)
    keys = jax.random.split(jax.random.key(seed), len(sizes))
    params = {"mean": found.mean(axis=0), "scale": found.std(axis=0)}
    for place, (wide, narrow) in enumerate(pairwise(sizes)):
        params[f"w{place}"] = jax.random.normal(keys[place], (wide, narrow)) / np.sqrt(wide)
        params[f"b{place}"] = jnp.zeros(narrow)
    return params


def energy(params: Params, R: jax.Array) -> jax.Array:
    """The energy of one frame."""
    x = (distances(R) - jax.lax.stop_gradient(params["mean"])) / jax.lax.stop_gradient(params["scale"])
    last = sum(name.startswith("w") for name in params) - 1
    for place in range(last):
        x = jnp.tanh(x @ params[f"w{place}"] + params[f"b{place}"])
    return (x @ params[f"w{last}"])[0]


@jax.jit
def loss(params: Params, data: Data) -> jax.Array:
    """Mean squared error of the force components."""
    forces = -jax.vmap(jax.grad(energy, argnums=1), (None, 0))(params, data.R)
    return jnp.square(forces - data.F).mean()


def trained(setting: Setting, data: Data, seed: int, folder: Path) -> None:
    """Fit, and keep checkpoints in `folder`."""
    steps = TRAIN // BATCH
    rate = optax.cosine_decay_schedule(2e-3, EPOCHS * steps) if setting.cosine else 2e-3
    optimiser = optax.adam(rate)

    @jax.jit
    def epoch(params: Params, state: Any, order: jax.Array) -> tuple[Params, Any]:
        def step(carry: Any, frames: jax.Array) -> tuple[Any, None]:
            params, state = carry
            slopes = jax.grad(loss)(params, Data(data.R[frames], data.F[frames]))
            updates, state = optimiser.update(slopes, state)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, state), order)[0]

    params = fresh(setting, data, seed)
    state, random = optimiser.init(params), np.random.default_rng(seed)
    for number in range(1, EPOCHS + 1):
        order = random.permutation(TRAIN)[: steps * BATCH].reshape(steps, BATCH)
        params, state = epoch(params, state, jnp.asarray(order))
        if number % (EPOCHS // KEPT) == 0:
            np.savez(folder / f"epoch_{number:04d}.npz", **{name: np.asarray(leaf) for name, leaf in params.items()})


def judged(folder: Path, data: dict[str, Data]) -> dict[str, float]:
    """The test loss of the last file, of the best one, and of every average."""
    series = find(folder)

    def by(part: str, tree: Any) -> float:
        return float(loss({leaf_name(path): jnp.asarray(tree[path]) for path in tree}, data[part]))

    alone = [by("test", read_tree(path)) for path in series.files]
    cooked = greedy(series, lambda tree: by("valid", tree))
    count = len(series.files)
    weights = {
        "uniform": profiles.last(count, count),
        "power .15": profiles.power(series.times, profiles.gamma_of(0.15)),
        "debiased .9": profiles.debiased(count, 0.9),
        "legacy .999": profiles.legacy(count, 0.999),
        "soup": cooked.weights,
    }
    averaged = {name: by("test", average(series.files, given)) for name, given in weights.items()}
    return {"last": alone[-1], "best on test": min(alone), **averaged}


def table(data: dict[str, Data]) -> Iterator[tuple[str, dict[str, float]]]:
    """The mean over seeds of each setting."""
    for setting in SETTINGS:
        rows = []
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                trained(setting, data["train"], seed, Path(folder))
                rows.append(judged(Path(folder), data))
        yield setting.name, {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def main() -> int:
    """Print the table; 1 where the soup does not hold what it promises."""
    if not (SHARED / "cgnet_ala2").is_dir():
        print("skipped: ATOMLOOM_SHARED_DATA names no folder with cgnet_ala2")
        return 0
    data, held = parts(), True
    print(f"variance of the test forces: {float(jnp.square(data['test'].F).mean()):.1f}")
    for number, (name, row) in enumerate(table(data)):
        if number == 0:
            print(f"{'setting':<16}" + "".join(f"{each:>13}" for each in row))
        print(f"{name:<16}" + "".join(f"{value:>13.2f}" for value in row.values()), flush=True)
        held &= row["soup"] < row["last"] and row["soup"] <= NOT_ABOVE * row["best on test"]
    print(f"soup below the last file, and at most 0.2 % above the best single file: {'yes' if held else 'NO'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
