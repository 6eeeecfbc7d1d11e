"""From features of atoms to what is predicted.

Energies are learnt relative to references that the host adds in float64: what a readout gives begins near zero and
stays within what float32 resolves. There are no mean energies and no scales in here.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_jax.blocks.dense import ACTIVATIONS, dense
from atomloom_jax.blocks.norms import smooth_norm


class AtomScalars(nn.Module):
    """W2 f(W1 s + b1) + b2 from scalars ``[atoms, features]`` to ``[atoms, outputs]``: energies, charges, weights.

    Attributes:
        outputs: of each atom.
        zero: W2 begins at zero. Not for several charges of one atom: alike at first, they would stay alike.
        activation: f, one of `ACTIVATIONS`.

    >>> AtomScalars(outputs=2).init_with_output(jax.random.key(0), jnp.ones((3, 4)))[0].shape
    (3, 2)
    """

    outputs: int = 1
    zero: bool = False
    activation: str = "silu"

    @nn.compact
    def __call__(self, scalars: jax.Array) -> jax.Array:
        """Of scalars ``[atoms, features]``."""
        hidden = ACTIVATIONS[self.activation](dense(max(scalars.shape[-1] // 2, 1), name="hidden")(scalars))
        return dense(self.outputs, zero=self.zero, name="out")(hidden)


class AtomVectors(nn.Module):
    """g (W v) from scalars and vectors to ``[atoms, outputs, 3]``: displacements, dipoles of atoms.

    The gates g = W2 f(W1 [s, norm(V v)] + b1) + b2 are scalars, W and V linear over features, so what comes out turns
    and is mirrored with the molecule. A vector that the symmetry of a molecule forbids is zero: out of the plane of a
    flat one, for instance.

    Attributes:
        outputs: vectors of each atom.
        activation: f, one of `ACTIVATIONS`.

    >>> AtomVectors(2).init_with_output(jax.random.key(0), jnp.ones((5, 4)), jnp.ones((5, 3, 4)))[0].shape
    (5, 2, 3)
    """

    outputs: int = 1
    activation: str = "silu"

    @nn.compact
    def __call__(self, scalars: jax.Array, vectors: jax.Array) -> jax.Array:
        """Of scalars ``[atoms, features]`` and vectors ``[atoms, 3, features]``."""
        features = scalars.shape[-1]
        lengths = smooth_norm(dense(features, bias=False, name="seen")(vectors), axis=-2)
        seen = jnp.concatenate([scalars, lengths], axis=-1)
        hidden = ACTIVATIONS[self.activation](dense(features, name="hidden")(seen))
        gates = dense(self.outputs, name="gates")(hidden)
        return gates[:, :, None] * jnp.swapaxes(dense(self.outputs, bias=False, name="out")(vectors), 1, 2)
