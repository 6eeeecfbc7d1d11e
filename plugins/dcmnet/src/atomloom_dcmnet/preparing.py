"""Data of any number of files, harmonised and divided, as a training divides them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.harmonizing import HarmonizeReport
from atomloom.pipeline.sources import Harmonised, load_data
from atomloom.pipeline.splitting import split
from atomloom_dcmnet.experiments import ExperimentConfig


class Prepared(NamedTuple):
    """Frames of each part, in canonical units.

    Args:
        train, valid, test: to train on, to watch, and what is left.
        report: of what the files hold and how it was taken.
    """

    train: Dataset
    valid: Dataset
    test: Dataset
    report: HarmonizeReport


def prepare_datasets(
    key: Any,
    num_train: int,
    num_valid: int,
    filename: str | Sequence[str],
    natoms: int | None = None,
    **settled: dict[str, str],
) -> Prepared:
    """The parts that ``run_training(filename, split_seed=key, num_train=num_train, num_valid=num_valid)`` takes.

    Molecules may have any numbers of atoms and points: nothing is padded here.

    Args:
        key: a whole number, or a key of JAX.
        filename: files or globs of any format that a reader knows.
        natoms: the most atoms that a frame may have; data with more are refused.
        settled: ``read_as={"Q": "total_charge"}`` and ``units={"esp": "hartree/e"}``, where data leave it open.
    """
    files = (filename,) if isinstance(filename, str) else tuple(filename)
    config = ExperimentConfig(
        data=files,
        split_seed=seed_of(key),
        num_train=num_train,
        num_valid=num_valid,
        natoms=natoms,
        **settled,  # type: ignore[arg-type]  # names and values of two fields that are such mappings
    )
    found = read_frames(config)
    parts = split(found.dataset, config.split(len(found.dataset)))
    train, valid, test = (found.dataset[frames] for frames in (parts.train, parts.valid, parts.test))
    return Prepared(train, valid, test, found.report)


def read_frames(config: ExperimentConfig) -> Harmonised:
    """All frames of an experiment, in canonical units."""
    found = load_data(config.sources())
    longest = int(found.dataset.sizes["atom"].max())
    if config.natoms is not None and longest > config.natoms:
        said = f"a frame has {longest} atoms, and natoms is {config.natoms}"
        raise DataError("read these frames", said, "Leave natoms out: frames may have any number of atoms")
    return found


def seed_of(key: Any) -> int:
    """A whole number as it is, and that of a key of JAX.

    >>> seed_of(7)
    7
    """
    if isinstance(key, int | np.integer):
        return int(key)
    from jax.random import key_data

    return int(np.asarray(key_data(key)).ravel()[-1])
