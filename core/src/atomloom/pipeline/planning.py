"""A job in words: reader, harmonizers, split, batches, model and losses, with what each takes and gives."""

from __future__ import annotations

from itertools import islice
from time import perf_counter
from typing import NamedTuple

from atomloom.batching import Near, Plan, load
from atomloom.pipeline.job import Job
from atomloom.registry import registry
from atomloom.specs import PostSpec

TIMED = 3
"""How many batches a plan predicts to say how long an epoch takes."""


class Step(NamedTuple):
    """One line of a plan."""

    step: str
    what: str
    detail: str


def steps(job: Job) -> list[Step]:
    """The way of the data to the model, in the order in which it happens."""
    return [*_reading(job), *_harmonising(job), *_splitting(job), *_fitting(job)]


def _reading(job: Job) -> list[Step]:
    dataset = job.data.dataset
    files = ", ".join(path.name for path in job.data.files)
    readers = ", ".join(dict.fromkeys(source.reader for source in job.experiment.data.source))
    held = sum(_bytes_per_frame(job, name) for name in dataset.columns) * len(dataset)
    return [Step("read", files, f"with {readers}: {len(dataset)} frames, {_memory(held)}")]


def _harmonising(job: Job) -> list[Step]:
    return [
        Step("harmonise", f"{each.source} to {each.field}", f"{each.rule}: {each.note}") for each in job.report.findings
    ]


def _splitting(job: Job) -> list[Step]:
    described = job.parts.described()
    parts = ", ".join(f"{described[name]} {name}" for name in ("train", "valid", "test"))
    split = Step("split", parts, f"seed {job.experiment.data.split.seed}")
    return [split, *(Step("warning", "split", warning) for warning in job.warnings)]


def _fitting(job: Job) -> list[Step]:
    data, spec = job.fit_data(), job.model_spec
    plan = data.plan(data.train)
    waste, shape = plan.waste(), plan.shapes[0]
    epochs = getattr(job.training, "num_epochs", "?")
    memory = sum(_bytes_per_frame(job, name) for name in spec.needs) * shape.frames
    needs, gives = ", ".join(spec.needs), ", ".join(spec.predicts)
    shapes = "one shape" if waste.shapes == 1 else f"{waste.shapes} shapes"
    padding = f"{100 * waste.atoms:.1f} % of the atom slots are padding"
    lines = [Step("preset", job.preset.name, f"{job.preset.reason}: {job.preset.told}")] if job.preset else []
    lines += [
        Step("batch", _slots(plan), f"{waste.batches} batches of {shapes}, {_memory(memory)} each, {padding}"),
        Step("fit", f"{spec.name} ({spec.backend})", f"from {needs} to {gives}, {epochs} epochs"),
        _cost(job, waste.batches),
    ]
    lines += [
        Step("loss", f"{loss.name} x {loss.weight:g}", f"compares {', '.join(loss.needs)}") for loss in job.losses
    ]
    lines += [Step("loss off", name, reason) for name, reason in job.off.items()]
    lines += [Step("judge", post.name, post.summary) for post in _judges(job)]
    return lines


def _judges(job: Job) -> list[PostSpec]:
    """Post-processors for such a model and such data."""
    there, predicted = set(job.data.dataset.columns), set(job.model_spec.predicts)
    found = [each.spec for each in registry().all("postprocessors")]
    return [post for post in found if there.issuperset(post.needs) and predicted.issuperset(post.predicted)]


def _cost(job: Job, batches: int) -> Step:
    """Time and memory as far as they can be known beforehand: a few batches are read and predicted to measure them."""
    data, seed = job.fit_data(), int(getattr(job.training, "seed", 0))
    state = job.model.init(job.schema, job.config, seed)
    state_bytes = sum(values.nbytes for values in job.model.leaves(state).values())
    near = Near(data.train, job.model.reach(state))
    planned = list(islice(data.plan(data.train, pairs=near.counts).batches(epoch=0), TIMED + 1))
    for number, each in enumerate(planned):
        if number == 1 or len(planned) == 1:
            start = perf_counter()  # the first batch is for compilers to warm up
        job.backend.predict(job.model, state, load(data.train, each, job.model_spec.needs, near.of(each.frames)))
    timed = max(len(planned) - 1, 1)
    seconds = (perf_counter() - start) / timed * batches
    what = f"{seconds:.2g} s an epoch to predict"
    return Step(
        "cost",
        what,
        f"measured on {timed} of its batches, fitting takes longer; {_memory(state_bytes)} of parameters",
    )


def _slots(plan: Plan) -> str:
    """Such as "32 frames of up to 29 atoms", for each shape."""
    return "; ".join(
        f"{shape.frames} frames of up to {shape.per_frame} atoms"
        if shape.per_frame
        else f"up to {shape.frames} frames in {shape.atoms} atoms"
        for shape in plan.shapes
    )


def _bytes_per_frame(job: Job, name: str) -> float:
    column = job.data.dataset.columns[name]
    item = column.dtype.itemsize
    for size in column.item:
        item *= size
    rows = 1.0 if column.lengths is None or not len(column.lengths) else float(column.lengths.mean())
    return item * rows


def _memory(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.3g} {unit}"
        count /= 1000
    raise AssertionError("the loop ends at GB")
