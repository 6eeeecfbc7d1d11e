"""The post-processor ``layouts``: the same parameters are the same function padded, in buckets and packed.

Forces, the mean squared error of their components and its gradient by the parameters are worked out for the same frames
in three layouts. Where they differ, training over buckets trains something else than what is judged later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from atomloom.batching import BucketPlan, FixedPlan, Near, Order, PackedPlan, Plan, Sizes, buckets, load, packed_shape
from atomloom.data import Dataset
from atomloom.losses import forces as squares
from atomloom.model import Array
from atomloom.pipeline import Fitted
from atomloom.progress import track
from atomloom.report import Column, KeyFigure, KeyFigures, Report, Section, Table, Text

if TYPE_CHECKING:
    from atomloom.batching import PaddedBatch
    from atomloom.runs import Run

TOLERANCE = 1e-5
"""By how much layouts may differ, as a share of the largest force, of the loss, and of the largest slope."""

FRAMES, TOGETHER, BUCKETS = 12, 6, 3
"""How many frames are looked at, how many are in a batch, and in how many buckets they are."""


class Outcome(NamedTuple):
    """What one layout gives.

    Args:
        shapes: how many shapes of batches there are.
        forces: of all beads, one frame behind the other.
        loss: mean squared error of the components.
        slopes: its gradient by each array of floating numbers, by name; None where a backend does not differentiate.
    """

    shapes: int
    forces: Array
    loss: float
    slopes: Mapping[str, Array] | None


class Apart(NamedTuple):
    """How far a layout is from the first one, as shares; see `TOLERANCE`."""

    forces: float
    loss: float
    slopes: float | None

    @property
    def holds(self) -> bool:
        """Whether that is rounding."""
        return max(each for each in self if each is not None) <= TOLERANCE


def certify(run: Run, dataset: Dataset, /) -> Report:
    """Whether the run's best model is one function in all layouts, on up to `FRAMES` of the frames of `dataset`."""
    fitted = Fitted.load(run)
    whole = fitted.complete(dataset)
    kept = whole[np.unique(np.linspace(0, len(whole) - 1, min(FRAMES, len(whole))).round().astype(np.int64))]
    near = Near(kept, fitted.model.reach(fitted.state))
    made = plans(near)
    found = {name: outcome(fitted, near, plan) for name, plan in track(made.items(), total=len(made), label="layouts")}
    return _report(run.name, len(kept), found)


def plans(near: Near) -> dict[str, Plan]:
    """The same frames padded to one width, in buckets, and packed."""
    sizes, order = Sizes.of(near.dataset, pairs=near.counts), Order(len(near.dataset), 0)
    longest = int(sizes.atoms.max())
    bounds = tuple(buckets.optimal(sizes.atoms, BUCKETS).tolist())
    return {
        "padded": FixedPlan(sizes, order, TOGETHER),
        "bucketed": BucketPlan(sizes, order, bounds, batch_size=TOGETHER),
        "packed": PackedPlan(sizes, order, packed_shape(sizes, TOGETHER * longest)),
    }


def outcome(fitted: Fitted, near: Near, plan: Plan) -> Outcome:
    """What a fitted model gives in the batches of a plan."""
    lengths = near.dataset.sizes["atom"]
    firsts = np.concatenate([[0], np.cumsum(lengths)])
    forces, total, count = np.zeros((firsts[-1], 3)), 0.0, 0.0
    shapes, slopes = set(), _Slopes(fitted)
    for frames, batch in _batches(fitted, near, plan):
        predicted = fitted.predict(batch)
        sums, counts = squares(predicted, batch, batch["frame_mask"].astype(float), fitted.backend.ops)
        total, count = total + float(np.sum(sums)), count + float(np.sum(counts))
        slopes.add(batch)
        shapes.add(batch.shape)
        places = np.concatenate([np.arange(firsts[frame], firsts[frame + 1]) for frame in frames])
        forces[places] = np.asarray(predicted["F"])[batch["atom_mask"]]
    return Outcome(len(shapes), forces, total / count, slopes.divided(count))


