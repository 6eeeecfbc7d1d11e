"""What data may lack and the model reads: total charge, multiplicity, points, and how much each point counts."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset, Packed, PerFrame
from atomloom.data.columns import Array
from atomloom.data.schema import declared
from atomloom.errors import DataError
from atomloom_dcmnet.config import ModelConfig
from atomloom_dcmnet.surfaces import surface
from atomloom_dcmnet.weights import Weights

WHOLE = 0.05
"""How far the sum of atomic charges may be from the whole number that a total charge is taken from, in e."""

SHELLS = (1.4, 2.0)
"""Van der Waals radii of the surfaces on which a potential is predicted where data name no points."""

DENSITY = 0.5  # points on each square angstrom of them


def completed(dataset: Dataset, config: ModelConfig) -> Dataset:
    """The data with `total_charge`, `total_spin`, `vdw_surface` and `esp_weight`; what data say is kept.

    A missing total charge is the option `assume_charge`, or follows from atomic charges whose sums are whole numbers;
    else it is asked for. A missing multiplicity is `assume_spin`, or the lowest that the number of electrons allows
    where the network does not look at it. Points, where there are none, are put on surfaces around each molecule.

    >>> hydrogen = Dataset.from_arrays({"Z": [[1, 1]], "R": [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.74]]]})
    >>> completed(hydrogen, ModelConfig(assume_charge=1))["total_spin"].tolist()
    [2]
    >>> completed(hydrogen, ModelConfig())
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot make charges add up to the charge of each frame: the data hold neither \
total_charge nor mono. Bring one of them, or say what holds for all frames with --assume-charge 0.
    """
    if "total_charge" not in dataset:
        dataset = _with(dataset, "total_charge", _charges(dataset, config))
    if "total_spin" not in dataset:
        dataset = _with(dataset, "total_spin", _multiplicities(dataset, config))
    if "vdw_surface" not in dataset:
        dataset = with_surfaces(dataset)
    weights = {"esp_weight": Weights(dataset, config)}
    return dataset.with_columns(weights, {"esp_weight": declared("esp_weight")})


def with_surfaces(dataset: Dataset) -> Dataset:
    """The data with points on the surfaces of `SHELLS` around each frame; a potential without points is dropped."""
    held = dataset.without("esp") if "esp" in dataset else dataset
    found = [_points(batch["Z"], batch["R"]) for batch in (held.take([n], ["Z", "R"]) for n in range(len(held)))]
    column = Packed(np.concatenate(found), np.array([len(points) for points in found]))
    return held.with_columns({"vdw_surface": column}, {"vdw_surface": declared("vdw_surface")})


def _points(numbers: Array, positions: Array) -> Array:
    return np.concatenate([surface(numbers, positions, scale, DENSITY) for scale in SHELLS])


def _charges(dataset: Dataset, config: ModelConfig) -> Array:
    """What holds for all frames, or the whole numbers that atomic charges add up to."""
    if config.assume_charge is not None:
        return np.full(len(dataset), float(config.assume_charge))
    asked = "make charges add up to the charge of each frame"
    if "mono" not in dataset:
        todo = "Bring one of them, or say what holds for all frames with --assume-charge 0"
        raise DataError(asked, "the data hold neither total_charge nor mono", todo)
    sums = _sums(dataset, "mono")
    off = np.abs(sums - np.rint(sums))
    if not (off <= WHOLE).all():
        worst = int(np.nanargmax(np.where(np.isfinite(off), off, np.inf)))
        found = f"the data hold no total_charge, and the mono of frame {worst} add up to {sums[worst]:.3f}"
        raise DataError(asked, found, "Bring total_charge, or say what holds for all frames with --assume-charge 0")
    whole: Array = np.rint(sums) + 0.0
    return whole


def _multiplicities(dataset: Dataset, config: ModelConfig) -> Array:
    """What holds for all frames, or the lowest possible one."""
    if config.assume_spin is not None:
        return np.full(len(dataset), config.assume_spin)
    if config.conditioning != "none":
        found = "the data hold no total_spin, which a conditioned network reads"
        todo = "Bring it, or say what holds for all frames with --assume-spin 1"
        raise DataError("tell the electronic states", found, todo)
    electrons = _sums(dataset, "Z") - dataset["total_charge"]
    lowest: Array = 1 + np.rint(electrons).astype(np.int64) % 2
    return lowest


def _sums(dataset: Dataset, name: str) -> Array:
    """Over the atoms of each frame."""
    lengths = dataset.sizes["atom"]
    owner = np.repeat(np.arange(len(lengths)), lengths)
    return np.bincount(owner, np.asarray(dataset[name], np.float64), len(lengths))


def _with(dataset: Dataset, name: str, values: Array) -> Dataset:
    return dataset.with_columns({name: PerFrame(values)}, {name: declared(name)})
