"""The functions that losses use on JAX; see `atomloom.model.Ops`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy import special


class JaxOps:
    """The counterpart of core's `NumpyOps`.

    >>> JaxOps().segment_sum(jnp.array([1.0, 2.0, 3.0]), jnp.array([0, 0, 1]), 2).tolist()
    [3.0, 3.0]
    """

    xp = jnp

    def segment_sum(self, values: Any, segments: Any, count: int) -> jax.Array:
        """Sums of the rows of each segment, as ``[count, ...]``."""
        return jax.ops.segment_sum(values, segments, num_segments=count)

    def i0e(self, x: Any) -> jax.Array:
        """The modified Bessel function I0(x), scaled by exp(-abs(x))."""
        return special.i0e(x)

    def logsumexp(self, x: Any, axis: int = -1) -> jax.Array:
        """log(sum(exp(x))) without overflow."""
        return special.logsumexp(x, axis=axis)
