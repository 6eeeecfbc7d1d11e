"""Refines with torchref, in an environment that holds torchref alone: its own groups, all else is held.

``python with_torchref.py refine TASK RESULT`` refines; ``costs`` times its OccupancyTensor. Both files are JSON.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import torch
from starting import started
from timing import bare, costs
from torchref.model.parameter_wrappers import OccupancyTensor
from torchref.refinement.lbfgs_refinement import LBFGSRefinement

MACRO_CYCLES = 5
"""As many as torchref.refine makes by default."""


def main():
    """Do the task."""
    verb, task, result = sys.argv[1], *map(Path, sys.argv[2:])
    asked = json.loads(task.read_text())
    begun = time.perf_counter(), time.process_time()
    found = {"refine": refine, "costs": tensor_costs}[verb](asked)
    found["seconds"], found["cpu"] = time.perf_counter() - begun[0], time.process_time() - begun[1]
    found["mebibytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.write_text(json.dumps(found))


def refine(asked):
    """Its own macro cycles, scales and then L-BFGS, with occupancies alone free and the X-ray target alone."""
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/start.cif"
        started(asked["model"], asked["groups"], asked["start"]).make_mmcif_document().write_file(model)
        job = LBFGSRefinement(data_file=asked["data"], pdb=model, verbose=0, device=torch.device("cpu"))
        for kind in ("xyz", "adp", "u"):
            job.model.freeze(kind)
        for _ in range(MACRO_CYCLES):
            job._refresh_scales()
            minimise(job)
        work, free = map(float, job.get_rfactor())
        return {"occupancy": reached(job.model.pdb, asked["groups"]), "r_work": work, "r_free": free}


def reached(frame, groups):
    """The occupancies of the states of each group, from its table of atoms."""
    columns = [
        frame[name].astype(str).str.strip() for name in ("chainid", "resseq", "icode", "resname", "name", "altloc")
    ]
    parts = zip(*columns, frame["occupancy"], strict=True)
    values = {
        f"{chain}/{number}{code}/{residue}/{atom}/{alt}": q for chain, number, code, residue, atom, alt, q in parts
    }
    return [[float(values[state[0]]) for state in group] for group in groups]


def minimise(job):
    """One step of L-BFGS with torchref's own settings."""
    optimiser = torch.optim.LBFGS(list(job.model.parameters_of_types(("occupancy",))), **job.LBFGS_DEFAULTS)

    def closure():
        optimiser.zero_grad()
        loss = job.xray_loss_work()
        loss.backward()
        return loss

    optimiser.step(closure)


def tensor_costs(asked):
    """Seconds of forward and backward of its OccupancyTensor, and of what cannot be left out."""
    found = {}
    for atoms in asked["sizes"]:
        groups = torch.arange(atoms) // asked["per_group"]
        tensor = OccupancyTensor(torch.full((atoms,), 0.5), sharing_groups=groups)
        found[str(atoms)] = costs([tensor, bare(atoms, asked["per_group"])], asked["repeats"])
    return {"costs": found}


if __name__ == "__main__":
    main()
