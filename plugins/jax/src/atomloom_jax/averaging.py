"""The exponential moving average of the parameters, whose memory grows with the training until it is as long as asked.

After update n ``average += (1 - d_n) (parameters_n - average)`` with ``d_n = min(decay, (n - 1) / (n + 8))``. The first
update takes the whole weight, so that nothing of the initial parameters is ever left in the average, and the weights
always add up to one: there is no bias to be corrected. From then on it looks back over about a ninth of the updates
that there were, and over ``1 / (1 - decay)`` at the most. With a constant decay of 0.999 a training of a few hundred
updates would be judged by a mean over all of it.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

_SHARE = 9  # of so many parts of a young training the average holds one


def start(parameters: Any) -> optax.EmaState:
    """Before the first update."""
    return optax.EmaState(count=jnp.zeros((), jnp.int32), ema=jax.tree.map(jnp.array, parameters))


def follow(average: optax.EmaState, parameters: Any, decay: float) -> optax.EmaState:
    """After another update.

    >>> average = start({"w": jnp.zeros(1)})
    >>> for value in (1.0, 3.0):
    ...     average = follow(average, {"w": jnp.array([value])}, decay=0.9)
    >>> average.ema["w"].tolist(), 1.0 * 0.1 + 3.0 * 0.9
    ([2.799999952316284], 2.8000000000000003)
    """
    count = average.count + 1

    def moved(old: jax.Array, new: jax.Array) -> jax.Array:
        weight = jnp.maximum(1.0 - decay, _SHARE / (count.astype(old.dtype) + _SHARE - 1))
        return old + weight * (new - old)

    return optax.EmaState(count, jax.tree.map(moved, average.ema, parameters))
