"""The demo: chains whose forces are known, from padded files over a noisy training to its averages and its errors.

Springs along the chain are fitted by stochastic gradients with a constant step, so that every checkpoint is off by
noise, and averages of checkpoints can be judged by what is really there: held-out frames of the same chains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.batching import PaddedBatch, fixed_shape, in_order
from atomloom.data import Dataset
from atomloom.harmonizing import harmonize
from atomloom.report import Axis, Column, Curve, Report, Section, Series, Table, Text
from atomloom.units import convert
from atomloom_residues import profiles
from atomloom_residues.averaging import average, survey
from atomloom_residues.bucket_costs import costs
from atomloom_residues.bucket_reading import read
from atomloom_residues.chain_prior import ChainPrior, design
from atomloom_residues.chains import chains
from atomloom_residues.checkpoint_file import read_tree
from atomloom_residues.combining import boundaries, combine_and_pad_npz_bucketed
from atomloom_residues.forces import Array, forces_of
from atomloom_residues.residue_errors import judge
from atomloom_residues.residue_report import report_of
from atomloom_residues.series import Series as Checkpoints
from atomloom_residues.series import find
from atomloom_residues.soup import greedy
from atomloom_residues.trees import Tree, leaf_name

LENGTHS = (8, 9, 11, 14, 20, 28)
FRAMES = 60
SEPARATIONS = 3
EPOCHS, BATCH, RATE = 24, 4, 0.5
"""Of the noisy training; the rate is that of the whitened problem, whose Hessian is one."""


def run(folder: Path, /) -> Report:
    """Everything that the plugin does, on data that it makes itself."""
    dataset = _bucketed(folder)
    order = np.random.default_rng(0).permutation(len(dataset))
    train, valid, test = (dataset[np.sort(part)] for part in np.split(order, [len(order) // 2, 3 * len(order) // 4]))
    (folder / "checkpoints").mkdir()
    _wander(train, folder / "checkpoints")
    series = survey(find(folder / "checkpoints"))
    weights = _averages(series, valid)
    averaging = _averaging(series, weights, {"validation": valid, "test": test})
    best = average(series.files, weights["greedy soup"])
    errors = report_of(judge(forces_of(test, _forces(best, test))), "greedy soup of springs")
    sections = (Section("Length buckets", _layouts(dataset)), averaging, *errors.sections)
    return Report("Protein forces: buckets, averages, errors by residue", sections, errors.summary, errors.facts)


def _bucketed(folder: Path) -> Dataset:
    """The chains as their files in kcal/mol would be read: from buckets."""
    paths = []
    for number, length in enumerate(LENGTHS):
        held = chains(FRAMES, (length,), seed=number)
        fields = {
            name: held[name].reshape(FRAMES, length, *held[name].shape[1:]) for name in ("R", "F", "Z", "resname")
        }
        fields["F"] = convert(fields["F"], "eV/angstrom", "kcal/mol/angstrom")
        paths.append(folder / f"chain{length}.npz")
        np.savez(paths[-1], **fields, resid=np.arange(1, length + 1))  # type: ignore[arg-type]  # one stub for all keys
    combine_and_pad_npz_bucketed(paths, folder / "03_bucketed_npz", n_buckets=3, optimal=True)
    return harmonize(read(folder / "03_bucketed_npz"))[0]


def _wander(train: Dataset, folder: Path) -> None:
    """Stochastic gradients on the springs, whitened by the whole training part, and a checkpoint after each epoch."""
    columns = np.concatenate([design(batch, SEPARATIONS) for batch in _batches(train, 32)])
    whitening = np.linalg.inv(np.linalg.cholesky(columns.T @ columns / len(columns))).T
    random, parameters = np.random.default_rng(1), np.zeros(2 * SEPARATIONS)
    for epoch in range(1, EPOCHS + 1):
        order = random.permutation(len(train))
        for start in range(0, len(order), BATCH):
            (batch,) = _batches(train[order[start : start + BATCH]], BATCH)
            rows = design(batch, SEPARATIONS) @ whitening
            wrong = rows @ parameters - batch["F"].reshape(-1)
            parameters = parameters - RATE * rows.T @ wrong / (3 * batch.atoms)
        springs = whitening @ parameters
        np.savez(folder / f"epoch_{epoch:03d}.npz", stiffness=springs[0::2], pull=springs[1::2])


def _batches(dataset: Dataset, size: int) -> Iterator[PaddedBatch]:
    return in_order(dataset, fixed_shape(dataset, size), ["R", "F"])


def _forces(tree: Tree, dataset: Dataset) -> Array:
    """What springs predict for all beads, one frame behind the other."""
    state = {leaf_name(path): tree[path] for path in tree}
    parts = [ChainPrior().predict(state, batch)["F"][batch["atom_mask"]] for batch in _batches(dataset, 32)]
    return np.concatenate(parts)


def _loss(tree: Tree, dataset: Dataset) -> float:
    """Mean squared error of the force components."""
    return float(np.square(_forces(tree, dataset) - dataset["F"]).mean())


def _averages(series: Checkpoints, valid: Dataset) -> dict[str, profiles.Weights]:
    count = len(series.files)
    return {
        "last file": np.eye(count)[-1],
        "0.999 * ema + 0.001 * file": profiles.legacy(count, 0.999),
        "all files evenly": profiles.last(count, count),
        "power profile, width 0.15": profiles.power(series.times, profiles.gamma_of(0.15)),
        "greedy soup": greedy(series, lambda tree: _loss(tree, valid)).weights,
    }


def _averaging(series: Checkpoints, weights: Mapping[str, profiles.Weights], parts: Mapping[str, Dataset]) -> Section:
    """The losses of all averages, and of each file alone."""
    columns: list[tuple[Column, list[Any]]] = [
        (Column("average", kind="text"), list(weights)),
        (Column("effective number", precision=2), [profiles.Spread.of(each).effective for each in weights.values()]),
    ]
    trees = [average(series.files, each) for each in weights.values()]
    columns += [
        (Column(f"loss on {name}", "eV^2/angstrom^2"), [_loss(tree, part) for tree in trees])
        for name, part in parts.items()
    ]
    alone = [_loss(read_tree(path), parts["test"]) for path in series.files]
    curve = Curve(
        title="Loss of each checkpoint alone",
        series=(Series("test", series.times, np.array(alone)),),
        x=Axis("epoch"),
        y=Axis("loss", "eV^2/angstrom^2", scale="log"),
    )
    return Section("Averages of checkpoints", (Table.of(columns, title="Averages"), curve))


def _layouts(dataset: Dataset) -> tuple[Text, Table]:
    lengths = dataset.sizes["atom"]
    rows = costs(lengths, boundaries(lengths, count=3, optimal=True))
    columns = (
        (Column("layout", kind="text"), [row.layout for row in rows]),
        (Column("widths", kind="text"), [" ".join(map(str, row.widths)) for row in rows]),
        (Column("compilations", kind="integer"), [row.compilations for row in rows]),
        (Column("beads wasted", "%", precision=1), [100 * row.beads for row in rows]),
    )
    told = f"{len(dataset)} frames of {len(LENGTHS)} chains with {min(LENGTHS)} to {max(LENGTHS)} residues."
    return Text(told), Table.of(columns, title="What padding costs")
