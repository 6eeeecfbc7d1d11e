"""The course of a training for TensorBoard, in the folder ``tensorboard`` of the run.

Updates and epochs are counted differently, so each has a folder: TensorBoard shows them as two runs. What a resumed
training does again replaces what was there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboardX import SummaryWriter  # type: ignore[import-untyped]  # its package has no py.typed

from atomloom.runs import Run
from atomloom.runs.checkpoint import ENGINE

_open: dict[Path, _Files] = {}


def started(run: Run) -> None:
    """Open the files of a run."""
    _open[run.folder] = _Files(run)


def continued(run: Run, block: Mapping[str, Any]) -> None:
    """Add a block of updates, and the epochs that have ended since the last one."""
    _open[run.folder].add(block)


def ended(run: Run) -> None:
    """Add the last epochs and close the files."""
    _open.pop(run.folder).close()


class _Files:
    """The two files of a run.

    Args:
        run: whose metrics go there.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._told = run, run.epochs_done
        latest = run.latest()
        updates = 0 if latest is None else int(latest.leaves[f"{ENGINE}updates"])
        self._updates = _writer(run, "updates", updates)
        self._epochs = _writer(run, "epochs", self._told)

    def add(self, block: Mapping[str, np.ndarray]) -> None:
        """The values of some updates, each under its number."""
        for name in block.keys() - {"update"}:
            for update, value in zip(block["update"].tolist(), block[name].tolist(), strict=True):
                self._updates.add_scalar(name, value, update)
        self._add_epochs()

    def close(self) -> None:
        """All epochs that are left."""
        self._add_epochs()
        self._updates.close()
        self._epochs.close()

    def _add_epochs(self) -> None:
        columns = self._run.metrics()
        epochs = columns.pop("epoch")
        new = np.flatnonzero(epochs > self._told)
        for name, values in columns.items():
            for row in new[np.isfinite(values[new])].tolist():
                self._epochs.add_scalar(name, values[row], int(epochs[row]))
        self._told = int(epochs.max(initial=self._told))


def _writer(run: Run, name: str, done: int) -> SummaryWriter:
    """A writer to one folder, which takes the place of what was written after the first `done`."""
    purged = {} if done == 0 else {"purge_step": done + 1}
    return SummaryWriter(str(run.folder / "tensorboard" / name), **purged)
