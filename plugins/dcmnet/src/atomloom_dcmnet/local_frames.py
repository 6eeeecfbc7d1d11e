"""Axes that turn with a molecule, so that charges that are fixed in them follow its motion.

The frames are those of the DCM module of CHARMM. Three atoms 1, 2 and 3 with the directions b1 and b3 from atom 2 to
atoms 1 and 3 give each of them axes::

    z = b1 for atoms 1 and 2, b3 for atom 3; in a frame of bisectors that of b1 and b3 for atom 2
    y = the direction of b1 x b3, for all three
    x = z x y

so the axes are left-handed. A frame of two atoms has z alone, and so have three atoms on a line; one atom has no axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom.errors import DataError

Array = NDArray[Any]

LEAST_SINE = 0.2
"""Of the angle at atom 2: three atoms that are nearer to a line make a frame only where there are no others."""

_UNCOVERED = 0.5  # angstrom by which a frame may be longer, for each atom that has none yet
_TINY = 1e-24  # the square of a length that has no direction
_LOST = 1e-4  # angstrom, of a displacement that the axes do not describe


class Frame(NamedTuple):
    """One to three atoms, and whether the z axis of the second halves the angle there."""

    atoms: tuple[int, ...]
    bisector: bool = False


class Home(NamedTuple):
    """Which frame an atom has its axes from, and its place in it: 0, 1 or 2."""

    frame: int
    place: int


@dataclass(frozen=True)
class LocalAxes:
    """The frames of a molecule, one of which each atom belongs to.

    Args:
        frames: in the order of a file.
        homes: one for each atom.
    """

    frames: tuple[Frame, ...]
    homes: tuple[Home, ...]

    @classmethod
    def of_frames(cls, frames: tuple[Frame, ...]) -> LocalAxes:
        """Each atom has its axes from the first frame that it is in.

        >>> LocalAxes.of_frames((Frame((1, 0, 2)), Frame((3, 0, 2)))).homes[3]
        Home(frame=1, place=0)
        """
        homes: dict[int, Home] = {}
        for number, frame in enumerate(frames):
            for place, atom in enumerate(frame.atoms):
                homes.setdefault(atom, Home(number, place))
        return cls(frames, tuple(homes[atom] for atom in range(len(homes))))

    @cached_property
    def _tables(self) -> tuple[Array, Array, Array]:
        """Of each atom: the atoms of its frame, the last one repeated, its place, and whether z is a bisector."""
        frames = [self.frames[home.frame] for home in self.homes]
        atoms = np.array([(*frame.atoms, *frame.atoms[-1:] * (3 - len(frame.atoms))) for frame in frames])
        places = np.array([home.place for home in self.homes])
        halved = np.array([frame.bisector for frame in frames]) & (places == 1)
        return atoms, places, halved

    def at(self, positions: Any, xp: Any = np) -> Any:
        """The axes x, y and z of each atom as rows ``[atoms, 3, 3]``; zeros where there is none.

        Args:
            positions: of the atoms in angstrom ``[atoms, 3]``.
            xp: numpy, or jax.numpy for a gradient.

        >>> water = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        >>> LocalAxes.of_frames((Frame((1, 0, 2)),)).at(water)[0].tolist()
        [[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
        """
        atoms, places, halved = self._tables
        first, second, third = (positions[atoms[:, column]] for column in range(3))
        b1, b3 = _direction(first - second, xp), _direction(third - second, xp)
        y = _direction(xp.cross(b1, b3), xp)
        z = xp.where((places == 2)[:, None], b3, b1)
        z = xp.where(halved[:, None], _direction(b1 + b3, xp), z)
        return xp.stack([xp.cross(z, y), y, z], axis=1)

    def sines(self, positions: Array) -> Array:
        """Of the angle in the frame of each atom ``[atoms]``: how well its axes are fixed, zero on a line."""
        first, second, third = (positions[self._tables[0][:, column]] for column in range(3))
        found: Array = np.linalg.norm(np.cross(_direction(first - second, np), _direction(third - second, np)), axis=1)
        return found


@dataclass(frozen=True)
class LocalModel:
    """Charges that are fixed in the axes of the atoms.

    Args:
        axes: of the molecule.
        owners: the atom of each charge ``[charges]``.
        charges: in e ``[charges]``.
        local: where they stand in the axes of their atoms, in angstrom ``[charges, 3]``.
    """

    axes: LocalAxes
    owners: NDArray[np.int64]
    charges: Array
    local: Array

    @classmethod
    def of(cls, axes: LocalAxes, positions: Array, charges: Array, places: Array) -> LocalModel:
        """From charges ``[atoms, sites]`` that stand at `places` ``[atoms, sites, 3]`` around atoms at `positions`.

        Raises:
            DataError: where a charge is beside the only axis that an atom has.
        """
        apart = places - positions[:, None]
        local = np.einsum("iax,isx->isa", axes.at(positions), apart)
        lost = np.abs(np.linalg.norm(apart, axis=2) - np.linalg.norm(local, axis=2))
        if lost.max(initial=0.0) > _LOST:
            atom = int(lost.max(axis=1).argmax())
            found = f"a charge of atom {atom} stands beside the line of the atoms, which fixes no axis across it"
            todo = "Take one charge for each atom, or a run, whose charges keep to the line"
            raise DataError("fix charges in the axes of a molecule", found, todo)
        owners = np.repeat(np.arange(len(charges)), charges.shape[1])
        return cls(axes, owners, charges.ravel(), local.reshape(-1, 3))

    @property
    def atoms(self) -> int:
        """How many there are."""
        return len(self.axes.homes)

    def places(self, positions: Any, xp: Any = np) -> Any:
        """Where the charges are when the atoms are at `positions`, in angstrom ``[charges, 3]``."""
        turned = xp.einsum("sax,sa->sx", self.axes.at(positions, xp)[self.owners], self.local)
        return positions[self.owners] + turned


def choose_frames(conformers: Array) -> LocalAxes:
    """Frames of short distances, none of them near a line in any conformer, that give axes to every atom.

    Args:
        conformers: positions in angstrom ``[conformers, atoms, 3]``.

    >>> water = np.array([[[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]]])
    >>> choose_frames(water).frames
    (Frame(atoms=(1, 0, 2), bisector=False),)
    """
    count = conformers.shape[1]
    if count < 3:
        return LocalAxes.of_frames((Frame(tuple(range(count))),))
    triples, lengths, sines = _triples(conformers)
    costs = lengths + np.where(sines < LEAST_SINE, lengths.max() + 3 * _UNCOVERED, 0.0)
    covered = np.zeros(count, bool)
    frames = []
    while not covered.all():
        needed = (triples == int(np.argmin(covered))).any(axis=1)
        gained = (~covered[triples]).sum(axis=1)
        best = triples[np.where(needed, costs - _UNCOVERED * gained, np.inf).argmin()]
        frames.append(Frame((int(best[0]), int(best[1]), int(best[2]))))
        covered[best] = True
    return LocalAxes.of_frames(tuple(frames))


def _triples(conformers: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """All choices of two atoms and one between, the sum of its two distances, and the least sine of its angle."""
    count = conformers.shape[1]
    first, second, third = (part.ravel() for part in np.indices((count, count, count)))
    kept = (first < third) & (second != first) & (second != third)
    triples = np.stack([first, second, third], axis=1)[kept]
    ends = conformers[:, triples[:, [0, 2]]] - conformers[:, triples[:, 1]][:, :, None]
    lengths = np.linalg.norm(ends, axis=3)
    across = np.linalg.norm(np.cross(ends[:, :, 0], ends[:, :, 1]), axis=2)
    return triples, lengths[0].sum(axis=1), (across / lengths.prod(axis=2)).min(axis=0)


def _direction(vectors: Any, xp: Any) -> Any:
    """Vectors of length one; zeros of what has no length, with gradients that are zero."""
    squares = (vectors**2).sum(axis=-1, keepdims=True)
    there = squares > _TINY
    return xp.where(there, vectors, 0.0) / xp.sqrt(xp.where(there, squares, 1.0))
