"""Experiments of distributed charges as plain structs: what is read, the network, and how it is trained.

All of them survive JSON::

    msgspec.json.decode(msgspec.json.encode(config), type=ExperimentConfig) == config
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from atomloom.experiment import Batching, Data, Experiment, Source, Split, plain
from atomloom.readers import expand, suggest
from atomloom_dcmnet.config import ModelConfig
from atomloom_jax.options import Training

LOSSES = {"potential": 1.0, "charges": 1.0}
"""Weights where an experiment names none."""


class TrainingConfig(Training, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of atomloom-jax, and the size of a batch."""

    batch_size: Annotated[int, Meta(ge=1, description="molecules in a batch")] = 8
    learning_rate: Annotated[float, Meta(gt=0, description="learning rate after the warm-up")] = 2e-3


class ExperimentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about one training.

    Args:
        name: of the run, whose folder is ``runs/NAME``.
        data: files or globs.
        model, training: the options.
        esp_w, chg_w, dipole_w, quadrupole_w, site_w: weights of the losses; zero for none. Of those that are not zero,
            data that lack a reference stop the run.
        split_seed: of the random division into four fifths to train on, a tenth to watch and a tenth to judge by.

    >>> config = ExperimentConfig(data=("a.npz",), model=ModelConfig(n_dcm=4))
    >>> msgspec.json.decode(msgspec.json.encode(config), type=ExperimentConfig) == config
    True
    """

    data: tuple[str, ...]
    name: str = "dcmnet"
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    esp_w: float = 1.0
    chg_w: float = 1.0
    dipole_w: float = 0.0
    quadrupole_w: float = 0.0
    site_w: float = 0.0
    split_seed: int = 0

    @property
    def losses(self) -> dict[str, float]:
        """By the names of the losses; empty where they are those of the model, which may be switched off."""
        given = {
            "potential": self.esp_w,
            "charges": self.chg_w,
            "dipole": self.dipole_w,
            "traceless_quadrupole": self.quadrupole_w,
            "site_charges": self.site_w,
        }
        wanted = {name: weight for name, weight in given.items() if weight}
        return {} if wanted == LOSSES else wanted

    def experiment(self) -> Experiment:
        """The same as an experiment of atomloom."""
        training = plain(self.training)
        batch_size = training.pop("batch_size")
        source = Source(path=list(self.data), reader=suggest(expand(self.data[0])[0]))
        return Experiment(
            data=Data(source=[source], split=Split(seed=self.split_seed)),
            batching=Batching(batch_size=batch_size),
            model={"name": "dcmnet:dcmnet", **plain(self.model)},
            losses=self.losses,
            training=training,
        )
