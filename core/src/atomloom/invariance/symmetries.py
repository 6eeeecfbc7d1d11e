"""What may be done to frames and batches without changing what a model predicts, but as the field itself changes."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset
from atomloom.invariance.moving import (
    is_place,
    random_rotation,
    relabelled_frames,
    shifted_frames,
    turned_frames,
    turns,
)
from atomloom.invariance.trial import Deviation, Trial
from atomloom.specs import Field
from atomloom.units import kind

DRAWS = 2
"""How many rotations and orders are tried."""

SHIFT = np.array([3.0, -5.0, 7.0])
"""How far frames are shifted, in angstrom."""

SEED = 0
"""Of rotations and orders: the same every time, so that a number can be compared with that of last week."""


def permutation(trial: Trial) -> list[Deviation]:
    """The atoms of each frame in another order: what belongs to atoms moves with them, all else stays."""
    random = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS):
        order = _within_frames(trial.dataset, random)
        expected = relabelled_frames(trial.predictions, order)
        found += trial.compare(trial.predict(relabelled_frames(trial.dataset, order)), expected)
    return found


def rotation(trial: Trial) -> list[Deviation]:
    """Frames turned: scalars stay, vectors and tensors turn with them."""
    return _turning(trial, improper=False)


def reflection(trial: Trial) -> list[Deviation]:
    """Frames turned and reflected: scalars stay, vectors and tensors do as the frames."""
    return _turning(trial, improper=True)


def translation(trial: Trial) -> list[Deviation]:
    """Frames shifted: places move, all else stays.

    The dipole of a charged frame moves by charge times shift, or not at all, as its origin is chosen; so of dipoles
    only what is across the shift is compared. Higher moments depend on the origin in other ways and are left out.
    """
    moved = trial.predict(shifted_frames(trial.dataset, SHIFT))
    expected = shifted_frames(trial.predictions, SHIFT)
    across = np.eye(3) - np.outer(SHIFT, SHIFT) / (SHIFT @ SHIFT)
    found = []
    for name, field in moved.fields.items():
        order = _moment(field)
        if order < 2:
            part = across if order == 1 else np.eye(3)
            values, wanted = (each[name] @ part if order == 1 else each[name] for each in (moved, expected))
            found.append(trial.deviation(moved, name, values, wanted))
    return found


def padding(trial: Trial) -> list[Deviation]:
    """The same batches with more empty slots, and with slots that each frame has for itself."""
    several = [trial.predict(trial.dataset, spare=True), trial.predict(trial.dataset, apart=True)]
    return [one for found in several for one in trial.compare(found, trial.predictions)]


def batch(trial: Trial) -> list[Deviation]:
    """Each frame alone, and beside other frames."""
    alone = trial.predict(trial.dataset, together=1)
    order = trial.unlike
    mixed = trial.predict(trial.dataset[order])[np.argsort(order)]
    return [*trial.compare(alone, trial.predictions), *trial.compare(mixed, trial.predictions)]


def relabels(trial: Trial) -> str:
    """Why atoms cannot be relabelled, if that is so."""
    by_number = [name for name, field in trial.dataset.fields.items() if "pair" in field.dims]
    return f"it reads {', '.join(by_number)}, which call atoms by number" if by_number else ""


def _turning(trial: Trial, *, improper: bool) -> list[Deviation]:
    random = np.random.default_rng(SEED)
    known = [name for name, field in trial.predictions.fields.items() if turns(field)]
    found = []
    for _ in range(DRAWS):
        matrix = random_rotation(random, improper=improper)
        expected = turned_frames(trial.predictions, matrix)
        found += trial.compare(trial.predict(turned_frames(trial.dataset, matrix)), expected, known)
    return found


def _within_frames(dataset: Dataset, random: np.random.Generator) -> np.ndarray:
    lengths = dataset.sizes["atom"]
    starts = np.cumsum(lengths) - lengths
    return np.concatenate([start + random.permutation(length) for start, length in zip(starts, lengths, strict=True)])


def _moment(field: Field) -> int:
    """The order of a moment of charge of a whole frame: 1 of a dipole, 2 of a quadrupole, 0 of what is none."""
    if is_place(field) or field.ragged or not field.unit:
        return 0
    return {"a dipole": 1, "a quadrupole": 2}.get(kind(field.unit), 0)
