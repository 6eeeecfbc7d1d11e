"""The made-up crystal as data sets, for the conformance kit and tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from atomloom.data import Dataset
from atomloom_occupancy import examples
from atomloom_occupancy.crystal_fields import atom_fields, cell_vectors
from atomloom_occupancy.crystal_model import Config

EXPERIMENT = """[[data.source]]
path = "crystal.pdb"
reader = "pdb"

[[data.source]]
path = "data.mtz"
reader = "mtz"

[data.split]
field = "free_flag"

[model]
name = "occupancy"

[losses]
ml = 1.0
"""
"""An experiment on the files that `examples` writes."""

_FEW = 80


def crystal() -> Dataset:
    """Model and amplitudes of the crystal."""
    structure = examples.crystal()
    columns = examples.observations(structure).array.T
    arrays: dict[str, npt.ArrayLike] = {name: values[None] for name, values in atom_fields(structure).items()}
    arrays |= {"hkl": columns[:3].T.astype(np.int64)[None], "F_obs": columns[3][None], "sigma_F": columns[4][None]}
    arrays |= {"free_flag": (columns[5] == 0)[None], "cell": cell_vectors(structure.cell)[None]}
    arrays |= {"space_group": [structure.spacegroup_hm]}
    lengths = {"atom": [structure[0].count_atom_sites()], "reflection": [columns.shape[1]]}
    return Dataset.from_arrays(arrays, lengths=lengths)


def intensities() -> Dataset:
    """Some intensities of the crystal, a few of them negative, without free flags."""
    whole = crystal()
    hkl, random = whole["hkl"][:_FEW], np.random.default_rng(0)
    value = whole["F_obs"][:_FEW] ** 2 + random.normal(scale=20.0, size=_FEW)
    arrays = {"hkl": hkl[None], "I_obs": value[None], "sigma_I": np.full((1, _FEW), 20.0), "cell": whole["cell"]}
    lengths = {"reflection": [_FEW]}
    return Dataset.from_arrays({**arrays, "space_group": whole["space_group"]}, lengths=lengths)


def amplitudes() -> Dataset:
    """Amplitudes of two crystals with what a target wants to know of them."""
    random, counts = np.random.default_rng(0), [_FEW, _FEW // 2]
    size = (2, _FEW)
    reflection: dict[str, npt.ArrayLike] = {
        "F_obs": random.uniform(1.0, 5.0, size),
        "model_alpha": random.uniform(0.8, 1.0, size),
        "model_beta": random.uniform(0.5, 1.5, size),
        "centric": random.random(size) < 0.2,
        "free_flag": random.random(size) < 0.1,
    }
    return Dataset.from_arrays(reflection, lengths={"reflection": counts})


def model() -> tuple[Config, Dataset]:
    """The crystal with the options that a user has who gives none."""
    return Config(), crystal()
