"""One update of the parameters, and one measurement without any: the two functions that are compiled.

Both run on every device of a mesh at once, each on its share of the batches (``[batches, 1, ...]`` of each array), and
add up over the devices. Batches of one device come one after the other, so that memory holds one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, PartitionSpec

from atomloom_jax.averaging import follow
from atomloom_jax.device_batch import DeviceBatch
from atomloom_jax.devices import AXIS
from atomloom_jax.metrics import TrainingMetrics, nothing, together
from atomloom_jax.objective import Leaves, Objective
from atomloom_jax.optimisers import optimiser
from atomloom_jax.options import Training
from atomloom_jax.schedules import Factor
from atomloom_jax.train_state import TrainState

SHARED, DIVIDED = PartitionSpec(), PartitionSpec(None, AXIS)
Update = Callable[[TrainState, Leaves, DeviceBatch], tuple[TrainState, jax.Array]]
Measure = Callable[[Leaves, DeviceBatch], jax.Array]


def update_function(objective: Objective[Any], training: Training, factor: Factor, mesh: Mesh) -> Update:
    """``(state, constants, batches) -> (state, vector)``; the vector is `TrainingMetrics.packed` with `extras`.

    An update whose loss or gradient is not finite changes nothing, nor does any after it.
    """

    def update(state: TrainState, constants: Leaves, batches: DeviceBatch) -> tuple[TrainState, jax.Array]:
        mine = _first_device(batches)
        gradient, metrics = _gradient(objective, state, constants, mine, jax.random.key(training.seed))
        rate = training.learning_rate * factor(state.updates) * state.scale
        loss, norm = metrics.loss(objective.losses), optax.tree.norm(gradient)
        good = state.good & jnp.isfinite(loss) & jnp.isfinite(norm)
        moved = _moved(state, gradient, training, rate)
        kept = jax.tree.map(lambda new, old: jnp.where(good, new, old), moved, state)
        return kept._replace(good=good), _with_extras(metrics, loss, norm, rate, good).packed()

    return jax.shard_map(
        update, mesh=mesh, in_specs=(SHARED, SHARED, DIVIDED), out_specs=(SHARED, SHARED), check_vma=False
    )


def measure_function(objective: Objective[Any], mesh: Mesh) -> Measure:
    """``(leaves, batches) -> vector`` of `TrainingMetrics.packed`; nothing is differentiated by the parameters."""

    def measure(leaves: Leaves, batches: DeviceBatch) -> jax.Array:
        mine = _first_device(batches)
        measured: TrainingMetrics = _summed(lambda batch: objective.measured(leaves, batch), mine)
        return measured.over(AXIS).packed()

    return jax.shard_map(measure, mesh=mesh, in_specs=(SHARED, DIVIDED), out_specs=SHARED, check_vma=False)


def extras() -> TrainingMetrics:
    """The names of what an update tells beside its metrics."""
    return _with_extras(TrainingMetrics({}, {}), 0.0, 0.0, 0.0, True)


def _gradient(
    objective: Objective[Any], state: TrainState, constants: Leaves, batches: DeviceBatch, seed: jax.Array
) -> tuple[Any, TrainingMetrics]:
    """The gradient of the loss over all batches of all devices, and what was measured on the way."""
    leaves = {**state.parameters, **constants}
    counts = jax.lax.psum(_summed(lambda batch: objective.counts(leaves, batch), batches), AXIS)
    keys = _keys(jax.random.fold_in(seed, state.updates), _number(batches))
    slope = jax.grad(objective.share, has_aux=True)
    gradient, metrics = _summed(lambda one: slope(state.parameters, constants, one[0], counts, one[1]), (batches, keys))
    return jax.lax.psum(gradient, AXIS), metrics.over(AXIS)


def _keys(key: jax.Array, number: int) -> jax.Array:
    """A key for each batch of this device, by its place among those of all: how many devices there are is no matter."""
    places = jnp.arange(number) * jax.lax.axis_size(AXIS) + _turn()
    keys: jax.Array = jax.vmap(lambda place: jax.random.fold_in(key, place))(places)
    return keys


def _turn() -> jax.Array:
    """When this device's turn comes as batches are dealt: to each process one, then to each its next device one."""
    processes = jax.process_count()
    process, device = jnp.divmod(jax.lax.axis_index(AXIS), jax.lax.axis_size(AXIS) // processes)
    turn: jax.Array = device * processes + process
    return turn


def _moved(state: TrainState, gradient: Any, training: Training, rate: Any) -> TrainState:
    """The state after a step along this gradient."""
    steps, inner = optimiser(training, rate).update(gradient, state.optimiser, state.parameters)
    parameters: dict[str, Any] = optax.apply_updates(state.parameters, steps)
    average = None if state.average is None else follow(state.average, parameters, training.ema_decay)
    return TrainState(parameters, inner, average, state.updates + 1, state.scale, state.good)


def _with_extras(metrics: TrainingMetrics, loss: Any, norm: Any, rate: Any, good: Any) -> TrainingMetrics:
    said = {"update/loss": loss, "update/gradient_norm": norm, "update/learning_rate": rate, "update/good": good}
    return together([metrics, TrainingMetrics(said, {})])


def _summed(function: Callable[[Any], Any], batches: Any) -> Any:
    """The function's values over the first axis of `batches`, added up one after the other."""
    shapes = jax.eval_shape(function, jax.tree.map(lambda values: values[0], batches))

    def add(sofar: Any, batch: Any) -> tuple[Any, None]:
        return jax.tree.map(_plus, sofar, function(batch), is_leaf=_is_metrics), None

    return jax.lax.scan(add, jax.tree.map(_blank, shapes, is_leaf=_is_metrics), batches)[0]


def _blank(like: Any) -> Any:
    if _is_metrics(like):
        return jax.tree.map(lambda zero: jnp.asarray(zero, float), nothing(like))
    return jnp.zeros(like.shape, like.dtype)


def _plus(one: Any, other: Any) -> Any:
    return one.plus(other) if _is_metrics(one) else one + other


def _is_metrics(value: Any) -> bool:
    return isinstance(value, TrainingMetrics)


def _number(batches: Any) -> int:
    return int(jax.tree.leaves(batches)[0].shape[0])


def _first_device(batches: DeviceBatch) -> DeviceBatch:
    """Each device sees its own share, whose second axis has one place."""
    mine: DeviceBatch = jax.tree.map(lambda values: values[:, 0], batches)
    return mine
