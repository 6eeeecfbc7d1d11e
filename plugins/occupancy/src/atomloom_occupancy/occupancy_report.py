"""The post-processor ``occupancy-report``: the report of a refinement, of a run that made one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atomloom.data import Dataset
from atomloom.pipeline import Fitted
from atomloom.report import Report
from atomloom_occupancy.crystal_model import crystal_of, refined
from atomloom_occupancy.maps import peaks
from atomloom_occupancy.page import page
from atomloom_occupancy.result_table import result_table
from atomloom_occupancy.uncertainty import uncertainties

if TYPE_CHECKING:
    from atomloom.runs import Run


def occupancy_report(run: Run, dataset: Dataset, /) -> Report:
    """What ``atomloom occupancy refine`` reports, of the crystal in `dataset` with the options of the run."""
    fitted = Fitted.load(run)
    structure, _ = crystal_of(dataset)
    done = refined(dataset, fitted.state, tuple(run.config["losses"]))
    spread = uncertainties(done)
    name = str(dataset.meta.get("source", run.name))
    return page(name, structure, done, (result_table(done, spread), spread), peaks(done, structure))


def example(folder: Path) -> tuple[Run, Dataset]:
    """A run on the made-up crystal, and this crystal."""
    from atomloom.experiment import InFile, load, resolved
    from atomloom.pipeline import fit, prepare
    from atomloom_occupancy import contract_examples, examples

    examples.mtz_file(folder)
    examples.pdb_file(folder)
    experiment = folder / "experiment.toml"
    experiment.write_text(contract_examples.EXPERIMENT, encoding="utf-8")
    job = prepare(resolved(load(experiment), folder), InFile(str(experiment)))
    run, _ = fit(job, folder / "run", quiet=True)
    return run, job.data.dataset
