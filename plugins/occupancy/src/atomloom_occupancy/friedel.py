"""Observations that are there as Friedel pairs alone: F(+) and F(-), or I(+) and I(-), side by side in one row.

The two become rows of their own, h and -h, which are averaged later like any reflections that are there twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import gemmi
import numpy as np

from atomloom.data.columns import Array

MTZ_TYPES = {"G": ("L", False), "K": ("M", True)}
"""Types of MTZ columns of one of a pair: that of its uncertainty, and whether it is an intensity."""

CIF_ITEMS = (("pdbx_F_plus", "pdbx_F_minus", False), ("pdbx_I_plus", "pdbx_I_minus", True))
"""Items of SF-mmCIF that hold pairs, and whether they are intensities; their uncertainties end in ``_sigma``."""


class Pair(NamedTuple):
    """Names of the columns of a pair."""

    plus: str
    plus_sigma: str
    minus: str
    minus_sigma: str
    intensities: bool


def pair_in_mtz(mtz: gemmi.Mtz) -> Pair | None:
    """The first pair with uncertainties in an MTZ file."""
    for kind, (spread, intensities) in MTZ_TYPES.items():
        values, sigmas = ([column.label for column in mtz.columns if column.type == each] for each in (kind, spread))
        if len(values) > 1 and len(sigmas) > 1:
            return Pair(values[0], sigmas[0], values[1], sigmas[1], intensities)
    return None


def pair_in_cif(names: list[str]) -> Pair | None:
    """The first pair with uncertainties among the items of SF-mmCIF."""
    for plus, minus, intensities in CIF_ITEMS:
        pair = Pair(plus, f"{plus}_sigma", minus, f"{minus}_sigma", intensities)
        if {*pair[:4]} <= {*names}:
            return pair
    return None


def unfolded(pair: Pair, column: Callable[[str], Array], shared: Mapping[str, Array]) -> dict[str, Array]:
    """Rows of h with the first of a pair, and below them rows of -h with the second.

    Args:
        pair: names of the columns.
        column: gives the values of one.
        shared: columns that both rows have, `hkl` among them.
    """
    twice = {name: np.concatenate([values, values]) for name, values in shared.items()}
    twice["hkl"][len(shared["hkl"]) :] *= -1
    twice["value"] = np.concatenate([column(pair.plus), column(pair.minus)])
    twice["sigma"] = np.concatenate([column(pair.plus_sigma), column(pair.minus_sigma)])
    return twice
