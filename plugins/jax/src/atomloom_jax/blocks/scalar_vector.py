"""Message passing with scalar and vector features, as in PaiNN (Schütt, Unke, Gastegger 2021).

Each atom has scalars s ``[atoms, features]``, which do not change when the molecule is turned or mirrored, and vectors
v ``[atoms, 3, features]``, which turn and are mirrored with it. On a CPU they buy more accuracy for a second than
invariant messages or tensors of higher degree do. `Message` brings what the neighbours know, `Mixing` works on it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from atomloom_jax.blocks.dense import ACTIVATIONS, dense
from atomloom_jax.blocks.norms import smooth_norm
from atomloom_jax.blocks.pairs import Pairs

ScalarsVectors = tuple[jax.Array, jax.Array]


class Message(nn.Module):
    """Adds to each atom i what its neighbours j send.

    With filters w = W radial_ij, phi_j = W2 f(W1 s_j + b1) + b2 and the unit vector e_ij from i to j, all products
    over features::

        s_i += sum over j of phi_j^s w^s
        v_i += sum over j of phi_j^e w^e e_ij + phi_j^v w^v v_j

    Attributes:
        features: of scalars and vectors.
        activation: f, one of `ACTIVATIONS`.
    """

    features: int
    activation: str = "silu"

    @nn.compact
    def __call__(
        self, scalars: jax.Array, vectors: jax.Array | None, pairs: Pairs, radial: jax.Array
    ) -> ScalarsVectors:
        """New scalars and vectors.

        Args:
            scalars: ``[atoms, features]``.
            vectors: ``[atoms, 3, features]``, or None where there are none yet, which spares a third of the work.
            pairs: real ones and padding.
            radial: ``[pairs, functions]``, zero at the cutoff and for padding, as from `Radial`.
        """
        parts = 2 if vectors is None else 3
        atoms = scalars.shape[0]
        hidden = ACTIVATIONS[self.activation](dense(self.features, name="hidden")(scalars))
        sent = dense(parts * self.features, name="sent")(hidden)
        filters = dense(parts * self.features, bias=False, name="filters")(radial)
        to_scalars, along, *rest = jnp.split(sent[pairs.source] * filters, parts, axis=-1)
        directions = pairs.vectors / pairs.distances[:, None]
        to_vectors = directions[:, :, None] * along[:, None, :]
        if vectors is not None:
            to_vectors += rest[0][:, None, :] * vectors[pairs.source]
        gained = pairs.collect(to_vectors, atoms)
        return scalars + pairs.collect(to_scalars, atoms), gained if vectors is None else vectors + gained


class Mixing(nn.Module):
    """Lets the scalars and vectors of each atom act on one another.

    With U, V linear over features and without bias, and a = W2 f(W1 [s, norm(V v)] + b1) + b2, all products over
    features::

        s += a^ss + a^sv <U v, V v>
        v += a^vv U v

    where the norm is `smooth_norm`.

    Attributes:
        features: of scalars and vectors.
        activation: f, one of `ACTIVATIONS`.
    """

    features: int
    activation: str = "silu"

    @nn.compact
    def __call__(self, scalars: jax.Array, vectors: jax.Array) -> ScalarsVectors:
        """New scalars ``[atoms, features]`` and vectors ``[atoms, 3, features]``."""
        left, right = jnp.split(dense(2 * self.features, bias=False, name="turned")(vectors), 2, axis=-1)
        seen = jnp.concatenate([scalars, smooth_norm(right, axis=-2)], axis=-1)
        hidden = ACTIVATIONS[self.activation](dense(self.features, name="hidden")(seen))
        gates = dense(3 * self.features, name="gates")(hidden)
        own, product, turned = jnp.split(gates, 3, axis=-1)
        return scalars + own + product * jnp.sum(left * right, axis=-2), vectors + turned[:, None, :] * left


class ScalarVectorLayers(nn.Module):
    """`Message` and `Mixing` in turns: the whole of a scalar and vector network between embedding and readout.

    Attributes:
        features: of scalars and vectors.
        layers: how many times.
        activation: one of `ACTIVATIONS`.

    >>> from atomloom_jax.blocks.radial import Radial
    >>> pairs = Pairs.along(jnp.eye(3)[:2], jnp.array([0, 1]), jnp.array([1, 0]), jnp.array([True, True]))
    >>> network = ScalarVectorLayers(features=4, layers=2)
    >>> (s, v), _ = network.init_with_output(jax.random.key(0), jnp.ones((2, 4)), pairs, Radial(count=8)(pairs))
    >>> s.shape, v.shape
    ((2, 4), (2, 3, 4))
    """

    features: int = 64
    layers: int = 2
    activation: str = "silu"

    @nn.compact
    def __call__(self, scalars: jax.Array, pairs: Pairs, radial: jax.Array) -> ScalarsVectors:
        """Scalars ``[atoms, features]`` and vectors ``[atoms, 3, features]`` from scalars; see `Message`."""
        vectors = None
        for _ in range(self.layers):
            scalars, vectors = Message(self.features, self.activation)(scalars, vectors, pairs, radial)
            scalars, vectors = Mixing(self.features, self.activation)(scalars, vectors)
        return scalars, jnp.zeros((len(scalars), 3, self.features), scalars.dtype) if vectors is None else vectors
