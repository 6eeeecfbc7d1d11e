"""Refines with servalcat, in an environment that holds servalcat alone: the groups are given, all else is held.

``python with_servalcat.py refine TASK RESULT``; both are JSON.
"""

import contextlib
import io
import json
import resource
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import gemmi
import yaml
from servalcat.refine import refine_xtal
from starting import reached, started


def main():
    """Do the task."""
    _, task, result = sys.argv[1], *map(Path, sys.argv[2:])
    asked = json.loads(task.read_text())
    begun = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        found = refine(asked)
    found["seconds"], found["cpu"] = time.perf_counter() - begun[0], time.process_time() - begun[1]
    found["mebibytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.write_text(json.dumps(found))


def refine(asked):
    """Write what servalcat reads, let it run with the number of cycles that it has by default, and read the answer."""
    structure = started(asked["model"], asked["groups"], asked["start"])
    structure.make_mmcif_document().write_file("start.cif")
    Path("groups.yaml").write_text(yaml.safe_dump(configuration(asked["groups"])))
    options = {
        "--hklin": asked["data"],
        "--labin": "FP,SIGFP,FREE",
        "--free": "0",
        "--model": "start.cif",
        "--source": "xray",
        "--hydrogen": "yes",
        "--adp": "fix",
        "--config": "groups.yaml",
        "-o": "refined",
    }
    arguments = ["--unrestrained", "--fix_xyz", "--hout", *(part for pair in options.items() for part in pair)]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            refine_xtal.main(refine_xtal.parse_args(arguments))
    except BaseException:
        print(said.getvalue(), file=sys.stderr)
        raise
    last = json.loads(Path("refined_stats.json").read_text())[-1]["data"]["summary"]
    return {
        "occupancy": reached(gemmi.read_structure("refined.mmcif"), asked["groups"]),
        "r_work": last["Rwork"],
        "r_free": last["Rfree"],
    }


def configuration(groups):
    """Servalcat's own words for groups of states that add up to one."""
    states, sets = [], []
    for group in groups:
        numbers = []
        for state in group:
            numbers.append(len(states) + 1)
            states.append({"id": numbers[-1], "selections": selections(state)})
        if len(group) > 1:
            sets.append({"ids": numbers, "complete": True})
    chosen = [selection for state in states for selection in state["selections"]]
    occupancy = {"atom_selection": {"occ": {"include": chosen}}, "occ_groups": states, "occ_group_constraints": sets}
    return {"refine": occupancy}


def selections(state):
    """The atoms of a state, one selection for each residue and altloc."""
    residues = defaultdict(list)
    for name in state:
        chain, number, _, atom, altloc = name.split("/")
        residues[chain, number, altloc].append(atom)
    return [
        f"//{chain}/{number}/{','.join(atoms)}" + (f":{altloc}" if altloc else "")
        for (chain, number, altloc), atoms in residues.items()
    ]


if __name__ == "__main__":
    main()
