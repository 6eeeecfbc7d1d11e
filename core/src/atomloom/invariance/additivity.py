"""What adds up: charges to the total charge, and the energies of fragments that are far apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from atomloom.batching import repeats
from atomloom.data import Dataset
from atomloom.invariance.moving import is_place, shifted_frames
from atomloom.invariance.precision import tolerance
from atomloom.invariance.trial import Deviation, Trial, largest
from atomloom.units import kind

APART = {"float64": 1e5, "float32": 500.0}
"""How far fragments are apart, in angstrom: dipoles no longer see each other, and positions keep enough digits."""

_ADDED = ("an energy", "a charge")
_TOGETHER = {
    "total_charge": lambda one, other: one + other,
    "total_spin": lambda one, other: one + other - 1,  # unpaired electrons add up, and 2S+1 is one more
    "N": lambda one, other: one + other,
}


def charge(trial: Trial) -> list[Deviation]:
    """The atomic charges of each frame add up to its total charge."""
    predicted = trial.predictions
    lengths = predicted.sizes["atom"]
    sums = np.add.reduceat(predicted["mono"], np.cumsum(lengths) - lengths)
    size = largest(sums - trial.dataset["total_charge"])
    return [Deviation("mono", size, predicted.fields["mono"].unit, tolerance(sums, trial.precision))]


def size_consistent(trial: Trial) -> list[Deviation]:
    """Two frames far apart in one: energies and charges of the whole add up, and the atoms notice nothing."""
    far = np.array([APART[trial.precision], 0.0, 0.0])
    here, there = np.array(partners(trial.dataset)).T
    whole = trial.predict(joined(trial.dataset[here], shifted_frames(trial.dataset[there], far)))
    one, other = trial.predictions[here], trial.predictions[there]
    parts = joined(one, shifted_frames(other, far))
    atoms = [name for name, field in whole.fields.items() if field.ragged == "atom" and not is_place(field)]
    found = trial.compare(whole, parts, atoms)
    for name, field in whole.fields.items():
        if field.dims == ("frame",) and field.unit and kind(field.unit) in _ADDED:
            found.append(trial.deviation(whole, name, whole[name], one[name] + other[name]))
    return found


def joins(trial: Trial) -> str:
    """Why two frames cannot be made one, if that is so."""
    if repeats(trial.dataset):
        return "its frames are periodic, and two cells do not make one"
    fields = trial.dataset.fields
    whole = [name for name in trial.fitted.spec.needs if not fields[name].ragged and name not in _TOGETHER]
    if whole:
        return f"it reads {', '.join(whole)}, which two frames cannot share"
    return "" if partners(trial.dataset) else "any two of its frames have a state together that none of them has"


def partners(dataset: Dataset) -> list[tuple[int, int]]:
    """For each frame the next one with which it makes a state that is among those of the frames, if there is one.

    >>> atoms = Dataset.from_arrays({"Z": [[1], [1], [2]], "total_charge": [0.0, 1.0, 0.0]})
    >>> partners(atoms)
    [(0, 1), (1, 2), (2, 0)]
    """
    known = {name: np.asarray(dataset[name]) for name in ("total_charge", "total_spin") if name in dataset}
    count, found = len(dataset), []
    for one in range(count):
        for other in ((one + step) % count for step in range(1, count + 1)):
            if all(_merged(name, own[one], own[other]) in own for name, own in known.items()):
                found.append((one, other))
                break
    return found


def joined(one: Dataset, other: Dataset) -> Dataset:
    """The frames of two data sets pair by pair as one frame each; values of whole frames that do not add up are left.

    >>> water = Dataset.from_arrays({"Z": [[8, 1, 1]], "total_charge": [1.0], "E": [-2000.0]})
    >>> both = joined(water, water)
    >>> both["Z"].tolist(), both["total_charge"].tolist(), list(both.columns)
    ([8, 1, 1, 8, 1, 1], [2.0], ['Z', 'total_charge'])
    """
    names = [name for name in one.columns if one.axis(name) or name in _TOGETHER]
    frames = []
    for number in range(len(one)):
        first, second = (each.take([number], names).frame(0) for each in (one, other))
        frames.append({name: _merged(name, first[name], second[name]) for name in names})
    return Dataset.from_frames(frames)


def _merged(name: str, first: Any, second: Any) -> Any:
    return _TOGETHER[name](first, second) if name in _TOGETHER else np.concatenate([first, second])
