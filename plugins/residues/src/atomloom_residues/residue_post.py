"""The post-processor ``per-residue``: the force errors of a fitted run by residue."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from atomloom.data import Dataset
from atomloom.errors import AtomloomError, ConfigError
from atomloom.experiment import InFile, load
from atomloom.pipeline import Fitted, predict, prepare
from atomloom.report import Report
from atomloom_residues.chain_prior import Config, forces_by, solve
from atomloom_residues.forces import Array, forces_of
from atomloom_residues.per_residue import results_of
from atomloom_residues.residue_files import write_tables
from atomloom_residues.residue_report import report_of

if TYPE_CHECKING:
    from atomloom.runs import Run


log = logging.getLogger(__name__)


def per_residue(run: Run, dataset: Dataset, /) -> Report:
    """The force errors of the run's best model on the frames of `dataset`, by residue.

    Beside them stand those of springs along the chain, fitted to what the model was trained on, and where ``F_mean`` is
    there the noise of the forces. Tables and plots called ``RUN_per_residue_rmse`` go to the run's analysis too.
    """
    predicted = predict(Fitted.load(run), dataset)
    if "F" not in predicted:
        found = f"the model predicts {', '.join(predicted.columns)}"
        raise ConfigError("judge the forces of the run", found, "Name a run whose model predicts F")
    results = results_of(forces_of(dataset, predicted["F"], prior=_prior(run, dataset)), run.name)
    write_tables(results, run.files.analysis / "per-residue")
    return report_of(results["judgement"], run.name)


def _prior(run: Run, dataset: Dataset) -> Array | None:
    """Forces of springs that know no more than the run's training part, where that is still there."""
    try:
        data = prepare(load(run.files.config), InFile(str(run.files.config))).fit_data()
        return forces_by(solve(data, data.train, Config().separations), dataset)
    except AtomloomError as error:
        log.warning("There is no prior to compare with: %s", error)
        return None


def example(folder: Path) -> tuple[Run, Dataset]:
    """A run of the chain prior, and frames to judge it by."""
    from atomloom.experiment import resolved
    from atomloom.pipeline import fit
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
