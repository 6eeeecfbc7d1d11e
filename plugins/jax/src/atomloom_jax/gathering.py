"""What updates measured, fetched from the devices without making them wait.

An update leaves its vector on the device. Vectors are fetched once they are ready, in blocks that go to the run's
observers; only when `IN_FLIGHT` updates are under way is the oldest waited for, so that data does not pile up. Where
several processes train together the oldest is fetched only then, so that all of them know it at the same update.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import numpy as np

from atomloom_jax.feeding import Prepared
from atomloom_jax.metrics import TrainingMetrics, nothing

IN_FLIGHT = 8
"""Updates that may be under way at a time."""

BLOCK = 32
"""Updates whose metrics go to the observers together."""


class Broken(NamedTuple):
    """The first update of an epoch, or the first batch of a validation, that was not finite.

    Args:
        place: which one it was, the first being 1.
        prepared: its data.
    """

    place: int
    prepared: Prepared


class Gatherer:
    """The measurements of one epoch.

    Args:
        like: metrics of the names that an update gives.
        done: updates before this epoch.
    """

    def __init__(self, like: TrainingMetrics, done: int = 0) -> None:
        self._like, self._done = like, done
        self._waiting: deque[tuple[jax.Array, Prepared]] = deque()
        self._block: list[dict[str, float]] = []
        self._seen = 0
        self.total = nothing(like)
        """Everything measured, added up in float64."""
        self.structures = 0
        """How many frames the fetched updates took."""
        self.broken: Broken | None = None
        """Where the numbers ceased to be finite, if they did."""

    def add(self, vector: jax.Array, prepared: Prepared) -> None:
        """Note an update that was just sent to the devices, and fetch what is ready."""
        self._waiting.append((vector, prepared))
        self._fetch_ready(IN_FLIGHT)

    def finish(self) -> None:
        """Fetch all that is left, waiting for it."""
        self._fetch_ready(0)

    @property
    def idle(self) -> bool:
        """Whether the devices have nothing to do."""
        return not self._waiting or _ready(self._waiting[-1][0])

    def block(self, least: int = BLOCK) -> dict[str, np.ndarray]:
        """What was fetched since the last block, one value an update; nothing while there are fewer than `least`."""
        if len(self._block) < max(least, 1):
            return {}
        taken, self._block = self._block, []
        return {name: np.array([each[name] for each in taken]) for name in taken[0]}

    def _fetch_ready(self, in_flight: int) -> None:
        alone = jax.process_count() == 1
        while self._waiting and (len(self._waiting) > in_flight or (alone and _ready(self._waiting[0][0]))):
            self._take(*self._waiting.popleft())

    def _take(self, vector: jax.Array, prepared: Prepared) -> None:
        metrics = self._like.unpacked(np.asarray(vector))
        self._seen += 1
        self.structures += round(metrics.sums["frames"])
        if not metrics.sums["update/good"] and self.broken is None:
            self.broken = Broken(self._seen, prepared)
        self.total = self.total.plus(metrics)
        said = {name: float(metrics.sums[f"update/{name}"]) for name in ("loss", "gradient_norm", "learning_rate")}
        self._block.append({"update": self._done + self._seen, **said})


def fetched(sent: Iterable[tuple[jax.Array, Prepared]]) -> Iterator[tuple[np.ndarray, Prepared]]:
    """The same on the host, in their order, with `IN_FLIGHT` of them under way at most."""
    waiting: deque[tuple[jax.Array, Prepared]] = deque()
    for each in sent:
        waiting.append(each)
        if len(waiting) > IN_FLIGHT:
            yield _on_host(*waiting.popleft())
    while waiting:
        yield _on_host(*waiting.popleft())


def _on_host(vector: jax.Array, prepared: Prepared) -> tuple[np.ndarray, Prepared]:
    return np.asarray(vector), prepared


def _ready(vector: jax.Array) -> bool:
    """Whether a vector has been computed; JAX's annotations do not know that arrays tell."""
    ready: bool = vector.is_ready()  # type: ignore[attr-defined]
    return ready
