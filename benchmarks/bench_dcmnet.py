"""Distributed charges: held-out errors beside the molecules' own bounds, what a bounded memory costs, and promises.

For one to four charges of each atom a network is trained as the demo of the plugin does, and judged by the molecules
that the split has kept for it. The potential in a stated memory is timed against the plain double sum, with the
gradient, and the promises of the model are measured on the trained networks: charges do not feel a shift of twenty
angstrom, displacements stay below `d_max`, and charges add up to the total charge.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from tables import Limit, table, verdict

from atomloom import Dataset
from atomloom.pipeline import Fitted, predict, prepare
from atomloom.pipeline.evaluating import held_out
from atomloom.pipeline.fitting import fitted_in
from atomloom_dcmnet import Analysis, analyse
from atomloom_dcmnet.demo import EPOCHS, experiment
from atomloom_jax.blocks import BOHR, Budget, potential_at

ATOMS, SITES, POINTS = 60, 7, 10_000
"""Of the molecule for which the potential is timed."""
MEMORY = 16 << 20
"""Bytes that it may take."""
REPEATS = 5
SHIFT = (20.0, 0.0, 0.0)  # angstrom
_STEPS = 1024  # of an angstrom, on which coordinates are put, so that a shift is exact
_ROUNDING = 1e-5  # of a displacement in units of d_max, which is a difference of coordinates in single precision


class Row(NamedTuple):
    """What came of one training."""

    sites: int
    seconds: float
    analysis: Analysis
    shift: float
    d_max: float


def trained(sites: int, epochs: int) -> Row:
    """Train a network with so many charges of each atom, and judge it."""
    with tempfile.TemporaryDirectory(prefix="atomloom-bench-") as name:
        folder, start = Path(name), process_time()
        run = fitted_in(folder / "run", prepare(experiment(folder, sites=sites, epochs=epochs)))
        seconds, test, fitted = process_time() - start, held_out(run), Fitted.load(run)
        analysis = analyse(fitted, test)
    return Row(sites, seconds, analysis, shifted(fitted, test), float(fitted.state["d_max"]))


def shifted(fitted: Fitted, dataset: Dataset) -> float:
    """The largest change of a charge in e when molecules are moved by `SHIFT`."""
    here = _moved(dataset, (0.0, 0.0, 0.0))
    one, other = (predict(fitted, each)["dcm_charges"] for each in (here, _moved(dataset, SHIFT)))
    return float(np.abs(other - one).max())


def _moved(dataset: Dataset, shift: tuple[float, float, float]) -> Dataset:
    """Every frame on a binary grid, and moved."""
    frames = []
    for number in range(len(dataset)):
        held = dataset.take([number]).frame(0)
        positions = np.round(held["R"] * _STEPS) / _STEPS + shift
        frames.append({**held, "R": positions, "vdw_surface": held["vdw_surface"] + np.array(shift)})
    return Dataset.from_frames(frames)


def potential_cost() -> tuple[float, float, float, float]:
    """Seconds and MiB of the potential with its gradient: in a stated memory, and as a plain double sum."""
    random = np.random.default_rng(0)
    charges = jnp.asarray(random.normal(size=(ATOMS, SITES)), jnp.float32)
    places = jnp.asarray(random.normal(scale=3.0, size=(ATOMS, SITES, 3)), jnp.float32)
    points = jnp.asarray(8.0 + random.normal(size=(POINTS, 3)), jnp.float32)

    def chunked(q: Any, r: Any) -> Any:
        return (potential_at(points, q, r, Budget(MEMORY)) ** 2).sum()

    def plain(q: Any, r: Any) -> Any:
        apart = jnp.linalg.norm(points[:, None] - r.reshape(-1, 3), axis=2)
        return ((BOHR * (q.ravel() / apart).sum(axis=1)) ** 2).sum()

    return (*_cost(chunked, charges, places), *_cost(plain, charges, places))


def _cost(function: Callable[..., Any], *given: Any) -> tuple[float, float]:
    """The least CPU seconds of a gradient, and the MiB of its temporary arrays."""
    compiled = jax.jit(jax.grad(function, argnums=(0, 1))).lower(*given).compile()
    jax.block_until_ready(compiled(*given))
    times = []
    for _ in range(REPEATS):
        start = process_time()
        jax.block_until_ready(compiled(*given))
        times.append(process_time() - start)
    return min(times), compiled.memory_analysis().temp_size_in_bytes / (1 << 20)


def main() -> int:
    """Print the tables; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--sites", type=int, nargs="+", default=[1, 2, 3, 4])
    given = parser.parse_args()
    rows = [trained(sites, given.epochs) for sites in given.sites]
    shown = [
        (
            str(row.sites),
            *(f"{row.analysis.summary()[name]:.2f}" for name in ("median", "p99", "max")),
            *(f"{row.analysis.summary(name)['median']:.2f}" for name in ("bound_atoms", "bound_sites")),
            f"{np.mean(row.analysis.of('rmse') < row.analysis.of('bound_atoms')):.0%}",
            f"{row.seconds:.0f}",
        )
        for row in rows
    ]
    heads = ("charges of an atom", "median", "p99", "max", "bound: atoms", "bound: sites", "below atoms", "CPU s")
    table(f"RMSE of the potential of {len(rows[0].analysis.molecules)} held-out frames, (kcal/mol)/e", heads, shown)
    seconds, memory, plain_seconds, plain_memory = potential_cost()
    cost = [
        ("in a stated memory", f"{1e3 * seconds:.0f}", f"{memory:.0f}"),
        ("plain double sum", f"{1e3 * plain_seconds:.0f}", f"{plain_memory:.0f}"),
        ("ratio", f"{seconds / plain_seconds:.2f}", f"{memory / plain_memory:.2f}"),
    ]
    table(f"A gradient of the potential: {POINTS} points, {ATOMS} atoms of {SITES}", ("", "CPU ms", "MiB"), cost)
    limits = [
        Limit("change of a charge by a shift of 20 angstrom, e", max(row.shift for row in rows), 0.0, least=False),
        Limit(
            "largest displacement in units of d_max",
            max(float(row.analysis.displacements.max()) / row.d_max for row in rows),
            1.0 + _ROUNDING,
            least=False,
        ),
        Limit(
            "error of a total charge, e", max(row.analysis.of("net_charge").max() for row in rows), 1e-6, least=False
        ),
        Limit("memory of the potential, MiB", memory, 1.5 * MEMORY / (1 << 20), least=False),
    ]
    return verdict(limits)


if __name__ == "__main__":
    sys.exit(main())
