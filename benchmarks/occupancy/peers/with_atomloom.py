"""Refines with atomloom-occupancy.

``python with_atomloom.py refine TASK RESULT`` does what ``atomloom occupancy refine`` does up to the uncertainties;
``held`` solves for occupancies with scales and errors that cctbx has exported; ``deposited`` says how well the model
fits as it is; ``costs`` times an `OccupancyTensor`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize  # noqa: F401  # imports are not timed, and the refinement makes this one late

from atomloom_occupancy.active_set import minimise
from atomloom_occupancy.basis import build_basis
from atomloom_occupancy.finding import find_network
from atomloom_occupancy.likelihood import Amplitudes, Errors, MaximumLikelihood
from atomloom_occupancy.objective import Objective, Restraint
from atomloom_occupancy.refining import How, fit, prepare, refine
from atomloom_occupancy.reflection_files import load_reflections
from atomloom_occupancy.standard_form import Together
from atomloom_occupancy.states import Network, State
from atomloom_occupancy.structure import atoms_of, load_structure, occupancies_of
from atomloom_occupancy.uncertainty import uncertainties


def main() -> None:
    """Do the task."""
    verb, task, result = sys.argv[1], *map(Path, sys.argv[2:])
    asked = json.loads(task.read_text())
    begun = time.perf_counter(), time.process_time()
    found = VERBS[verb](asked)
    found["seconds"], found["cpu"] = time.perf_counter() - begun[0], time.process_time() - begun[1]
    found["mebibytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.write_text(json.dumps(found))


def refined(asked: dict[str, Any]) -> dict[str, Any]:
    """A refinement with its uncertainties, of the groups that are given or else are found."""
    structure, data = load_structure(asked["model"]), load_reflections(asked["data"])
    network = given(structure, asked["groups"]) if asked["groups"] else find_network(structure)
    how = How()
    done = refine(prepare(structure, data, network, how), network, how, starts(network, asked["start"]))
    spread = uncertainties(done)
    return {
        "occupancy": done.after.occupancy.tolist(),
        "esd": spread.fixed_b.tolist(),
        "flat": [list(each) for each in spread.flat],
        "r_work": done.after.r_factor(data, data.work),
        "r_free": done.after.r_factor(data, data.free),
    }


def deposited(asked: dict[str, Any]) -> dict[str, Any]:
    """R of the model as it is."""
    structure, data = load_structure(asked["model"]), load_reflections(asked["data"])
    found = fit(prepare(structure, data, Network((), ()), How()), np.zeros(0), How())
    r = {name: found.r_factor(data, chosen) for name, chosen in (("r_work", data.work), ("r_free", data.free))}
    return {**r, "reflections": len(data)}


def held(asked: dict[str, Any]) -> dict[str, Any]:
    """The optimum with cctbx's scales and errors, and the target there and at other occupancies."""
    structure = load_structure(asked["model"])
    network = given(structure, asked["groups"])
    with np.load(asked["exported"]) as arrays:
        basis = build_basis(structure, network, arrays["hkl"])
        observed = Amplitudes(arrays["observed"], arrays["epsilon"], arrays["centric"])
        target = MaximumLikelihood(observed, Errors(arrays["alpha"], arrays["beta"] * arrays["epsilon"]))
        base, slopes = arrays["scale"] * (basis.fixed + arrays["bulk"]), arrays["scale"] * basis.states
        theirs = target.value(np.abs(arrays["scale"] * (arrays["calculated"] + arrays["bulk"])))
    objective = Objective(target, base, slopes, Restraint(0.0, network.start))
    points = []
    for start in asked["starts"]:
        point, _ = minimise(objective, network.form.matrix, network.form.nearest(starts(network, start)))
        points.append(point[: len(network.states)])
    scores = [objective(np.asarray(each), False).value for each in (*points, *asked["candidates"])]
    return {"occupancy": [point.tolist() for point in points], "target": scores, "theirs": theirs}


def tensor_costs(asked: dict[str, Any]) -> dict[str, Any]:
    """Seconds of forward and backward of an `OccupancyTensor`, and of what cannot be left out."""
    import torch
    from timing import bare, costs

    from atomloom_occupancy import OccupancyTensor

    found = {}
    for atoms in asked["sizes"]:
        groups = torch.arange(atoms).split(asked["per_group"])
        tensor = OccupancyTensor(torch.full((atoms,), 0.5), [group.tolist() for group in groups])
        found[str(atoms)] = costs([tensor, bare(atoms, asked["per_group"])], asked["repeats"])
    return {"costs": found}


def given(structure: Any, groups: list[list[list[str]]]) -> Network:
    """The network of groups whose states are lists of names of atoms."""
    occupancy = occupancies_of(structure)
    places = {_name(cra): place for place, cra in enumerate(atoms_of(structure))}
    states, sets = [], []
    for number, group in enumerate(groups):
        if len(group) > 1:
            sets.append(Together(tuple(range(len(states), len(states) + len(group))), True, f"group {number}"))
        for state in group:
            atoms = tuple(places[name] for name in state)
            states.append(State(state[0], atoms, float(occupancy[list(atoms)].mean())))
    return Network(tuple(states), tuple(sets))


def starts(network: Network, start: float | None) -> Any:
    """Every first state where it shall start, what is left shared among the others of its set."""
    if start is None:
        return network.start
    values = np.full(len(network.states), start)
    for each in network.sets:
        values[list(each.states[1:])] = (1 - start) / (len(each.states) - 1)
    return values


def _name(cra: Any) -> str:
    parts = cra.chain.name, str(cra.residue.seqid), cra.residue.name, cra.atom.name, cra.atom.altloc.strip("\0")
    return "/".join(parts)


VERBS = {"refine": refined, "held": held, "deposited": deposited, "costs": tensor_costs}

if __name__ == "__main__":
    main()
