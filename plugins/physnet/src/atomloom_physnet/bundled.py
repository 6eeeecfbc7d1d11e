"""The data that come with the package: small molecules in several states, labelled with GFN2-xTB.

``plugins/physnet/data/make.py`` made them; ``states.json`` beside them says with what.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np

from atomloom.data import Dataset
from atomloom_physnet.config import Config

_FRAMES = 12


def states() -> Dataset:
    """Some thousand frames with Z, R, E, F, mono, D, total_charge, total_spin, and `geometry`, which states share."""
    with (files("atomloom_physnet") / "data" / "states.npz").open("rb") as file, np.load(file) as held:
        arrays = {name: held[name] for name in held.files}
    lengths = arrays.pop("N")
    return Dataset.from_arrays(arrays, lengths={"atom": lengths}, meta=provenance())


def provenance() -> dict[str, Any]:
    """Level of theory, program and units of `states`."""
    found: dict[str, Any] = json.loads((files("atomloom_physnet") / "data" / "states.json").read_text("utf-8"))
    return found


def example() -> tuple[Config, Dataset]:
    """Options of a small model, and as many neutral molecules as cations."""
    whole = states()
    state = zip(whole["total_charge"].tolist(), whole["total_spin"].tolist(), strict=True)
    both = np.flatnonzero([each in ((0, 1), (1, 2)) for each in state])
    return Config(features=8, layers=1, basis_functions=4), whole[both[:: len(both) // _FRAMES][:_FRAMES]]
