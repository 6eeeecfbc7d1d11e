"""Which frames and which loss made an update not finite.

Nothing is changed by such an update nor after it, so the parameters are still those that it was computed with. Each of
its frames is put into a batch of its own, of the shape that is compiled anyway, and each loss is computed and
differentiated for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from atomloom.batching import Planned
from atomloom.errors import RunFailed
from atomloom_jax.device_batch import DeviceBatch
from atomloom_jax.feeding import Feed
from atomloom_jax.gathering import Broken
from atomloom_jax.objective import Objective

SHOWN = 8
"""How many frames a message lists."""


class Culprit(NamedTuple):
    """A frame for which a loss, or its gradient, is not finite."""

    loss: str
    what: str
    frame: int


def culprits(objective: Objective[Any], parameters: Any, constants: Any, feed: Feed, broken: Broken) -> list[Culprit]:
    """All of them, by frame of the part that the feed is of."""
    judged = jax.jit(lambda trained, batch: _judged(objective, trained, constants, batch))
    found = []
    for planned in broken.prepared.planned:
        for frame in planned.frames.tolist():
            batch = feed.batch(Planned(np.array([frame]), planned.shape))
            for loss, values in judged(parameters, batch).items():
                what = next((name for name in ("loss", "gradient") if not np.isfinite(values[name])), "")
                found += [Culprit(loss, what, frame)] if what else []
    return found


def failure(run: str, where: str, found: Sequence[Culprit], frames: int, numbers: Any, kept: int) -> RunFailed:
    """The error to stop with.

    Args:
        run: its name.
        where: which update it was.
        found: as from `culprits`.
        frames: how many frames the update took.
        numbers: for each frame of the part its number in the whole data set, or None.
        kept: after how many epochs the last good state was saved; 0 for none.
    """
    state = f"The state after epoch {kept} is kept" if kept else "No state was saved before"
    clauses = list(_clauses(found, frames, numbers))
    if not clauses:
        clauses = ["the numbers of each frame alone are finite, and those of all together are not"]
    everywhere = len({culprit.frame for culprit in found}) in (0, frames)
    todo = "lower the learning rate or clip gradients" if everywhere else "look at these frames with `atomloom inspect`"
    return RunFailed(f"go on with the run '{run}'", f"in {where}, {' and '.join(clauses)}", f"{state}; {todo}")


def _judged(objective: Objective[Any], parameters: Any, constants: Any, batch: DeviceBatch) -> Mapping[str, Any]:
    def value(trained: Any, name: str) -> jax.Array:
        return jnp.asarray(objective.measured({**trained, **constants}, batch).sums[f"loss/{name}/sum"])

    judged = {}
    for loss in objective.losses:
        total, slope = jax.value_and_grad(value)(parameters, loss.name)
        judged[loss.name] = {"loss": total, "gradient": optax.tree.norm(slope)}
    return judged


def _clauses(found: Sequence[Culprit], frames: int, numbers: Any) -> Iterator[str]:
    for loss, what in dict.fromkeys((culprit.loss, culprit.what) for culprit in found):
        mine = [culprit.frame for culprit in found if (culprit.loss, culprit.what) == (loss, what)]
        called = sorted(mine if numbers is None else np.asarray(numbers)[mine].tolist())
        listed = ", ".join(map(str, called[:SHOWN])) + (
            f" and {len(called) - SHOWN} more" if len(called) > SHOWN else ""
        )
        which = f"all its {frames} frames" if len(called) == frames > 1 else f"frame{'s' * (len(called) > 1)} {listed}"
        term = f"the loss {loss!r}" if what == "loss" else f"the gradient of the loss {loss!r}"
        yield f"{term} is not finite for {which}"
