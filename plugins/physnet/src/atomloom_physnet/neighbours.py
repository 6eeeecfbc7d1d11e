"""Lists of near atoms that outlive a step: made a little longer than needed, and anew only once that is used up."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.batching.pairs import PairList, all_pairs, within
from atomloom.data import Dataset
from atomloom.errors import ConfigError, DataError

_SPARE = 1.15  # slots for pairs, as a multiple of those that there are
_FEWEST = 16


class Geometry(NamedTuple):
    """Atoms in space.

    Args:
        numbers: atomic numbers ``[atoms]``.
        positions: in angstrom ``[atoms, 3]``.
        cell: its vectors as rows, in angstrom ``[3, 3]``.
        pbc: along which of them it repeats ``[3]``.
    """

    numbers: NDArray[Any]
    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    pbc: NDArray[np.bool_]

    @property
    def periodic(self) -> bool:
        """Whether it repeats at all."""
        return bool(np.any(self.pbc))


@dataclass
class Neighbours:
    """Pairs of atoms within `reach`, from one step of a simulation to the next.

    The list holds all pairs within reach + skin. It stays valid until an atom has moved by more than half of the skin,
    and is made anew when one has, or when atoms or cell are others. Its slots only ever grow, so that what is compiled
    for a number of slots serves for long.

    Args:
        reach: in angstrom; infinity for all pairs, which is only for geometries that do not repeat.
        skin: in angstrom.

    Attributes:
        built: how often the list was made.

    >>> pair = Geometry(np.array([1, 1]), np.array([[0.0, 0, 0], [0.0, 0, 0.8]]), np.eye(3), np.zeros(3, bool))
    >>> near = Neighbours(reach=3.0, skin=0.5)
    >>> for moved in (0.0, 0.2, 0.3):
    ...     found = near.arrays(pair._replace(positions=pair.positions + [0, 0, moved]))
    >>> near.built, int(found["pair_mask"].sum())
    (2, 2)
    """

    reach: float
    skin: float
    built: int = 0
    _at: Geometry | None = field(default=None, repr=False)
    _arrays: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    _slots: int = field(default=_FEWEST, repr=False)

    def __post_init__(self) -> None:
        if not self.skin >= 0:
            raise ConfigError("keep lists of neighbours", f"the skin is {self.skin} angstrom", "Give at least zero")

    def arrays(self, geometry: Geometry) -> dict[str, NDArray[Any]]:
        """``dst_idx``, ``src_idx``, ``pair_mask`` ``[slots]`` and ``pair_shift`` in angstrom ``[slots, 3]``."""
        if self._at is None or self._outlived(self._at, geometry):
            self._arrays, self._at = self._slotted(self._pairs(geometry)), geometry
            self.built += 1
        return self._arrays

    def _outlived(self, before: Geometry, now: Geometry) -> bool:
        if not (np.array_equal(before.numbers, now.numbers) and np.array_equal(before.pbc, now.pbc)):
            return True
        if now.periodic and not np.array_equal(before.cell, now.cell):
            return True
        moved = np.linalg.norm(now.positions - before.positions, axis=1).max(initial=0.0)
        return self.reach < math.inf and bool(moved > self.skin / 2)

    def _pairs(self, geometry: Geometry) -> PairList:
        if self.reach == math.inf:
            check_reach(self.reach, geometry.periodic)
            return all_pairs(np.array([len(geometry.numbers)]))
        arrays = {"Z": geometry.numbers[None], "R": geometry.positions[None]}
        if geometry.periodic:
            arrays |= {"cell": geometry.cell[None], "pbc": geometry.pbc[None]}
        return within(Dataset.from_arrays(arrays).take([0]), self.reach + self.skin)

    def _slotted(self, pairs: PairList) -> dict[str, NDArray[Any]]:
        count = len(pairs.destination)
        if count > self._slots:
            self._slots = int(count * _SPARE)
        shift = np.zeros((self._slots, 3))
        if pairs.shift is not None:
            shift[:count] = pairs.shift
        ends = [np.pad(np.asarray(side), (0, self._slots - count)) for side in (pairs.destination, pairs.source)]
        mask = np.arange(self._slots) < count
        return {"dst_idx": ends[0], "src_idx": ends[1], "pair_mask": mask, "pair_shift": shift}


def check_reach(reach: float, periodic: bool) -> None:
    """Stops at periodic structures for a model in which all pairs of atoms act on one another."""
    if periodic and reach == math.inf:
        found = "the charges of this model, or its dispersion, act on one another without an end"
        todo = "Train with coulomb_cutoff, or with coulomb = false; with dispersion, set d3_cutoff too"
        raise DataError("compute periodic structures", found, todo)
