"""Predicted and reference forces bead by bead, each with its frame, its residue and its chain.

Every frame brings its own beads, names and residue numbers, so that proteins of any length and padding never mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.data.columns import offsets
from atomloom.errors import DataError

Array = NDArray[Any]
Indices = NDArray[np.int64]

PRIOR: Final = "prior"
NOISE: Final = "noise floor"
"""Forces to measure an error by: those of a prior by itself, and the mean forces, which leave the noise of the data."""


class Residues(NamedTuple):
    """The residues of all chains, one behind the other.

    Args:
        name: of the amino acid, ``[residues]``.
        number: as the data numbers them.
        protein: the number of the chain.
        place: along the chain, from 0.
        length: residues of the chain.
    """

    name: Array
    number: Indices
    protein: Indices
    place: Indices
    length: Indices


@dataclass(frozen=True)
class Forces:
    """Forces to compare.

    Args:
        reference, predicted: ``[beads, 3]`` in `unit`, in float64, the beads of all frames one behind the other.
        frame: of each bead.
        slot: place of each bead in its frame.
        residue: of each bead, an index into `residues`.
        residues: those of all chains.
        proteins: names of the chains.
        protein_of_frame: the number of the chain that a frame is of.
        unit: of the forces.
        positions: ``[beads, 3]`` in angstrom, where they are known.
        baselines: other forces ``[beads, 3]`` by name, such as `PRIOR` and `NOISE`.
    """

    reference: Array
    predicted: Array
    frame: Indices
    slot: Indices
    residue: Indices
    residues: Residues
    proteins: tuple[str, ...]
    protein_of_frame: Indices
    unit: str
    positions: Array | None = None
    baselines: Mapping[str, Array] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.protein_of_frame)

    @cached_property
    def squares(self) -> Array:
        """``|predicted - reference|^2`` of each bead."""
        total: Array = np.square(self.predicted - self.reference).sum(axis=1)
        return total

    def predicting(self, predicted: npt.ArrayLike) -> Forces:
        """The same reference with other predictions."""
        return replace(self, predicted=_predictions(predicted, len(self.reference)))


def forces_of(dataset: Dataset, predicted: npt.ArrayLike, unit: str = "", prior: npt.ArrayLike | None = None) -> Forces:
    """The forces of a data set beside predictions of them.

    Chains are told apart by ``protein_id`` and by their sequence. Residues are named by ``resname``, by ``species`` and
    ``aa_to_id``, by ``species`` alone or by ``Z``; without ``resid`` every bead is a residue.

    Args:
        dataset: with ``F``, and ``F_mean`` where mean forces are known.
        predicted: ``[beads, 3]``, the beads of all frames one behind the other, in the unit of ``F``.
        unit: of all forces; by default that of ``F``.
        prior: what a prior predicts by itself, in the same form.
    """
    if "F" not in dataset:
        raise DataError(
            "judge forces", f"the data holds {', '.join(dataset.columns)} and no F", "Bring reference forces"
        )
    lengths = dataset.sizes["atom"]
    if not lengths.sum():
        raise DataError("judge forces", f"the {len(dataset)} frames have no beads", "Bring some that have")
    names, numbers = _names(dataset), _numbers(dataset, lengths)
    ends = offsets(lengths)
    given = dataset["protein_id"].astype(str) if "protein_id" in dataset else np.full(len(dataset), "")
    chains = _Chains()
    residue = np.empty(len(names), dtype=np.int64)
    protein = np.empty(len(dataset), dtype=np.int64)
    for frame, (start, stop) in enumerate(pairwise(ends)):
        protein[frame], residue[start:stop] = chains.of(given[frame], names[start:stop], numbers[start:stop])
    frames = np.repeat(np.arange(len(dataset)), lengths)
    baselines = {} if prior is None else {PRIOR: _predictions(prior, len(names))}
    if "F_mean" in dataset:
        baselines[NOISE] = _finite(dataset["F_mean"], "mean").astype(np.float64)
    return Forces(
        reference=_finite(dataset["F"], "reference").astype(np.float64),
        predicted=_predictions(predicted, len(names)),
        frame=frames,
        slot=np.arange(len(names)) - ends[:-1][frames],
        residue=residue,
        residues=chains.residues(),
        proteins=tuple(chains.names),
        protein_of_frame=protein,
        unit=unit or dataset.fields["F"].unit,
        positions=dataset["R"].astype(np.float64) if "R" in dataset else None,
        baselines=baselines,
    )


class _Chains:
    """The chains that were met so far, and where their residues begin."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._known: dict[tuple[str, bytes, bytes], tuple[int, Indices]] = {}
        self._residues: list[tuple[Array, Indices]] = []
        self._total = 0

    def of(self, name: str, names: Array, numbers: Indices) -> tuple[int, Indices]:
        """The number of a frame's chain, and the residue of each of its beads."""
        key = (name, names.tobytes(), numbers.tobytes())
        if key not in self._known:
            _, first, places = np.unique(numbers, return_index=True, return_inverse=True)
            order = np.argsort(np.argsort(first))
            firsts = np.sort(first)
            self._known[key] = (len(self.names), self._total + order[places.reshape(-1)])
            self._residues.append((names[firsts], numbers[firsts]))
            self._total += len(first)
            self.names.append(self._free(name or "protein"))
        return self._known[key]

    def residues(self) -> Residues:
        """Those of all chains."""
        lengths = np.array([len(numbers) for _, numbers in self._residues], dtype=np.int64)
        protein = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(self._total) - offsets(lengths)[:-1][protein]
        names = np.concatenate([names for names, _ in self._residues])
        numbers = np.concatenate([numbers for _, numbers in self._residues])
        return Residues(names, numbers, protein, place, lengths[protein])

    def _free(self, name: str) -> str:
        taken = sum(known == name or known.startswith(f"{name} #") for known in self.names)
        return f"{name} #{taken + 1}" if taken else name


def _names(dataset: Dataset) -> Array:
    if "resname" in dataset:
        return dataset["resname"].astype(str)
    if "species" in dataset:
        known: Mapping[str, int] = dataset.meta.get("aa_to_id") or {}
        by_number = {int(number): name for name, number in known.items()}
        kinds, places = np.unique(dataset["species"], return_inverse=True)
        words = np.array([by_number.get(int(kind), f"species {kind}") for kind in kinds])
        return words[places.reshape(-1)]
    if "Z" in dataset:
        return np.char.add("Z=", dataset["Z"].astype(str))
    raise DataError("name the residues", "the data has no resname, species or Z", "Bring one of them")


def _numbers(dataset: Dataset, lengths: Indices) -> Indices:
    if "resid" in dataset:
        return dataset["resid"].astype(np.int64)
    return np.concatenate([np.arange(length) for length in lengths]).astype(np.int64)


def _predictions(predicted: npt.ArrayLike, beads: int) -> Array:
    values = np.asarray(predicted)
    if values.shape != (beads, 3):
        found = f"the predictions have the shape {list(values.shape)} and the reference has {beads} beads"
        raise DataError("compare forces", found, "Predict for the same frames and beads, as [beads, 3]")
    return _finite(values, "predicted").astype(np.float64)


def _finite(values: Array, which: str) -> Array:
    if values.dtype.kind not in "fiu":
        found = f"the {which} ones are of the type {values.dtype}"
        raise DataError("compare forces", found, "Give them as real numbers")
    bad = np.flatnonzero(~np.isfinite(values).all(axis=-1))
    if bad.size:
        found = f"{bad.size} {which} forces are not finite, that of bead {int(bad[0])} first"
        raise DataError("compare forces", found, "Leave out such frames")
    return values
