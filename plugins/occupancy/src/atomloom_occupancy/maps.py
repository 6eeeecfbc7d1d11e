"""Map coefficients, and the strongest peaks of the difference map near the refined atoms."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import gemmi
import numpy as np

from atomloom.data.columns import Array
from atomloom.runs.atomic import atomic_path
from atomloom_occupancy.likelihood import figure_of_merit as merit
from atomloom_occupancy.refining import Refined
from atomloom_occupancy.structure import atom_name
from atomloom_occupancy.transform import Complex

NEAR = 2.5
"""Peaks up to this many angstrom from a refined atom are shown."""


ONE_PEAK = 1.5
"""Extremes that are nearer to each other than this are one peak."""


class Peak(NamedTuple):
    """A peak of the difference map: its height in units of the map's rms, the atom it is near to, and where it is."""

    height: float
    atom: str
    distance: float
    place: tuple[float, float, float]


def coefficients(refined: Refined) -> tuple[Complex, Complex]:
    """(reflections,) of 2 m F_o - D F_c and m F_o - D F_c maps, of least squares without m and D."""
    data, fit = refined.crystal.data, refined.after
    amplitude = np.abs(fit.model)
    phase = fit.model / np.maximum(amplitude, 1e-9)
    errors = fit.errors
    if errors is None:
        return (2 * data.amplitude - amplitude) * phase, (data.amplitude - amplitude) * phase
    half = np.where(data.centric, 0.5, 1.0)
    m = merit(2 * half * errors.alpha * data.amplitude * amplitude / errors.beta, data.centric)
    best, shown = m * data.amplitude, errors.alpha * amplitude
    difference = (best - shown) * phase
    full = np.where(data.centric, best, 2 * best - shown) * phase
    return full, difference


def write_mtz(refined: Refined, path: Path) -> None:
    """An MTZ file with the data, the model and the coefficients of both maps."""
    data, (full, difference) = refined.crystal.data, coefficients(refined)
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = data.group
    mtz.set_cell_for_all(data.cell)
    mtz.add_dataset("refined")
    for label, kind in _COLUMNS:
        mtz.add_column(label, kind)
    free = np.where(data.free, 0.0, 1.0)
    pairs = [part for each in (refined.after.model, full, difference) for part in (np.abs(each), _degrees(each))]
    mtz.set_data(np.column_stack([data.hkl, data.amplitude, data.sigma, free, *pairs]).astype(np.float32))
    with atomic_path(path) as temporary:
        mtz.write_to_file(str(temporary))


_COLUMNS = (
    ("FP", "F"),
    ("SIGFP", "Q"),
    ("FREE", "I"),
    ("FC", "F"),
    ("PHIC", "P"),
    ("FWT", "F"),
    ("PHWT", "P"),
    ("DELFWT", "F"),
    ("PHDELWT", "P"),
)


def peaks(refined: Refined, structure: gemmi.Structure, many: int = 10) -> list[Peak]:
    """The highest and deepest places of the difference map near refined atoms, one for each atom at most."""
    data = refined.crystal.data
    _, difference = coefficients(refined)
    asu = gemmi.ComplexAsuData(
        data.cell, data.group, np.ascontiguousarray(data.hkl, dtype=np.int32), difference.astype(np.complex64)
    )
    grid = asu.transform_f_phi_to_map(sample_rate=3.0)
    rms = float(np.std(np.asarray(grid.array)))
    atoms = list(structure[0].all())
    chosen = [number for state in refined.network.states for number in state.atoms]
    found = [_around(grid, atoms[number], rms) for number in chosen] if rms else []
    return _apart(found)[:many]


def _around(grid: gemmi.FloatGrid, cra: gemmi.CRA, rms: float) -> Peak:
    """The most extreme value on a small cloud of points around an atom."""
    at = np.array(cra.atom.pos.tolist())
    values = np.asarray(grid.interpolate_position_array(at + _CLOUD))
    best = int(np.argmax(np.abs(values)))
    x, y, z = (at + _CLOUD[best]).tolist()
    return Peak(float(values[best]) / rms, atom_name(cra), float(np.linalg.norm(_CLOUD[best])), (x, y, z))


def _cloud() -> Array:
    axis = np.arange(-NEAR, NEAR + 1e-9, 0.5)
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    return np.asarray(points[np.linalg.norm(points, axis=1) <= NEAR])


_CLOUD = _cloud()


def _apart(found: list[Peak]) -> list[Peak]:
    """The strongest first, each once: atoms side by side see the same peak, and the nearest one has it."""
    kept, places = list[Peak](), np.empty((len(found), 3))
    for peak in sorted(found, key=lambda each: -abs(each.height)):
        off = places[: len(kept)] - peak.place
        near = np.flatnonzero(np.einsum("ij,ij->i", off, off) < ONE_PEAK**2)
        if not len(near):
            places[len(kept)] = peak.place
            kept.append(peak)
        elif peak.distance < kept[near[0]].distance:
            places[near[0]] = peak.place
            kept[near[0]] = peak._replace(height=kept[near[0]].height)
    return kept


def _degrees(values: Complex) -> Array:
    return np.asarray(np.degrees(np.angle(values)))
