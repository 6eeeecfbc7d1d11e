"""What losses promise: nothing is lost at the truth, padding does not count, and all backends agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from atomloom.batching import PaddedBatch, fixed_shape, pad
from atomloom.data import Dataset
from atomloom.data.columns import Array
from atomloom.errors import AtomloomError
from atomloom.harmonizing import require
from atomloom.invariance.trial import SPARE
from atomloom.model import Backend
from atomloom.registry import registry, resolve
from atomloom.testing.check import Broken, Check, demand
from atomloom.testing.comparing import as_dataset
from atomloom.testing.subject import Subject

ZERO = 1e-10
"""What may be left at the truth, as a part of what is lost beside it."""

AGREEMENT = 2e-5
"""How far backends may be apart, as a part of the largest number: some compute in float32."""

STEP = 1e-3
"""Step of the finite differences, in the units of each field."""

GRADIENT = 1e-3
"""How far a gradient may be from finite differences, as a part of the largest component; backends use float32."""

Values = dict[str, Array]


def truth(subject: Subject) -> str:
    """What is lost where predictions are the target, and beside it."""
    backend, target = _first_backend(subject), _target(subject)
    sums, counts = _of(subject, backend, target, target)
    beside, _ = _of(subject, backend, _beside(subject, target), target)
    lost, beyond = float(np.abs(sums).max()), float(np.abs(beside).max())
    demand(lost <= ZERO * max(1.0, beyond), f"it is {lost:.3g} where predictions are the target")
    demand(beyond > 0.0, "it is zero beside the target as well")
    demand(bool(np.asarray(counts)[target["frame_mask"]].all()), "it counts nothing")
    return f"{lost:.2g} at the target, {beyond:.2g} beside it"


def padding(subject: Subject) -> None:
    """The same frames with more empty slots, and junk predicted for them."""
    backend, dataset = _first_backend(subject), _data(subject)
    results = []
    for spare in (False, True):
        target = _padded(dataset, spare)
        predicted = _beside(subject, target)
        results.append(
            [each[target["frame_mask"]] for each in _of(subject, backend, _with_junk(predicted, target), target)]
        )
    for one, other, what in zip(*results, ("sums", "counts"), strict=True):
        demand(np.allclose(one, other, rtol=AGREEMENT), f"its {what} change with the number of empty slots")


def backends(subject: Subject) -> str:
    """The same numbers on every backend that is installed."""
    target = _target(subject)
    predicted = _beside(subject, target)
    found = {name: _of(subject, backend, predicted, target) for name, backend in _backends(subject).items()}
    (first, expected), *others = found.items()
    for name, values in others:
        for one, other, what in zip(values, expected, ("sums", "counts"), strict=True):
            off = float(np.abs(one - other).max())
            allowed = AGREEMENT * max(1.0, float(np.abs(other).max()))
            demand(off <= allowed, f"its {what} on {name} and on {first} are {off:.3g} apart")
    missing = [name for name in subject.spec.backends if name not in found]
    return f"{' and '.join(found)}" + (f"; not installed: {', '.join(missing)}" if missing else "")


def gradient(subject: Subject) -> str:
    """The gradient by the backend's own differentiation against finite differences."""
    target, done = _target(subject), []
    predicted = _beside(subject, target)
    for name, backend in _backends(subject).items():
        at = {field: predicted[field] for field in _varied(subject, target)}

        def total(values: Mapping[str, Any], backend: Backend = backend) -> Any:
            return _raw(subject, backend, {**predicted, **values}, target)[0].sum()

        slopes = backend.gradient(total, at)
        if slopes is not None:
            _compare_slopes(subject, name, target, predicted, slopes)
            done.append(name)
    return f"by {' and '.join(done)}" if done else "no installed backend of it differentiates"


def _compare_slopes(
    subject: Subject, name: str, target: PaddedBatch, predicted: Values, slopes: Mapping[str, Array]
) -> None:
    """Stops where a gradient is another than the slope along a few directions, computed without it."""
    random, backend = np.random.default_rng(0), _first_backend(subject)
    for field, slope in slopes.items():
        direction = random.normal(size=predicted[field].shape) * _real(target, field)
        ends = [{**predicted, field: predicted[field] + way * STEP * direction} for way in (1, -1)]
        up, down = (float(_of(subject, backend, end, target)[0].sum()) for end in ends)
        expected, found = (up - down) / (2 * STEP), float((np.asarray(slope) * direction).sum())
        allowed = GRADIENT * max(float(np.abs(np.asarray(slope) * direction).sum()), abs(expected), 1e-6)
        said = f"along a direction of {field} its gradient on {name} is {found:.6g}"
        demand(abs(found - expected) <= allowed, f"{said}, and by finite differences {expected:.6g}")


