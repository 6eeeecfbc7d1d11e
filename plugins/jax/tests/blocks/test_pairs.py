"""Vectors between atoms and sums over segments, against loops; nothing comes from padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.special import softmax

from atomloom_jax.blocks import Frames, Pairs, displacements, real_pairs, segment_mean, segment_softmax, segment_sum

CELL = np.array([[3.0, 0.0, 0.0], [0.7, 2.8, 0.0], [0.0, -0.5, 3.4]])


def test_vectors_are_those_of_a_loop(frames: Callable[..., Any], padded: Callable[..., Any]) -> None:
    """In crystals too, where atoms meet images of themselves."""
    crystal = [{**frame, "cell": CELL, "pbc": np.ones(3, dtype=bool)} for frame in frames([3, 2])]
    batch = padded(crystal, spare=(1, 2, 5))
    pairs = Pairs.of(batch)
    count = int(batch["pair_mask"].sum())
    assert count > 40
    assert np.abs(batch["pair_shift"]).max() > 3
    for at in range(count):
        i, j = batch["dst_idx"][at], batch["src_idx"][at]
        expected = batch["R"][j] - batch["R"][i] + batch["pair_shift"][at]
        np.testing.assert_allclose(pairs.vectors[at], expected, atol=1e-14)
        assert float(pairs.distances[at]) == pytest.approx(np.linalg.norm(expected), abs=1e-12)


def test_padding_has_a_length_of_one_and_no_gradient() -> None:
    """Also between atoms at one place, of which padding has many."""
    positions, zeros = jnp.zeros((3, 3)), jnp.zeros(4, int)

    def total(at: jax.Array) -> jax.Array:
        return (1 / Pairs.between(at, zeros, zeros, jnp.zeros(4, bool)).distances ** 6).sum()

    assert float(total(positions)) == 4.0
    assert (jax.grad(total)(positions) == 0).all()
    assert (jax.hessian(total)(positions) == 0).all()


def test_displacements_have_the_gradient_of_finite_differences() -> None:
    """By the positions and by the shift."""
    rng = np.random.default_rng(1)
    destination, source, mask = jnp.array([0, 1, 2, 0]), jnp.array([1, 2, 0, 0]), jnp.array([True, True, True, False])
    positions, shift = jnp.asarray(rng.normal(size=(3, 3))), jnp.asarray(rng.normal(size=(4, 3)))
    check_grads(lambda r, s: displacements(r, destination, source, mask, s), (positions, shift), order=2)


def test_dummy_atoms_are_in_no_pair() -> None:
    """Lists from elsewhere pair them with all others at the origin; a mask takes these out."""
    numbers = jnp.array([8, 1, 0, 0])
    destination, source = (jnp.asarray(side) for side in np.nonzero(~np.eye(4, dtype=bool)))
    mask = real_pairs(numbers, destination, source)
    kept = list(zip(destination[mask].tolist(), source[mask].tolist(), strict=True))
    assert kept == [(0, 1), (1, 0)]


SEGMENTS = np.array([0, 0, 2, 2, 2, 4, 4])
MASK = np.array([True, True, True, False, True, False, False])


@pytest.mark.parametrize("shape", [(), (2,), (3, 2)])
def test_sums_and_means_are_those_of_a_loop(shape: tuple[int, ...]) -> None:
    """Over what the mask leaves, with NaN behind it, and zero for empty segments."""
    values = np.random.default_rng(0).normal(size=(7, *shape))
    dirty = jnp.asarray(np.where(MASK.reshape(7, *(1,) * len(shape)), values, np.nan))
    rows = [values[(k == SEGMENTS) & MASK] for k in range(6)]
    sums = segment_sum(dirty, jnp.asarray(SEGMENTS), 6, jnp.asarray(MASK))
    means = segment_mean(dirty, jnp.asarray(SEGMENTS), 6, jnp.asarray(MASK))
    np.testing.assert_allclose(sums, [row.sum(axis=0) for row in rows], atol=1e-14)
    np.testing.assert_allclose(means, [row.sum(axis=0) / max(len(row), 1) for row in rows], atol=1e-14)


def test_softmax_is_that_of_scipy() -> None:
    """Within each segment, for logits that would overflow, with weights in front of the powers."""
    rng = np.random.default_rng(0)
    logits, weights = rng.normal(size=(7, 2)) + 800.0, rng.uniform(0.1, 1.0, size=(7, 1)) * MASK[:, None]
    found = np.asarray(segment_softmax(jnp.asarray(logits), jnp.asarray(SEGMENTS), 6, jnp.asarray(weights)))
    expected = np.zeros_like(found)
    for segment in (0, 2):
        at = np.flatnonzero((segment == SEGMENTS) & MASK)
        expected[at] = softmax(logits[at] + np.log(weights[at]), axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_softmax_has_the_gradient_of_finite_differences() -> None:
    """By logits and by weights, and no NaN where all weights of a segment vanish."""
    rng = np.random.default_rng(0)
    logits, weights = jnp.asarray(rng.normal(size=7)), jnp.asarray(rng.uniform(0.2, 1.0, size=7))
    check_grads(jax.jit(lambda x, w: segment_softmax(x, jnp.asarray(SEGMENTS), 6, w)), (logits, weights), order=2)
    slopes = jax.jacobian(lambda x: segment_softmax(x, jnp.asarray(SEGMENTS), 6, jnp.asarray(MASK)))(logits)
    assert np.isfinite(slopes).all()
    assert (np.asarray(slopes)[~MASK] == 0).all()


def test_frames_are_those_of_the_batch(frames: Callable[..., Any], padded: Callable[..., Any]) -> None:
    """Sums, means and spreading for molecules of different size, and zero for spare frames."""
    batch = padded(frames([4, 1, 3]), spare=(2, 5, 0))
    of = Frames.of(batch)
    assert of.slots == 5
    np.testing.assert_allclose(of.sum(jnp.ones(13)), [4, 1, 3, 0, 0])
    means = [frame["R"].mean(axis=0) for frame in frames([4, 1, 3])] + [np.zeros(3)] * 2
    np.testing.assert_allclose(of.mean(jnp.asarray(batch["R"])), means, atol=1e-14)
    assert of.spread(jnp.arange(5))[:8].tolist() == [0, 0, 0, 0, 1, 2, 2, 2]
