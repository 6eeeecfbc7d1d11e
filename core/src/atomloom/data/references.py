"""Energies of the elements, which are taken off the energies of frames before anything is rounded.

The energy of a large molecule may be -4e5 eV, where numbers of single precision are 0.03 eV apart. What a model has to
learn is what is left once every atom's own energy is taken off: some eV, where they are 1e-6 eV apart. The subtraction
and, after a prediction, the addition are of double precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from atomloom.data.dataset import Dataset
from atomloom.elements import SYMBOLS, symbol
from atomloom.errors import DataError

Energies = NDArray[np.float64]

BLOCK = 4096
"""Frames that are fitted to at a time."""

_RANK = 1e-10  # of the largest singular value: far above rounding, far below an element in one of 1e12 frames
_OPEN = 1e-8


@dataclass(frozen=True)
class ElementEnergies:
    """An energy for each element, in eV; that of a frame is the sum over its atoms, ``sum_i values[Z_i]``.

    What `subtract` leaves may be cast to float32: `add` then gives E to within half a spacing of float32 at the size
    of what was left, ``abs(left) * 2**-24`` at most, however large E is. That is better than 1e-6 eV below 32 eV. A fit
    leaves the least; the energies of free atoms leave that of atomisation, about 5 eV for each atom.

    Args:
        values: by atomic number.
        undetermined: elements that the fitted frames do not tell apart, such as O and H in nothing but water. Of all
            energies that fit as well theirs are the smallest; only their sum over frames like the fitted ones is right.

    >>> energies = ElementEnergies.given({"H": -13.6, "O": -2043.0})
    >>> energies.subtract([-2076.5], numbers=[8, 1, 1], segments=[0, 0, 0]).round(6).tolist()
    [-6.3]
    """

    values: Mapping[int, float]
    undetermined: tuple[int, ...] = ()

    @classmethod
    def given(cls, energies: Mapping[str, float] | Mapping[int, float]) -> ElementEnergies:
        """Energies in eV by symbol or by atomic number."""
        values = {_number(key): float(value) for key, value in energies.items()}
        if not np.isfinite(list(values.values())).all() or len(values) < len(energies):
            found = ", ".join(f"{key} = {value}" for key, value in energies.items())
            raise DataError("use energies of the elements", f"they are {found}", "Give each element one finite energy")
        return cls(values)

    @classmethod
    def fit(cls, dataset: Dataset, frames: npt.ArrayLike | None = None) -> ElementEnergies:
        """Those with the least squared distance of their sums to E, over all frames or over `frames` of `dataset`.

        Frames are read block by block, and of those read only the triangle of a QR decomposition is kept (Demmel et al.
        2012, https://doi.org/10.1137/080731992). That is as exact as a decomposition of all frames at once, which the
        normal equations are not: they square the condition of the problem.
        """
        chosen = dataset if frames is None else dataset[np.asarray(frames)]
        columns: dict[int, int] = {}
        triangle = np.zeros((0, 1))
        for counts, energies in _blocks(chosen, columns):
            known = np.zeros((len(triangle), len(columns) + 1))
            known[:, : triangle.shape[1] - 1], known[:, -1] = triangle[:, :-1], triangle[:, -1]
            triangle = _triangle(np.vstack([known, np.column_stack([counts, energies])]))
        if not columns:
            found = f"there are no atoms in {len(chosen)} frames"
            raise DataError("fit energies of the elements", found, "Choose frames with atoms")
        solution, free = _smallest(triangle[:, :-1], triangle[:, -1])
        values = {number: float(solution[column]) for number, column in columns.items()}
        return cls(values, tuple(sorted(number for number, column in columns.items() if free[column])))

    def of(self, numbers: npt.ArrayLike, segments: npt.ArrayLike, count: int) -> Energies:
        """The sum over the atoms of each of `count` frames, in eV ``[count]``; the same bits for any order of atoms.

        Args:
            numbers: atomic number of each atom; 0, for dummy atoms and slots that are filled up, counts nothing.
            segments: the frame of each atom.
        """
        elements = sorted(self.values)
        total = np.zeros(count)
        for number, atoms in zip(elements, composition(numbers, segments, count, elements).T, strict=True):
            total += atoms * self.values[number]
        return total

    def subtract(self, energies: npt.ArrayLike, numbers: npt.ArrayLike, segments: npt.ArrayLike) -> Energies:
        """What is left of the energies of frames, as float64; see `of`."""
        whole = np.asarray(energies, dtype=np.float64)
        return whole - self.of(numbers, segments, len(whole))

    def add(self, left: npt.ArrayLike, numbers: npt.ArrayLike, segments: npt.ArrayLike) -> Energies:
        """The inverse of `subtract`."""
        part = np.asarray(left, dtype=np.float64)
        return part + self.of(numbers, segments, len(part))

    def state(self) -> dict[str, Any]:
        """As JSON can hold it, for a checkpoint."""
        energies = {symbol(number): self.values[number] for number in sorted(self.values)}
        return {"energies": energies, "undetermined": list(map(symbol, self.undetermined))}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ElementEnergies:
        """The inverse of `state`."""
        return cls(cls.given(state["energies"]).values, tuple(map(_number, state["undetermined"])))


def composition(numbers: npt.ArrayLike, segments: npt.ArrayLike, count: int, elements: Sequence[int]) -> Energies:
    """How many atoms of each element every frame has, ``[count, elements]``; an error names elements beside these.

    Args:
        numbers: atomic number of each atom; 0 counts nothing.
        segments: the frame of each atom.
        count: of frames.
        elements: atomic numbers, ascending.

    >>> composition([8, 1, 1, 1, 1], [0, 0, 0, 1, 1], 2, [1, 8]).tolist()
    [[2.0, 1.0], [2.0, 0.0]]
    """
    known, atoms = np.asarray(elements, dtype=np.int64), np.asarray(numbers)
    columns = np.searchsorted(known, atoms)
    real = np.append(known, 0)[columns] == atoms
    missing = np.unique(atoms[~real & (atoms != 0)])
    if missing.size:
        named = ", ".join(symbol(number) for number in missing.tolist())
        held = ", ".join(map(symbol, elements)) or "no element"
        todo = "Fit them to frames that hold all elements, or give one for each"
        raise DataError("use energies of the elements", f"there are atoms of {named}, and energies of {held}", todo)
    real &= atoms != 0
    places = np.asarray(segments)[real] * len(known) + columns[real]
    return np.bincount(places, minlength=count * len(known)).reshape(count, len(known)).astype(np.float64)


def _blocks(dataset: Dataset, columns: dict[int, int]) -> Iterator[tuple[Energies, Energies]]:
    """Counts of atoms ``[frames, elements]`` and energies ``[frames]``; `columns` learns of elements as they come."""
    first = 0
    for batch in dataset.blocks(BLOCK, ["Z", "E"]):
        energies = batch["E"].astype(np.float64)
        wrong = np.flatnonzero(~np.isfinite(energies))
        if wrong.size:
            found = f"E is {energies[wrong[0]]} in frame {first + int(wrong[0])} of {len(dataset)}"
            raise DataError("fit energies of the elements", found, "Leave such frames out with --drop-bad")
        elements = [number for number in np.unique(batch["Z"]).tolist() if number != 0]
        for number in elements:
            columns.setdefault(number, len(columns))
        counts = np.zeros((batch.frames, len(columns)))
        counts[:, [columns[number] for number in elements]] = composition(
            batch["Z"], batch.segments(), batch.frames, elements
        )
        yield counts, energies
        first += batch.frames


def _triangle(rows: Energies) -> Energies:
    """The triangular factor of a QR decomposition: it has the same least-squares solutions as all the rows."""
    upper: Any = np.linalg.qr(rows, mode="r")  # numpy's annotations know only of both factors
    triangle: Energies = upper
    return triangle


def _smallest(matrix: Energies, values: Energies) -> tuple[Energies, NDArray[np.bool_]]:
    """The shortest x with the least ``|matrix x - values|``, and which of its entries that does not determine."""
    left, sizes, right = np.linalg.svd(matrix)
    rank = int((sizes > _RANK * sizes.max(initial=0.0)).sum())
    solution: Energies = right[:rank].T @ ((left[:, :rank].T @ values) / sizes[:rank])
    return solution, (right[rank:] ** 2).sum(axis=0) > _OPEN


def _number(element: str | int) -> int:
    """The atomic number of a symbol, or one that is given."""
    number = (SYMBOLS.index(element) if element in SYMBOLS else 0) if isinstance(element, str) else int(element)
    if not 0 < number < len(SYMBOLS):
        raise DataError("use energies of the elements", f"{element!r} is no element", "Give symbols or atomic numbers")
    return number
