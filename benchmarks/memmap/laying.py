"""Rows of several molecules into padded arrays, for contenders that hand out rows or records and leave this to us.

Their rates should say how fast they read, so this is the fastest that plain numpy is known to do: rows are copied as
one opaque value each, and where records of different lengths lie in one buffer, as one window a molecule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memmap.molecules import SLOTS, Indices, Molecules, Padded

Bytes = NDArray[np.uint8]

REAL = np.arange(SLOTS) < np.arange(SLOTS + 1)[:, None]
"""Which slots are real, by the number of atoms: ``[SLOTS + 1, SLOTS]``."""

_Z, _XYZ, _E = 1, 12, 8  # bytes of an element, of a position or a force, and of an energy
_WORDS = {_Z: np.uint8, _XYZ: np.uint32}
_KEPT = {
    size: np.where(np.repeat(REAL, size, axis=1), np.uint8(255), np.uint8(0)).view(word)
    for size, word in _WORDS.items()
}


def rows(Z: NDArray[Any], R: NDArray[Any], F: NDArray[Any], E: NDArray[Any], lengths: Indices) -> Padded:
    """The batch of these rows, of all molecules one behind the other."""
    real = REAL[lengths].ravel()
    padded = (_laid(values, real).reshape(len(lengths), SLOTS, *values.shape[1:]) for values in (Z, R, F))
    return Padded(*padded, E)


def _laid(values: NDArray[Any], real: NDArray[np.bool_]) -> NDArray[Any]:
    out = np.zeros((len(real), *values.shape[1:]), dtype=values.dtype)
    opaque = np.dtype((np.void, values.dtype.itemsize * values[:1].size))
    out.view(opaque).reshape(-1)[real] = np.ascontiguousarray(values).view(opaque).reshape(-1)
    return out


def record(molecules: Molecules, index: int) -> bytes:
    """One molecule as bytes: E, R, F, Z."""
    Z, R, F, E = molecules.one(index)
    return E.tobytes() + R.tobytes() + F.tobytes() + Z.tobytes()


def records(held: Sequence[Any]) -> Padded:
    """The batch of these records, all at once."""
    sizes = np.fromiter(map(len, held), np.int64, len(held))
    ends, atoms = np.cumsum(sizes), (sizes - _E) // (_Z + 2 * _XYZ)
    memory = np.empty(int(ends[-1]) + SLOTS * _XYZ, dtype=np.uint8)  # the last window reaches behind the last record
    memory[: ends[-1]] = np.frombuffer(b"".join(held), dtype=np.uint8)
    starts = ends - sizes
    R, F, Z = (
        _window(memory, starts + _E + at * atoms, atoms, size) for at, size in ((0, _XYZ), (_XYZ, _XYZ), (2 * _XYZ, _Z))
    )
    xyz = (len(held), SLOTS, 3)
    E = _at_every_byte(memory, np.dtype(np.float64))[starts]
    return Padded(Z, R.view(np.float32).reshape(xyz), F.view(np.float32).reshape(xyz), E)


def _window(memory: Bytes, starts: Indices, atoms: Indices, size: int) -> NDArray[Any]:
    """`SLOTS` rows of so many bytes from each start on, zeros behind those of the molecule."""
    found = _at_every_byte(memory, np.dtype((np.void, SLOTS * size)))[starts]
    values = found.view(_WORDS[size]).reshape(len(starts), -1)
    values &= _KEPT[size].take(atoms, axis=0)
    return values


def _at_every_byte(memory: Bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values of a type at every byte, which overlap in memory and cost nothing."""
    return np.ndarray((len(memory) - dtype.itemsize + 1,), dtype, memory.data, 0, (1,))