def _batches(fitted: Fitted, near: Near, plan: Plan) -> Iterator[tuple[Array, PaddedBatch]]:
    names = list(dict.fromkeys((*fitted.spec.needs, "F")))
    for planned in plan.batches(epoch=0):
        yield planned.frames, load(near.dataset, planned, names, near.of(planned.frames))


class _Slopes:
    """The gradient of the sum of squares by the arrays of a state, added up over batches, in float64."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted
        leaves = fitted.model.leaves(fitted.state)
        self._fixed = {name: leaf for name, leaf in leaves.items() if leaf.dtype.kind != "f"}
        self._at = {name: leaf.astype(np.float64) for name, leaf in leaves.items() if leaf.dtype.kind == "f"}
        self._sums: Mapping[str, Array] | None = {}

    def add(self, batch: PaddedBatch) -> None:
        """What this batch adds."""
        model, state, ops = self._fitted.model, self._fitted.state, self._fitted.backend.ops

        def total(leaves: Mapping[str, Any]) -> Any:
            predicted = model.predict(model.with_leaves(state, {**self._fixed, **leaves}), batch)
            return squares(predicted, batch, batch["frame_mask"].astype(float), ops)[0].sum()

        found = self._fitted.backend.gradient(total, self._at)
        if found is None or self._sums is None:
            self._sums = None
        else:
            self._sums = {name: self._sums.get(name, 0.0) + slope for name, slope in found.items()}

    def divided(self, count: float) -> Mapping[str, Array] | None:
        """The gradient of the mean."""
        return None if self._sums is None else {name: slope / count for name, slope in self._sums.items()}


def apart(one: Outcome, other: Outcome) -> Apart:
    """How far two outcomes are from each other."""
    slopes = None
    if one.slopes is not None and other.slopes is not None:
        largest = max(float(np.abs(slope).max(initial=0.0)) for slope in one.slopes.values())
        wrong = max(float(np.abs(other.slopes[name] - slope).max(initial=0.0)) for name, slope in one.slopes.items())
        slopes = wrong / largest if largest else wrong
    forces = float(np.abs(other.forces - one.forces).max() / np.abs(one.forces).max(initial=np.finfo(float).tiny))
    return Apart(forces, abs(other.loss - one.loss) / max(one.loss, np.finfo(float).tiny), slopes)


def _report(name: str, frames: int, found: Mapping[str, Outcome]) -> Report:
    first = next(iter(found.values()))
    differences = {layout: apart(first, each) for layout, each in found.items()}
    holds = all(each.holds for each in differences.values())
    columns = (
        Column("layout", kind="text"),
        Column("shapes", kind="integer"),
        Column("loss", "eV^2/angstrom^2"),
        Column("forces differ by"),
        Column("loss differs by"),
        Column("gradient differs by"),
    )
    rows = [(layout, each.shapes, each.loss, *differences[layout]) for layout, each in found.items()]
    caption = f"Shares of the largest force, of the loss and of the largest slope; up to {TOLERANCE:g} is rounding."
    worst = max(each for apart in differences.values() for each in apart if each is not None)
    summary = (
        f"`{name}` {'is one function' if holds else 'is NOT one function'} padded, in buckets and packed, "
        f"by {frames} frames: forces, loss and gradient differ by up to {worst:.2g}."
    )
    told = "The backend does not differentiate, so there is no gradient." if first.slopes is None else _HOW
    blocks = (
        KeyFigures((KeyFigure("largest difference", worst, note="a share"),)),
        Table(columns, tuple(rows), title="Layouts", caption=caption),
        Text(told),
    )
    failures = () if holds else (f"forces, loss or gradient differ by {worst:.2g} between layouts",)
    sections = (Section("Layouts", blocks),)
    return Report(f"Layouts of batches for {name}", sections, summary, {"run": name}, failures=failures)


_HOW = "The gradient is that of the mean squared force error by all floating arrays of the model, in float64."


def example(folder: Path) -> tuple[Run, Dataset]:
    """A run of the chain prior, and frames to look at."""
    from atomloom_residues.residue_post import example as of_residues

    return of_residues(folder)
