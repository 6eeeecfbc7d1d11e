"""What frames to validate and to test on have that no frame to train on has.

A model refuses elements, charges and multiplicities that it has not seen. So a split that leaves a rare state to the
other parts could neither be watched nor judged; it is refused before there is a run, in words that name the states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from atomloom.data import Dataset
from atomloom.data.levels import LEVEL, levels_of
from atomloom.elements import symbol
from atomloom.errors import DataError
from atomloom.pipeline.job import schema_of

STATES = {"total_charge": "total charge", "total_spin": "multiplicity 2S+1"}
"""The fields of a state, and what they are called."""


def check_covered(parts: Mapping[str, Dataset]) -> None:
    """Stops at a part of a split with states or elements that the part to train on lacks, level by level of theory.

    Args:
        parts: ``"train"``, ``"valid"`` and ``"test"``.

    >>> helium = Dataset.from_arrays({"Z": [[2], [2]], "total_charge": [0.0, 1.0], "total_spin": [1, 2]})
    >>> check_covered({"train": helium[:1], "valid": helium[:0], "test": helium[1:]})
    Traceback (most recent call last):
        ...
    atomloom.errors.DataError: Cannot judge what is not trained on: the train part has a total charge of 0, and the \
test part has frames of 1 (1 frame). Divide every state by itself: --stratify total_charge --stratify total_spin, or \
stratify = ["total_charge", "total_spin"] under [data.split]; or leave these frames out.
    """
    for name, what in STATES.items():
        _check_states(name, what, parts)
    for level in levels_of(parts["train"]) or ("",):
        _check_elements({part: _at(level, dataset) for part, dataset in parts.items()})


def _check_states(name: str, what: str, parts: Mapping[str, Dataset]) -> None:
    values = {part: np.rint(dataset[name]).astype(int) for part, dataset in parts.items()}
    known = np.unique(values["train"])
    for part in ("valid", "test"):
        lacking, counts = np.unique(values[part][~np.isin(values[part], known)], return_counts=True)
        if lacking.size:
            listed = ", ".join(map(_counted, lacking.tolist(), counts.tolist()))
            found = (
                f"the train part has a {what} of {_listed(known.tolist())}, and the {part} part has frames of {listed}"
            )
            todo = (
                "Divide every state by itself: --stratify total_charge --stratify total_spin, or "
                'stratify = ["total_charge", "total_spin"] under [data.split]; or leave these frames out'
            )
            raise DataError("judge what is not trained on", found, todo)


def _check_elements(parts: Mapping[str, Dataset]) -> None:
    known = set(schema_of(parts["train"]).elements)
    for part in ("valid", "test"):
        lacking = sorted(set(schema_of(parts[part]).elements) - known - {0})
        if lacking:
            named = _listed(list(map(symbol, lacking)))
            found = f"the {part} part has atoms of {named}, and the train part has none of them"
            todo = "Divide the frames in another way, with --split-seed or by files, or leave these frames out"
            raise DataError("judge what is not trained on", found, todo)


def _at(level: str, dataset: Dataset) -> Dataset:
    """The frames of one level of theory."""
    return dataset[np.asarray(dataset[LEVEL], dtype=str) == level] if LEVEL in dataset else dataset


def _counted(value: int, frames: int) -> str:
    return f"{value} ({frames} frame{'s' if frames > 1 else ''})"


def _listed(values: Sequence[int | str]) -> str:
    return ", ".join(map(str, values))
