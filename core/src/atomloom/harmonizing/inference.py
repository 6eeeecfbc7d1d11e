"""Units told from physics: bond lengths, energies of atoms, work along a path, dipoles of point charges.

Each rule compares what a field should be with what it holds. The factor between them names the unit if it is near that
of one unit that is in use and far from those of all others. A rule that finds nothing to compare says nothing.

=====  =============================================================================  ============================
R      the distance of nearest neighbours is about the sum of their covalent radii    angstrom, bohr, nm, pm
E      the energy is within some per cent of the sum over its atoms                   eV, hartree, kcal/mol, ...
F      E changes by the work -F dR between frames that are alike                      quotients of these
D      the dipole of neutral frames is about that of the atomic charges               e*angstrom, e*bohr, debye
       and the size of a dipole is that of its vector
=====  =============================================================================  ============================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.data.columns import Indices
from atomloom.harmonizing.elements import ENERGY, RADIUS
from atomloom.units import factor

SAMPLE = 400
"""Frames that a rule looks at, evenly spaced and in neighbouring pairs."""

LENGTHS = ("angstrom", "bohr", "nm", "pm")
ENERGIES = ("eV", "hartree", "kcal/mol", "kJ/mol", "rydberg", "meV")
FORCE_ENERGIES = ENERGIES[:4]
DIPOLES = ("e*angstrom", "e*bohr", "debye")

_CORRELATED = 0.9
_PAIRS = 10
_MOST_ATOMS = 100
_DISTANCES = 100_000  # that are looked at together
_SPREAD = 1.25
_FEWEST = 3  # atoms: two may be pulled apart
_LARGEST = 2000
_NOBLE = np.array([2, 10, 18, 36, 54, 86])
_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What physics says about one field.

    Args:
        unit: in which the field is held.
        because: the comparison in words, with its numbers.
    """

    unit: str
    because: str


def evidence(dataset: Dataset, name: str, units: Mapping[str, str]) -> Evidence | None:
    """The unit that the values of a field speak for, or None where they do not tell.

    Args:
        units: the units of the other fields, as far as they are settled.
    """
    rule = _RULES.get(name)
    if rule is None or name not in dataset or not len(dataset):
        return None
    return rule(dataset, units)


def _positions(dataset: Dataset, _units: Mapping[str, str]) -> Evidence | None:
    if "Z" not in dataset:
        return None
    ratios = np.concatenate([np.zeros(0), *(_neighbour_ratios(frame) for frame in _frames(dataset, "Z", "R"))])
    ratios = ratios[np.isfinite(ratios)]
    if not ratios.size:
        return None
    low, middle, high = np.percentile(ratios, [25, 50, 75]).tolist()
    if high > _SPREAD * low:
        return None  # not bonds: atoms far apart, or a dissociation
    unit = _nearest(middle, {unit: factor("angstrom", unit) for unit in LENGTHS}, within=1.2)
    return Evidence(unit, f"nearest neighbours are {middle:.3g} times their covalent radii apart") if unit else None


def _energy(dataset: Dataset, _units: Mapping[str, str]) -> Evidence | None:
    if "Z" not in dataset:
        return None
    pairs = [(frame["E"], ENERGY[frame["Z"]].sum()) for frame in _frames(dataset, "Z", "E") if len(frame["Z"])]
    ratios = np.array([float(energy) / atoms for energy, atoms in pairs])
    ratios = ratios[np.isfinite(ratios)]
    if not ratios.size:
        return None
    middle = float(np.median(ratios))
    unit = _nearest(middle, {unit: factor("hartree", unit) for unit in ENERGIES}, within=1.03)
    return Evidence(unit, f"energies are {middle:.4g} times those of the atoms in hartree") if unit else None


def _forces(dataset: Dataset, units: Mapping[str, str]) -> Evidence | None:
    """By the work that the forces do between frames that are alike."""
    energy, length = units.get("E", ""), units.get("R", "")
    if "E" not in dataset or "Z" not in dataset or not energy or not length:
        return None
    slope = _work_slope(dataset)
    if slope is None:
        return None
    usual = f"{energy}/{length}"
    candidates = {f"{e}/{r}": factor(usual, f"{e}/{r}") for e in FORCE_ENERGIES for r in LENGTHS}
    unit = _nearest(slope, candidates, within=1.08)
    because = f"taken in {usual}, F does {slope:.3g} times the work by which E changes between like frames"
    return Evidence(unit, because) if unit else None


def _dipole(dataset: Dataset, units: Mapping[str, str]) -> Evidence | None:
    length = units.get("R", "")
    if "mono" not in dataset or not length:
        return None
    stated, expected = [], []
    for frame in _frames(dataset, "mono", "R", "D"):
        if abs(float(frame["mono"].sum())) < 0.05:  # the dipole of an ion depends on the origin
            stated.append(frame["D"])
            expected.append(frame["mono"] @ frame["R"] * factor(length, "angstrom"))
    slope = _slope(np.ravel(stated), np.ravel(expected), least=_CORRELATED)
    if slope is None:
        return None
    unit = _nearest(slope, {unit: factor("e*angstrom", unit) for unit in DIPOLES}, within=1.37)
    return Evidence(unit, f"dipoles are {slope:.3g} times those of the atomic charges in e*angstrom") if unit else None


def _dipole_size(dataset: Dataset, units: Mapping[str, str]) -> Evidence | None:
    vector = units.get("D", "")
    if "D" not in dataset or not vector:
        return None
    pairs = [(frame["dipole_norm"], np.linalg.norm(frame["D"])) for frame in _frames(dataset, "D", "dipole_norm")]
    stated, expected = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    slope = _slope(stated, expected * factor(vector, "e*angstrom"), least=_CORRELATED)
    if slope is None:
        return None
    unit = _nearest(slope, {unit: factor("e*angstrom", unit) for unit in DIPOLES}, within=1.1)
    return Evidence(unit, f"they are {slope:.3g} times the length of D in e*angstrom") if unit else None


