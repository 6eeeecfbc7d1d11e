"""The loss of parameters on the validation part of an experiment."""

from __future__ import annotations

from pathlib import Path as File

import numpy as np

from atomloom.batching import Near, fixed_shape, in_order
from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.experiment import InFile, load, resolved
from atomloom.numpy_backend import NumpyOps
from atomloom.pipeline import prepare
from atomloom.pipeline.job import Job
from atomloom.pipeline.predicting import at_a_time
from atomloom_residues.trees import Tree, leaf_name

_OPS = NumpyOps()


class Judge:
    """The weighted sum of an experiment's losses for parameters of its model.

    Args:
        job: the experiment.
        dataset: what to judge by; by default its validation part.
    """

    def __init__(self, job: Job, dataset: Dataset | None = None) -> None:
        self._job = job
        self._data = job.fit_data().valid if dataset is None else job.model.complete(dataset, job.config)
        if not len(self._data):
            todo = "Give one a share under [data.split]"
            raise DataError("judge checkpoints", "the experiment has no validation part", todo)
        seed = int(getattr(job.training, "seed", 0))
        self._fresh = job.model.init(job.schema, job.config, seed)
        self._near = Near(self._data, job.model.reach(self._fresh))

    @classmethod
    def of(cls, path: str | File) -> Judge:
        """The judge that an experiment's TOML file describes."""
        file = File(path)
        return cls(prepare(resolved(load(file), file.parent), InFile(str(file))))

    def __call__(self, tree: Tree) -> float:
        """The loss; leaves are handed to the model by their names."""
        job, leaves = self._job, {leaf_name(path): tree[path] for path in tree}
        self._check({*leaves})
        state = job.model.with_leaves(self._fresh, leaves)
        names = list(dict.fromkeys((*job.model_spec.needs, *(need for loss in job.losses for need in loss.needs))))
        shape = fixed_shape(self._data, at_a_time(self._near), pairs=self._near.counts)
        sums = np.zeros((len(job.losses), 2))
        for batch in in_order(self._data, shape, names, self._near.of):
            predicted = job.backend.predict(job.model, state, batch)
            real = batch["frame_mask"].astype(np.float64)
            for place, loss in enumerate(job.losses):
                parts = loss.function(predicted, batch, real, _OPS)
                sums[place] += [np.asarray(part, dtype=np.float64).sum() for part in parts]
        return float(sum(loss.weight * total / count for loss, (total, count) in zip(job.losses, sums, strict=True)))

    def _check(self, given: set[str]) -> None:
        wanted = {*self._job.model.leaves(self._fresh)}
        if given != wanted:
            odd = sorted(given ^ wanted)
            found = f"the model {self._job.model_spec.name!r} and the checkpoints differ in {', '.join(odd[:5])}"
            raise DataError("judge checkpoints", found, "Give the experiment that they were fitted by")
