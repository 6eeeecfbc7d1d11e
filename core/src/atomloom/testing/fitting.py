"""A tiny fit, as anyone would run it: data in a file, an experiment, a run in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atomloom.data import Dataset
from atomloom.experiment import Batching, Data, Experiment, Source, Split, plain
from atomloom.pipeline.job import Job, options_of, prepare
from atomloom.registry import registry
from atomloom.writers import write

if TYPE_CHECKING:
    import msgspec

    from atomloom.registry import Contribution

EPOCHS = 2
BATCH = 2


def job_for(model: Contribution, config: msgspec.Struct, dataset: Dataset, folder: Path) -> Job:
    """A job that fits a model for `EPOCHS` epochs to a data set, which is written to `folder`."""
    data = folder / "example-data.npz"
    write(dataset, data, writer="core:npz", overwrite=True)
    backend = registry().get("backends", model.spec.backend).spec
    training = {"num_epochs": EPOCHS} if "num_epochs" in options_of(backend.training).__struct_fields__ else {}
    return prepare(
        Experiment(
            data=Data(
                source=[Source(path=str(data), reader="core:npz")], split=Split(train=0.5, valid=0.25, test=0.25)
            ),
            batching=Batching(batch_size=BATCH),
            model={"name": f"{model.plugin}:{model.spec.name}", **plain(config)},
            training=training,
        )
    )
