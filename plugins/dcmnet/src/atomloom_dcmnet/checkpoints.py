"""Analyses of runs: one checkpoint, several beside each other, the course of a training, many runs at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from atomloom.data import Dataset
from atomloom.errors import ConfigError
from atomloom.pipeline import Fitted
from atomloom.pipeline.evaluating import held_out
from atomloom.report import Report
from atomloom.runs import Run
from atomloom_dcmnet.analysis import Analysis, analyse
from atomloom_dcmnet.model import DCMNet
from atomloom_dcmnet.reporting import learning, report_on


def dcmnet_analysis(run: Run, dataset: Dataset, /) -> Report:
    """The post-processor ``dcmnet-analysis``; `run_training` keeps this report, and the numbers as JSON and CSV."""
    return report_of(run, analyze_checkpoint(run, dataset))


def report_of(run: Run, found: Analysis) -> Report:
    """What is known of the predictions of a run, with its learning curves."""
    facts = {"run": run.name, "frames": str(len(found.molecules)), "points": str(len(found.reference))}
    return report_on(found, f"Potential of the charges of {run.name}", facts, [learning(run)])


def analyze_checkpoint(run: Run | str | Path, dataset: Dataset | None = None, which: str = "best") -> Analysis:
    """How well a run describes data; its own test part without any.

    Args:
        which: ``"best"`` or ``"latest"``.
    """
    if which not in ("best", "latest"):
        found = "there is no checkpoint of that name"
        raise ConfigError(f"analyse the checkpoint {which!r}", found, "Choose best or latest")
    opened = run if isinstance(run, Run) else Run.open(run)
    return analyse(loaded(opened, which), held_out(opened) if dataset is None else dataset)


def loaded(run: Run, which: str = "best") -> Fitted:
    """The network of a run."""
    fitted = Fitted.load(run, which)
    if not isinstance(fitted.model, DCMNet):
        found = f"it is a run of the model {fitted.spec.name!r}"
        raise ConfigError(f"use the charges of the run '{run.name}'", found, "Choose a run of dcmnet")
    return fitted


def compare_checkpoints(run: Run | str | Path, dataset: Dataset | None = None) -> dict[str, dict[str, float]]:
    """`Analysis.summary` of the best and of the latest checkpoint on the same frames, in (kcal/mol)/e."""
    return {which: analyze_checkpoint(run, dataset, which).summary() for which in ("best", "latest")}


def analyze_training_history(run: Run | str | Path) -> dict[str, float]:
    """Epochs, the best of them and its validation loss, and the first and last training loss."""
    opened = run if isinstance(run, Run) else Run.open(run)
    columns = opened.metrics()
    train = columns["train/loss"]
    watched = columns.get("valid/loss", train)
    best = int(np.nanargmin(watched))
    return {
        "epochs": len(train),
        "best_epoch": best + 1,
        "best_loss": float(watched[best]),
        "first_train_loss": float(train[0]),
        "last_train_loss": float(train[-1]),
    }


def batch_analysis_summary(runs: Iterable[Run | str | Path], dataset: Dataset | None = None) -> list[dict[str, Any]]:
    """One row for each run: its name, options, and the summary of its errors and bounds in (kcal/mol)/e."""
    rows = []
    for run in runs:
        opened = run if isinstance(run, Run) else Run.open(run)
        found = analyze_checkpoint(opened, dataset)
        own = {"run": opened.name, "n_dcm": opened.config["model"]["n_dcm"], "molecules": len(found.molecules)}
        bounds = {f"{name}_median": found.summary(name)["median"] for name in ("bound_atoms", "bound_sites")}
        rows.append({**own, **found.summary(), **bounds})
    return rows
