"""The exponential moving average of the parameters, without the bias of its start.

After n updates ``average = (1 - d) / (1 - d^n) * sum over k of d^(n - k) parameters_k``: the weights add up to one from
the first update on, so that nothing of the initial parameters is left in it (Kingma & Ba 2015, section 3).
"""

from __future__ import annotations

from typing import Any

import optax


def start(parameters: Any, decay: float) -> optax.EmaState:
    """The average before the first update."""
    state: optax.EmaState = optax.ema(decay).init(parameters)
    return state


def follow(average: optax.EmaState, parameters: Any, decay: float) -> optax.EmaState:
    """The average after another update."""
    _, state = optax.ema(decay).update(parameters, average)
    followed: optax.EmaState = state
    return followed


def averaged(average: optax.EmaState, decay: float) -> Any:
    """The average itself; there is none before the first update.

    >>> import jax.numpy as jnp
    >>> average = start({"w": jnp.zeros(1)}, 0.9)
    >>> for value in (1.0, 3.0):
    ...     average = follow(average, {"w": jnp.array([value])}, 0.9)
    >>> round(float(averaged(average, 0.9)["w"][0]), 4), round((0.9 * 1.0 + 3.0) / 1.9, 4)
    (2.0526, 2.0526)
    """
    return optax.tree.bias_correction(average.ema, decay, average.count)
