"""The parts of the engine against closed forms and against numpy."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from atomloom import losses
from atomloom.numpy_backend import NumpyOps
from atomloom_jax import Training
from atomloom_jax.averaging import follow, start
from atomloom_jax.named import named, with_named
from atomloom_jax.ops import JaxOps
from atomloom_jax.optimisers import optimiser
from atomloom_jax.options import Optimizer
from atomloom_jax.precision import precise
from atomloom_jax.schedules import schedule

LOSSES = ["energy", "energy_per_atom", "forces", "charges", "dipole"]


def example(seed: int = 0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Predictions and references of three frames, the last of which is padding, and weights."""
    rng = np.random.default_rng(seed)
    masks = {
        "frame_mask": np.array([True, True, False]),
        "atom_mask": np.array([True] * 5 + [False] * 2),
        "batch_segments": np.array([0, 0, 1, 1, 1, 2, 2]),
    }
    shapes = {"E": (3,), "F": (7, 3), "mono": (7,), "D": (3, 3)}
    predicted, target = ({name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))
    return predicted, {**target, **masks}, np.array([1.0, 0.5, 0.0])


@pytest.mark.parametrize("name", LOSSES)
def test_losses_agree_on_numpy_and_jax(name: str) -> None:
    """Sums and counts of every loss of core are the same on both backends, in float64."""
    predicted, target, weight = example()
    expected = getattr(losses, name)(predicted, target, weight, NumpyOps())
    with precise("float64"):
        found = getattr(losses, name)(jax.tree.map(jnp.asarray, predicted), target, weight, JaxOps())
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_losses_are_differences_of_their_values(name: str) -> None:
    """The gradient on JAX is that of central differences of the values on numpy; padding has none."""
    predicted, target, weight = example(1)
    field = {"energy": "E", "energy_per_atom": "E", "forces": "F", "charges": "mono", "dipole": "D"}[name]

    def value(values: np.ndarray) -> float:
        return float(getattr(losses, name)({**predicted, field: values}, target, weight, NumpyOps())[0].sum())

    with precise("float64"):
        slope = jax.grad(lambda values: getattr(losses, name)({field: values}, target, weight, JaxOps())[0].sum())
        gradient = np.asarray(slope(jnp.asarray(predicted[field])))
    step = 1e-5
    for index in np.ndindex(predicted[field].shape):
        moved = np.zeros_like(predicted[field])
        moved[index] = step
        difference = (value(predicted[field] + moved) - value(predicted[field] - moved)) / (2 * step)
        assert gradient[index] == pytest.approx(difference, abs=1e-8)


def factors(**options: object) -> list[float]:
    """The factors of all updates of a training of 5 epochs of 4 updates."""
    training = Training(num_epochs=5, **options)  # type: ignore[arg-type]
    with precise("float64"):
        factor = schedule(training, 4)
        return [float(factor(jnp.asarray(update))) for update in range(20)]


def test_the_cosine_falls_to_its_floor_after_the_warm_up() -> None:
    """Linear from the first update over one epoch, then (1 + cos) / 2 between 1 and the floor, counted in updates."""
    found = factors(lr_schedule_type="cosine", warmup_epochs=1, min_lr_factor=0.1)
    falling = [0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * update / 15)) for update in range(16)]
    assert found == pytest.approx([0.25, 0.5, 0.75, 1.0, *falling])


@pytest.mark.parametrize(("kind", "whole"), [("exponential", False), ("step", True)])
def test_the_exponential_and_the_steps_reach_the_factor_in_time(kind: str, whole: bool) -> None:
    """factor^(update / updates to it), in steps or smoothly, never below the floor."""
    found = factors(lr_schedule_type=kind, lr_decay_factor=0.5, lr_decay_epochs=2, min_lr_factor=0.3)
    powers = [update // 8 if whole else update / 8 for update in range(20)]
    assert found == pytest.approx([max(0.5**power, 0.3) for power in powers])


def test_without_a_schedule_nothing_changes() -> None:
    """The factor is 1 throughout, and `plateau` leaves falling to validation."""
    assert factors(use_lr_schedule=False) == factors(lr_schedule_type="plateau") == [1.0] * 20


def test_the_average_forgets_what_the_training_began_with() -> None:
    """Its weights are positive, end with 1 - decay and add up to one; none of it is left for the start."""
    decay, updates = 0.9, 200
    values = np.random.default_rng(0).normal(size=(updates, 4))
    average = start({"w": jnp.full(4, 1e9)})
    for value in values:
        average = follow(average, {"w": jnp.asarray(value)}, decay)
    kept = np.minimum(decay, np.arange(updates) / (np.arange(updates) + 9))
    weights = (1 - kept) * np.append(np.cumprod(kept[:0:-1])[::-1], 1.0)
    assert weights.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(average.ema["w"], weights @ values, rtol=0, atol=2e-6)


def test_the_average_ends_as_that_of_optax() -> None:
    """Once the training is old enough, each update adds what it adds to an average of constant decay."""
    decay, count = 0.9, 500
    old = optax.EmaState(jnp.array(count), {"w": jnp.array([2.0])})
    expected, _ = optax.ema(decay, debias=False).update({"w": jnp.array([5.0])}, old)
    assert follow(old, {"w": jnp.array([5.0])}, decay).ema["w"] == pytest.approx(expected["w"])


@pytest.mark.parametrize("name", Optimizer.__args__)
def test_every_optimiser_goes_downhill(name: str) -> None:
    """Each optimiser that can be named lowers a bowl, with clipping and weight decay."""
    training = Training(optimizer=name, weight_decay=1e-4)
    rule = optimiser(training, 1e-2)
    parameters = {"w": jnp.full((2, 3), 2.0)}
    state = rule.init(parameters)
    for _ in range(40):
        gradient = jax.tree.map(lambda leaf: 2 * leaf, parameters)
        steps, state = rule.update(gradient, state, parameters)
        parameters = optax.apply_updates(parameters, steps)
    assert float(jnp.sum(parameters["w"] ** 2)) < 24.0


def test_arrays_of_a_tree_have_names() -> None:
    """Leaves are named by their path, and come back under these names."""
    tree = {"dense": {"kernel": np.ones((2, 2)), "bias": np.zeros(2)}, "scale": np.array(3.0)}
    leaves = named(tree)
    assert list(leaves) == ["dense/bias", "dense/kernel", "scale"]
    assert jax.tree.all(jax.tree.map(np.array_equal, with_named(tree, leaves), tree))
