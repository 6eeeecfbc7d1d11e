"""Observers of a run: called one by one; one that raises is logged and does not stop anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atomloom.registry.implementations import Implementation
from atomloom.registry.load import attempt

if TYPE_CHECKING:
    from atomloom.runs import Run


class Observers:
    """The plugins' implementations of the hooks that watch runs."""

    def __init__(self, implementations: Iterable[Implementation]) -> None:
        self._implementations = tuple(implementations)
        self._failed: set[Implementation] = set()

    def run_started(self, run: Run) -> None:
        """Tell that a run starts or resumes."""
        self._call("atomloom_run_started", run=run)

    def steps_finished(self, run: Run, block: Mapping[str, Any]) -> None:
        """Hand on the metrics of a block of steps, an array with one value per step for each metric."""
        self._call("atomloom_steps_finished", run=run, block=block)

    def run_finished(self, run: Run, outcome: str) -> None:
        """Tell that a run ended, and how."""
        self._call("atomloom_run_finished", run=run, outcome=outcome)

    def _call(self, hook: str, **given: Any) -> None:
        for implementation in self._implementations:
            if implementation.hook == hook and implementation not in self._failed:
                _, problem = attempt(lambda each=implementation: each(**given), hook)  # type: ignore[misc]
                if problem is not None:
                    self._failed.add(implementation)
                    _log(implementation.plugin, problem.reason, problem.traceback)


def _log(plugin: str, reason: str, traceback: str) -> None:
    """Say it once: an observer that failed is not called again in this run, or it would fill the log."""
    import logging

    logger = logging.getLogger(__name__)
    logger.warning("the observer of the plugin %s failed and is not called again: %s", plugin, reason)
    logger.debug("%s", traceback)
