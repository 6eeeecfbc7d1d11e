"""Experiments of distributed charges as plain structs: what is read, the network, and how it is trained.

All of them survive JSON::

    msgspec.json.decode(msgspec.json.encode(config), type=ExperimentConfig) == config
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from atomloom.errors import DataError
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
        data: files or globs; without any, `train_model` takes what the package brings.
        model, training: the options.
        esp_w, chg_w, dipole_w, quadrupole_w, site_w: weights of the losses; zero for none. Of those that are not zero,
            data that lack a reference stop the run.
        split_seed: of the random division into four fifths to train on, a tenth to watch and a tenth to judge by.
        num_train, num_valid: frames to train on and to watch, in place of these parts; the rest judge.
        natoms: the most atoms that a frame may have; nothing depends on it.
        read_as, units: what is meant by fields, and their units, where the data leave it open.

    >>> config = ExperimentConfig(data=("a.npz",), model=ModelConfig(n_dcm=4))
    >>> msgspec.json.decode(msgspec.json.encode(config), type=ExperimentConfig) == config
    True
    """

    data: tuple[str, ...] = ()
    name: str = "dcmnet"
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    esp_w: float = 1.0
    chg_w: float = 1.0
    dipole_w: float = 0.0
    quadrupole_w: float = 0.0
    site_w: float = 0.0
    split_seed: int = 0
    num_train: Annotated[int, Meta(ge=1)] | None = None
    num_valid: Annotated[int, Meta(ge=0)] | None = None
    natoms: Annotated[int, Meta(ge=1)] | None = None
    read_as: dict[str, str] = {}
    units: dict[str, str] = {}

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

    def sources(self) -> list[Source]:
        """What is read: the files of each format together."""
        paths: dict[str, list[str]] = {}
        for path in self.data:
            paths.setdefault(suggest(expand(path)[0]), []).append(path)
        return [
            Source(path=found, reader=reader, read_as=self.read_as, units=self.units) for reader, found in paths.items()
        ]

    def split(self, frames: int) -> Split:
        """How so many frames are divided.

        >>> ExperimentConfig(data=("a.npz",), num_train=6, num_valid=2).split(10).shares
        {'train': 0.6, 'valid': 0.2, 'test': 0.2}
        """
        if self.num_train is None:
            return Split(seed=self.split_seed)
        valid = self.num_valid or 0
        rest = frames - self.num_train - valid
        if rest < 0:
            asked = f"train on {self.num_train} frames and watch {valid}"
            raise DataError(asked, f"there are {frames}", "Lower num_train or num_valid, or bring more files")
        shares = (self.num_train / frames, valid / frames, rest / frames)
        train, valid_share, test = (share or None for share in shares)
        return Split(train=train, valid=valid_share, test=test, seed=self.split_seed)

    def experiment(self, frames: int = 0) -> Experiment:
        """The same as an experiment of atomloom.

        Args:
            frames: of the data, where `num_train` counts some of them.
        """
        training = plain(self.training)
        batch_size = training.pop("batch_size")
        return Experiment(
            data=Data(source=self.sources(), split=self.split(frames)),
            batching=Batching(batch_size=batch_size),
            model={"name": "dcmnet:dcmnet", **plain(self.model)},
            losses=self.losses,
            training=training,
        )
