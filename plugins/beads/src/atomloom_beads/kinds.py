"""What each bead is, in numbers that mean the same in all data: the element, or the amino acid that it stands for."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset, Packed
from atomloom.data.schema import declared
from atomloom.errors import DataError

FIELD: Final = "bead_kind"

ELEMENTS: Final = 118

AMINO_ACIDS: Final = tuple(
    "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split()  # noqa: SIM905
)

KINDS: Final = ELEMENTS + len(AMINO_ACIDS)
"""The largest number of a kind; 0 is padding."""

_SHOWN = 5


def with_kinds(dataset: Dataset) -> Dataset:
    """The data with ``bead_kind``: by ``resname``, by ``species`` and ``aa_to_id``, else by ``Z``.

    Numbers of species mean something else in every data set, so that they are used with the names that belong to them
    and not by themselves.

    >>> two = Dataset.from_arrays({"R": np.zeros((1, 2, 3)), "resname": np.array([["ALA", "VAL"]])})
    >>> with_kinds(two)["bead_kind"].tolist()
    [119, 138]
    """
    if FIELD in dataset:
        return dataset
    column = Packed(_kinds(dataset), dataset.sizes["atom"])
    return dataset.with_columns({FIELD: column}, {FIELD: declared(FIELD)})


def _kinds(dataset: Dataset) -> NDArray[np.int64]:
    if "resname" in dataset:
        return _of_names(dataset["resname"])
    numbers = dataset.meta.get("aa_to_id")
    if "species" in dataset and numbers:
        names = {int(number): name for name, number in numbers.items()}
        return _of_names(np.array([names.get(int(number), str(number)) for number in dataset["species"]]))
    if "Z" in dataset:
        return dataset["Z"].astype(np.int64)
    found = f"the data hold {', '.join(dataset.columns)}"
    raise DataError("tell what the beads are", found, "Bring resname, species with aa_to_id, or Z")


def _of_names(names: NDArray[Any]) -> NDArray[np.int64]:
    known, places = np.unique(np.char.upper(names.astype(str)), return_inverse=True)
    odd = sorted(set(known.tolist()) - set(AMINO_ACIDS))
    if odd:
        found = f"{', '.join(odd[:_SHOWN])} {'is none' if len(odd) == 1 else 'are none'} of the 20 that it knows"
        raise DataError("tell the amino acids of the beads", found, "Name them as the protonated forms' parents: HIS")
    numbers = np.array([ELEMENTS + 1 + AMINO_ACIDS.index(name) for name in known.tolist()], dtype=np.int64)
    return numbers[places.reshape(-1)]
