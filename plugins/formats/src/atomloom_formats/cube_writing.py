"""Writes a Gaussian cube file: one frame with a potential or a density on a regular lattice, to be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.errors import DataError
from atomloom.harmonizing import require
from atomloom.runs.atomic import atomic_file
from atomloom.units import convert

UNITS = {"esp": "hartree/e", "density": "e/bohr^3"}
"""Fields that a cube file can hold, and their units in it."""

_TITLES = {"esp": "Electrostatic potential", "density": "Electron density"}
_TOLERANCE = 1e-4
_ROW = 6


def write(dataset: Dataset, target: str | Path, /) -> None:
    """Write the one frame of `dataset` to `target`; its grid must be a lattice with the last axis fastest."""
    asked = f"write '{target}' as a cube file"
    name = next((name for name in UNITS if name in dataset), "esp")
    require(dataset, ("Z", "R", name, "vdw_surface"), asked)
    if len(dataset) != 1:
        raise DataError(asked, f"the data set has {len(dataset)} frames", "Choose one, with --take NUMBER")
    frame = dataset.take([0]).frame(0)
    units = {field: dataset.fields[field].unit for field in ("R", "vdw_surface", name)}
    grid = convert(frame["vdw_surface"], units["vdw_surface"], "bohr")
    counts, steps = _lattice(grid, asked)
    values = convert(frame[name], units[name], UNITS[name])
    positions = convert(frame["R"], units["R"], "bohr")
    with atomic_file(target, "w") as file:
        file.write(f" {_TITLES[name]}\n written by atomloom, in atomic units\n")
        file.write(_numbers(len(positions), grid[0]))
        file.writelines(_numbers(count, step) for count, step in zip(counts, steps, strict=True))
        for number, position in zip(frame["Z"].tolist(), positions, strict=True):
            file.write(_numbers(number, np.array([number, *position])))
        for row in values.reshape(-1, counts[2]):
            file.writelines(_row(row[start : start + _ROW]) for start in range(0, len(row), _ROW))


def example() -> Dataset:
    """The potential of a proton on 2 x 3 x 4 points, for the conformance kit."""
    points = np.stack(np.meshgrid(*(np.arange(count) + 1.0 for count in (2, 3, 4)), indexing="ij"), axis=-1)
    grid = points.reshape(1, -1, 3)
    potential = 1.0 / convert(np.linalg.norm(grid, axis=-1), "angstrom", "bohr")
    nucleus = {"Z": np.array([[1]]), "R": np.zeros((1, 1, 3))}
    return Dataset.from_arrays({**nucleus, "esp": potential, "vdw_surface": grid})


def _numbers(first: int, rest: NDArray[Any]) -> str:
    return f"{first:5d}" + "".join(f" {value:15.9f}" for value in rest) + "\n"


def _row(values: NDArray[Any]) -> str:
    return "".join(f" {value:16.9E}" for value in values) + "\n"


def _lattice(grid: NDArray[Any], asked: str) -> tuple[tuple[int, int, int], NDArray[Any]]:
    """Points along each axis and the steps between them, of a grid whose last axis is the fastest."""
    inner, inner_step = _run(grid)
    planes, middle_step = _run(grid[::inner])
    outer, outer_step = _run(grid[:: inner * planes])
    counts, steps = (outer, planes, inner), np.array([outer_step, middle_step, inner_step])
    if outer * planes * inner == len(grid):
        index = np.stack(np.unravel_index(np.arange(len(grid)), counts), axis=1)
        if np.abs(grid[0] + index @ steps - grid).max() < _TOLERANCE:
            return counts, steps
    found = f"its {len(grid)} grid points are not those of a regular lattice"
    raise DataError(asked, found, "Write them as NPZ, or bring the values on a lattice")


def _run(points: NDArray[Any]) -> tuple[int, NDArray[Any]]:
    """How many points from the first on are evenly spaced along a line, and the step between them."""
    if len(points) < 2:
        return len(points), np.zeros(3)
    step = points[1] - points[0]
    along = points[0] + np.arange(len(points))[:, None] * step
    straight = np.abs(points - along).max(axis=1) < _TOLERANCE
    return int(np.argmin(straight)) if not straight.all() else len(points), step
