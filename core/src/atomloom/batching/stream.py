"""A plan read step by step, on one host or several, from any step on.

The position in the stream is an epoch, a window and a step in it: three numbers, whatever the size of the data. A step
is a group of batches of one shape; of several hosts each takes its share of every group, so that a stream that was
stopped goes on exactly with the next step on any number of hosts that divides the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from atomloom.batching.plans import Plan, Planned
from atomloom.errors import ConfigError


class Position(NamedTuple):
    """The next step of a stream: `step` counts within the `window` of the `epoch`."""

    epoch: int = 0
    window: int = 0
    step: int = 0

    def state(self) -> dict[str, int]:
        """As plain data, for a checkpoint."""
        return self._asdict()

    @classmethod
    def of(cls, state: Mapping[str, int]) -> Position:
        """The inverse of `state`."""
        return cls(**{name: int(state[name]) for name in ("epoch", "window", "step")})


class Stream:
    """The steps of a plan as one host sees them.

    Args:
        plan: what the batches are.
        position: the first step.
        host, hosts: which of how many hosts this is; `hosts` divides the plan's group.
    """

    def __init__(self, plan: Plan, position: Position | None = None, *, host: int = 0, hosts: int = 1) -> None:
        if plan.group % hosts or not 0 <= host < hosts:
            found = f"host {host} of {hosts} is to take its share of groups of {plan.group} batches"
            raise ConfigError("split the batches over hosts", found, "Use a number of hosts that divides the group")
        self.plan, self.position = plan, position or Position()
        self._host, self._hosts = host, hosts

    def epoch(self) -> Iterator[tuple[Planned, ...]]:
        """The steps that are left of this epoch, each as this host's batches; then the next epoch's turn has come.

        `position` is that of the next step as soon as a step is handed out.
        """
        start = self.position
        for window, stretch in enumerate(self.plan.windows(start.epoch, start.window), start.window):
            first = start.step if window == start.window else 0
            groups = _grouped(stretch, self.plan.group)
            for step, group in enumerate(islice(groups, first, None), first):
                self.position = Position(start.epoch, window, step + 1)
                yield group[self._host :: self._hosts]
        self.position = Position(start.epoch + 1)


def _grouped(batches: Iterator[Planned], group: int) -> Iterator[tuple[Planned, ...]]:
    while taken := tuple(islice(batches, group)):
        yield taken
