"""Refuses what is not of X-rays: form factors, and so occupancies, would be wrong."""

from __future__ import annotations

import gemmi

from atomloom.errors import DataError

_OTHERS = ("NEUTRON", "ELECTRON", "NMR")
_ITEMS = ("_exptl.method", *(f"_diffrn_radiation.{item}" for item in ("pdbx_scattering_type", "probe", "type")))


def check_model_method(structure: gemmi.Structure, asked: str) -> None:
    """Stop where a model says that it was determined by something else."""
    method = structure.info["_exptl.method"] if "_exptl.method" in structure.info else ""  # noqa: SIM401 - no dict
    _check(method, asked, "the model was determined by")


def check_data_method(block: gemmi.cif.Block, asked: str) -> None:
    """Stop where an SF-mmCIF file says that its data are of something else."""
    for item in _ITEMS:
        for value in block.find_values(item):
            _check(gemmi.cif.as_string(value), asked, "the data are of")


def _check(method: str, asked: str, said: str) -> None:
    if any(word in method.upper() for word in _OTHERS):
        raise DataError(asked, f"{said} {method.lower()}", "Give a model and data of X-rays")
