"""Modules of flax within a model: their parameters are a part of its state."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn


def first_parameters(module: nn.Module, seed: int, *inputs: Any, **named: Any) -> Any:
    """Random parameters of a module for inputs like these.

    >>> jax.tree.map(jnp.shape, first_parameters(nn.Dense(2), 0, jnp.ones((1, 3))))
    {'bias': (2,), 'kernel': (3, 2)}
    """
    begin = jax.jit(module.init)  # as a whole: op by op, compiling takes several times as long
    return begin(jax.random.key(seed), *inputs, **named)["params"]


def applied(module: nn.Module, parameters: Any, *inputs: Any, **named: Any) -> Any:
    """What a module gives for these inputs; parameters may be numpy's, as those of checkpoints are."""
    return module.apply({"params": jax.tree.map(jnp.asarray, parameters)}, *inputs, **named)
