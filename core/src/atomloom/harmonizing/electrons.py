"""Charges and multiplicities that no molecule can have."""

from __future__ import annotations

import numpy as np

from atomloom.data import Dataset
from atomloom.data.columns import Indices
from atomloom.errors import DataError
from atomloom.harmonizing.findings import Finding, counted

_BLOCK = 65536
_NAMED = 5


def check_electrons(dataset: Dataset) -> list[Finding]:
    """Stops where charges are no whole numbers, or where charge and multiplicity contradict the number of electrons.

    A molecule of sum(Z) - Q electrons has 2S+1 = 1, 3, ... if their number is even and 2, 4, ... if it is odd, and at
    most one unpaired electron for each.
    """
    if not {"Z", "total_charge"} <= set(dataset.columns):
        return []
    impossible: list[Indices] = []
    names = ["Z", "total_charge", *(["total_spin"] if "total_spin" in dataset else [])]
    for some, batch in dataset.stretches(range(len(dataset)), _BLOCK, names):
        charges = np.rint(batch["total_charge"].astype(np.float64))
        _check_whole(batch["total_charge"], charges, int(some[0]))
        electrons = np.bincount(batch.segments(), weights=batch["Z"], minlength=batch.frames) - charges
        unpaired = batch["total_spin"] - 1 if "total_spin" in batch else electrons % 2
        wrong = (electrons < 0) | (unpaired < 0) | (unpaired > electrons) | ((electrons - unpaired) % 2 != 0)
        impossible.append(some[wrong])
    frames = np.concatenate(impossible)
    if frames.size:
        raise _impossible(dataset, frames)
    checked = "total_spin" if "total_spin" in dataset else "total_charge"
    return [Finding(checked, checked, "check", f"fits the electrons of {counted(len(dataset), 'frame')}")]


def _check_whole(given: np.ndarray, whole: np.ndarray, start: int) -> None:
    odd = np.flatnonzero(~(np.abs(given - whole) < 1e-3))
    if odd.size:
        found = f"frame {start + int(odd[0])} has a charge of {float(given[odd[0]]):g} e"
        raise DataError("use total_charge", found, "Check that this field is the charge of a whole molecule")


def _impossible(dataset: Dataset, frames: Indices) -> DataError:
    frame = dataset.take(frames[:1]).frame(0)
    charge, electrons = int(frame["total_charge"]), int(frame["Z"].sum()) - int(frame["total_charge"])
    named = ", ".join(map(str, frames[:_NAMED])) + (", ..." if frames.size > _NAMED else "")
    if "total_spin" not in frame:
        found = f"{counted(int(frames.size), 'frame')} ({named}) would have more positive charge than electrons"
        return DataError(
            "use total_charge", found, "Check the charges, or which field they are with --as FIELD=MEANING"
        )
    found = (
        f"{frames.size} of {counted(len(dataset), 'frame')} ({named}) have an impossible one: frame {int(frames[0])} "
        f"of charge {charge} has {electrons} electrons and multiplicity {int(frame['total_spin'])}"
    )
    todo = "Correct them; if the field counts unpaired electrons, say so with --as FIELD=unpaired_electrons"
    return DataError("use the multiplicities", found, todo)
