"""The post-processor ``per-residue``: the force errors of a fitted run by residue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atomloom.data import Dataset
from atomloom.errors import ConfigError
from atomloom.pipeline import Fitted, predict
from atomloom.report import Report
from atomloom_residues.forces import forces_of
from atomloom_residues.residue_errors import judge
from atomloom_residues.residue_report import report_of

if TYPE_CHECKING:
    from atomloom.runs import Run


def per_residue(run: Run, dataset: Dataset, /) -> Report:
    """The force errors of the run's best model on the frames of `dataset`, by residue."""
    predicted = predict(Fitted.load(run), dataset)
    if "F" not in predicted:
        found = f"the model predicts {', '.join(predicted.columns)}"
        raise ConfigError("judge the forces of the run", found, "Name a run whose model predicts F")
    return report_of(judge(forces_of(dataset, predicted["F"])), run.name)


def example(folder: Path) -> tuple[Run, Dataset]:
    """A run of the chain prior, and frames to judge it by."""
    from atomloom.experiment import InFile, load, resolved
    from atomloom.pipeline import fit, prepare
    from atomloom.writers import write
    from atomloom_residues.chains import chains

    write(chains(frames=30, lengths=(8, 12), seed=1), folder / "chains.npz")
    experiment = folder / "experiment.toml"
    experiment.write_text(_EXAMPLE)
    run, _ = fit(prepare(resolved(load(experiment), folder), InFile(str(experiment))), folder / "run")
    return run, chains(frames=12, lengths=(8, 12), seed=1)


_EXAMPLE = """\
[[data.source]]
path = "chains.npz"
reader = "npz"
[data.split]
train = 0.8
valid = 0.2
[model]
name = "chain-prior"
"""
