"""How the learning rate changes, as a factor of it, counted in updates of the parameters.

===============  ================================================================================================
``constant``     1
``cosine``       (1 + cos(pi t)) / 2 from 1 to the floor, t being the share of the updates after the warm-up
``exponential``  falls by ``lr_decay_factor`` every ``lr_decay_epochs``, smoothly, down to the floor
``step``         the same in steps
``plateau``      1 here; `atomloom_jax.steering` lowers it where validation does not improve
===============  ================================================================================================

All start with a linear warm-up whose first update already moves, and none falls below ``min_lr_factor``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optax

from atomloom_jax.options import Training

Factor = Callable[[Any], Any]


def schedule(training: Training, updates_per_epoch: int) -> Factor:
    """The factor of the learning rate for each update, the first being 0.

    >>> options = Training(num_epochs=4, warmup_epochs=1, lr_schedule_type="step", lr_decay_epochs=1)
    >>> [float(schedule(options, 2)(update)) for update in range(6)]
    [0.5, 1.0, 1.0, 1.0, 0.5, 0.5]
    """
    if not training.use_lr_schedule:
        return _constant()
    warm = round(training.warmup_epochs * updates_per_epoch)
    falling = _falling(training, updates_per_epoch, training.num_epochs * updates_per_epoch - warm)
    if not warm:
        return falling
    warming = optax.linear_schedule(1 / warm, 1.0, warm - 1)
    joined: Factor = optax.join_schedules([warming, falling], [warm])
    return joined


def _falling(training: Training, updates_per_epoch: int, updates: int) -> Factor:
    """The factor after the warm-up."""
    if training.lr_schedule_type == "cosine":
        cosine: Factor = optax.cosine_decay_schedule(1.0, max(updates - 1, 1), training.min_lr_factor)
        return cosine
    if training.lr_schedule_type in ("exponential", "step"):
        decay: Factor = optax.exponential_decay(
            1.0,
            transition_steps=max(round(training.lr_decay_epochs * updates_per_epoch), 1),
            decay_rate=training.lr_decay_factor,
            staircase=training.lr_schedule_type == "step",
            end_value=training.min_lr_factor,
        )
        return decay
    return _constant()


def _constant() -> Factor:
    constant: Factor = optax.constant_schedule(1.0)
    return constant
