"""Optimisers of optax by name, with clipping before and decoupled weight decay after them."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import optax

from atomloom_jax.options import Training


def optimiser(training: Training, learning_rate: Any) -> optax.GradientTransformation:
    """The whole way from gradients to updates, at one learning rate.

    It is built anew in each update, while that is traced: the learning rate may be a traced number, and the state does
    not depend on it. Weight decay, ``update -= learning_rate * weight_decay * parameter``, concerns arrays of two or
    more axes; optimisers that bring a decay of their own (adamw, lamb, ...) get it as theirs.

    >>> import jax.numpy as jnp
    >>> rule = optimiser(Training(optimizer="sgd", grad_clip_norm=1.0), 0.1)
    >>> gradient = {"w": jnp.array([3.0, 4.0])}
    >>> updates, _ = rule.update(gradient, rule.init(gradient), gradient)
    >>> [round(float(step), 3) for step in updates["w"]]
    [-0.06, -0.08]
    """
    make = getattr(optax, training.optimizer)
    known = inspect.signature(make).parameters
    chain = [optax.clip_by_global_norm(training.grad_clip_norm)] if training.use_grad_clip else []
    if "weight_decay" in known:
        masked = {"mask": _matrices} if "mask" in known else {}
        return optax.chain(*chain, make(learning_rate, weight_decay=training.weight_decay, **masked))
    chain.append(make(learning_rate))
    if training.weight_decay:
        chain.append(optax.add_decayed_weights(-learning_rate * training.weight_decay, _matrices))
    return optax.chain(*chain)


def _matrices(parameters: Any) -> Any:
    """Which parameters decay: those of two or more axes, so neither biases nor scales."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, parameters)
