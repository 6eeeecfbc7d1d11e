"""Whether standard uncertainties mean what they say: refinements of simulated data whose occupancies are known.

Each simulation draws new errors for the made-up crystal of `examples`, refines it from wrong occupancies and compares
what is found with the truth in units of the standard uncertainty. Where uncertainties are right the root mean square of
these z-scores is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from atomloom.data.columns import Array
from atomloom.progress import track
from atomloom_occupancy import examples
from atomloom_occupancy.demo import WRONG
from atomloom_occupancy.group_file import read_groups
from atomloom_occupancy.refining import Crystal, How, prepare, refine
from atomloom_occupancy.refining_b import refine_with_b
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.reflections import Reflections
from atomloom_occupancy.scaling import lattice_of
from atomloom_occupancy.uncertainty import uncertainties

INDEPENDENT = ("near A", "far A", "far B", "bound", "water")
"""One state fewer than there are in each set: the last follows from the sum."""


def z_scores(seeds: Iterable[int], how: How | None = None, group_b: str = "") -> Array:
    """(seeds, independent states) of (found - true) / standard uncertainty; NaN for a state at its bound.

    Args:
        seeds: of the errors and free flags, one for each simulation.
        how: options of the refinements.
        group_b: ``"iso"`` or ``"aniso"`` where displacements are refined too, and the uncertainty is that with B freed.
    """
    how = how or How()
    true_model, wrong_model = examples.crystal(), examples.crystal(WRONG)
    rows, crystal = [], None
    with TemporaryDirectory() as folder:
        groups = Path(folder) / "groups.toml"
        groups.write_text(examples.GROUPS, encoding="utf-8")
        network = read_groups(groups, wrong_model)
        names = [state.name for state in network.states]
        chosen = [names.index(name) for name in INDEPENDENT]
        truth = np.array([examples.TRUTH[name] for name in names])
        listed = list(seeds)
        for seed in track(listed, total=len(listed), label="simulations"):
            file = Path(folder) / "data.mtz"
            examples.observations(true_model, seed=seed).write_to_file(str(file))
            data = load_reflections(file)
            crystal = prepare(wrong_model, data, network, how) if crystal is None else _with_data(crystal, data)
            if group_b:
                found, _ = refine_with_b(wrong_model, crystal, network, how, group_b)
            else:
                found = refine(crystal, network, how)
            spread = uncertainties(found)
            rows.append(((found.after.occupancy - truth) / (spread.free_b if group_b else spread.fixed_b))[chosen])
    return np.array(rows)


def _with_data(crystal: Crystal, data: Reflections) -> Crystal:
    """The same crystal with other data at the same reflections."""
    return replace(crystal, data=data, lattice=lattice_of(data.cell, data.group, data.hkl, data.work))
