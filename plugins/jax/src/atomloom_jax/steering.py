"""What validation decides: whether the learning rate falls on a plateau, and whether training stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from atomloom_jax.options import Training


class Steering(NamedTuple):
    """What is remembered of the scores so far; lower ones are better.

    Args:
        best: the lowest score, None before the first.
        waited: epochs since it improved.
        flat: epochs since it improved or the learning rate was lowered.
        scale: of the learning rate.
    """

    best: float | None = None
    waited: int = 0
    flat: int = 0
    scale: float = 1.0

    def after(self, score: float, training: Training) -> Steering:
        """What is known after another epoch.

        >>> steps = Training(lr_schedule_type="plateau", plateau_patience=2, lr_decay_factor=0.1)
        >>> known = Steering()
        >>> for score in (1.0, 1.0, 1.0):
        ...     known = known.after(score, steps)
        >>> known
        Steering(best=1.0, waited=2, flat=0, scale=0.1)
        """
        margin = training.early_stopping_min_delta * abs(self.best or 0.0)
        if self.best is None or score < self.best - margin:
            return Steering(score, 0, 0, self.scale)
        flat, scale = self.flat + 1, self.scale
        if _lowers(training) and flat >= training.plateau_patience:
            flat, scale = 0, max(scale * training.lr_decay_factor, training.min_lr_factor)
        return Steering(self.best, self.waited + 1, flat, scale)

    def reason_to_stop(self, training: Training) -> str:
        """Why no further epoch is worth it, or an empty string."""
        patience = training.early_stopping_patience
        if not patience or self.waited < patience:
            return ""
        return f"the loss has not improved for {self.waited} epochs"

    def state(self) -> dict[str, Any]:
        """As plain data, for a checkpoint."""
        return self._asdict()

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Steering:
        """The inverse of `state`."""
        return cls(**state)


def _lowers(training: Training) -> bool:
    return training.use_lr_schedule and training.lr_schedule_type == "plateau"
