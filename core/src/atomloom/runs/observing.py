"""Who is told what happens in a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from atomloom.runs.run import Run


class Observers(Protocol):
    """Those who watch a run; each method tells all of them, and never raises because of one of them."""

    def run_started(self, run: Run) -> None:
        """A session of the run begins."""

    def steps_finished(self, run: Run, block: Mapping[str, Any]) -> None:
        """A block of steps is done; `block` has an array with one value per step for each metric."""

    def run_finished(self, run: Run, outcome: str) -> None:
        """A session of the run has ended: ``finished``, ``interrupted`` or ``failed``."""


def registered() -> Observers:
    """The observers that installed plugins register."""
    from atomloom.registry import registry  # a run that is only read needs no plugins

    return registry().observers()
