"""Forces and virials from the slopes by pair vectors, against derivatives by positions and finite strains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from atomloom_jax.blocks import Frames, Pairs, cosine, forces, virial, zbl_energy

CELL = np.array([[3.0, 0.0, 0.0], [0.7, 2.8, 0.0], [0.0, -0.5, 3.4]])


def energies(batch: Any, vectors: Any) -> Any:
    """Of frames: repulsion and a three-body term that no radial function is."""
    pairs = Pairs.along(vectors, *(jnp.asarray(batch[name]) for name in ("dst_idx", "src_idx", "pair_mask")))
    near = cosine(pairs.distances, 3.0) * pairs.mask
    fields = pairs.collect(near[:, None] * pairs.vectors, len(batch["Z"]))
    return Frames.of(batch).sum(zbl_energy(jnp.asarray(batch["Z"]), pairs, 3.0) + (fields**2).sum(axis=1))


def test_forces_and_virials_are_derivatives(frames: Callable[..., Any], padded: Callable[..., Any]) -> None:
    """Forces by positions, virials by a small strain of atoms and cell, of crystals with padding."""
    of = [{**frame, "cell": CELL, "pbc": np.ones(3, dtype=bool)} for frame in frames([3, 2])]
    batch = padded(of, spare=(1, 2, 5))
    at, shift = jnp.asarray(batch["R"]), jnp.asarray(batch["pair_shift"])

    def strained(strain: Any, positions: Any = at) -> Any:
        vectors = Pairs.of({**batch, "pair_shift": shift}, positions).vectors
        return energies(batch, vectors @ (jnp.eye(3) + strain))

    pairs = Pairs.of(batch)
    slopes = jax.jit(jax.grad(lambda v: energies(batch, v).sum()))(pairs.vectors)
    found = forces(slopes, pairs, len(at))
    expected = -jax.jit(jax.grad(lambda r: strained(jnp.zeros((3, 3)), r).sum()))(at)
    assert np.abs(expected[:5]).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-12)
    strains = virial(slopes, pairs, Frames.of(batch))
    compiled, step = jax.jit(strained), 1e-5
    for row in range(3):
        for column in range(3):
            small = np.zeros((3, 3))
            small[row, column] = step
            by_hand = (compiled(small) - compiled(-small)) / (2 * step)
            np.testing.assert_allclose(strains[:, row, column], by_hand, atol=1e-6)
    np.testing.assert_allclose(strains, strains.swapaxes(1, 2), atol=1e-10)
