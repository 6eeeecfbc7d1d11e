"""The demo: a network for the molecules that come with the package, judged on molecules that it has not seen."""

from __future__ import annotations

from pathlib import Path

from atomloom.experiment import Batching, Data, Experiment, Source, Split
from atomloom.pipeline import fit, prepare
from atomloom.pipeline.evaluating import held_out
from atomloom.report import Report
from atomloom.writers import write
from atomloom_dcmnet.bundled import small_molecules
from atomloom_dcmnet.checkpoints import dcmnet_analysis

EPOCHS = 60
SITES = 2
LOSSES = {
    "potential": 1.0,
    "charges": 20.0,
}  # of some hundred molecules, charges of a density carry over better than fits


def run(folder: Path, /, *, epochs: int = EPOCHS) -> Report:
    """Train on four fifths of the molecules, and report on the errors for a tenth of them beside their bounds."""
    fitted, _ = fit(prepare(experiment(folder, epochs=epochs)), folder / "runs" / "dcmnet-demo")
    return dcmnet_analysis(fitted, held_out(fitted))


def experiment(folder: Path, *, sites: int = SITES, epochs: int = EPOCHS) -> Experiment:
    """A training on the molecules of the package, which are written into the folder.

    Args:
        sites: charges of each atom.
    """
    data = folder / "molecules.npz"
    write(small_molecules(), data, writer="core:npz", overwrite=True)
    return Experiment(
        title="Distributed charges of small molecules",
        data=Data(
            source=[Source(path=str(data), reader="core:npz")],
            split=Split(train=0.8, valid=0.1, test=0.1, seed=8, group="molecule"),
        ),
        batching=Batching(batch_size=8),
        model={"name": "dcmnet:dcmnet", "n_dcm": sites, "features": 32, "conditioning": "attention"},
        losses=LOSSES,
        training={"num_epochs": epochs, "learning_rate": 4e-3, "ema_decay": 0.99, "table_every_n_epochs": 0},
    )
