"""Refines with the engine inside phenix.refine, in an environment that holds cctbx-base alone.

``python with_cctbx.py refine TASK RESULT`` leaves occupancies, groups and, beside RESULT, what the target was made of;
``score`` leaves its F_calc at other occupancies,
``deposited`` says how well the model fits as it is. TASK and RESULT are JSON.
"""

import json
import resource
import sys
import time

import iotbx.pdb
import mmtbx.f_model
import mmtbx.model
import numpy as np
from cctbx.array_family import flex
from iotbx import reflection_file_reader
from libtbx.utils import null_out
from mmtbx.refinement import occupancies
from mmtbx.refinement.refinement_flags import manager as flags_manager


def main():
    """Do the task."""
    verb, task, result = sys.argv[1:]
    with open(task) as file:
        asked = json.load(file)
    begun = time.perf_counter(), time.process_time()
    model = mmtbx.model.manager(model_input=iotbx.pdb.input(file_name=asked["model"]), log=null_out())
    found = {"refine": refine, "score": score, "deposited": deposited}[verb](asked, model, result)
    found["seconds"], found["cpu"] = time.perf_counter() - begun[0], time.process_time() - begun[1]
    found["mebibytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with open(result, "w") as file:
        json.dump(found, file)


def refine(asked, model, result):
    """Scales, then occupancies by the macro cycles that phenix.refine makes, then what came out."""
    groups = occupancies.occupancy_selections(model, as_flex_arrays=True)
    set_starts(model, groups, asked["start"])
    fmodel = scaled(asked, model)
    model.set_refinement_flags(flags_manager(occupancies=True, s_occupancies=groups))
    fmodels = mmtbx.fmodels(fmodel_xray=fmodel)
    occupancies.manager(fmodels=fmodels, model=model, occupancy_max=1.0, occupancy_min=0.0)
    fmodel = fmodels.fmodel_xray()
    reached = fmodel.xray_structure.scatterers().extract_occupancies()
    names = identities(model)
    export(fmodel, result + ".npz")
    return {
        "groups": [[[names[atom] for atom in state] for state in group] for group in groups],
        "occupancy": [[reached[state[0]] for state in group] for group in groups],
        "r_work": fmodel.r_work(),
        "r_free": fmodel.r_free(),
        "target": nll(fmodel),
    }


def score(asked, model, result):
    """F_calc at other occupancies, as accurate as a refinement has it."""
    places = {name: place for place, name in enumerate(identities(model))}
    structure = model.get_xray_structure()
    fmodel = scaled(asked, model)
    work = fmodel.arrays.work_sel.as_numpy_array()
    found = []
    for values in asked["candidates"]:
        for group, filled in zip(asked["groups"], values, strict=True):
            for state, value in zip(group, filled, strict=True):
                atoms = flex.size_t([places[name] for name in state])
                structure.set_occupancies(value, flex.bool(structure.scatterers().size(), atoms))
        fmodel.update_xray_structure(xray_structure=structure, update_f_calc=True)
        found.append(fmodel.f_calc().data().as_numpy_array()[work])
    np.save(result + ".npy", np.array(found))
    return {}


def deposited(asked, model, result):
    """R of the model as it is, without what cctbx takes for outliers."""
    fmodel = scaled(asked, model, remove_outliers=True)
    return {"r_work": fmodel.r_work(), "r_free": fmodel.r_free(), "reflections": fmodel.f_obs().data().size()}


def scaled(asked, model, remove_outliers=False):
    """The model against the data, with cctbx's bulk solvent and scales."""
    arrays = reflection_file_reader.any_reflection_file(asked["data"]).as_miller_arrays()
    observed = next(each for each in arrays if each.info().labels[0] == "FP")
    flags = next(each for each in arrays if each.info().labels[0] == "FREE")
    observed, flags = observed.common_sets(flags)
    free = flags.customized_copy(data=flags.data() == 0)
    fmodel = mmtbx.f_model.manager(
        f_obs=observed, r_free_flags=free, xray_structure=model.get_xray_structure(), target_name="ml"
    )
    fmodel.update_all_scales(remove_outliers=remove_outliers)
    return fmodel


def set_starts(model, groups, start):
    """Put every first state where it shall start, and share what is left among the others of its group."""
    if start is None:
        return
    structure = model.get_xray_structure()
    for group in groups:
        for place, state in enumerate(group):
            value = start if place == 0 else (1 - start) / (len(group) - 1)
            structure.set_occupancies(value, flex.bool(structure.scatterers().size(), flex.size_t(state)))
    model.set_xray_structure(structure)


def identities(model):
    """Chain, number, name of residue and atom, and altloc of every atom."""
    found = []
    for atom in model.get_hierarchy().atoms():
        label = atom.fetch_labels()
        number = (label.resseq + label.icode).strip()
        parts = (label.chain_id, number, label.resname, atom.name, label.altloc)
        found.append("/".join(part.strip() for part in parts))
    return found


def nll(fmodel):
    """The target over the work set."""
    return fmodel.target_w() * fmodel.f_obs_work().data().size()


def export(fmodel, path):
    """What the target is made of: F_model = scale (F_calc + bulk), alpha and beta of the work set."""
    work = fmodel.arrays.work_sel.as_numpy_array()
    alpha, beta = fmodel.alpha_beta_w()
    scale = fmodel.k_isotropic() * fmodel.k_anisotropic() * fmodel.arrays.core.k_isotropic_exp
    bulk = sum(k * f.data() for k, f in zip(fmodel.k_masks(), fmodel.f_masks(), strict=True))
    np.savez(
        path,
        hkl=np.array(list(fmodel.f_obs_work().indices())),
        observed=fmodel.f_obs_work().data().as_numpy_array(),
        epsilon=fmodel.f_obs_work().epsilons().data().as_numpy_array(),
        centric=fmodel.f_obs_work().centric_flags().data().as_numpy_array(),
        alpha=alpha.data().as_numpy_array(),
        beta=beta.data().as_numpy_array(),
        scale=scale.as_numpy_array()[work],
        bulk=bulk.as_numpy_array()[work],
        calculated=fmodel.f_calc().data().as_numpy_array()[work],
    )


if __name__ == "__main__":
    main()