def _of(subject: Subject, backend: Backend, predicted: Mapping[str, Array], target: PaddedBatch) -> tuple[Array, Array]:
    """Sums and counts as numpy arrays."""
    sums, counts = _raw(subject, backend, predicted, target)
    return np.asarray(sums), np.asarray(counts) * np.ones(target.shape.frames)


def _raw(subject: Subject, backend: Backend, predicted: Mapping[str, Any], target: PaddedBatch) -> tuple[Any, Any]:
    asarray = backend.ops.xp.asarray
    returned = subject.loaded(
        {name: asarray(values) for name, values in predicted.items()},
        {name: asarray(values) for name, values in target.items() if values.dtype.kind in "fiub"},
        asarray(target["frame_mask"].astype(np.float64)),
        backend.ops,
    )
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise Broken(f"it returns a {type(returned).__name__} and not (sum per frame, count)")
    shape = tuple(returned[0].shape)
    demand(shape == (target.shape.frames,), f"its sums are {list(shape)} for {target.shape.frames} frames")
    return returned


def _data(subject: Subject) -> Dataset:
    dataset = as_dataset(subject.example, "the example")
    require(dataset, subject.spec.needs, f"compare {', '.join(subject.spec.needs)} of the example")
    return dataset


def _target(subject: Subject) -> PaddedBatch:
    return _padded(_data(subject), spare=False)


def _padded(dataset: Dataset, spare: bool) -> PaddedBatch:
    shape = fixed_shape(dataset, len(dataset))._replace(per_frame=0)
    if spare:
        more = SPARE._replace(pairs=0, grid=SPARE.grid if shape.grid else 0)
        shape = type(shape)(*(have + extra for have, extra in zip(shape, more, strict=True)))
    batch = pad(dataset.take(np.arange(len(dataset))), shape)
    # In digits that every backend has: else a total energy in float32 is off before the loss sees it.
    rounded = {name: _rounded(values) for name, values in batch.items()}
    return PaddedBatch(rounded, batch.shape, batch.frames, batch.atoms)


def _beside(subject: Subject, target: PaddedBatch) -> Values:
    """Predictions that are some way off in every real slot, by the same amounts whatever the padding."""
    random = np.random.default_rng(1)
    predicted = {name: np.array(values) for name, values in target.items()}
    for name in _varied(subject, target):
        mask = target[_mask(target, name)]
        predicted[name][mask] += random.normal(scale=0.3, size=predicted[name][mask].shape)
    return {name: _rounded(values) for name, values in predicted.items()}


def _rounded(values: Array) -> Array:
    return values.astype(np.float32).astype(np.float64) if values.dtype.kind == "f" else values


def _with_junk(predicted: Values, target: PaddedBatch) -> Values:
    filled = {name: values.copy() for name, values in predicted.items()}
    for name, values in filled.items():
        if values.dtype.kind == "f":
            values[~target[_mask(target, name)]] = 7.0
    return filled


def _varied(subject: Subject, target: PaddedBatch) -> list[str]:
    names = [name for name in subject.spec.needs if target[name].dtype.kind == "f"]
    demand(bool(names), "none of the fields that it compares holds floating numbers")
    return names


def _mask(target: PaddedBatch, name: str) -> str:
    from atomloom.data.schema import known_field

    field = known_field(name)
    return f"{field.ragged or 'frame'}_mask" if field else "frame_mask"


def _real(target: PaddedBatch, name: str) -> Array:
    mask = target[_mask(target, name)]
    return mask.reshape(mask.shape + (1,) * (target[name].ndim - 1))


def _backends(subject: Subject) -> dict[str, Backend]:
    """The backends that the loss declares and that can be used here."""
    found = {}
    for name in subject.spec.backends:
        try:
            found[name] = resolve(registry().get("backends", name).spec.load)
        except AtomloomError:  # no plugin brings it, or what it needs is not installed
            continue
    demand(bool(found), f"none of its backends is installed: {', '.join(subject.spec.backends)}")
    return found


def _first_backend(subject: Subject) -> Backend:
    return next(iter(_backends(subject).values()))


CHECKS = (
    Check("truth", "losses", "The loss is zero where predictions are the target, and positive beside it.", truth),
    Check("padding", "losses", "Empty slots count nothing, whatever is predicted for them.", padding),
    Check(
        "gradient", "losses", "Where a backend differentiates, the gradient is that of finite differences.", gradient
    ),
    Check("backends", "losses", "Every backend that it declares gives the same sums and counts.", backends),
)
