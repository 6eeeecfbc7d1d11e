"""Ways to divide the beads: by amino acid, place in the chain, secondary structure, burial, size of the force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomloom_residues.forces import Array, Forces, Indices

CLASSES: Final = {
    "hydrophobic": ("ALA", "VAL", "LEU", "ILE", "MET"),
    "aromatic": ("PHE", "TYR", "TRP"),
    "polar": ("SER", "THR", "ASN", "GLN", "CYS", "HIS"),
    "positive": ("LYS", "ARG"),
    "negative": ("ASP", "GLU"),
    "special": ("GLY", "PRO"),
}
"""Amino acids by their side chain; what is none of them is "other"."""

BONDED = (3.8, 0.4)
"""Distance in angstrom of neighbouring alpha carbons, and how far its median may be off for beads to be such."""

NEAR = 10.0
"""Beads nearer than this, in angstrom, count as neighbours."""

_HELIX = ((2, 5.5, 0.5), (3, 5.3, 0.5), (4, 6.4, 0.6))
_STRAND = ((2, 6.7, 0.6), (3, 9.9, 0.9), (4, 12.4, 1.1))
"""Distances between alpha carbons so many residues apart, in angstrom, and tolerances (P-SEA, Labesse et al. 1997)."""

_FAR = 5
_DECILES = 10


class Stratum(NamedTuple):
    """A way to divide beads.

    Args:
        name: such as "amino acid".
        labels: names of the groups, in the order to show them.
        group: the group of each bead, -1 for none.
        by_residue: whether a group is a set of residues, so that residues are its sample.
    """

    name: str
    labels: tuple[str, ...]
    group: Indices
    by_residue: bool = False


def strata(forces: Forces) -> list[Stratum]:
    """All strata that the data allows; those from coordinates need one alpha carbon for each residue."""
    ways: list[Callable[[Forces], Stratum]] = [_amino_acid, _side_chain, _ends, _from_end, _place]
    if _alpha_carbons(forces):
        ways += [_secondary, _burial]
    return [way(forces) for way in (*ways, _size, _protein)]


def _amino_acid(forces: Forces) -> Stratum:
    names, groups = np.unique(forces.residues.name, return_inverse=True)
    return Stratum("amino acid", tuple(map(str, names)), groups.reshape(-1)[forces.residue], by_residue=True)


def _side_chain(forces: Forces) -> Stratum:
    known = {name: kind for kind, names in CLASSES.items() for name in names}
    kinds = [known.get(str(name).upper(), "other") for name in forces.residues.name]
    labels = tuple(kind for kind in (*CLASSES, "other") if kind in kinds)
    groups = np.array([labels.index(kind) for kind in kinds])
    return Stratum("class", labels, groups[forces.residue], by_residue=True)


def _ends(forces: Forces) -> Stratum:
    """The first and the last residue of each chain, and what lies between."""
    place, length = forces.residues.place, forces.residues.length
    groups = np.where(place == 0, 0, np.where(place == length - 1, 2, 1))
    return Stratum("terminus", ("N-term", "interior", "C-term"), groups[forces.residue])


def _from_end(forces: Forces) -> Stratum:
    place, length = forces.residues.place, forces.residues.length
    nearest = np.minimum(np.minimum(place, length - 1 - place), _FAR)
    labels = tuple(f"{n}" if n < _FAR else f"{n} or more" for n in range(int(nearest.max()) + 1))
    return Stratum("residues from the nearer terminus", labels, nearest[forces.residue])


def _place(forces: Forces) -> Stratum:
    """Every residue of every chain."""
    residues = forces.residues
    several = len(forces.proteins) > 1
    chains = [f"{forces.proteins[number]} " if several else "" for number in residues.protein]
    labels = tuple(f"{chain}{name}{n}" for chain, name, n in zip(chains, residues.name, residues.number, strict=True))
    return Stratum("residue", labels, forces.residue)


def _size(forces: Forces) -> Stratum:
    size = np.sqrt(np.square(forces.reference).sum(axis=1))
    edges = np.quantile(size, np.linspace(0, 1, _DECILES + 1))
    groups = np.clip(np.searchsorted(edges, size, side="right") - 1, 0, _DECILES - 1)
    labels = tuple(f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges))
    return Stratum(f"decile of abs(F) in {forces.unit}", labels, groups)


def _protein(forces: Forces) -> Stratum:
    return Stratum("protein", forces.proteins, forces.protein_of_frame[forces.frame])


def _alpha_carbons(forces: Forces) -> bool:
    """Whether each bead is the alpha carbon of a residue of its own, by the distance of neighbours."""
    if forces.positions is None or not np.array_equal(forces.slot, forces.residues.place[forces.residue]):
        return False
    behind = np.flatnonzero(np.diff(forces.frame) == 0)
    steps = np.linalg.norm(forces.positions[behind + 1] - forces.positions[behind], axis=1)
    return bool(steps.size) and abs(float(np.median(steps)) - BONDED[0]) < BONDED[1]


def _chains(forces: Forces) -> Iterator[tuple[slice, Array]]:
    """The beads of each frame, and their positions."""
    assert forces.positions is not None, "only data with positions gets here"
    ends = np.searchsorted(forces.frame, np.arange(forces.frames + 1))
    for start, stop in pairwise(ends):
        yield slice(start, stop), forces.positions[start:stop]


def _secondary(forces: Forces) -> Stratum:
    groups = np.empty(len(forces.frame), dtype=np.int64)
    for beads, positions in _chains(forces):
        groups[beads] = secondary_structure(positions)
    return Stratum("secondary structure", ("helix", "strand", "other"), groups)


def secondary_structure(positions: Array) -> Indices:
    """0 for helix, 1 for strand, 2 for other, of alpha carbons ``[residues, 3]`` in angstrom, by distances alone.

    >>> turn, rise = np.deg2rad(100.0) * np.arange(12), 1.5 * np.arange(12)
    >>> secondary_structure(np.stack([2.3 * np.cos(turn), 2.3 * np.sin(turn), rise], axis=1)).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    found = np.full(len(positions), 2, dtype=np.int64)
    for kind, shape in ((1, _STRAND), (0, _HELIX)):
        for start in np.flatnonzero(_fits(positions, shape)):
            found[start : start + len(shape) + 2] = kind
    return found


def _fits(positions: Array, shape: tuple[tuple[int, float, float], ...]) -> NDArray[np.bool_]:
    """At which residues a stretch of this shape begins."""
    starts = max(len(positions) - shape[-1][0], 0)
    fits = np.ones(starts, dtype=bool)
    for apart, distance, tolerance in shape:
        steps = positions[apart : apart + starts] - positions[:starts]
        fits &= np.abs(np.linalg.norm(steps, axis=1) - distance) < tolerance
    return fits


def _burial(forces: Forces) -> Stratum:
    """By thirds of the number of beads nearby."""
    near = np.empty(len(forces.frame), dtype=np.int64)
    for beads, positions in _chains(forces):
        squared = np.square(positions[:, None] - positions).sum(axis=-1)
        near[beads] = (squared < NEAR**2).sum(axis=1) - 1
    low, high = np.quantile(near, [1 / 3, 2 / 3])
    groups = (near > low).astype(np.int64) + (near > high)
    labels = tuple(f"{word} ({span})" for word, span in zip(
        ("exposed", "between", "buried"), (f"up to {low:g}", f"to {high:g}", f"above {high:g}"), strict=True
    ))  # fmt: skip
    return Stratum(f"beads within {NEAR:g} angstrom", labels, groups)