_RULES: dict[str, Callable[[Dataset, Mapping[str, str]], Evidence | None]] = {
    "R": _positions,
    "E": _energy,
    "F": _forces,
    "D": _dipole,
    "dipole_norm": _dipole_size,
}


def _neighbour_ratios(frame: Mapping[str, _Array]) -> _Array:
    """For each of `_MOST_ATOMS` atoms the distance to its nearest neighbour over the sum of their covalent radii."""
    positions, radii = frame["R"].astype(np.float64), RADIUS[frame["Z"]]
    if len(positions) < _FEWEST or len(positions) > _LARGEST or np.isin(frame["Z"], _NOBLE).any():
        return np.zeros(0)
    looked = np.linspace(0, len(positions) - 1, min(len(positions), _MOST_ATOMS)).astype(np.int64)
    apart = np.linalg.norm(positions[looked, None] - positions, axis=-1) / (radii[looked, None] + radii)
    apart[np.arange(len(looked)), looked] = np.inf
    nearest: _Array = apart.min(axis=1)
    return nearest


def _work_slope(dataset: Dataset) -> float | None:
    """The factor between the work -F dR and the change of E from frames to the most like ones, laid onto each other."""
    if "R" not in dataset or len(dataset) < _PAIRS:
        return None
    work, change = [], []
    for frames in _like_frames(dataset):
        positions = np.stack([frame["R"] for frame in frames]).astype(np.float64)
        forces = np.stack([frame["F"] for frame in frames]).astype(np.float64)
        energies = np.array([float(frame["E"]) for frame in frames])
        for one, other in _nearest_pairs(positions):
            turned, turn = _laid_onto(positions[other], positions[one])
            mean = 0.5 * (forces[one] + forces[other] @ turn)
            work.append(-float((mean * (turned - (positions[one] - positions[one].mean(axis=0)))).sum()))
            change.append(energies[other] - energies[one])
    return _slope(np.array(work), np.array(change), least=_CORRELATED)


def _like_frames(dataset: Dataset) -> Iterator[list[dict[str, _Array]]]:
    """Sampled frames of the same atoms in the same order, as far as there are several; neighbours are sampled too."""
    step = max(1, len(dataset) // SAMPLE)
    picked = np.unique(np.concatenate([np.arange(0, len(dataset) - 1, step), np.arange(1, len(dataset), step)]))
    groups: dict[bytes, list[dict[str, _Array]]] = {}
    for frame in _each(dataset, picked, ["Z", "R", "E", "F"]):
        if 1 < len(frame["Z"]) <= _MOST_ATOMS:
            own = {name: values.copy() for name, values in frame.items()}  # and not all that was read with it
            groups.setdefault(frame["Z"].astype(np.int64).tobytes(), []).append(own)
    return (frames for frames in groups.values() if len(frames) > 1)


def _nearest_pairs(positions: _Array) -> list[tuple[int, int]]:
    """Each frame with the one whose distances between atoms differ least from its own."""
    first, second = np.triu_indices(positions.shape[1], 1)
    products, step = np.zeros((len(positions), len(positions))), max(1, _DISTANCES // len(positions))
    for some in (slice(start, start + step) for start in range(0, len(first), step)):
        distances = np.linalg.norm(positions[:, first[some]] - positions[:, second[some]], axis=-1)
        products += distances @ distances.T
    squares = products.diagonal()
    away = squares[:, None] + squares - 2 * products
    np.fill_diagonal(away, np.inf)
    return [(one, int(other)) for one, other in enumerate(away.argmin(axis=1))]


def _laid_onto(moved: _Array, onto: _Array) -> tuple[_Array, _Array]:
    """Centred positions turned (or mirrored, which changes no energy) onto others, and the turn (Schoenemann 1966)."""
    moved, onto = moved - moved.mean(axis=0), onto - onto.mean(axis=0)
    left, _, right = np.linalg.svd(moved.T @ onto)
    turn = left @ right
    return moved @ turn, turn


def _slope(values: _Array, expected: _Array, *, least: float) -> float | None:
    """The factor between two sets of numbers, if they are as correlated as that."""
    finite = np.isfinite(values) & np.isfinite(expected)
    values, expected = values[finite], expected[finite]
    norms = float(np.linalg.norm(values) * np.linalg.norm(expected))
    if len(values) < _PAIRS or norms == 0.0 or float(values @ expected) / norms < least:
        return None
    return float(np.linalg.norm(values) / np.linalg.norm(expected))


def _nearest(measured: float, expected: Mapping[str, float], *, within: float) -> str | None:
    """The name whose factor is nearest to the measured one, if it is that near and no other is nearly as near."""
    if not np.isfinite(measured) or measured <= 0:
        return None
    away = sorted((float(abs(np.log(measured / value))), name) for name, value in expected.items())
    (nearest, name), (second, _) = away[0], away[1]
    return name if nearest < np.log(within) and nearest < second / 2 else None


def _frames(dataset: Dataset, *names: str) -> Iterator[dict[str, _Array]]:
    """Evenly spaced frames, one by one."""
    picked = np.unique(np.linspace(0, len(dataset) - 1, min(SAMPLE, len(dataset))).astype(np.int64))
    return _each(dataset, picked, names)


def _each(dataset: Dataset, frames: Indices, names: Sequence[str]) -> Iterator[dict[str, _Array]]:
    """These frames one by one, read a bounded number at a time."""
    for _, batch in dataset.stretches(frames, SAMPLE, names):
        yield from (batch.frame(number) for number in range(batch.frames))
