"""What each bead is, in numbers that mean the same in all data: its element, and the residue that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from atomloom.data import Dataset, Packed
from atomloom.data.schema import declared
from atomloom.elements import symbol
from atomloom.errors import DataError

FIELD: Final = "bead_kind"

ELEMENTS: Final = 119
"""One more than the largest atomic number; 0 is for beads that are of no element."""

RESIDUES: Final = tuple(
    "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL ACE NME NH2".split()  # noqa: SIM905
)
"""Amino acids and caps; 0 is for beads whose residue nobody names, and these count from 1."""

ALIASES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("HID", "HIE", "HIP", "HSD", "HSE", "HSP"), "HIS"),
    **dict.fromkeys(("CYX", "CYM"), "CYS"),
    "ASH": "ASP",
    "GLH": "GLU",
    "LYN": "LYS",
    "MSE": "MET",
}
"""What force fields and structures call some of them."""

KINDS: Final = ELEMENTS * (len(RESIDUES) + 1)
"""Elements times residues: a kind is ``ELEMENTS * residue + element``, and 0 is padding."""

_SHOWN = 5


def with_kinds(dataset: Dataset) -> Dataset:
    """The data with ``bead_kind``: from ``Z``, and from ``resname`` or ``species`` with ``aa_to_id``.

    Numbers of species mean something else in every data set, so that they are used with the names that belong to them
    and not by themselves.

    >>> two = Dataset.from_arrays({"R": np.zeros((1, 2, 3)), "Z": [[6, 6]], "resname": np.array([["ALA", "ARG"]])})
    >>> with_kinds(two)["bead_kind"].tolist()
    [125, 244]
    """
    if FIELD in dataset:
        return dataset
    residues = _residues(dataset)
    if residues is None and "Z" not in dataset:
        found = f"the data hold {', '.join(dataset.columns)}"
        raise DataError("tell what the beads are", found, "Bring Z, resname, or species with aa_to_id")
    kinds = np.zeros(int(dataset.sizes["atom"].sum()), dtype=np.int64)
    if residues is not None:
        kinds += ELEMENTS * residues
    if "Z" in dataset:
        kinds += dataset["Z"]
    return dataset.with_columns({FIELD: Packed(kinds, dataset.sizes["atom"])}, {FIELD: declared(FIELD)})


def called(kind: int) -> str:
    """A kind in words.

    >>> called(125), called(7)
    ('C of ALA', 'N')
    """
    residue, element = divmod(kind, ELEMENTS)
    words = (symbol(element) if element else "", RESIDUES[residue - 1] if residue else "")
    return " of ".join(filter(None, words))


def _residues(dataset: Dataset) -> NDArray[np.int64] | None:
    if "resname" in dataset:
        return _numbered(dataset["resname"])
    numbers = dataset.meta.get("aa_to_id")
    if "species" in dataset and numbers:
        names = {int(number): name for name, number in numbers.items()}
        return _numbered(np.array([names.get(int(number), str(number)) for number in dataset["species"]]))
    return None


def _numbered(names: NDArray[Any]) -> NDArray[np.int64]:
    known, places = np.unique(np.char.upper(names.astype(str)), return_inverse=True)
    plain = [ALIASES.get(name, name) for name in known.tolist()]
    odd = [name for name in plain if name not in RESIDUES]
    if odd:
        found = f"there {'is' if len(odd) == 1 else 'are'} {', '.join(odd[:_SHOWN])}"
        raise DataError("tell the residues of the beads", found, f"Name them as one of {', '.join(RESIDUES)}")
    return np.array([1 + RESIDUES.index(name) for name in plain], dtype=np.int64)[places.reshape(-1)]
