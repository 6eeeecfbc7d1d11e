"""Weights & Biases: a run there for a run here, with epochs and updates each on an axis of their own.

What a session writes lies in the folder ``wandb`` of the run. ``WANDB_MODE=offline`` keeps it there until
``wandb sync``; the service's other variables hold as well. An epoch that a resumed run does again is sent again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from atomloom.runs.metrics import Row
from atomloom.runs.tracking.courier import PATIENCE
from atomloom.runs.tracking.services import PROJECT, Subject


class WeightsAndBiases:
    """See `atomloom.runs.tracking.services.Service`."""

    def start(self, subject: Subject) -> None:
        """Take a run up under its own id."""
        import wandb  # an extra, so that modules of core can be imported without it

        wandb.setup(wandb.Settings(silent=True))  # or it would ask for a login where the bar is, and wait for ever
        self._run = wandb.init(
            project=subject.project or os.environ.get("WANDB_PROJECT") or PROJECT,
            id=subject.id,
            name=subject.name,
            dir=str(subject.folder),
            config=dict(subject.config),
            resume="allow",
            settings=wandb.Settings(
                console="off", silent=True, disable_git=True, save_code=False, init_timeout=PATIENCE / 2
            ),
        )
        self._run.define_metric("*", step_metric="epoch")
        self._run.define_metric("update/*", step_metric="update/number")

    def updates(self, block: Mapping[str, Any]) -> None:
        """A point for each update, under ``update/``."""
        columns = {f"update/{name}": values.tolist() for name, values in block.items() if name != "update"}
        numbers = block["update"].tolist() if "update" in block else []
        for place, number in enumerate(numbers):
            self._run.log({"update/number": number, **{name: values[place] for name, values in columns.items()}})

    def epochs(self, rows: list[Row]) -> None:
        """A point for each epoch."""
        for row in rows:
            self._run.log({"epoch": row.epoch, **row.values})

    def finish(self, outcome: str) -> None:
        """The state there: finished, failed, or preempted for what was interrupted and may go on."""
        self._run.summary["outcome"] = outcome
        if outcome == "interrupted":
            self._run.mark_preempting()
        self._run.finish(exit_code=0 if outcome == "finished" else 1)
