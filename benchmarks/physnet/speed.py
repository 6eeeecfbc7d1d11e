"""What a training step costs, beside e3x and PaiNN of SchNetPack on the same batches, taken in turns on one core.

A step is the whole update: predictions, their loss on energies and forces, its gradient, clipping, Adam, and in ours
and e3x's the average of the parameters, as atomloom-jax does them. Ours has charges with their Coulomb energy, the
repulsion of nuclei and attention to charge and spin on top; the others have none of these. e3x makes three rounds of
messages as in its own example, PaiNN two as ours does. SchNetPack runs without compilation, as it comes.
"""

from __future__ import annotations

from importlib.util import find_spec
from statistics import median
from typing import Any

from tables import Limit, table

from atomloom_physnet import Config, PhysNet
from physnet.pinned import Step, found_by, in_turns
from physnet.updates import WEIGHTS, Updates, in_one_batch, molecules

FEATURES, LAYERS, ROUNDS = 64, 2, 15
BATCHES = ((10, 9), (8, 20))
"""Molecules, and atoms of each: ethanols, and larger ones."""
EIGHTH = 1 / 8


def run() -> list[Limit]:
    """Print the medians, and what the limits are held to."""
    missing = [name for name in ("e3x", "schnetpack") if find_spec(name) is None]
    if missing:
        print(f"\nspeed: left out, since {' and '.join(missing)} cannot be imported")
        return []
    rows, limits = [], []
    for frames, atoms in BATCHES:
        found: dict[str, float] = found_by("speed", frames, atoms)
        batch = f"{frames} molecules of {atoms} atoms"
        for name, seconds in found.items():
            ratio = seconds / found["physnet"]
            rows.append([batch, name, f"{1000 * seconds:.1f}", f"{frames / seconds:,.0f}", f"{ratio:.1f}"])
        limits += [
            Limit(f"{batch}: physnet / e3x", found["physnet"] / found["e3x, degree 2"], EIGHTH, least=False),
            Limit(f"{batch}: physnet / PaiNN", found["physnet"] / found["PaiNN"], 1.0, least=False),
        ]
    heads = ("batch", "model", "CPU ms a step", "structures/s", "times ours")
    table(f"Training steps at {FEATURES} features on one core, medians of {ROUNDS} steps in turns", heads, rows)
    return limits


def steps(frames: int, atoms: int) -> dict[str, Step]:
    """One contender each, compiled and ready."""
    from physnet.e3x_model import E3x, Network
    from physnet.painn_model import Updates as Painn

    dataset = molecules(frames, atoms)
    return {
        "physnet": Updates(PhysNet(), Config(features=FEATURES, layers=LAYERS), dataset),
        "e3x, degree 2": Updates(E3x(Network(features=FEATURES)), None, dataset),
        "PaiNN": Painn(FEATURES, LAYERS, in_one_batch(dataset), WEIGHTS),
    }


def measured(frames: int, atoms: int) -> dict[str, float]:
    """CPU seconds of a step, by contender."""
    taken: dict[str, Any] = in_turns(steps(frames, atoms), ROUNDS)
    return {name: median(seconds) for name, seconds in taken.items()}
