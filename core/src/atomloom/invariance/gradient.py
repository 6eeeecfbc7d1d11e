"""Whether forces are the negative gradient of the energy: by finite differences of fourth order.

``-dE/dx = (E(x + 2h) - 8 E(x + h) + 8 E(x - h) - E(x - 2h)) / 12h``, whose error is ``h^4/30`` times the fifth
derivative: at the step of `precision.STEP` far below a millionth of what bonds exert.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset
from atomloom.invariance.moving import exchanged
from atomloom.invariance.precision import STEP, gradient_tolerance
from atomloom.invariance.trial import Deviation, Trial, largest

FRAMES = 4
"""Of how many frames the gradient is taken."""

COORDINATES = 48
"""Coordinates of a frame that are displaced at the most; they are drawn where there are more."""

PAIRS = 1 << 24
"""Pairs that are computed for a frame at the most: fewer of the coordinates of large frames are displaced."""

_STENCIL = np.array([2.0, 1.0, -1.0, -2.0])
_WEIGHTS = np.array([1.0, -8.0, 8.0, -1.0]) / 12.0


def conservative(trial: Trial) -> list[Deviation]:
    """F against -dE/dR."""
    random = np.random.default_rng(0)
    found, given = [], []
    for frame in range(min(FRAMES, len(trial.dataset))):
        one = trial.dataset[[frame]]
        coordinates = _drawn(one, random)
        found.append(_differences(trial, one, coordinates))
        given.append(trial.predictions[[frame]]["F"].reshape(-1)[coordinates])
    forces, energies = trial.predictions["F"], trial.predictions["E"]
    size = largest(np.concatenate(given) - np.concatenate(found))
    unit = trial.predictions.fields["F"].unit
    return [Deviation("F", size, unit, gradient_tolerance(energies, forces, trial.precision))]


def _drawn(frame: Dataset, random: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of the coordinates that are displaced."""
    count = frame["R"].size
    affordable = max(6, PAIRS // (len(_STENCIL) * max(1, len(frame["R"]) ** 2)))
    drawn = random.permutation(count)[: min(COORDINATES, affordable)]
    return np.sort(drawn)


def _differences(trial: Trial, frame: Dataset, coordinates: NDArray[np.int64]) -> NDArray[np.float64]:
    step, positions = STEP[trial.precision], frame["R"]
    many = len(coordinates) * len(_STENCIL)
    moved = np.repeat(positions.reshape(1, -1), many, axis=0)
    moved[np.arange(many), np.repeat(coordinates, len(_STENCIL))] += np.tile(_STENCIL * step, len(coordinates))
    copies = exchanged(frame[np.zeros(many, dtype=np.int64)], {"R": moved.reshape(-1, 3)})
    energies = trial.predict(copies)["E"].astype(np.float64).reshape(len(coordinates), -1)
    slopes: NDArray[np.float64] = energies @ _WEIGHTS / step
    return slopes
